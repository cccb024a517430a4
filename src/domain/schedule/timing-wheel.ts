import { type ChunkLists, createChunkLists } from './chunk-lists.ts';

/**
 * Due times of many items in typed arrays, with one ring of buckets: adding, moving and removing cost the same however
 * many there are, and nothing is allocated per item: 9 bytes for its due time and 4 for its place in a bucket. Items are
 * small whole numbers (slots) that the caller gives out; where they are given out in the order of due times, and keep
 * their phase, the ring walks through memory in order, which is many times faster than hopping.
 *
 * Ring: `buckets` ticks of `tickMs`. An item whose due time lies beyond one turn stays in its bucket and is passed over
 * until its turn comes; the ring should be longer than the commonest interval, so that this is rare. An item that is
 * moved or removed leaves its entry in the old bucket behind; it is dropped when the bucket comes up. An entry counts
 * only where it agrees with the item's due time.
 */
export interface TimingWheel {
  /** Number of items in it. */
  readonly size: number;
  /** Bytes that it holds. */
  readonly bytes: number;
  has(item: number): boolean;
  /** When an item in it is due; of one that was taken out: was due. Undefined: never was in it, or was removed. */
  dueAt(item: number): number | undefined;
  /** Errors: RangeError for an item that is in it already, or a due time that is not finite. */
  add(item: number, dueAt: number): void;
  /** True: it was in it. */
  remove(item: number): boolean;
  /** Adds or moves. */
  reschedule(item: number, dueAt: number): void;
  /**
   * Takes out items due at `now` or before, as many as `into` has room for, in the order of due times to within a tick.
   * Returns how many; when it is full, there may be more.
   */
  popDue(now: number, into: Uint32Array): number;
  /**
   * Takes out up to `max` of the items that are due next, until `until` at most, of those that `accept` says yes to. Looks
   * no further ahead than one turn of the ring.
   */
  takeSoonest(until: number, max: number, accept: (item: number) => boolean): readonly number[];
  /** No item is due before this time (it may be too early, never too late); undefined: the wheel is empty. */
  nextDueAt(): number | undefined;
}

export interface TimingWheelOptions {
  readonly tickMs?: number;
  /** Rounded up to a power of two. */
  readonly buckets?: number;
  /** Time at which it starts. */
  readonly now: number;
  /** Slots to make room for at once; more are added as they come. */
  readonly capacity?: number;
}

const FIRST_CAPACITY = 64;

export function createTimingWheel(options: TimingWheelOptions): TimingWheel {
  const tickMs = options.tickMs ?? 100;
  const perMs = 1 / tickMs;
  const buckets = 2 ** Math.ceil(Math.log2(Math.max(2, options.buckets ?? 4096)));
  const mask = buckets - 1;
  const lists: ChunkLists = createChunkLists(buckets);
  let capacity = Math.max(FIRST_CAPACITY, options.capacity ?? 0);
  let due = new Float64Array(capacity).fill(Number.NaN);
  /** 1: in the wheel. */
  let inside = new Uint8Array(capacity);
  let size = 0;
  /** Everything due before this tick has been taken out. */
  let hand = tickOf(options.now);
  const everyOne = new Set<number>();

  function tickOf(time: number): number {
    return Math.floor(time * perMs);
  }

  function grow(item: number): void {
    let wanted = capacity;
    while (wanted <= item) wanted = Math.max(wanted + 1, Math.ceil(wanted * 1.5));
    const moreDue = new Float64Array(wanted);
    moreDue.set(due);
    moreDue.fill(Number.NaN, capacity);
    const moreInside = new Uint8Array(wanted);
    moreInside.set(inside);
    due = moreDue;
    inside = moreInside;
    capacity = wanted;
  }

  const has = (item: number): boolean => item < capacity && inside[item] === 1;

  function add(item: number, dueAt: number): void {
    if (dueAt - dueAt !== 0) throw new RangeError(`due time of item ${item} is ${dueAt}`);
    if (item >= capacity) grow(item);
    if (inside[item] === 1) throw new RangeError(`item ${item} is in the wheel already`);
    const tick = Math.floor(dueAt * perMs);
    due[item] = dueAt;
    inside[item] = 1;
    size++;
    // What is overdue goes where the hand stands, which is looked at first.
    lists.append((tick < hand ? hand : tick) & mask, item);
  }

  function remove(item: number): boolean {
    if (!has(item)) return false;
    inside[item] = 0;
    due[item] = Number.NaN;
    size--;
    return true;
  }

  function reschedule(item: number, dueAt: number): void {
    if (has(item)) {
      const [was, is] = [tickOf(due[item]!), tickOf(dueAt)];
      // Its entry is in the right bucket already: a second one is saved.
      if (was >= hand && is >= hand && (was & mask) === (is & mask)) {
        due[item] = dueAt;
        return;
      }
      inside[item] = 0;
      size--;
    }
    add(item, dueAt);
  }

  /** Takes from one bucket; drops entries that are none any more. Returns how many `into` holds now. */
  function drain(bucket: number, now: number, into: Uint32Array, held: number): number {
    let taken = held;
    const room = into.length;
    lists.rewrite(bucket, (item) => {
      if (inside[item] !== 1) return false;
      const at = due[item]!;
      if (at > now) return (Math.floor(at * perMs) & mask) === bucket;
      if (taken === room) return true;
      inside[item] = 0;
      into[taken++] = item;
      return false;
    });
    size -= taken - held;
    return taken;
  }

  /** What stays in a bucket for another turn stays once, however often it was moved there. */
  function dedupe(bucket: number): void {
    everyOne.clear();
    lists.rewrite(bucket, (item) => {
      if (everyOne.has(item)) return false;
      everyOne.add(item);
      return true;
    });
    everyOne.clear();
  }

  /** The first tick from `tick` on, and not after `last` (less than a turn later), in whose bucket something lies. */
  function nextFilled(tick: number, last: number): number {
    const bucket = tick & mask;
    const end = bucket + (last - tick) + 1;
    const here = lists.nextFilled(bucket, Math.min(end, buckets));
    if (here >= 0) return tick + here - bucket;
    const turned = lists.nextFilled(0, end - buckets);
    return turned >= 0 ? tick + buckets - bucket + turned : last + 1;
  }

  /** The clock was set back: where the hand stands decides where overdue items lie, so all are laid anew. */
  function turnBack(tick: number): void {
    hand = tick;
    lists.clear();
    for (let item = 0; item < capacity; item++)
      if (inside[item] === 1) lists.append(Math.max(tickOf(due[item]!), hand) & mask, item);
  }

  return {
    get size() {
      return size;
    },
    get bytes() {
      return due.byteLength + inside.byteLength + lists.bytes;
    },
    has,
    dueAt: (item) => (item < capacity && !Number.isNaN(due[item]!) ? due[item] : undefined),
    add,
    remove,
    reschedule,
    popDue: (now, into) => {
      const last = tickOf(now);
      if (last < hand) turnBack(last);
      let taken = 0;
      // More than one turn behind: every bucket is looked at once.
      for (let tick = Math.max(hand, last - buckets + 1); ; tick++) {
        tick = nextFilled(tick, last);
        if (tick > last) break;
        hand = tick;
        const bucket = tick & mask;
        taken = drain(bucket, now, into, taken);
        if (taken === into.length) return taken;
        if (tick < last && !lists.isEmpty(bucket)) dedupe(bucket);
      }
      // The last tick is not over: more may become due in it.
      hand = last;
      return taken;
    },
    takeSoonest: (until, max, accept) => {
      const found: number[] = [];
      const last = Math.min(tickOf(until), hand + buckets - 1);
      for (let tick = hand; found.length < max && size > 0; tick++) {
        tick = nextFilled(tick, last);
        if (tick > last) break;
        lists.each(tick & mask, (item) => {
          if (found.length === max || inside[item] !== 1 || due[item]! > until) return;
          // An entry of another turn, or one left behind by an item that was moved.
          if (Math.max(hand, tickOf(due[item]!)) !== tick || !accept(item)) return;
          found.push(item);
          remove(item);
        });
      }
      return found;
    },
    nextDueAt: () => {
      if (size === 0) return undefined;
      const last = hand + buckets - 1;
      for (let tick = nextFilled(hand, last); tick <= last; tick = nextFilled(tick + 1, last)) {
        let soonest = Number.POSITIVE_INFINITY;
        const turn = (tick + 1) * tickMs;
        lists.each(tick & mask, (item) => {
          if (inside[item] === 1 && due[item]! < Math.min(turn, soonest)) soonest = due[item]!;
        });
        if (soonest !== Number.POSITIVE_INFINITY) return soonest;
      }
      return (hand + buckets) * tickMs;
    },
  };
}
