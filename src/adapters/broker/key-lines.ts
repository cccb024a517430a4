import { DueHeap } from '../../domain/due-heap.ts';

/**
 * Who is next: one line of items per key, only its head is ever out or parked, and keys take turns. Pure memory, shared
 * by the brokers. Items behind a parked head, or too many of one key, can wait elsewhere: see `spilled`.
 */
export interface LineItem {
  readonly seq: number;
  readonly key: string;
}

interface Line<I> {
  readonly key: string;
  items: I[];
  /** idle: empty here. ready: in the queue of ready lines. out, parked: the head is. */
  state: 'idle' | 'ready' | 'out' | 'parked';
  at: number;
  /** Items of this key that come after those here and wait elsewhere. */
  spilled: number;
}

export class KeyLines<I extends LineItem> {
  readonly #lines = new Map<string, Line<I>>();
  #ready: Line<I>[] = [];
  #readyHead = 0;
  readonly #parked = new DueHeap<Line<I>>();
  #items = 0;
  #parkedCount = 0;
  #spilled = 0;

  /** Items here, out and parked ones included. */
  get size(): number {
    return this.#items;
  }
  get parkedCount(): number {
    return this.#parkedCount;
  }
  get spilledCount(): number {
    return this.#spilled;
  }
  get readyCount(): number {
    return this.#ready.length - this.#readyHead;
  }

  /** Whether a new item of this key has to wait elsewhere to keep the order of the key (or the bound of a line). */
  mustSpill(key: string, lineMax: number): boolean {
    const line = this.#lines.get(key);
    return line !== undefined && (line.spilled > 0 || line.state === 'parked' || line.items.length >= lineMax);
  }

  addSpilled(key: string, count: number): void {
    this.#line(key).spilled += count;
    this.#spilled += count;
  }

  /** An item joins the end of its line. `from: 'spill'` says that it waited elsewhere until now. */
  push(item: I, from?: 'spill'): void {
    const line = this.#line(item.key);
    if (from === 'spill') {
      line.spilled = Math.max(0, line.spilled - 1);
      this.#spilled = Math.max(0, this.#spilled - 1);
    }
    line.items.push(item);
    this.#items++;
    if (line.state === 'idle') this.#makeReady(line);
  }

  /** Takes up to `max` heads that are due. `pick` chooses among `n` ready lines (for adversaries); default: the oldest. */
  take(max: number, now: number, pick?: (n: number) => number): I[] {
    for (let line = this.#parked.popDue(now); line !== undefined; line = this.#parked.popDue(now)) {
      this.#parkedCount--;
      this.#makeReady(line);
    }
    const taken: I[] = [];
    while (taken.length < max && this.readyCount > 0) {
      if (pick !== undefined) this.#swapToFront(pick(this.readyCount));
      const line = this.#ready[this.#readyHead++]!;
      line.state = 'out';
      taken.push(line.items[0]!);
    }
    if (this.#readyHead > 1024 && this.#readyHead * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#readyHead);
      this.#readyHead = 0;
    }
    return taken;
  }

  /** The head that is out is finished. Returns true when the rest of the line waits elsewhere and should be fetched. */
  done(key: string): boolean {
    const line = this.#out(key);
    line.items.shift();
    this.#items--;
    if (line.items.length > 0) this.#makeReady(line);
    else if (line.spilled > 0) {
      line.state = 'idle';
      return true;
    } else this.#lines.delete(key);
    return false;
  }

  /** The head that is out waits until `at`. */
  park(key: string, at: number): void {
    const line = this.#out(key);
    this.#park(line, at);
  }

  /** A head that is known to be parked (read back after a restart). The line must be empty. */
  pushParked(item: I, at: number): void {
    const line = this.#line(item.key);
    line.items.unshift(item);
    this.#items++;
    this.#park(line, at);
  }

  /** The head that is out goes back, first of its line. */
  release(key: string): void {
    this.#makeReady(this.#out(key));
  }

  /** Takes away what stands behind the head: it is about to wait elsewhere. */
  removeBehind(key: string): readonly I[] {
    const line = this.#lines.get(key);
    if (line === undefined) return [];
    const behind = line.items.splice(1);
    this.#items -= behind.length;
    return behind;
  }

  nextDueAt(): number | undefined {
    return this.#parked.firstAt();
  }

  /** Lines with nothing here and something elsewhere. */
  isHungry(key: string): boolean {
    const line = this.#lines.get(key);
    return line !== undefined && line.items.length === 0 && line.spilled > 0;
  }

  /** Nothing waits elsewhere any more for this key (what was counted has been taken or is gone). */
  clearSpilled(key: string): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    this.#spilled -= line.spilled;
    line.spilled = 0;
    if (line.items.length === 0 && line.state === 'idle') this.#lines.delete(key);
  }

  *items(): IterableIterator<I> {
    for (const line of this.#lines.values()) yield* line.items;
  }

  #park(line: Line<I>, at: number): void {
    line.state = 'parked';
    line.at = at;
    this.#parkedCount++;
    this.#parked.push(at, line);
  }

  #line(key: string): Line<I> {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { key, items: [], state: 'idle', at: 0, spilled: 0 };
      this.#lines.set(key, line);
    }
    return line;
  }

  #out(key: string): Line<I> {
    const line = this.#lines.get(key);
    if (line?.state !== 'out') throw new Error('only the head that is out can be settled');
    return line;
  }

  #makeReady(line: Line<I>): void {
    line.state = 'ready';
    this.#ready.push(line);
  }

  #swapToFront(offset: number): void {
    const at = this.#readyHead + Math.min(Math.max(0, offset), this.readyCount - 1);
    const first = this.#ready[this.#readyHead]!;
    this.#ready[this.#readyHead] = this.#ready[at]!;
    this.#ready[at] = first;
  }
}
