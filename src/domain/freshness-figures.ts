/**
 * How soon changes were published, as figures that can be added up: histograms by provider account and by how near the
 * journey was. The promise is FRESH_MS from the provider's API showing a change to its publication.
 */

/** The promise, ms. */
export const FRESH_MS = 300_000;
/** Of all changes, so many must keep it: what may be missed is the error budget. */
export const FRESH_SHARE = 0.999;

/** Upper bounds of the buckets, ms; what is above the last one is in a bucket of its own. */
export const DELAY_BOUNDS_MS = [
  50, 100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 180_000, 240_000, 270_000, 300_000, 600_000,
  1_800_000, 3_600_000,
] as const;

export interface Delays {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  /** One for each bound and one above. */
  readonly buckets: readonly number[];
}

export const NO_DELAYS: Delays = {
  count: 0,
  sumMs: 0,
  maxMs: 0,
  buckets: Array.from({ length: DELAY_BOUNDS_MS.length + 1 }, () => 0),
};

/** `ms` below 0 (a source whose clock is ahead) counts as 0. */
export function addDelay(delays: Delays, ms: number): Delays {
  const value = Math.max(0, ms);
  const found = DELAY_BOUNDS_MS.findIndex((bound) => value <= bound);
  const at = found < 0 ? DELAY_BOUNDS_MS.length : found;
  return {
    count: delays.count + 1,
    sumMs: delays.sumMs + value,
    maxMs: Math.max(delays.maxMs, value),
    buckets: delays.buckets.map((count, index) => (index === at ? count + 1 : count)),
  };
}

export function mergeDelays(one: Delays, other: Delays): Delays {
  return {
    count: one.count + other.count,
    sumMs: one.sumMs + other.sumMs,
    maxMs: Math.max(one.maxMs, other.maxMs),
    buckets: one.buckets.map((count, index) => count + (other.buckets[index] ?? 0)),
  };
}

/** The bound below which the share `q` of all lies: never less than the truth. 0 where there are none. */
export function delayQuantileMs(delays: Delays, q: number): number {
  if (delays.count === 0) return 0;
  const rank = Math.ceil(q * delays.count);
  let seen = 0;
  for (const [index, count] of delays.buckets.entries()) {
    seen += count;
    if (seen >= rank) return Math.min(DELAY_BOUNDS_MS[index] ?? delays.maxMs, delays.maxMs);
  }
  return delays.maxMs;
}

/** How many were within the promise. FRESH_MS is one of the bounds, so this is exact. */
export function keptPromise(delays: Delays): number {
  const last = DELAY_BOUNDS_MS.indexOf(FRESH_MS);
  return delays.buckets.slice(0, last + 1).reduce((sum, count) => sum + count, 0);
}

/**
 * What is left of the error budget, 1 (nothing missed) to 0 (used up), below 0: overdrawn. Undefined without changes.
 */
export function errorBudgetLeft(delays: Delays): number | undefined {
  if (delays.count === 0) return undefined;
  const allowed = (1 - FRESH_SHARE) * delays.count;
  return 1 - (delays.count - keptPromise(delays)) / allowed;
}
