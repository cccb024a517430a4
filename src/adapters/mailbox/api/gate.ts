/** At most `max` at a time; who waits may be called off. In the order in which they came. */
export type Gate = <T>(signal: AbortSignal, run: () => Promise<T>) => Promise<T>;

export function createGate(max: number): Gate {
  const waiting = new Set<() => void>();
  let running = 0;
  const enter = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (running < max) {
      running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const next = (): void => {
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => {
        waiting.delete(next);
        reject(signal.reason);
      };
      waiting.add(next);
      signal.addEventListener('abort', stop, { once: true });
    });
  };
  const leave = (): void => {
    const next = waiting.values().next().value;
    if (next === undefined) running--;
    else {
      // The place goes from hand to hand.
      waiting.delete(next);
      next();
    }
  };
  return async (signal, run) => {
    await enter(signal);
    try {
      return await run();
    } finally {
      leave();
    }
  };
}

/** Runs over all with at most `max` at a time; results in the order of the items. The first error ends it. */
export async function eachOf<T, R>(items: readonly T[], max: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const out: R[] = new Array(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      try {
        out[index] = await run(items[index]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: Math.min(max, items.length) }, worker));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return out;
}
