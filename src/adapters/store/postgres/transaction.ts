import { sql } from 'kysely';
import { completeEvents } from '../../../contracts/event.ts';
import type { Topic } from '../../../contracts/topics.ts';
import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { EffectMark } from '../../../ports/store.ts';
import type { FeedInsert, LogInsert, SqlHooks } from '../sql/hooks.ts';
import { leaseLock } from '../sql/leases.ts';
import type { LoggedRow } from '../sql/recent.ts';
import { openRepos } from '../sql/repos.ts';
import type { Db } from '../sql/schema.ts';
import type { Appended, SqlReadTx, SqlTx } from '../sql/sql-store.ts';
import { int8Array, textArray } from './binary.ts';
import type { Connection, Rows } from './connection.ts';
import { openKysely } from './dialect.ts';
import { lockNumber } from './migrate.ts';
import {
  CLAIM,
  FEED,
  FENCE,
  feedValues,
  fenceValues,
  LOCK,
  LOCK_OR_SHARE,
  LOG,
  logValues,
  markValues,
  missing,
  repeated,
  TRY_LOCK,
  TRY_SHARE,
} from './statements.ts';

export interface TransactionContext {
  readonly schema: string;
  readonly shards: number;
  readonly clock: Clock;
}

/**
 * Thrown where another transaction holds a lock. The work is undone and begins anew with that lock: nobody ever waits
 * for a lock while holding something that others may want, so that no two wait for each other.
 */
export class LockHeld extends Error {
  readonly locks: readonly string[];

  constructor(locks: readonly string[]) {
    super('another transaction holds a lock that is needed');
    this.locks = locks;
  }
}

/**
 * The transactions of one writing connection, one after the other: begin, the works, commit. Rows for log and feed are
 * kept until the commit and then travel in one packet with it: lock and insert, COMMIT. The lock makes numbers be given in
 * the order of commits, so that whoever has seen a number has seen, or can see, every lower one; and it is held for no
 * longer than the server needs, whatever happens to this process meanwhile.
 */
export class Transactions {
  readonly #connection: Connection;
  readonly #context: TransactionContext;
  readonly #logLock: string;
  readonly #tx: SqlTx;
  #log: LogInsert[] = [];
  #feed: FeedInsert[] = [];
  #touched = new Map<Topic, Set<number>>();
  #touchedOnly = false;
  /** BEGIN is sent with the first statement: a transaction of one statement needs none. */
  #begun = false;
  /** Which work took which lock. */
  readonly #locks = new Map<string, number>();
  readonly #shared = new Set<string>();
  #work = 0;

  constructor(connection: Connection, context: TransactionContext) {
    this.#connection = connection;
    this.#context = context;
    this.#logLock = lockNumber(`${context.schema}/log`);
    const db = openKysely({ query: (text, values) => this.#query(text, values) });
    const touch = (topic: Topic, shard: number): void => {
      this.#touchedOnly = true;
      this.#touch(topic, shard);
    };
    const repos = openRepos(db, {
      ...commonHooks(db, context),
      touch,
      appendLog: async (rows) => {
        for (const row of rows) {
          this.#log.push(row);
          this.#touch(row.topic as Topic, row.shard);
        }
      },
      appendFeed: async (row) => {
        this.#feed.push(row);
      },
      lock: (names, writes) => this.#lock(typeof names === 'string' ? [names] : names, writes),
      share: (name) => this.#share(name),
    });
    this.#tx = {
      ...repos,
      db,
      touch,
      append: async (events, origin) => {
        const completed = completeEvents(events, origin, isoInstant(context.clock.now()));
        await repos.log.append(completed);
        return completed;
      },
    };
  }

  get broken(): boolean {
    return this.#connection.broken;
  }

  /**
   * Waits for the locks, asks which of the leases are current and marks the events as processed, all in one packet; where
   * none of that is wanted, nothing is sent.
   */
  async begin(options: {
    readonly fences: readonly Lease[];
    /** Different ones. */
    readonly marks: readonly EffectMark[];
    /** Of a single work: those it has met before. */
    readonly locks: readonly string[];
  }): Promise<{ readonly lost: readonly Lease[]; readonly repeats: ReadonlySet<EffectMark> }> {
    const { fences, marks } = options;
    this.#log = [];
    this.#feed = [];
    this.#touched = new Map();
    this.#touchedOnly = false;
    this.#begun = false;
    this.#work = 0;
    this.#locks.clear();
    this.#shared.clear();
    for (const lock of options.locks) this.#locks.set(lock, 0);
    for (const { resource } of fences) this.#shared.add(this.#lockOf(leaseLock(resource)));
    // In one order everywhere. A row lock on the lease would do, but where several share one, each of them costs the
    // server a number of which it has too few (multixact).
    const wanted = [...new Set([...this.#locks.keys(), ...this.#shared])].sort();
    const [, held, claimed] = await all([
      wanted.length === 0
        ? undefined
        : this.#query(LOCK_OR_SHARE, [
            textArray(wanted),
            int8Array(wanted.map((lock) => (this.#locks.has(lock) ? 1 : 0))),
          ]),
      fences.length === 0 ? undefined : this.#query<{ resource: string; token: number }>(FENCE, fenceValues(fences)),
      marks.length === 0 ? undefined : this.#query<{ event_id: string; consumer: string }>(CLAIM, markValues(marks)),
    ]);
    return {
      lost: held === undefined || held.rows.length === fences.length ? [] : missing(fences, held.rows),
      repeats: claimed === undefined || claimed.rows.length === marks.length ? NONE : repeated(marks, claimed.rows),
    };
  }

  /** What comes now belongs to this work of the batch. */
  at(work: number): SqlTx {
    this.#work = work;
    return this.#tx;
  }

  /** Writes log and feed and commits. False: the server has rolled back instead, because a statement had failed. */
  async commit(): Promise<{
    readonly committed: boolean;
    readonly appended: Appended;
    readonly rows: readonly LoggedRow[];
  }> {
    const log = this.#log;
    const feed = this.#feed;
    const statements: (readonly [string, readonly unknown[]])[] = [];
    if (this.#touchedOnly) statements.push(['UPDATE touched SET times = times + 1 WHERE one = 1', []]);
    if (log.length > 0) statements.push([LOG, logValues(log, this.#logLock)]);
    else if (feed.length > 0) statements.push([LOCK, [this.#logLock]]);
    if (feed.length > 0) statements.push([FEED, feedValues(feed)]);
    if (statements.length > 1) this.#begin();
    const sent = statements.map(([text, values]) => this.#connection.query(text, values));
    const logged = sent[statements.findIndex(([text]) => text === LOG)] as Promise<Rows<{ seq: number }>> | undefined;
    if (this.#begun) sent.push(this.#connection.command('COMMIT'));
    const answers = await all(sent);
    const numbers = (await logged)?.rows ?? [];
    return {
      committed: !this.#begun || answers.at(-1)?.command === 'COMMIT',
      appended: this.#touched,
      // Where one was there before, it is not said which.
      rows: numbers.length === log.length ? numbers.map(({ seq }, index) => ({ ...log[index]!, seq })) : [],
    };
  }

  /** Whoever comes next waits for it by itself. */
  rollback(): void {
    if (this.#begun && !this.#connection.broken) this.#connection.command('ROLLBACK').catch(() => {});
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #query<R>(text: string, values?: readonly unknown[]): Promise<Rows<R>> {
    this.#begin();
    return this.#connection.query<R>(text, values);
  }

  /** Not waited for: it travels with the statement that comes next, and if it fails, so does that. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#connection.command('BEGIN').catch(() => {});
  }

  #touch(topic: Topic, shard: number): void {
    const found = this.#touched.get(topic);
    if (found === undefined) this.#touched.set(topic, new Set([shard]));
    else found.add(shard);
  }

  async #lock(names: readonly string[], writes: 'rows' | 'log' = 'rows'): Promise<void> {
    const wanted: string[] = [];
    for (const name of names) {
      const lock = this.#lockOf(name);
      const holder = this.#locks.get(lock);
      if (holder === undefined) wanted.push(lock);
      else if (writes === 'log' && holder !== this.#work) throw new LockHeld([lock]);
    }
    if (wanted.length === 0) return;
    for (const lock of wanted) this.#locks.set(lock, this.#work);
    const { rows } = await this.#query<{ got: 't' | 'f' }>(TRY_LOCK, [textArray(wanted)]);
    if (rows[0]?.got !== 't') throw new LockHeld(wanted);
  }

  async #share(name: string): Promise<void> {
    const lock = this.#lockOf(name);
    if (this.#locks.has(lock) || this.#shared.has(lock)) return;
    this.#shared.add(lock);
    const { rows } = await this.#query<{ got: 't' | 'f' }>(TRY_SHARE, [lock]);
    if (rows[0]?.got !== 't') throw new LockHeld([lock]);
  }

  #lockOf(name: string): string {
    return lockNumber(`${this.#context.schema}/lock/${name}`);
  }
}

const NONE: ReadonlySet<EffectMark> = new Set();

/** The repositories on a reading connection. */
export function readTxOf(db: Db, context: TransactionContext): SqlReadTx {
  const refuse = async () => {
    throw new TripwatchError('defect', 'read-only', 'A write was tried in a reading transaction.');
  };
  return {
    ...openRepos(db, {
      ...commonHooks(db, context),
      touch: () => {},
      appendLog: refuse,
      appendFeed: refuse,
      lock: async () => {},
      share: async () => {},
    }),
    db,
  };
}

const storeNow = () => sql<number>`(extract(epoch FROM clock_timestamp()) * 1000)::int8`;

function commonHooks(
  db: Db,
  { shards }: TransactionContext,
): Pick<SqlHooks, 'shards' | 'now' | 'nowValues' | 'readNow' | 'speed'> {
  return {
    shards,
    now: storeNow,
    nowValues: () => [],
    readNow: async () => {
      const { rows } = await sql<{ now: number }>`SELECT ${storeNow()} AS now`.execute(db);
      return Number(rows[0]!.now);
    },
    speed: 1,
  };
}

/** As Promise.all, but waits for all before it rejects with the first error, so that nothing is left under way. */
async function all<T extends readonly unknown[]>(promises: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(promises);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as {
    -readonly [K in keyof T]: Awaited<T[K]>;
  };
}
