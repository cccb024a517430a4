/**
 * Items that are due and wait for a call, taken in the order of staleness against need: the one whose age is the
 * largest multiple of what is bearable for it. Urgent ones (a provider said that something changed) come before all.
 *
 * One line for each need: within a line the oldest is always the most in need, so only the heads are compared. Items are
 * small whole numbers; a waiting one costs 14 bytes more, one that does not wait costs two.
 */
export interface ReadyQueue {
  readonly size: number;
  readonly bytes: number;
  has(item: number): boolean;
  /** Adds; an item that is in already keeps its place, unless it has become urgent. `agedFrom`: time of its last answer. */
  add(item: number, agedFrom: number, needMs: number, tier: Tier): void;
  remove(item: number): boolean;
  /** The next one of this tier or a more urgent one, without taking it; -1: none. */
  peek(now: number, tierMax?: Tier): number;
  /** Of an item that is in. */
  tierOf(item: number): Tier;
  /** Age over need of the most stale item that is not urgent; 0 when empty. */
  worst(now: number): number;
  /** Empties it. Returns what was in. */
  clear(): readonly number[];
}

/** What may use the last calls of a budget: see Gate. */
export const TIERS = { urgent: 0, imminent: 1, other: 2 } as const;
export type Tier = (typeof TIERS)[keyof typeof TIERS];

/** Needs beyond so many share a line with the nearest: there are a handful of classes and connectors. */
const LINES_MAX = 250;
const LINE_MASK = 0xff;

interface Line {
  readonly needMs: number;
  readonly tier: Tier;
  readonly heap: Heap;
}

export function createReadyQueue(capacity = 64): ReadyQueue {
  /** The line of each item, from 1; 0: not in. Above it a stamp, by which its place in the heap is told from old ones. */
  let held = new Uint16Array(capacity);
  let stamp = 0;
  const lines: Line[] = [];
  const numbers = new Map<string, number>();
  let size = 0;

  function lineFor(needMs: number, tier: Tier): number {
    const need = tier === TIERS.urgent ? 1 : Math.max(1, needMs);
    const key = `${tier}/${need}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    if (lines.length < LINES_MAX) {
      lines.push({ needMs: need, tier, heap: new Heap() });
      numbers.set(key, lines.length);
      return lines.length;
    }
    let nearest = 1;
    for (const [i, line] of lines.entries())
      if (line.tier === tier && Math.abs(line.needMs - need) < Math.abs(lines[nearest - 1]!.needMs - need))
        nearest = i + 1;
    return nearest;
  }

  const lineOf = (item: number): number => held[item]! & LINE_MASK;

  /** The oldest of a line that still waits in it; what was removed or moved is dropped on the way. */
  function head(number: number): Heap | undefined {
    const { heap } = lines[number - 1]!;
    while (heap.size > 0) {
      if (held[heap.item] === heap.mark) return heap;
      heap.pop();
    }
    return undefined;
  }

  function best(now: number, tierMax: Tier): number {
    let found = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let number = 1; number <= lines.length; number++) {
      const line = lines[number - 1]!;
      if (line.tier > tierMax) continue;
      const heap = head(number);
      if (heap === undefined) continue;
      if (line.tier === TIERS.urgent) return heap.item;
      const ratio = (now - heap.agedFrom) / line.needMs;
      if (ratio > most) {
        most = ratio;
        found = heap.item;
      }
    }
    return found;
  }

  return {
    get size() {
      return size;
    },
    get bytes() {
      return lines.reduce((sum, line) => sum + line.heap.bytes, held.byteLength);
    },
    has: (item) => item < held.length && held[item] !== 0,
    add: (item, agedFrom, needMs, tier) => {
      if (item >= held.length) {
        const more = new Uint16Array(Math.max(item + 1, Math.ceil(held.length * 1.5)));
        more.set(held);
        held = more;
      }
      const line = lineOf(item);
      if (line !== 0) {
        if (tier !== TIERS.urgent || lines[line - 1]!.tier === TIERS.urgent) return;
        size--;
      }
      const number = lineFor(needMs, tier);
      stamp = (stamp + 1) & 0xff;
      const mark = number | (stamp << 8);
      held[item] = mark;
      size++;
      lines[number - 1]!.heap.push(item, agedFrom, mark);
    },
    remove: (item) => {
      if (item >= held.length || held[item] === 0) return false;
      held[item] = 0;
      size--;
      return true;
    },
    peek: (now, tierMax = TIERS.other) => (size === 0 ? -1 : best(now, tierMax)),
    tierOf: (item) => lines[lineOf(item) - 1]?.tier ?? TIERS.other,
    worst: (now) => {
      let worst = 0;
      for (let number = 1; number <= lines.length; number++) {
        const line = lines[number - 1]!;
        const heap = line.tier === TIERS.urgent ? undefined : head(number);
        if (heap !== undefined) worst = Math.max(worst, (now - heap.agedFrom) / line.needMs);
      }
      return worst;
    },
    clear: () => {
      const items: number[] = [];
      for (let number = 1; number <= lines.length; number++) {
        for (let heap = head(number); heap !== undefined; heap = head(number)) {
          items.push(heap.item);
          held[heap.item] = 0;
        }
      }
      size = 0;
      return items;
    },
  };
}

/** Binary heap in typed arrays, the smallest `agedFrom` on top. */
class Heap {
  #aged = new Float64Array(16);
  #items = new Uint32Array(16);
  #marks = new Uint16Array(16);
  size = 0;

  get bytes(): number {
    return this.#aged.byteLength + this.#items.byteLength + this.#marks.byteLength;
  }
  /** Of the top; only while `size` is not 0. */
  get item(): number {
    return this.#items[0]!;
  }
  get agedFrom(): number {
    return this.#aged[0]!;
  }
  get mark(): number {
    return this.#marks[0]!;
  }

  push(item: number, agedFrom: number, mark: number): void {
    if (this.size === this.#items.length) this.#resize(this.size * 2);
    const [aged, items, marks] = [this.#aged, this.#items, this.#marks];
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (aged[parent]! <= agedFrom) break;
      aged[at] = aged[parent]!;
      items[at] = items[parent]!;
      marks[at] = marks[parent]!;
      at = parent;
    }
    aged[at] = agedFrom;
    items[at] = item;
    marks[at] = mark;
  }

  pop(): void {
    const last = --this.size;
    // A burst of millions must not be held for ever.
    if (last > 4096 && last < this.#items.length / 8) this.#resize(this.#items.length / 2);
    const [aged, items, marks] = [this.#aged, this.#items, this.#marks];
    const [lastAged, lastItem, lastMark] = [aged[last]!, items[last]!, marks[last]!];
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= last) break;
      const child = left + 1 < last && aged[left + 1]! < aged[left]! ? left + 1 : left;
      if (aged[child]! >= lastAged) break;
      aged[at] = aged[child]!;
      items[at] = items[child]!;
      marks[at] = marks[child]!;
      at = child;
    }
    aged[at] = lastAged;
    items[at] = lastItem;
    marks[at] = lastMark;
  }

  #resize(length: number): void {
    const kept = Math.min(length, this.#items.length);
    const aged = new Float64Array(length);
    aged.set(this.#aged.subarray(0, kept));
    const items = new Uint32Array(length);
    items.set(this.#items.subarray(0, kept));
    const marks = new Uint16Array(length);
    marks.set(this.#marks.subarray(0, kept));
    this.#aged = aged;
    this.#items = items;
    this.#marks = marks;
  }
}
