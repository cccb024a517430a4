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
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { recordOf } from '../attempt-record.ts';
import { KeyLines } from '../key-lines.ts';
import { Wake } from '../wake.ts';
import {
  addWaiting,
  countAfter,
  NO_TIME,
  parseEvent,
  putRow,
  readLog,
  readRows,
  readWaiting,
  removeRows,
} from './delivery-rows.ts';
import { readEarlierLife, tidyEarlierLife } from './earlier-life.ts';
import { type Entry, entryOfLog, entryOfRow, rowOf } from './log-entry.ts';
import { LogWindow } from './log-window.ts';
import { readReplays, takeReplays } from './replay-rows.ts';

/** Appends ask for replays as well; so often at most do we look, real time. */
const REPLAYS_PAUSE_MS = 250;

/**
 * One consumer of the log. Events are read in order into a bounded window and stand in one line per key (KeyLines).
 * The cursor (LogWindow) is stored now and then, because what comes again after a crash falls away by its processed mark. An event that waits long (parked) gets a delivery row, and so do
 * those behind it, so that neither the cursor nor other keys wait for it.
 *
 * Everything that reads or writes the file is in `#serially`, so that the steps of one consumer never interleave; the
 * lines themselves change only in synchronous code.
 */
export class LogConsumer {
  readonly spec: ConsumerSpec;
  readonly wake = new Wake();
  readonly #store: SqliteStore;
  readonly #clock: Clock;
  readonly #onDirty: (acks: number) => void;
  readonly #lines = new KeyLines<Entry>();
  readonly #window = new LogWindow();
  /** Of the bodies that wait in memory. */
  #bodyChars = 0;
  #readTo = 0;
  #storedCursor = 0;
  /** Up to here the log may hold events that an earlier life has processed, or that have delivery rows. */
  #doubtTo = 0;
  #mayHaveMore = true;
  #mayHaveReplays = true;
  /** Between a row and its line just now; counted as waiting. */
  #takingReplays = 0;
  #replaysReadAt = Number.NEGATIVE_INFINITY;
  /** Events that must get rows before their lines can go on; they keep their slots open until then. */
  #toSpill: Entry[] = [];
  readonly #hungry = new Set<string>();
  readonly #finishedRows = new Set<number>();
  /** Given back after their attempt was counted: the row says one too many. */
  readonly #overcounted = new Map<number, Entry>();
  #acks = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(spec: ConsumerSpec, store: SqliteStore, clock: Clock, onDirty: (acks: number) => void) {
    this.spec = spec;
    this.#store = store;
    this.#clock = clock;
    this.#onDirty = onDirty;
  }

  /** Makes the cursor where there is none, and reads back what an earlier life left. */
  async open(): Promise<void> {
    const { name, topic } = this.spec;
    await this.#store.transact(({ db }) => tidyEarlierLife(db, name, topic));
    const life = await this.#store.read(({ db }) => readEarlierLife(db, name));
    this.#readTo = life.cursor;
    this.#storedCursor = life.cursor;
    this.#doubtTo = life.doubtTo;
    for (const row of life.heads) this.#lines.pushParked(entryOfRow(row), row.state === 'out' ? 0 : row.next_at);
    for (const { key, count } of life.waiting) {
      this.#lines.addSpilled(key, count);
      if (this.#lines.isHungry(key)) this.#hungry.add(key);
    }
  }

  /** Something was appended (or replayed) on the topic. */
  touched(): void {
    this.#mayHaveMore = true;
    this.#mayHaveReplays = true;
    this.wake.notify();
  }

  async fetch(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    while (!signal.aborted && !this.#closed) {
      await this.#prepare(max);
      const now = this.#clock.now();
      const entries = this.#lines.take(max, now);
      if (entries.length > 0) return this.#deliver(entries, now);
      const dueAt = this.#lines.nextDueAt();
      await this.wake.wait(this.#clock, dueAt === undefined ? undefined : dueAt - now, signal);
    }
    return [];
  }

  async lag(): Promise<Lag> {
    const readTo = this.#readTo;
    const { unread, firstAt, replays } = await this.#store.read(async ({ db }) => ({
      replays: this.#mayHaveReplays ? (await readReplays(db, this.spec.name)).length : this.#takingReplays,
      unread: await countAfter(db, this.spec.topic, readTo, LAG_COUNT_MAX),
      firstAt: (await readLog(db, { topic: this.spec.topic, after: readTo, limit: 1 }))[0]?.at,
    }));
    // Seen now, told or not: so a fetch made anew (the runtime's watchdog) finds what a lost notice would have hidden.
    if (unread > 0) this.#mayHaveMore = true;
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
    if (this.#mayHaveReplays) this.wake.notify();
    return this.#serially(async () => {
      await this.#spill();
      const cursor = this.#window.cursor(this.#readTo);
      const finished = [...this.#finishedRows];
      const overcounted = [...this.#overcounted.values()].map((entry) => rowOf(entry, 'out', NO_TIME));
      if (cursor === this.#storedCursor && finished.length === 0 && overcounted.length === 0) return;
      const acks = this.#acks;
      const { name, topic } = this.spec;
      await this.#store.transact(async ({ db }) => {
        await db.updateTable('consumer_cursor').set({ seq: cursor }).where('consumer', '=', name).execute();
        await removeRows(db, name, finished);
        for (const row of overcounted) await putRow(db, name, topic, row);
      });
      this.#storedCursor = cursor;
      this.#acks -= acks;
      for (const seq of finished) this.#finishedRows.delete(seq);
      for (const row of overcounted) this.#overcounted.delete(row.seq);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.wake.notify();
    await this.flush();
  }

  /** Fills the lines from the rows and the log, as far as that is needed for `max` deliveries. */
  async #prepare(max: number): Promise<void> {
    if (this.#mayHaveReplays) await this.#serially(() => this.#readReplays());
    if (this.#hungry.size > 0) await this.#serially(() => this.#feedHungry());
    while (this.#mayHaveMore && this.#lines.readyCount < max && this.#hasRoom()) {
      const before = this.#readTo;
      await this.#serially(() => this.#readMore());
      if (this.#readTo === before) break;
    }
  }

  async #readMore(): Promise<void> {
    if (!this.#mayHaveMore || !this.#hasRoom()) return;
    const limit = READ_EVENTS_MAX;
    // Cleared before reading: what is appended during the read sets it again.
    this.#mayHaveMore = false;
    const { name, topic } = this.spec;
    const inDoubt = this.#readTo < this.#doubtTo ? { inDoubt: name } : {};
    let rows: Awaited<ReturnType<typeof readLog>>;
    try {
      rows = await this.#store.read(({ db }) => readLog(db, { topic, after: this.#readTo, limit, ...inDoubt }));
    } catch (error) {
      this.#mayHaveMore = true;
      throw error;
    }
    const all = rows.length < limit;
    if (!all) this.#mayHaveMore = true;
    for (const row of rows) {
      const entry = entryOfLog(row, this.#window.push(row.seq));
      this.#readTo = row.seq;
      if (this.#lines.mustSpill(row.key, LINE_EVENTS_MAX)) this.#letWait(entry);
      else {
        entry.logged = row;
        this.#bodyChars += row.body.length;
        this.#lines.push(entry);
      }
    }
    // Nothing in doubt is left: what was left out is finished or has its row.
    if (all && this.#readTo < this.#doubtTo) this.#readTo = this.#doubtTo;
    if (this.#toSpill.length >= READ_EVENTS_MAX) await this.#spill();
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
    await this.#store.transact(({ db }) => addWaiting(db, this.spec.name, this.spec.topic, rows));
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
          readWaiting(db, this.spec.name, { key, after, limit: LINE_EVENTS_MAX }),
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

  /** Takes over what replayed dead letters have put down. Its old place in the order of its key is gone. */
  async #readReplays(): Promise<void> {
    if (!this.#mayHaveReplays) return;
    const monotonic = this.#clock.monotonic();
    if (monotonic < this.#replaysReadAt + REPLAYS_PAUSE_MS * this.#clock.speed) {
      // Replays are rare and appends are not: the next flush looks again.
      this.#onDirty(this.#acks);
      return;
    }
    this.#replaysReadAt = monotonic;
    this.#mayHaveReplays = false;
    this.#takingReplays = 1;
    const { name } = this.spec;
    try {
      if ((await this.#store.read(({ db }) => readReplays(db, name))).length === 0) return;
      const taken = await this.#store.transact(({ db }) => takeReplays(db, name));
      for (const row of taken) {
        this.#finishedRows.delete(row.seq);
        if (this.#lines.mustSpill(row.key, LINE_EVENTS_MAX)) this.#lines.addSpilled(row.key, 1);
        else this.#lines.push(entryOfRow(row));
      }
    } catch (error) {
      this.#mayHaveReplays = true;
      throw error;
    } finally {
      this.#takingReplays = 0;
    }
  }

  async #deliver(entries: readonly Entry[], now: number): Promise<readonly Delivery[]> {
    const events = new Map<number, AnyEvent>();
    try {
      const rows = entries.flatMap(({ logged }) => logged ?? []);
      const missing = entries.filter(({ logged }) => logged === undefined).map(({ seq }) => seq);
      if (missing.length > 0) rows.push(...(await this.#store.read(({ db }) => readRows(db, missing))));
      for (const row of rows) events.set(row.seq, parseEvent(this.spec.topic, row));
      if (this.spec.countsFirst) await this.#countFirst(entries, now);
    } catch (error) {
      for (const entry of entries) this.#lines.release(entry.key);
      throw error;
    }
    const deliveries: Delivery[] = [];
    for (const entry of entries) {
      this.#dropLogged(entry);
      const event = events.get(entry.seq);
      if (event !== undefined) deliveries.push(this.#delivery(entry, event, now));
      // Its log row is gone (the log was cut by hand): there is nothing left to deliver.
      else this.#finish(entry);
    }
    return deliveries;
  }

  /** The attempt is durable before the work starts, so that one that kills the process is counted. */
  async #countFirst(entries: readonly Entry[], now: number): Promise<void> {
    const { name, topic } = this.spec;
    const counted = entries.map((entry) =>
      rowOf({ ...entry, attempts: entry.attempts + 1, firstAt: entry.firstAt ?? now }, 'out', NO_TIME),
    );
    await this.#store.transact(async ({ db }) => {
      for (const row of counted) await putRow(db, name, topic, row);
    });
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
    return {
      event,
      attempt: countsFirst ? entry.attempts : entry.attempts + 1,
      firstAt: entry.firstAt,
      history: entry.history,
      ack: async () => {
        if (settled || this.#closed) return;
        settled = true;
        this.#finish(entry);
      },
      retry: async (at, error, counts) => {
        if (settled || this.#closed) return;
        settled = true;
        try {
          await this.#park(entry, at, error, counts);
        } catch (fault) {
          settled = false;
          throw fault;
        }
      },
      release: () => {
        if (settled) return;
        settled = true;
        if (countsFirst) {
          entry.attempts--;
          this.#overcounted.set(entry.seq, entry);
          this.#onDirty(this.#acks);
        }
        this.#lines.release(entry.key);
        this.wake.notify();
      },
    };
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
    this.wake.notify();
  }

  async #park(entry: Entry, at: number, error: TripwatchError, counts: boolean): Promise<void> {
    const { name, topic, countsFirst = false } = this.spec;
    const now = this.#clock.now();
    const attempts = entry.attempts + (counts && !countsFirst ? 1 : 0) - (!counts && countsFirst ? 1 : 0);
    const history = [...entry.history, recordOf(error, now)].slice(-HISTORY_RECORDS_MAX);
    const row = rowOf({ ...entry, attempts, history }, 'parked', at);
    await this.#store.transact(({ db }) => putRow(db, name, topic, row));
    Object.assign(entry, { attempts, history, row: true });
    if (entry.slot) entry.slot.done = true;
    this.#lines.park(entry.key, at);
    for (const behind of this.#lines.removeBehind(entry.key)) {
      if (behind.row) this.#lines.addSpilled(entry.key, 1);
      else this.#letWait(behind);
    }
    this.#window.trim();
    this.wake.notify();
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#tail.then(work, work);
    this.#tail = next.catch(() => undefined);
    return next;
  }
}
