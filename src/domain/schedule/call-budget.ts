/**
 * The calls that a provider account may make. All limits hold together, each over *any* window of its length (not only
 * over whole minutes): a bucket of tokens, each of which comes back exactly one window after it was spent. Pure: the
 * time is given, epoch milliseconds or any other that does not run backwards for long.
 */
export interface CallLimit {
  readonly max: number;
  readonly perSeconds: number;
}

export interface CallBudget {
  /**
   * Spends one call if every limit allows it and more than `keep` calls stay free in each (for what is more urgent).
   * False: nothing was spent.
   */
  take(now: number, keep?: number): boolean;
  /** Earliest time at which `take` may succeed; `now` or before: at once. */
  freeAt(now: number, keep?: number): number;
  /** The other side refused: calls are spread over twice the time, down to the floor. */
  slowDown(now: number): void;
  /** A call went well: the pace goes back to full in `RECOVERY_CALLS` calls. */
  recover(): void;
  /** In [floor, 1]: the share of the limits in use. */
  readonly pace: number;
  /** Free calls of each limit. */
  left(now: number): readonly { readonly max: number; readonly perSeconds: number; readonly left: number }[];
  /** Calls a second that all limits allow in the long run, at full pace. */
  readonly perSecond: number;
}

/** However often it is refused, an account keeps asking at this share of its limits, so that it can find out. */
export const PACE_FLOOR = 1 / 16;
const RECOVERY_CALLS = 40;
/** A refusal that comes right after another is the same wall, not a second one. */
const SAME_WALL_MS = 1000;
/** Larger limits are kept as this many calls in a part of the window: a little stricter, and bounded in memory. */
const TOKENS_MAX = 4096;

interface Window {
  readonly limit: CallLimit;
  readonly max: number;
  readonly windowMs: number;
  /** When each of the last `max` calls was spent; a ring. */
  readonly spentAt: Float64Array;
  position: number;
}

/** Errors: RangeError for no limits or a limit that allows nothing. */
export function createCallBudget(limits: readonly CallLimit[]): CallBudget {
  if (limits.length === 0) throw new RangeError('a call budget needs at least one limit');
  const windows = limits.map(windowOf);
  let pace = 1;
  let slowedAt = Number.NEGATIVE_INFINITY;

  /** When the call that lies `keep` + 1 free places ahead comes back. */
  function freeIn(window: Window, now: number, keep: number): number {
    const { max, spentAt, position, windowMs } = window;
    const reserve = Math.min(keep, max - 1);
    const spent = spentAt[(position + reserve) % max]!;
    // A clock that was set back must not lock the budget for longer than a window.
    return Math.min(spent, now) + windowMs / pace;
  }

  const freeAt = (now: number, keep = 0): number => Math.max(...windows.map((window) => freeIn(window, now, keep)));

  return {
    take: (now, keep = 0) => {
      if (freeAt(now, keep) > now) return false;
      for (const window of windows) {
        window.spentAt[window.position] = now;
        window.position = (window.position + 1) % window.max;
      }
      return true;
    },
    freeAt,
    slowDown: (now) => {
      if (Math.abs(now - slowedAt) < SAME_WALL_MS) return;
      slowedAt = now;
      pace = Math.max(PACE_FLOOR, pace / 2);
    },
    recover: () => {
      pace = Math.min(1, pace + 1 / RECOVERY_CALLS);
    },
    get pace() {
      return pace;
    },
    left: (now) =>
      windows.map(({ limit, max, windowMs, spentAt }) => {
        let free = 0;
        for (const at of spentAt) if (Math.min(at, now) + windowMs / pace <= now) free++;
        return { max: limit.max, perSeconds: limit.perSeconds, left: Math.floor((free / max) * limit.max) };
      }),
    perSecond: Math.min(...windows.map(({ max, windowMs }) => (max * 1000) / windowMs)),
  };
}

function windowOf(limit: CallLimit): Window {
  if (!(limit.max >= 1) || !(limit.perSeconds > 0))
    throw new RangeError(`a limit of ${limit.max} calls in ${limit.perSeconds} s allows nothing`);
  // k windows of a k-th of the length cover the whole one, each with a k-th of the calls.
  const parts = Math.ceil(limit.max / TOKENS_MAX);
  const max = Math.floor(limit.max / parts);
  return {
    limit,
    max,
    windowMs: (limit.perSeconds * 1000) / parts,
    spentAt: new Float64Array(max).fill(Number.NEGATIVE_INFINITY),
    position: 0,
  };
}
