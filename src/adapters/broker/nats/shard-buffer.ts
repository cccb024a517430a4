import type { Clock } from '../../../ports/clock.ts';
import type { LogRow } from '../sql/delivery-rows.ts';
import type { CarriedRow, ShardFeed } from './feed.ts';
import { FEED_CHARS_MAX, FEED_FLOOR_MS, FEED_OVERDUE_MS, FEED_ROWS_MAX } from './limits.ts';

/** What all feeds of a process may hold together. */
export class FeedBudget {
  #left: number;

  constructor(chars = FEED_CHARS_MAX) {
    this.#left = chars;
  }

  take(chars: number): boolean {
    if (chars > this.#left) return false;
    this.#left -= chars;
    return true;
  }

  give(chars: number): void {
    this.#left += chars;
  }
}

export interface ShardBufferOptions {
  readonly clock: Clock;
  readonly budget: FeedBudget;
  readonly onNews: () => void;
  /** Something should arrive soon: `tick` is to be called until it says that nothing is expected. */
  readonly onExpect?: () => void;
  readonly onStop?: () => void;
}

/**
 * One reader's rows of one shard between their arrival and their reading. Pure memory.
 *
 * The rows here follow each other without a hole: each names the one before it. They are given out when the first of
 * them follows what the reader has; else the store is asked, which moves the reader on until they do, or past them.
 *
 * Sure: whatever is new will arrive, so that an empty buffer means that there is nothing. That holds from the end of a
 * read of the whole rest of the store that began after the last gap, and while the carrier is live. A gap is whatever may
 * have hidden a row: one that was dropped for lack of room, a hole before one that arrived, a connection that broke.
 */
export class ShardBuffer implements ShardFeed {
  readonly #clock: Clock;
  readonly #budget: FeedBudget;
  readonly #onNews: () => void;
  readonly #onExpect: () => void;
  readonly #onStop: () => void;
  #rows: CarriedRow[] = [];
  /** Something that comes after the last row here is missing: what arrives must wait until these are read. */
  #torn = false;
  #sure = false;
  #gaps = 0;
  #live = false;
  #readTo = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #silentSince: number | undefined;
  #offeredAt = Number.NEGATIVE_INFINITY;
  /** When the store first told of something that has not arrived. */
  #expectedSince: number | undefined;
  #stopped = false;

  constructor(options: ShardBufferOptions) {
    this.#clock = options.clock;
    this.#budget = options.budget;
    this.#onNews = options.onNews;
    this.#onExpect = options.onExpect ?? (() => {});
    this.#onStop = options.onStop ?? (() => {});
  }

  /** A row has arrived, of which only the number is known. True: it is not needed. */
  knows(seq: number): boolean {
    if (this.#stopped) return true;
    if (!(seq <= (this.#rows.at(-1)?.seq ?? this.#readTo))) return false;
    this.#heard();
    return true;
  }

  /** A row has arrived. */
  offer(row: CarriedRow): void {
    if (this.#stopped) return;
    this.#heard();
    const last = this.#rows.at(-1);
    if (row.seq <= (last?.seq ?? this.#readTo)) return;
    const follows = last === undefined || (!this.#torn && row.prev <= last.seq);
    if (!follows || this.#rows.length >= FEED_ROWS_MAX || !this.#budget.take(row.body.length)) {
      this.#torn = last !== undefined;
      this.gap();
      return;
    }
    this.#rows.push(row);
    this.#onNews();
  }

  #heard(): void {
    this.#silentSince = undefined;
    this.#expectedSince = undefined;
    this.#offeredAt = this.#clock.monotonic();
  }

  /** Rows may have been missed. */
  gap(): void {
    this.#gaps++;
    this.#sure = false;
    if (!this.#stopped) this.#onNews();
  }

  noticed(): void {
    // Just after a row it is most likely the notice of that row.
    if (this.#clock.monotonic() < this.#offeredAt + FEED_OVERDUE_MS * this.#clock.speed) return;
    this.#expectedSince ??= this.#clock.monotonic();
    this.#onExpect();
  }

  /** To be called now and then: gives up waiting for what should have arrived. Whether something is expected still. */
  tick(): boolean {
    if (this.#expectedSince === undefined) return false;
    if (this.#clock.monotonic() < this.#expectedSince + FEED_OVERDUE_MS * this.#clock.speed) return true;
    this.#expectedSince = undefined;
    this.gap();
    return false;
  }

  passed(seq: number): void {
    this.#readTo = Math.max(this.#readTo, seq);
    this.#forget(seq);
  }

  doubt(): void {
    this.#gaps++;
    this.#sure = false;
  }

  get live(): boolean {
    return this.#live;
  }

  /** Whether what is published now arrives here. A change is a gap. */
  setLive(live: boolean): void {
    this.#live = live;
    this.#silentSince = undefined;
    this.gap();
  }

  /** Since when the store has had rows that did not arrive, by the monotonic clock. */
  get silentSince(): number | undefined {
    return this.#silentSince;
  }

  async read(after: number, limit: number, fromStore: () => Promise<readonly LogRow[]>): Promise<readonly LogRow[]> {
    this.#readTo = after;
    this.#forget(after);
    const first = this.#rows[0];
    if (first !== undefined && first.prev <= after) return this.#give(limit);
    const now = this.#clock.monotonic();
    if (first === undefined && this.#sure && now < this.#askedAt + FEED_FLOOR_MS * this.#clock.speed) return [];
    return this.#ask(after, limit, now, fromStore);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#drop(this.#rows.length);
    this.#live = false;
    this.#sure = false;
    this.#onStop();
  }

  async #ask(
    after: number,
    limit: number,
    now: number,
    fromStore: () => Promise<readonly LogRow[]>,
  ): Promise<readonly LogRow[]> {
    const gaps = this.#gaps;
    const known = this.#rows.at(-1)?.seq;
    const wasSure = this.#sure;
    this.#expectedSince = undefined;
    const rows = await fromStore();
    this.#askedAt = now;
    this.#readTo = rows.at(-1)?.seq ?? after;
    if (rows.length > 0 && wasSure) this.#silentSince ??= now;
    if (rows.length >= limit) return rows;
    // That was all there is, so what was here before and is not among it is none of this log.
    this.#forget(Math.max(this.#readTo, known ?? 0));
    if (this.#gaps === gaps && this.#live) this.#sure = true;
    return rows;
  }

  #give(limit: number): readonly LogRow[] {
    const given = this.#drop(Math.min(limit, this.#rows.length));
    this.#readTo = given.at(-1)?.seq ?? this.#readTo;
    // What was dropped behind them is in the store.
    if (this.#rows.length === 0 && this.#torn) {
      this.#torn = false;
      this.#onNews();
    }
    return given;
  }

  /** Nobody needs what is here up to `seq`. */
  #forget(seq: number): void {
    let count = 0;
    while (count < this.#rows.length && this.#rows[count]!.seq <= seq) count++;
    if (count > 0) this.#drop(count);
    if (this.#rows.length === 0) this.#torn = false;
  }

  #drop(count: number): readonly CarriedRow[] {
    const dropped = this.#rows.splice(0, count);
    let chars = 0;
    for (const row of dropped) chars += row.body.length;
    this.#budget.give(chars);
    return dropped;
  }
}
