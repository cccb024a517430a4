/**
 * The calls that a provider account may make, in the vendor's own units: calls, result sets, quota units, credits. All
 * limits hold together, each over *any* window of its length, not only over whole minutes: what is spent comes back
 * exactly one window later. A share of each limit can be kept for trips about to start. Pure: the time is given, epoch
 * milliseconds or any other that does not run backwards for long.
 */
export interface CallLimit {
  readonly max: number;
  readonly perSeconds: number;
  /** What is counted; absent: calls. */
  readonly unit?: string;
}

/** The unit of a limit that names none; every operation costs one of it. */
export const CALLS = 'calls';

/** What an operation costs, by unit: whole numbers; one where nothing is said. */
export type Cost = Readonly<Record<string, number>>;

/** What was spent within a limit's window, oldest first: [epoch ms, units]. */
export type Spent = readonly (readonly [at: number, units: number])[];

export interface CallBudget {
  /**
   * Spends one operation if every limit allows it and leaves the share `keep` of each. False: nothing was spent.
   */
  take(now: number, cost?: Cost, keep?: number): boolean;
  /** Spends an operation that has happened, whether the limits allowed it or not: what comes next waits for it. */
  charge(now: number, cost?: Cost): void;
  /** Earliest time at which `take` may succeed; `now` or before: at once. */
  freeAt(now: number, cost?: Cost, keep?: number): number;
  /** How many operations can be taken now. */
  room(now: number, cost?: Cost, keep?: number): number;
  /** What each limit has left. */
  left(now: number): readonly (CallLimit & { readonly left: number })[];
  /** Operations a second that all limits allow in the long run; Infinity: there are none. */
  perSecond(cost?: Cost): number;
  /** What the provider itself says that its limits are, in place of what it said before. */
  state(limits: readonly CallLimit[]): void;
  /** What long windows hold, to be given to `restore` after a restart: short ones are over by then. */
  spent(now: number): Readonly<Record<string, Spent>>;
  restore(spent: Readonly<Record<string, Spent>>, now: number): void;
}

/** Spends kept one by one; larger limits merge what is closer than a 2048th of their window: a little stricter. */
const ENTRIES_MAX = 4096;
const MERGE_SHARE = 1 / 2048;
/** Of windows so long not everything is spent at their beginning: of each 24th at most twice its share. */
const PACED_MS = 3_600_000;
const PACED_PARTS = 24;
const PACED_SHARE = 2 / PACED_PARTS;
/** Shorter windows are over before a process is back. */
const KEPT_MS = 10_000;
/** What a restart remembers of a window: so many sums. */
const KEPT_ENTRIES = 64;

/** Errors: RangeError for a limit that allows nothing. */
export function createCallBudget(limits: readonly CallLimit[]): CallBudget {
  const given = limits.map((limit) => new Window(limit, false));
  const paced = limits.filter(isLong).map((limit) => new Window(pacedOf(limit), true));
  let windows = [...given, ...paced];
  let stated: readonly Window[] = [];

  function freeAt(now: number, cost: Cost | undefined, keep: number): number {
    let free = Number.NEGATIVE_INFINITY;
    for (const window of windows) {
      // The pace of a long window is for what can wait.
      if (window.paces && keep === 0) continue;
      const at = window.freeAt(now, costOf(cost, window.unit), keep);
      if (at > free) free = at;
    }
    return free;
  }

  return {
    take: (now, cost, keep = 0) => {
      if (freeAt(now, cost, keep) > now) return false;
      for (const window of windows) window.spend(now, costOf(cost, window.unit));
      return true;
    },
    charge: (now, cost) => {
      for (const window of windows) window.spend(now, costOf(cost, window.unit));
    },
    freeAt: (now, cost, keep = 0) => freeAt(now, cost, keep),
    room: (now, cost, keep = 0) => {
      let room = Number.POSITIVE_INFINITY;
      for (const window of windows) {
        if (window.paces && keep === 0) continue;
        const price = costOf(cost, window.unit);
        if (price > 0) room = Math.min(room, Math.floor(window.left(now, keep) / price));
      }
      return Math.max(0, room);
    },
    left: (now) =>
      given.map((window) => ({
        ...window.limit,
        left: Math.floor(window.left(now, 0)),
      })),
    perSecond: (cost) => {
      let least = Number.POSITIVE_INFINITY;
      for (const { limit, unit } of windows) {
        const price = costOf(cost, unit);
        if (price > 0) least = Math.min(least, limit.max / limit.perSeconds / price);
      }
      return least;
    },
    state: (said) => {
      const kept = stated;
      stated = said.map((limit) => {
        const known = kept.find((one) => one.limit.max === limit.max && one.limit.perSeconds === limit.perSeconds);
        return known ?? new Window(limit, false);
      });
      windows = [...given, ...paced, ...stated];
    },
    spent: (now) =>
      Object.fromEntries(
        given.filter(({ windowMs }) => windowMs >= KEPT_MS).map((window) => [window.name, window.export(now)]),
      ),
    restore: (spent, now) => {
      for (const window of given) {
        const entries = spent[window.name] ?? [];
        for (const [at, units] of entries) window.spend(Math.min(at, now), units);
        const pace = paced.find(({ limit }) => isPacedOf(window.limit, limit));
        for (const [at, units] of entries) pace?.spend(Math.min(at, now), units);
      }
    },
  };
}

function costOf(cost: Cost | undefined, unit: string): number {
  return cost === undefined ? 1 : (cost[unit] ?? 1);
}

const isLong = (limit: CallLimit): boolean => limit.perSeconds * 1000 >= PACED_MS;

function pacedOf(limit: CallLimit): CallLimit {
  return {
    ...limit,
    max: Math.max(1, Math.ceil(limit.max * PACED_SHARE)),
    perSeconds: limit.perSeconds / PACED_PARTS,
  };
}

const isPacedOf = (limit: CallLimit, paced: CallLimit): boolean =>
  paced.perSeconds === limit.perSeconds / PACED_PARTS && (paced.unit ?? CALLS) === (limit.unit ?? CALLS);

/** One limit: what was spent within its window, in a ring. */
class Window {
  readonly limit: CallLimit;
  readonly unit: string;
  readonly name: string;
  /** It only spreads what a longer one allows. */
  readonly paces: boolean;
  readonly windowMs: number;
  readonly #mergeMs: number;
  #at: Float64Array;
  #units: Float64Array;
  #head = 0;
  #length = 0;
  #sum = 0;

  constructor(limit: CallLimit, paces: boolean) {
    if (!(limit.max >= 1) || !(limit.perSeconds > 0))
      throw new RangeError(`a limit of ${limit.max} ${limit.unit ?? CALLS} in ${limit.perSeconds} s allows nothing`);
    this.limit = limit;
    this.unit = limit.unit ?? CALLS;
    this.name = `${limit.max}/${limit.perSeconds}/${this.unit}`;
    this.paces = paces;
    this.windowMs = limit.perSeconds * 1000;
    this.#mergeMs = limit.max > ENTRIES_MAX ? this.windowMs * MERGE_SHARE : 0;
    const first = Math.min(64, Math.ceil(limit.max) + 1);
    this.#at = new Float64Array(first);
    this.#units = new Float64Array(first);
  }

  left(now: number, keep: number): number {
    this.#expire(now);
    return this.limit.max - this.#reserve(keep) - this.#sum;
  }

  freeAt(now: number, cost: number, keep: number): number {
    this.#expire(now);
    let over = this.#sum + cost - (this.limit.max - this.#reserve(keep));
    if (cost === 0 || over <= 0) return now;
    // What costs more than the whole limit is let through when nothing else is spent: it would never be, else.
    over = Math.min(over, this.#sum);
    if (over <= 0) return now;
    const size = this.#at.length;
    for (let i = 0; i < this.#length; i++) {
      const place = (this.#head + i) % size;
      over -= this.#units[place]!;
      if (over <= 0) return this.#at[place]! + this.windowMs;
    }
    return now + this.windowMs;
  }

  spend(now: number, cost: number): void {
    if (cost === 0) return;
    this.#expire(now);
    this.#sum += cost;
    const newest = (this.#head + this.#length - 1) % this.#at.length;
    if (this.#length > 0 && (now < this.#at[newest]! || this.#length >= 2 * ENTRIES_MAX)) {
      this.#units[newest]! += cost;
      return;
    }
    if (this.#length === this.#at.length) this.#grow();
    const place = (this.#head + this.#length++) % this.#at.length;
    // Merged ones come back together, when the last of them may.
    this.#at[place] = now + this.#mergeMs;
    this.#units[place] = cost;
  }

  /** The whole window in a few sums, each at the time of its newest part. */
  export(now: number): Spent {
    this.#expire(now);
    const sums: [number, number][] = [];
    const per = Math.max(1, Math.ceil(this.#length / KEPT_ENTRIES));
    for (let i = 0; i < this.#length; i++) {
      const place = (this.#head + i) % this.#at.length;
      const [at, units] = [this.#at[place]!, this.#units[place]!];
      const last = sums.at(-1);
      if (last === undefined || i % per === 0) sums.push([Math.ceil(at), units]);
      else {
        last[0] = Math.ceil(at);
        last[1] += units;
      }
    }
    return sums;
  }

  /** Kept for what is urgent; never the last one of a limit. */
  #reserve(keep: number): number {
    return Math.min(Math.floor(this.limit.max * keep), this.limit.max - 1);
  }

  #expire(now: number): void {
    const size = this.#at.length;
    const over = now - this.windowMs;
    while (this.#length > 0 && this.#at[this.#head]! <= over) {
      this.#sum -= this.#units[this.#head]!;
      this.#head = (this.#head + 1) % size;
      this.#length--;
    }
    if (this.#length === 0) this.#sum = 0;
    else if (this.#at[(this.#head + this.#length - 1) % size]! > now + this.#mergeMs) this.#turnBack(now);
  }

  /** A clock that was set back must not lock the limit for longer than a window. */
  #turnBack(now: number): void {
    for (let i = 0; i < this.#length; i++) {
      const place = (this.#head + i) % this.#at.length;
      this.#at[place] = Math.min(this.#at[place]!, now);
    }
  }

  #grow(): void {
    const [at, units] = [new Float64Array(this.#length * 2), new Float64Array(this.#length * 2)];
    for (let i = 0; i < this.#length; i++) {
      const place = (this.#head + i) % this.#at.length;
      at[i] = this.#at[place]!;
      units[i] = this.#units[place]!;
    }
    this.#head = 0;
    this.#at = at;
    this.#units = units;
  }
}
