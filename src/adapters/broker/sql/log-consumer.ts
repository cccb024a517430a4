import type { AnyEvent } from '../../../contracts/event.ts';
import type { TripwatchError } from '../../../domain/errors.ts';
import {
  HISTORY_RECORDS_MAX,
  LAG_COUNT_MAX,
  LINE_EVENTS_MAX,
  READ_EVENTS_MAX,
  WINDOW_CHARS_MAX,
  WINDOW_EVENTS_MAX,
  WINDOW_SPAN_MAX,
} from '../../../domain/limits.ts';
import type { ConsumerSpec, Delivery, Lag } from '../../../ports/broker.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { TransactOptions } from '../../../ports/store.ts';
import type { SqlStore } from '../../store/sql/sql-store.ts';
import { recordOf } from '../attempt-record.ts';
import { KeyLines } from '../key-lines.ts';
import type { LogFeed } from '../nats/feed.ts';
import type { Wake } from '../wake.ts';
import {
  addWaiting,
  countAfter,
  NO_TIME,
  parseEvent,
  putCursor,
  putRow,
  readLog,
  readRows,
  readWaiting,
  removeRows,
} from './delivery-rows.ts';
import { readEarlierLife, tidyEarlierLife } from './earlier-life.ts';
import { type Entry, entryOfLog, entryOfRow, rowOf } from './log-entry.ts';
import { LogReader } from './log-reader.ts';
import { LogWindow } from './log-window.ts';
import { readReplays, takeReplays } from './replay-rows.ts';
import type { ShardRef } from './shard-ref.ts';

/** Appends ask for replays as well; so often at most do we look, real time. */
const REPLAYS_PAUSE_MS = 1000;

/**
 * One shard of a consumer of the log, held by lease. Events are read in order (LogReader) into a bounded window and stand
 * in one line per key (KeyLines). The cursor (LogWindow) is stored now and then, because what comes again after a crash
 * falls away by its processed mark. An event that waits long (parked) gets a delivery row, and so do those behind it, so
 * that neither the cursor nor other keys wait for it.
 *
 * Everything that reads or writes the file is in `#serially`, so that the steps of one consumer never interleave; the
 * lines themselves change only in synchronous code.
 */
export class LogConsumer {
  readonly spec: ConsumerSpec;
  readonly shard: number;
  readonly #ref: ShardRef;
  readonly #lease: Lease;
  /** What is written is written only while the lease is held. */
  readonly #fenced: TransactOptions;
  readonly #wake: Wake;
  readonly #reader: LogReader;
  readonly #store: SqlStore;
  readonly #clock: Clock;
  readonly #onDirty: (acks: number) => void;
  readonly #lines = new KeyLines<Entry>();
  readonly #window = new LogWindow();
  /** Of the bodies that wait in memory. */
  #bodyChars = 0;
  #storedCursor = 0;
  #mayHaveReplays = true;
  /** Between a row and its line just now; counted as waiting. */
  #takingReplays = 0;
  /** Read just now: who counts meanwhile must read too, or would take the look itself for something that waits. */
  #lookingForReplays = false;
  #replaysReadAt = Number.NEGATIVE_INFINITY;
  /** Events that must get rows before their lines can go on; they keep their slots open until then. */
  #toSpill: Entry[] = [];
  readonly #hungry = new Set<string>();
  readonly #finishedRows = new Set<number>();
  /** Given back after their attempt was counted: the row says one too many. */
  readonly #overcounted = new Map<number, Entry>();
  #acks = 0;
  #tail: Promise<unknown> = Promise.resolve();
  /** open → leaving (nothing new goes out) → closed (settling does nothing). */
  #mode: 'open' | 'leaving' | 'closed' = 'open';
  /** Delivered and not settled. */
  #out = 0;
  #allIn: (() => void)[] = [];

  constructor(
    held: { readonly spec: ConsumerSpec; readonly shard: number; readonly lease: Lease },
    parts: {
      readonly store: SqlStore;
      readonly clock: Clock;
      readonly wake: Wake;
      readonly feed?: LogFeed | undefined;
    },
    /** There is something for a flush to do: soon, or at once where many acks wait for it. */
    onDirty: (acks: number) => void,
  ) {
    this.spec = held.spec;
    this.shard = held.shard;
    this.#ref = { consumer: held.spec.name, topic: held.spec.topic, shard: held.shard };
    this.#lease = held.lease;
    this.#fenced = { fence: held.lease };
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#wake = parts.wake;
    this.#onDirty = onDirty;
    this.#reader = new LogReader(this.#ref, parts, () => this.#wake.notify());
  }

  /** Makes the cursor where there is none, and reads back what an earlier owner left. */
  async open(): Promise<void> {
    await this.#store.transact(({ db }) => tidyEarlierLife(db, this.#ref), this.#fenced);
    const life = await this.#store.read(({ db }) => readEarlierLife(db, this.#ref));
    this.#reader.begin(life.cursor, life.doubtTo);
    this.#storedCursor = life.cursor;
    for (const row of life.heads) this.#lines.pushParked(entryOfRow(row), row.state === 'out' ? 0 : row.next_at);
    for (const { key, count } of life.waiting) {
      this.#lines.addSpilled(key, count);
      if (this.#lines.isHungry(key)) this.#hungry.add(key);
    }
  }

  /** Something was appended (or replayed) in the shard. `ours`: by this process. */
  touched(ours: boolean): void {
    this.#reader.touched(ours);
    // Not now: replays are rare and appends are not. A flush looks when it is time.
    if (!this.#mayHaveReplays) this.#onDirty(0);
    this.#mayHaveReplays = true;
    this.#wake.notify();
  }

  /** Whether a fetch would find anything to do here. */
  hasWork(now: number): boolean {
    if (this.#mode !== 'open') return false;
    if (this.#reader.mayHaveMore || this.#hungry.size > 0 || this.#lines.readyCount > 0) return true;
    return (this.#lines.nextDueAt() ?? Number.POSITIVE_INFINITY) <= now || this.#replaysDue();
  }

  /** Up to `max` entries that are due now, of what `prepare` has read: to be given to `deliver` at once. */
  pick(max: number): readonly Entry[] {
    if (this.#mode !== 'open') return [];
    const entries = this.#lines.take(max, this.#clock.now());
    this.#out += entries.length;
    return entries;
  }

  /** Makes deliveries of what was picked; on an error all of it goes back to its lines. */
  async deliver(entries: readonly Entry[]): Promise<readonly Delivery[]> {
    if (entries.length === 0) return [];
    try {
      return await this.#deliver(entries, this.#clock.now());
    } catch (error) {
      for (const entry of entries) this.#lines.release(entry.key);
      this.#settled(entries.length);
      throw error;
    }
  }

  /** When the next parked event is due. */
  nextDueAt(): number | undefined {
    return this.#mode === 'open' ? this.#lines.nextDueAt() : undefined;
  }

  /** `rough`: without a look into the store where nothing new was told of. */
  async lag(rough = false): Promise<Lag> {
    const readTo = this.#reader.position;
    const { topic, shard } = this.#ref;
    const known = rough && !this.#reader.mayHaveMore && !this.#replaysInStore;
    const { unread, firstAt, replays } = known
      ? { unread: 0, firstAt: undefined, replays: this.#takingReplays }
      : await this.#store.read(async ({ db }) => {
          const unread = await countAfter(db, this.#ref, readTo, LAG_COUNT_MAX);
          return {
            replays: this.#replaysInStore ? (await readReplays(db, this.#ref)).length : this.#takingReplays,
            unread,
            firstAt: unread === 0 ? undefined : (await readLog(db, { topic, shard, after: readTo, limit: 1 }))[0]?.at,
          };
        });
    // Seen now, told or not: so a fetch made anew (the runtime's watchdog) finds what a lost notice would have hidden.
    if (unread > 0) this.#reader.doubt();
    let oldestAt = firstAt ?? Number.POSITIVE_INFINITY;
    for (const { at } of this.#lines.items()) oldestAt = Math.min(oldestAt, at);
    return {
      waiting: this.#lines.size - this.#lines.parkedCount + this.#lines.spilledCount + unread + replays,
      parked: this.#lines.parkedCount,
      ...(oldestAt === Number.POSITIVE_INFINITY ? {} : { oldestAt }),
    };
  }

  /** Stores cursor, removals and corrections, if there are any. */
  flush(): Promise<void> {
    if (this.#replaysDue()) this.#wake.notify();
    else if (this.#mayHaveReplays) this.#onDirty(0);
    return this.#serially(async () => {
      if (this.#mode === 'closed') return;
      await this.#spill();
      const cursor = this.#window.cursor(this.#reader.position);
      const finished = [...this.#finishedRows];
      const overcounted = [...this.#overcounted.values()].map((entry) => rowOf(entry, 'out', NO_TIME));
      if (cursor === this.#storedCursor && finished.length === 0 && overcounted.length === 0) return;
      const acks = this.#acks;
      const { consumer } = this.#ref;
      await this.#store.transact(async ({ db }) => {
        await putCursor(db, this.#ref, cursor);
        await removeRows(db, consumer, finished);
        for (const row of overcounted) await putRow(db, this.#ref, row);
      }, this.#fenced);
      this.#storedCursor = cursor;
      this.#acks -= acks;
      for (const seq of finished) this.#finishedRows.delete(seq);
      for (const row of overcounted) this.#overcounted.delete(row.seq);
    });
  }

  /** Delivers nothing new, waits until all that is out is settled, stores what was acked, and ends. */
  async handOver(): Promise<void> {
    if (this.#mode !== 'open') return;
    this.#mode = 'leaving';
    if (this.#out > 0) await new Promise<void>((resolve) => this.#allIn.push(resolve));
    await this.close();
  }

  /** Ends, and stores what was acked. What is out comes again, from whoever holds the shard next. */
  async close(): Promise<void> {
    if (this.#mode === 'closed') return;
    this.#mode = 'leaving';
    await this.flush().finally(() => this.lose());
  }

  /** Ends without writing anything: another holds the shard. */
  lose(): void {
    this.#mode = 'closed';
    this.#reader.stop();
    for (const resolve of this.#allIn.splice(0)) resolve();
    this.#wake.notify();
  }

  /** Fills the lines from the rows and the log, as far as that is needed for `max` deliveries. */
  async prepare(max: number): Promise<void> {
    if (this.#mode !== 'open') return;
    if (this.#replaysDue()) await this.#serially(() => this.#readReplays());
    if (this.#hungry.size > 0) await this.#serially(() => this.#feedHungry());
    const reader = this.#reader;
    while (reader.mayHaveMore && this.#lines.readyCount < max && this.#hasRoom()) {
      const before = reader.position;
      const ours = await this.#serially(() => this.#readMore());
      if (reader.position === before) break;
      // What is here need not wait for a look at what others may have.
      if (ours && reader.mayHaveOthers && this.#lines.readyCount > 0) break;
    }
  }

  /** True: of what this process has appended itself. */
  async #readMore(): Promise<boolean> {
    if (!this.#reader.mayHaveMore || !this.#hasRoom()) return false;
    const { rows, readTo, ours } = await this.#reader.read(READ_EVENTS_MAX);
    for (const row of rows) {
      if (row.seq <= this.#reader.position) continue;
      const entry = entryOfLog(row, this.#window.push(row.seq));
      this.#reader.moveTo(row.seq);
      if (this.#lines.mustSpill(row.key, LINE_EVENTS_MAX)) this.#letWait(entry);
      else {
        entry.logged = row;
        this.#bodyChars += row.body.length;
        this.#lines.push(entry);
      }
    }
    this.#reader.moveTo(readTo);
    if (this.#toSpill.length >= READ_EVENTS_MAX) await this.#spill();
    return ours;
  }

  /** What is parked has left memory but for a few numbers. */
  #hasRoom(): boolean {
    const inMemory = this.#lines.size - this.#lines.parkedCount;
    if (this.#bodyChars >= WINDOW_CHARS_MAX) return false;
    return inMemory < WINDOW_EVENTS_MAX && this.#window.span < WINDOW_SPAN_MAX;
  }

  #dropLogged(entry: Entry): void {
    this.#bodyChars -= entry.logged?.body.length ?? 0;
    entry.logged = undefined;
  }

  /** The entry leaves memory for a row (soon): its line goes on with what is in the rows, in order. */
  #letWait(entry: Entry): void {
    this.#dropLogged(entry);
    this.#lines.addSpilled(entry.key, 1);
    this.#toSpill.push(entry);
    this.#onDirty(this.#acks);
  }

  async #spill(): Promise<void> {
    // A copy: others may join the list while these are written.
    const entries = [...this.#toSpill];
    if (entries.length === 0) return;
    const firstAt = this.#clock.now();
    const rows = entries.map(({ seq, key, eventId }) => ({ seq, key, eventId, firstAt }));
    await this.#store.transact(({ db }) => addWaiting(db, this.#ref, rows), this.#fenced);
    this.#toSpill.splice(0, entries.length);
    for (const entry of entries) if (entry.slot) entry.slot.done = true;
    this.#window.trim();
  }

  async #feedHungry(): Promise<void> {
    await this.#spill();
    for (const key of [...this.#hungry].slice(0, 32)) {
      let after = 0;
      for (;;) {
        const rows = await this.#store.read(({ db }) =>
          readWaiting(db, this.#ref.consumer, { key, after, limit: LINE_EVENTS_MAX }),
        );
        const open = rows.filter((row) => !this.#finishedRows.has(row.seq));
        for (const row of open) this.#lines.push(entryOfRow(row), 'spill');
        if (rows.length < LINE_EVENTS_MAX) this.#lines.clearSpilled(key);
        if (rows.length < LINE_EVENTS_MAX || open.length > 0) break;
        after = rows.at(-1)!.seq;
      }
      this.#hungry.delete(key);
    }
  }

  #replaysDue(): boolean {
    return (
      this.#mayHaveReplays && this.#clock.monotonic() >= this.#replaysReadAt + REPLAYS_PAUSE_MS * this.#clock.speed
    );
  }

  /** Takes over what replayed dead letters have put down. Its old place in the order of its key is gone. */
  async #readReplays(): Promise<void> {
    if (!this.#replaysDue()) return;
    this.#replaysReadAt = this.#clock.monotonic();
    this.#mayHaveReplays = false;
    this.#lookingForReplays = true;
    try {
      const found = await this.#store.read(({ db }) => readReplays(db, this.#ref));
      if (found.length === 0) return;
      this.#lookingForReplays = false;
      this.#takingReplays = found.length;
      const taken = await this.#store.transact(({ db }) => takeReplays(db, this.#ref), this.#fenced);
      for (const row of taken) {
        this.#finishedRows.delete(row.seq);
        if (this.#lines.mustSpill(row.key, LINE_EVENTS_MAX)) this.#lines.addSpilled(row.key, 1);
        else this.#lines.push(entryOfRow(row));
      }
    } catch (error) {
      this.#mayHaveReplays = true;
      throw error;
    } finally {
      this.#lookingForReplays = false;
      this.#takingReplays = 0;
    }
  }

  /** Whether only the store can say how many there are. */
  get #replaysInStore(): boolean {
    return this.#mayHaveReplays || this.#lookingForReplays;
  }

  async #deliver(entries: readonly Entry[], now: number): Promise<readonly Delivery[]> {
    const events = new Map<number, AnyEvent>();
    const rows = entries.flatMap(({ logged }) => logged ?? []);
    const missing = entries.filter(({ logged }) => logged === undefined).map(({ seq }) => seq);
    if (missing.length > 0) rows.push(...(await this.#store.read(({ db }) => readRows(db, missing))));
    for (const row of rows) events.set(row.seq, parseEvent(this.spec.topic, row));
    if (this.spec.countsFirst) await this.#countFirst(entries, now);
    const deliveries: Delivery[] = [];
    for (const entry of entries) {
      this.#dropLogged(entry);
      const event = events.get(entry.seq);
      if (event !== undefined) deliveries.push(this.#delivery(entry, event, now));
      else {
        // Its log row is gone (the log was cut by hand): there is nothing left to deliver.
        this.#settled(1);
        this.#finish(entry);
      }
    }
    return deliveries;
  }

  /** The attempt is durable before the work starts, so that one that kills the process is counted. */
  async #countFirst(entries: readonly Entry[], now: number): Promise<void> {
    const counted = entries.map((entry) =>
      rowOf({ ...entry, attempts: entry.attempts + 1, firstAt: entry.firstAt ?? now }, 'out', NO_TIME),
    );
    await this.#store.transact(async ({ db }) => {
      for (const row of counted) await putRow(db, this.#ref, row);
    }, this.#fenced);
    for (const entry of entries) {
      entry.attempts++;
      entry.row = true;
      this.#overcounted.delete(entry.seq);
      if (entry.slot) entry.slot.done = true;
    }
    this.#window.trim();
  }

  #delivery(entry: Entry, event: AnyEvent, now: number): Delivery {
    const { countsFirst = false } = this.spec;
    entry.firstAt ??= now;
    let settled = false;
    let parking = false;
    /** False: it was settled before, or the shard is another's now. */
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      this.#settled(1);
      return this.#mode !== 'closed';
    };
    return {
      event,
      fence: this.#lease,
      attempt: countsFirst ? entry.attempts : entry.attempts + 1,
      firstAt: entry.firstAt,
      history: entry.history,
      ack: async () => {
        if (settle()) this.#finish(entry);
      },
      retry: async (at, error, counts) => {
        if (settled || parking || this.#mode === 'closed') return;
        parking = true;
        await this.#park(entry, at, error, counts).finally(() => {
          parking = false;
        });
        settle();
      },
      release: () => {
        if (!settle()) return;
        if (countsFirst) {
          entry.attempts--;
          this.#overcounted.set(entry.seq, entry);
          this.#onDirty(this.#acks);
        }
        this.#lines.release(entry.key);
        this.#wake.notify();
      },
    };
  }

  #settled(count: number): void {
    this.#out -= count;
    if (this.#out === 0) for (const resolve of this.#allIn.splice(0)) resolve();
  }

  #finish(entry: Entry): void {
    if (entry.row) this.#finishedRows.add(entry.seq);
    if (entry.slot) entry.slot.done = true;
    this.#next(entry.key);
    this.#window.trim();
    this.#acks++;
    this.#onDirty(this.#acks);
  }

  #next(key: string): void {
    if (this.#lines.done(key)) this.#hungry.add(key);
    this.#wake.notify();
  }

  async #park(entry: Entry, at: number, error: TripwatchError | undefined, counts: boolean): Promise<void> {
    const { countsFirst = false } = this.spec;
    const now = this.#clock.now();
    const attempts = entry.attempts + (counts && !countsFirst ? 1 : 0) - (!counts && countsFirst ? 1 : 0);
    const history =
      error === undefined ? entry.history : [...entry.history, recordOf(error, now)].slice(-HISTORY_RECORDS_MAX);
    // Put off: its age stands still.
    const firstAt = (entry.firstAt ?? now) + (error === undefined ? Math.max(0, at - now) : 0);
    const row = rowOf({ ...entry, attempts, history, firstAt }, 'parked', at);
    await this.#store.transact(({ db }) => putRow(db, this.#ref, row), this.#fenced);
    Object.assign(entry, { attempts, history, firstAt, row: true });
    if (entry.slot) entry.slot.done = true;
    this.#lines.park(entry.key, at);
    for (const behind of this.#lines.removeBehind(entry.key)) {
      if (behind.row) this.#lines.addSpilled(entry.key, 1);
      else this.#letWait(behind);
    }
    this.#window.trim();
    this.#wake.notify();
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#tail.then(work, work);
    this.#tail = next.catch(() => undefined);
    return next;
  }
}
