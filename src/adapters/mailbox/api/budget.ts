import type { Clock } from '../../../ports/clock.ts';

/**
 * A vendor's quota for one mailbox, in its units: a bucket that fills evenly. What is live goes first: the other lane
 * leaves it a share of the bucket.
 */
export interface UnitBudget {
  /** Waits until so many units are there, and takes them. Rejects with the signal's reason. */
  take(units: number, lane: 'live' | 'later', signal: AbortSignal): Promise<void>;
}

export interface UnitBudgetOptions {
  readonly clock: Clock;
  readonly unitsPerMinute: number;
}

/** A bucket holds what comes in so long: bursts stay below the vendor's minute. */
const BURST_MS = 20_000;
/** Of the bucket, for what is live. */
const RESERVE_SHARE = 0.3;

export function createUnitBudget({ clock, unitsPerMinute }: UnitBudgetOptions): UnitBudget {
  const perMs = unitsPerMinute / 60_000;
  const size = perMs * BURST_MS;
  let level = size;
  let at = clock.monotonic();
  const fill = (): void => {
    const now = clock.monotonic();
    level = Math.min(size, level + Math.max(0, now - at) * perMs);
    at = now;
  };
  return {
    take: async (units, lane, signal) => {
      const floor = lane === 'live' ? 0 : size * RESERVE_SHARE;
      // What is larger than the bucket waits for a full one.
      const wanted = Math.min(units, size - floor);
      for (;;) {
        signal.throwIfAborted();
        fill();
        if (level - floor >= wanted) {
          level -= units;
          return;
        }
        await clock.sleep(Math.ceil((wanted + floor - level) / perMs), signal);
      }
    },
  };
}
