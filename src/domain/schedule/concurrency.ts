/**
 * How many questions may be out at a provider at the same time: one more after a round of successes, half as many when
 * it refuses or does not answer (additive increase, multiplicative decrease). Pure.
 */
export interface Concurrency {
  readonly limit: number;
  /** Successes since the limit was last raised. */
  readonly successes: number;
}

export function startConcurrency(max: number): Concurrency {
  return { limit: Math.max(1, Math.min(4, max)), successes: 0 };
}

/** A success counts only while the limit is in use: what was not tried says nothing. */
export function afterSuccess(now: Concurrency, inFlight: number, max: number): Concurrency {
  if (inFlight < now.limit) return now;
  const successes = now.successes + 1;
  return successes < now.limit ? { ...now, successes } : { limit: Math.min(max, now.limit + 1), successes: 0 };
}

export function afterOverload(now: Concurrency): Concurrency {
  return { limit: Math.max(1, Math.floor(now.limit / 2)), successes: 0 };
}
