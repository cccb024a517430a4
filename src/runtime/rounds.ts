import type { Clock } from '../ports/clock.ts';
import type { Part } from './held.ts';

/**
 * Work that is done at once and then again every so often (by the clock) until it is stopped, which waits for the round
 * under way. A round that fails is told to `failed`, and the next one comes at its time.
 */
export function createRounds(
  clock: Clock,
  everyMs: number,
  work: (signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
): Part & { readonly signal: AbortSignal } {
  const ending = new AbortController();
  const { signal } = ending;
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await work(signal).catch((error: unknown) => {
        if (!signal.aborted) failed(error);
      });
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  };
  return {
    signal,
    start: () => {
      running = run();
    },
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}
