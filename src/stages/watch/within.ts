import { TripwatchError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/**
 * Runs `work` with one deadline over the whole of it, real ms. Errors: transient `mailbox-timeout` when it has passed, the
 * signal's reason when aborted, both at once and whether or not the work heeds its signal; what it brings later is dropped.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const end = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  const done = new AbortController();
  clock.sleep(ms * clock.speed, done.signal).then(
    () => over.abort(timeout(what, ms)),
    () => undefined,
  );
  const aborted = new Promise<never>((_, reject) => {
    over.signal.addEventListener('abort', () => reject(over.signal.reason), { once: true });
  });
  try {
    return await Promise.race([work(over.signal), aborted]);
  } finally {
    done.abort();
    signal.removeEventListener('abort', end);
  }
}

function timeout(what: string, ms: number): TripwatchError {
  return new TripwatchError('transient', 'mailbox-timeout', `To ${what} took longer than ${ms / 1000} s.`);
}
