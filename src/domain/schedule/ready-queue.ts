/**
 * Items that are due and wait for a call, taken in the order of staleness against need: the one whose age is the
 * largest multiple of what is bearable for it. Urgent ones (a provider said that something changed) come before all.
 *
 * One line for each need: within a line the oldest is always the most in need, so only the heads are compared. Items are
 * small whole numbers.
 */
export interface ReadyQueue {
  readonly size: number;
  readonly urgent: number;
  has(item: number): boolean;
  /** Adds; an item that is in already keeps its place, unless it has become urgent. `agedFrom`: time of its last answer. */
  add(item: number, agedFrom: number, needMs: number, urgent: boolean): void;
  remove(item: number): boolean;
  /** The next one, without taking it. */
  peek(now: number): { readonly item: number; readonly urgent: boolean } | undefined;
  /** Age over need of the most stale item; 0 when empty. */
  worst(now: number): number;
  clear(): readonly number[];
}

interface Entry {
  readonly agedFrom: number;
  readonly line: number;
}

/** The line of what is urgent. */
const URGENT = -1;

export function createReadyQueue(): ReadyQueue {
  const entries = new Map<number, Entry>();
  /** Insertion order is nearly age order; `head` sorts out the rest. */
  const lines = new Map<number, Heap>();

  function lineOf(needMs: number): Heap {
    const line = lines.get(needMs) ?? new Heap();
    lines.set(needMs, line);
    return line;
  }

  /** The oldest of a line that is still waiting; what was removed or moved is dropped on the way. */
  function head(key: number, line: Heap): { readonly item: number; readonly agedFrom: number } | undefined {
    for (let top = line.peek(); top !== undefined; top = line.peek()) {
      const entry = entries.get(top.item);
      if (entry !== undefined && entry.line === key && entry.agedFrom === top.agedFrom) return top;
      line.pop();
    }
    lines.delete(key);
    return undefined;
  }

  function best(now: number): { readonly item: number; readonly line: number; readonly ratio: number } | undefined {
    let found: { item: number; line: number; ratio: number } | undefined;
    for (const [key, line] of [...lines]) {
      const top = head(key, line);
      if (top === undefined) continue;
      const ratio = key === URGENT ? Number.POSITIVE_INFINITY : (now - top.agedFrom) / key;
      if (found === undefined || ratio > found.ratio) found = { item: top.item, line: key, ratio };
    }
    return found;
  }

  return {
    get size() {
      return entries.size;
    },
    get urgent() {
      let count = 0;
      for (const entry of entries.values()) if (entry.line === URGENT) count++;
      return count;
    },
    has: (item) => entries.has(item),
    add: (item, agedFrom, needMs, urgent) => {
      const held = entries.get(item);
      if (held !== undefined && (held.line === URGENT || !urgent)) return;
      const line = urgent ? URGENT : Math.max(1, needMs);
      entries.set(item, { agedFrom, line });
      lineOf(line).push({ item, agedFrom });
    },
    remove: (item) => entries.delete(item),
    peek: (now) => {
      const found = best(now);
      return found && { item: found.item, urgent: found.line === URGENT };
    },
    worst: (now) => {
      let worst = 0;
      for (const [key, line] of [...lines]) {
        const top = head(key, line);
        if (top !== undefined && key !== URGENT) worst = Math.max(worst, (now - top.agedFrom) / key);
      }
      return worst;
    },
    clear: () => {
      const items = [...entries.keys()];
      entries.clear();
      lines.clear();
      return items;
    },
  };
}

/** Binary heap, the smallest `agedFrom` on top. */
class Heap {
  readonly #nodes: { readonly item: number; readonly agedFrom: number }[] = [];

  peek(): { readonly item: number; readonly agedFrom: number } | undefined {
    return this.#nodes[0];
  }

  push(node: { readonly item: number; readonly agedFrom: number }): void {
    const nodes = this.#nodes;
    let at = nodes.length;
    nodes.push(node);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (nodes[parent]!.agedFrom <= node.agedFrom) break;
      nodes[at] = nodes[parent]!;
      at = parent;
    }
    nodes[at] = node;
  }

  pop(): void {
    const nodes = this.#nodes;
    const last = nodes.pop();
    if (last === undefined || nodes.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= nodes.length) break;
      const child = left + 1 < nodes.length && nodes[left + 1]!.agedFrom < nodes[left]!.agedFrom ? left + 1 : left;
      if (nodes[child]!.agedFrom >= last.agedFrom) break;
      nodes[at] = nodes[child]!;
      at = child;
    }
    nodes[at] = last;
  }
}
