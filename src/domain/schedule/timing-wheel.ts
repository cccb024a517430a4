/**
 * Due times of many items in typed arrays, with one ring of buckets: adding, moving and removing cost the same however
 * many there are, and nothing is allocated per item. Items are small whole numbers (slots) that the caller gives out.
 *
 * Ring: `buckets` ticks of `tickMs`. An item whose due time lies beyond one turn stays in its bucket and is passed over
 * until its turn comes; the ring should be as long as the commonest interval, so that this is rare.
 */
export interface TimingWheel {
  /** Number of items in it. */
  readonly size: number;
  has(item: number): boolean;
  /** Due time of an item; undefined: not in it. */
  dueAt(item: number): number | undefined;
  /** Errors: RangeError for an item that is in it already, or a due time that is not finite. */
  add(item: number, dueAt: number): void;
  /** True: it was in it. */
  remove(item: number): boolean;
  /** Adds or moves. */
  reschedule(item: number, dueAt: number): void;
  /** Takes out at most `max` items due at `now` or before, in order of due time within what is taken in one turn. */
  popDue(now: number, max?: number): readonly number[];
  /** No item is due before this time (it may be too early, never too late); undefined: the wheel is empty. */
  nextDueAt(): number | undefined;
}

export interface TimingWheelOptions {
  readonly tickMs?: number;
  readonly buckets?: number;
  /** Time at which it starts. */
  readonly now: number;
}

const NONE = -1;
const FIRST_CAPACITY = 64;

export function createTimingWheel(options: TimingWheelOptions): TimingWheel {
  const tickMs = options.tickMs ?? 100;
  const buckets = options.buckets ?? 4096;
  const heads = new Int32Array(buckets).fill(NONE);
  let capacity = FIRST_CAPACITY;
  let due = new Float64Array(capacity).fill(Number.NaN);
  let next = new Int32Array(capacity).fill(NONE);
  let previous = new Int32Array(capacity).fill(NONE);
  let bucketOf = new Int32Array(capacity).fill(NONE);
  let size = 0;
  /** Everything due before this tick has been taken out. */
  let hand = tickOf(options.now);

  function tickOf(time: number): number {
    return Math.floor(time / tickMs);
  }

  function grow(item: number): void {
    if (item < capacity) return;
    while (capacity <= item) capacity *= 2;
    const copy = <T extends Float64Array | Int32Array>(made: T, from: T, empty: number): T => {
      made.fill(empty, from.length);
      made.set(from);
      return made;
    };
    due = copy(new Float64Array(capacity), due, Number.NaN);
    next = copy(new Int32Array(capacity), next, NONE);
    previous = copy(new Int32Array(capacity), previous, NONE);
    bucketOf = copy(new Int32Array(capacity), bucketOf, NONE);
  }

  const has = (item: number): boolean => item < capacity && bucketOf[item]! !== NONE;

  function add(item: number, dueAt: number): void {
    if (!Number.isFinite(dueAt)) throw new RangeError(`due time of item ${item} is ${dueAt}`);
    if (has(item)) throw new RangeError(`item ${item} is in the wheel already`);
    grow(item);
    // What is overdue goes where the hand stands, which is looked at first.
    const bucket = modulo(Math.max(tickOf(dueAt), hand), buckets);
    const head = heads[bucket]!;
    due[item] = dueAt;
    bucketOf[item] = bucket;
    previous[item] = NONE;
    next[item] = head;
    if (head !== NONE) previous[head] = item;
    heads[bucket] = item;
    size++;
  }

  function remove(item: number): boolean {
    if (!has(item)) return false;
    const [before, after] = [previous[item]!, next[item]!];
    if (before === NONE) heads[bucketOf[item]!] = after;
    else next[before] = after;
    if (after !== NONE) previous[after] = before;
    bucketOf[item] = NONE;
    due[item] = Number.NaN;
    size--;
    return true;
  }

  /** Items of one bucket that are due at `now`. */
  function dueIn(bucket: number, now: number): number[] {
    const found: number[] = [];
    for (let item = heads[bucket]!; item !== NONE; item = next[item]!) if (due[item]! <= now) found.push(item);
    return found.sort((a, b) => due[a]! - due[b]!);
  }

  /** The clock was set back: where the hand stands decides where overdue items lie, so all are laid anew. */
  function turnBack(tick: number): void {
    const kept: [number, number][] = [];
    for (let item = 0; item < capacity; item++) {
      if (!has(item)) continue;
      kept.push([item, due[item]!]);
      remove(item);
    }
    hand = tick;
    for (const [item, dueAt] of kept) add(item, dueAt);
  }

  return {
    get size() {
      return size;
    },
    has,
    dueAt: (item) => (has(item) ? due[item]! : undefined),
    add,
    remove,
    reschedule: (item, dueAt) => {
      remove(item);
      add(item, dueAt);
    },
    popDue: (now, max = Number.POSITIVE_INFINITY) => {
      const last = tickOf(now);
      if (last < hand) turnBack(last);
      const taken: number[] = [];
      // More than one turn behind: every bucket is looked at once.
      const first = Math.max(hand, last - buckets + 1);
      let bucket = modulo(first, buckets);
      for (let tick = first; tick <= last; tick++) {
        if (heads[bucket] !== NONE)
          for (const item of dueIn(bucket, now)) {
            if (taken.length >= max) return taken;
            remove(item);
            taken.push(item);
          }
        if (++bucket === buckets) bucket = 0;
        // The last tick is not over: more may become due in it.
        hand = tick;
      }
      return taken;
    },
    nextDueAt: () => {
      if (size === 0) return undefined;
      let bucket = modulo(hand, buckets);
      for (let ahead = 0; ahead < buckets; ahead++) {
        let item = heads[bucket]!;
        if (++bucket === buckets) bucket = 0;
        if (item === NONE) continue;
        let soonest = Number.POSITIVE_INFINITY;
        const turn = (hand + ahead + 1) * tickMs;
        for (; item !== NONE; item = next[item]!) if (due[item]! < turn) soonest = Math.min(soonest, due[item]!);
        if (soonest !== Number.POSITIVE_INFINITY) return soonest;
      }
      return (hand + buckets) * tickMs;
    },
  };
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
