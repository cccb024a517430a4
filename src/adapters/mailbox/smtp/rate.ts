import { RATED_ADDRESSES_MAX } from './limits.ts';

const MINUTE_MS = 60_000;

/** Counts per remote address in windows of a minute. `now` is monotonic milliseconds. */
export function createMinuteRate(max: number): { allow(address: string, now: number): boolean } {
  const windows = new Map<string, { from: number; count: number }>();
  return {
    allow(address, now) {
      const known = windows.get(address);
      if (known !== undefined && now - known.from < MINUTE_MS) return ++known.count <= max;
      windows.delete(address);
      windows.set(address, { from: now, count: 1 });
      if (windows.size > RATED_ADDRESSES_MAX) {
        const oldest = windows.keys().next();
        if (!oldest.done) windows.delete(oldest.value);
      }
      return true;
    },
  };
}
