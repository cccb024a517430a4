import { TripwatchError } from './errors.ts';

/** When to come again, real ms: what waits goes down by thousands meanwhile. */
const RETRY_AFTER_MS = 15_000;

/** What everybody hears who brings something while too much waits: the door says "later", and memory stays bounded. */
export function overloadedError(now: number): TripwatchError {
  return new TripwatchError(
    'rate-limited',
    'intake-overloaded',
    'Too much is waiting to be worked on; nothing new is taken until that has gone down. Try again in a moment.',
    { retryAt: now + RETRY_AFTER_MS },
  );
}
