import { sql } from 'kysely';
import { completeEvents } from '../../../contracts/event.ts';
import type { Topic } from '../../../contracts/topics.ts';
import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { EffectMark } from '../../../ports/store.ts';
import type { FeedInsert, LogInsert, SqlHooks } from '../sql/hooks.ts';
import { openRepos } from '../sql/repos.ts';
import type { Db } from '../sql/schema.ts';
import type { Appended, SqlReadTx, SqlTx } from '../sql/sql-store.ts';
import { int8Array, textArray } from './binary.ts';
import type { Connection, Rows } from './connection.ts';
import { openKysely } from './dialect.ts';
import { lockNumber } from './migrate.ts';

export interface TransactionContext {
  readonly schema: string;
  readonly shards: number;
  readonly clock: Clock;
}

/**
 * Thrown by `lock` where another transaction holds it. The work is undone and begins anew with that lock: nobody ever waits
 * for a lock while holding something that others may want, so that no two wait for each other.
 */
export class LockHeld extends Error {
  readonly lock: string;

  constructor(lock: string) {
    super('another transaction holds a lock that is needed');
    this.lock = lock;
  }
}

const LOCK = 'SELECT pg_advisory_xact_lock($1::int8)';
const TRY_LOCK = 'SELECT pg_try_advisory_xact_lock($1::int8) AS got';

const CLAIM = `INSERT INTO processed (event_id, consumer, at, attempts)
  SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::text[])
  ON CONFLICT (event_id, consumer) DO NOTHING RETURNING event_id, consumer`;

// In the order of the resources, as those who take leases lock them: nobody waits in a circle.
const FENCE = `SELECT lease.resource, lease.token FROM lease
  JOIN unnest($1::text[], $2::text[], $3::int8[]) AS held (resource, owner, token)
    ON lease.resource = held.resource AND lease.owner = held.owner AND lease.token = held.token
  ORDER BY lease.resource FOR KEY SHARE OF lease`;

const LOG = `INSERT INTO log (seq, id, tenant, topic, key, correlation, subject, at, shard, body)
  SELECT nextval('log_seq'), events.*
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::int8[], $9::text[])
    AS events (id, tenant, topic, key, correlation, subject, at, shard, body)
  ON CONFLICT (id) DO NOTHING`;

const FEED = `INSERT INTO feed (seq, tenant, traveller, event_id, event)
  SELECT nextval('feed_seq'), items.*
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS items (tenant, traveller, event_id, event)
  ON CONFLICT (tenant, event_id) DO NOTHING`;

/**
 * The transactions of one writing connection, one after the other: begin, the works, commit. Rows for log and feed are
 * kept until the commit and then travel in one packet with it: lock, insert, COMMIT. The lock makes numbers be given in
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
  /** Which work took which lock. */
  readonly #locks = new Map<string, number>();
  #work = 0;

  constructor(connection: Connection, context: TransactionContext) {
    this.#connection = connection;
    this.#context = context;
    this.#logLock = lockNumber(`${context.schema}/log`);
    const db = openKysely(connection);
    const touch = (topic: Topic, shard: number): void => {
      this.#touchedOnly = true;
      this.#touch(topic, shard);
    };
    const repos = openRepos(db, {
      ...commonHooks(context),
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
      lock: (name, writes) => this.#lock(name, writes),
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
   * Opens a transaction, waits for the locks, asks which of the leases are current and marks the events as processed, all
   * in one packet.
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
    this.#work = 0;
    this.#locks.clear();
    for (const lock of options.locks) this.#locks.set(lock, 0);
    const connection = this.#connection;
    const begun = [
      connection.command('BEGIN'),
      ...options.locks.toSorted().map((lock) => connection.query(LOCK, [lock])),
    ];
    const [, held, claimed] = await all([
      all(begun),
      fences.length === 0
        ? undefined
        : connection.query<{ resource: string; token: number }>(FENCE, fenceValues(fences)),
      marks.length === 0
        ? undefined
        : connection.query<{ event_id: string; consumer: string }>(CLAIM, markValues(marks)),
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
  async commit(): Promise<{ readonly committed: boolean; readonly appended: Appended }> {
    const connection = this.#connection;
    const sent: Promise<Rows>[] = [];
    const log = this.#log;
    const feed = this.#feed;
    if (this.#touchedOnly) sent.push(connection.query('UPDATE touched SET times = times + 1 WHERE one = 1'));
    if (log.length + feed.length > 0) sent.push(connection.query(LOCK, [this.#logLock]));
    if (log.length > 0) sent.push(connection.query(LOG, logValues(log)));
    if (feed.length > 0) sent.push(connection.query(FEED, feedValues(feed)));
    sent.push(connection.command('COMMIT'));
    const answers = await all(sent);
    return { committed: answers.at(-1)?.command === 'COMMIT', appended: this.#touched };
  }

  /** Whoever comes next waits for it by itself. */
  rollback(): void {
    if (!this.#connection.broken) this.#connection.command('ROLLBACK').catch(() => {});
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #touch(topic: Topic, shard: number): void {
    const found = this.#touched.get(topic);
    if (found === undefined) this.#touched.set(topic, new Set([shard]));
    else found.add(shard);
  }

  async #lock(name: string, writes: 'rows' | 'log' = 'rows'): Promise<void> {
    const lock = lockNumber(`${this.#context.schema}/lock/${name}`);
    const holder = this.#locks.get(lock);
    if (holder !== undefined) {
      if (writes === 'log' && holder !== this.#work) throw new LockHeld(lock);
      return;
    }
    this.#locks.set(lock, this.#work);
    const { rows } = await this.#connection.query<{ got: 't' | 'f' }>(TRY_LOCK, [lock]);
    if (rows[0]?.got !== 't') throw new LockHeld(lock);
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
      ...commonHooks(context),
      touch: () => {},
      appendLog: refuse,
      appendFeed: refuse,
      lock: async () => {},
    }),
    db,
  };
}

function commonHooks({ shards }: TransactionContext): Pick<SqlHooks, 'shards' | 'now' | 'speed' | 'keyShare'> {
  return {
    shards,
    now: () => sql<number>`(extract(epoch FROM clock_timestamp()) * 1000)::int8`,
    speed: 1,
    keyShare: sql`FOR KEY SHARE`,
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

function fenceValues(fences: readonly Lease[]): readonly Buffer[] {
  return [
    textArray(fences.map((one) => one.resource)),
    textArray(fences.map((one) => one.owner)),
    int8Array(fences.map((one) => one.token)),
  ];
}

/** In one order everywhere, so that two transactions with marks in common never wait for each other. */
function markValues(marks: readonly EffectMark[]): readonly Buffer[] {
  const sorted = marks.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return [
    textArray(sorted.map((one) => one.eventId)),
    textArray(sorted.map((one) => one.consumer)),
    int8Array(sorted.map((one) => one.now)),
    textArray(sorted.map(({ failed = [] }) => (failed.length === 0 ? null : JSON.stringify(failed)))),
  ];
}

/** What makes two marks the same. */
export function keyOf(mark: Pick<EffectMark, 'eventId' | 'consumer'>): string {
  return `${mark.eventId}\n${mark.consumer}`;
}

function repeated(
  marks: readonly EffectMark[],
  claimed: readonly { readonly event_id: string; readonly consumer: string }[],
): ReadonlySet<EffectMark> {
  const made = new Set(claimed.map((row) => `${row.event_id}\n${row.consumer}`));
  return new Set(marks.filter((mark) => !made.has(keyOf(mark))));
}

function missing(
  fences: readonly Lease[],
  held: readonly { readonly resource: string; readonly token: number }[],
): readonly Lease[] {
  const current = new Map(held.map((row) => [row.resource, row.token]));
  return fences.filter((fence) => current.get(fence.resource) !== fence.token);
}

function logValues(rows: readonly LogInsert[]): readonly Buffer[] {
  return [
    textArray(rows.map((row) => row.id)),
    textArray(rows.map((row) => row.tenant)),
    textArray(rows.map((row) => row.topic)),
    textArray(rows.map((row) => row.key)),
    textArray(rows.map((row) => row.correlation)),
    textArray(rows.map((row) => row.subject)),
    int8Array(rows.map((row) => row.at)),
    int8Array(rows.map((row) => row.shard)),
    textArray(rows.map((row) => row.body)),
  ];
}

function feedValues(rows: readonly FeedInsert[]): readonly Buffer[] {
  return [
    textArray(rows.map((row) => row.tenant)),
    textArray(rows.map((row) => row.traveller)),
    textArray(rows.map((row) => row.event_id)),
    textArray(rows.map((row) => row.event)),
  ];
}
