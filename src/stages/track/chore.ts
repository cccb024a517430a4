/**
 * Work of an account besides its subjects, in the same schedule and under the same limits: looking at a list of changes,
 * seeing that the provider still pushes. Each has its own breaker, cost and freshness.
 */
export interface Chore {
  readonly slot: number;
  readonly operation: string;
  /** Ms between two runs. */
  readonly everyMs: number;
  /** Epoch ms of the last run that went well. */
  ranAt: number | undefined;
  readonly addedAt: number;
  attempts: number;
  /** Does it. True: there is more to do at once. Errors: those of the provider and of the store. */
  run(signal: AbortSignal): Promise<boolean>;
}

/** So many runs may be missed before it counts as not working. */
const MISSED_MAX = 3;

export function works(chore: Chore | undefined, now: number): boolean {
  return chore?.ranAt !== undefined && now - chore.ranAt <= MISSED_MAX * chore.everyMs;
}
