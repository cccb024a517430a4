import type { RecentReader } from '../../store/sql/recent.ts';
import type { SqlStore } from '../../store/sql/sql-store.ts';
import type { LogFeed, ShardFeed } from '../nats/feed.ts';
import { type LogRow, readLog, readLogInDoubt } from './delivery-rows.ts';
import type { ShardRef } from './shard-ref.ts';

export interface LogRead {
  readonly rows: readonly LogRow[];
  /** The last row that was looked at: what is not among `rows` is finished or has its delivery row. */
  readonly readTo: number;
  /** Appended by this process itself, and read from its memory. */
  readonly ours: boolean;
}

/**
 * Reads one shard of a topic in order, each row once, from where it is cheapest: what this process appended itself from
 * memory (RecentRows), what NATS brought from its feed, the rest from the store.
 */
export class LogReader {
  readonly #ref: ShardRef;
  readonly #store: SqlStore;
  readonly #recent: RecentReader;
  readonly #feed: ShardFeed | undefined;
  #position = 0;
  /** Up to here the log may hold events that an earlier life has processed, or that have delivery rows. */
  #doubtTo = 0;
  #mayHaveMore = true;
  /** Others may have appended: what this process has appended itself is not all. */
  #mayHaveOthers = true;

  /** `onNews`: there may be more to read. */
  constructor(
    ref: ShardRef,
    parts: { readonly store: SqlStore; readonly feed?: LogFeed | undefined },
    onNews: () => void,
  ) {
    this.#ref = ref;
    this.#store = parts.store;
    this.#recent = parts.store.recent.follow(ref);
    this.#feed = parts.feed?.follow(ref.topic, ref.shard, () => {
      this.#mayHaveMore = true;
      this.#mayHaveOthers = true;
      onNews();
    });
  }

  /** Everything up to here has been read. */
  get position(): number {
    return this.#position;
  }

  get mayHaveMore(): boolean {
    return this.#mayHaveMore;
  }

  get mayHaveOthers(): boolean {
    return this.#mayHaveOthers;
  }

  /** Before the first read. */
  begin(position: number, doubtTo: number): void {
    this.#position = position;
    this.#doubtTo = doubtTo;
  }

  /** Something was appended. `ours`: by this process. */
  touched(ours: boolean): void {
    this.#mayHaveMore = true;
    if (!ours) this.#mayHaveOthers = true;
    this.#feed?.noticed();
  }

  /** Rows may have been missed: the next read asks the store. */
  doubt(): void {
    this.#mayHaveMore = true;
    this.#mayHaveOthers = true;
    this.#feed?.doubt();
  }

  /** What comes after the position, which stays until `moveTo`. One call at a time. */
  async read(limit: number): Promise<LogRead> {
    // Cleared before reading: what is appended during the read sets it again.
    this.#mayHaveMore = false;
    return this.#readRecent(limit) ?? (await this.#readOthers(limit));
  }

  moveTo(position: number): void {
    this.#position = Math.max(this.#position, position);
  }

  stop(): void {
    this.#recent.stop();
    this.#feed?.stop();
  }

  /** Undefined: it may not be all that comes next. */
  #readRecent(limit: number): LogRead | undefined {
    const after = this.#position;
    const rows = after < this.#doubtTo ? undefined : this.#recent.after(after, limit);
    if (rows === undefined || (rows.length === 0 && this.#mayHaveOthers)) return undefined;
    const readTo = rows.at(-1)?.seq ?? after;
    if (rows.length > 0) {
      this.#mayHaveMore = true;
      this.#feed?.passed(readTo);
    }
    return { rows, readTo, ours: true };
  }

  async #readOthers(limit: number): Promise<LogRead> {
    this.#mayHaveOthers = false;
    try {
      const { rows, readTo, all } = await this.#readAfter(this.#position, limit);
      if (!all) this.#mayHaveMore = this.#mayHaveOthers = true;
      // Nothing in doubt is left.
      return { rows, readTo: all ? Math.max(readTo, this.#doubtTo) : readTo, ours: false };
    } catch (error) {
      this.#mayHaveMore = this.#mayHaveOthers = true;
      throw error;
    }
  }

  async #readAfter(after: number, limit: number): ReturnType<typeof readLogInDoubt> {
    const { consumer, topic, shard } = this.#ref;
    const options = { topic, shard, after, limit };
    // What an earlier owner has done is known to the store alone.
    if (after < this.#doubtTo) return this.#store.read(({ db }) => readLogInDoubt(db, options, consumer));
    const fromStore = () => this.#store.read(({ db }) => readLog(db, options));
    const rows = await (this.#feed === undefined ? fromStore() : this.#feed.read(after, limit, fromStore));
    return { rows, readTo: rows.at(-1)?.seq ?? after, all: rows.length < limit };
  }
}
