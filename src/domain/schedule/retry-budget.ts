/**
 * How many questions may be asked a second time: at most a tenth of the first attempts, plus a few to find out, in any
 * five minutes. A provider in trouble is thus never asked much more than one that is well. Pure: the time is given.
 */
export interface RetryBudget {
  /** A question is asked for the first time in its round. */
  first(now: number): void;
  /** Books a retry if there is one. False: the question waits for its next round. */
  take(now: number): boolean;
  /** Of the last five minutes. */
  counts(now: number): { readonly first: number; readonly retries: number };
}

export interface RetryPolicy {
  readonly windowMs: number;
  readonly share: number;
  /** Retries that are always allowed in a window: to find out that a provider of few subjects is back. */
  readonly floor: number;
  readonly slices: number;
}

export const RETRY_POLICY: RetryPolicy = { windowMs: 300_000, share: 0.1, floor: 12, slices: 30 };

export function createRetryBudget(policy: RetryPolicy = RETRY_POLICY): RetryBudget {
  const { slices } = policy;
  const sliceMs = policy.windowMs / slices;
  // One slice more than the window: what lies in the oldest, half-past one still counts for retries, not for firsts.
  const first = new Float64Array(slices + 1);
  const retries = new Float64Array(slices + 1);
  let slice = Number.NaN;

  function turn(now: number): void {
    const is = Math.floor(now / sliceMs);
    if (is === slice) return;
    const gone = is - slice;
    if (!(gone > 0 && gone <= slices)) {
      first.fill(0);
      // A clock that was set back gives no retries for nothing.
      if (gone < 0) retries.fill(sum(retries) / (slices + 1));
      else retries.fill(0);
    } else
      for (let one = slice + 1; one <= is; one++) {
        first[one % (slices + 1)] = 0;
        retries[one % (slices + 1)] = 0;
      }
    slice = is;
  }

  const place = (): number => ((slice % (slices + 1)) + slices + 1) % (slices + 1);
  /** The oldest slice lies partly outside: its first attempts may be over, its retries may not. */
  const firsts = (): number => sum(first) - first[(place() + 1) % (slices + 1)]!;

  return {
    first: (now) => {
      turn(now);
      first[place()]!++;
    },
    take: (now) => {
      turn(now);
      if (sum(retries) + 1 > policy.share * firsts() + policy.floor) return false;
      retries[place()]!++;
      return true;
    },
    counts: (now) => {
      turn(now);
      return { first: sum(first), retries: sum(retries) };
    },
  };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
