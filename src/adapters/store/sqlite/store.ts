import type { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { completeEvents } from '../../../contracts/event.ts';
import type { Topic } from '../../../contracts/topics.ts';
import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { TransactOptions } from '../../../ports/store.ts';
import type { SqlHooks } from '../sql/hooks.ts';
import { type LoggedRow, RecentRows } from '../sql/recent.ts';
import { openRepos } from '../sql/repos.ts';
import { statement } from '../sql/rows.ts';
import type { Db } from '../sql/schema.ts';
import { type AppendedListener, effectBy, type SqlReadTx, type SqlStore, type SqlTx } from '../sql/sql-store.ts';
import { openWriter } from './connection.ts';
import { openKysely } from './dialect.ts';
import { GroupCommit } from './group-commit.ts';
import { BUSY_BLOCK_MS } from './limits.ts';
import { migrate } from './migrate.ts';
import { Readers } from './readers.ts';

/** What a store needs of its writing connection. */
type Connection = Pick<DatabaseSync, 'exec' | 'prepare' | 'isTransaction'>;

export interface SqliteStoreOptions {
  /** Path of the file, or `:memory:` (nothing durable; for tests and the simulation). */
  readonly file: string;
  /** A database that is open and migrated and outlives this store: for several stores on one, in the simulation. */
  readonly shared?: { readonly database: Connection; readonly db: Db };
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of a new installation; one that exists keeps its number. Default: 1, for one process works on a file. */
  readonly shards?: number;
  /** Default: setImmediate. The simulation passes its own. */
  readonly schedule?: (run: () => void) => void;
  /** Default: setTimeout; returns how to call it off. The simulation passes its own. */
  readonly after?: (ms: number, run: () => void) => () => void;
  /** Default: throws the error uncaught, which ends the process. */
  readonly onFatal?: (error: TripwatchError) => void;
}

/**
 * Opens (and makes, and migrates) the store. Errors, all `permanent`: `store-newer`, `store-foreign`,
 * `store-not-a-database`, `store-on-network`, `store-not-durable`, `store-cannot-open`.
 */
export function openSqliteStore(options: SqliteStoreOptions): SqlStore {
  const { file, shared, clock, logger } = options;
  const opened = shared === undefined ? openWriter(file) : undefined;
  const database: Connection = opened ?? shared!.database;
  let shards: number;
  try {
    if (opened !== undefined) migrate(opened, clock.now());
    shards = settledShards(database, options.shards ?? 1);
    database.exec(`PRAGMA busy_timeout = ${BUSY_BLOCK_MS}`);
  } catch (error) {
    opened?.close();
    throw error;
  }
  const readers = file === ':memory:' ? undefined : new Readers(file);
  const db = shared?.db ?? openKysely(opened!);
  const listeners = new Set<AppendedListener>();
  const recent = new RecentRows();
  // One work runs at a time, so what it appends to can be kept here.
  let touched: Touched = new Map();
  let logged: LoggedRow[] = [];
  const touch = (topic: Topic, shard: number): void => {
    const found = touched.get(topic);
    if (found === undefined) touched.set(topic, new Set([shard]));
    else found.add(shard);
  };
  const hooks = hooksOf(db, {
    shards,
    clock,
    touch,
    appended: (row) => {
      logged.push(row);
      touch(row.topic as Topic, row.shard);
    },
  });
  const repos = openRepos(db, hooks);
  const tx: SqlTx = {
    ...repos,
    db,
    touch,
    append: async (events, origin) => {
      const completed = completeEvents(events, origin, isoInstant(clock.now()));
      await repos.log.append(completed);
      return completed;
    },
  };
  // Leases found current in this transaction. They stay so until it ends, unless a work in it changes leases: works under
  // a lease do not, others might.
  const current = new Set<string>();
  const check = async (fence: Lease): Promise<void> => {
    const name = `${fence.token} ${fence.owner} ${fence.resource}`;
    if (current.has(name)) return;
    await tx.leases.check(fence);
    current.add(name);
  };
  const writer = new GroupCommit({
    database,
    begun: () => current.clear(),
    clock,
    logger,
    schedule: options.schedule ?? ((run) => void setImmediate(run)),
    ...(options.after === undefined ? {} : { after: options.after }),
    onFatal:
      options.onFatal ??
      ((error) => {
        setImmediate(() => {
          throw error;
        });
      }),
  });
  const readTx = new WeakMap<Db, SqlReadTx>();
  const readTxOf = (readerDb: Db): SqlReadTx => {
    let found = readTx.get(readerDb);
    if (found === undefined) {
      found = {
        ...openRepos(readerDb, hooksOf(readerDb, { shards, clock, touch: () => {}, appended: () => {} })),
        db: readerDb,
      };
      readTx.set(readerDb, found);
    }
    return found;
  };
  const version = database.prepare('PRAGMA data_version');
  const dataVersion = (): number => Number(version.get()?.data_version);
  let versionSeen = dataVersion();
  let closing: Promise<void> | undefined;
  const refuse = () =>
    Promise.reject(new TripwatchError('cancelled', 'store-closed', 'The store is closed: Tripwatch is shutting down.'));

  const transact = <T>(work: (tx: SqlTx) => Promise<T>, { fence }: TransactOptions = {}): Promise<T> => {
    if (closing) return refuse();
    let mine: Touched | undefined;
    let rows: readonly LoggedRow[] = [];
    const run = async (): Promise<T> => {
      touched = new Map();
      logged = [];
      if (fence === undefined) current.clear();
      else await check(fence);
      const value = await work(tx);
      mine = touched;
      rows = logged;
      return value;
    };
    const committed = (): void => {
      if (mine === undefined || mine.size === 0) return;
      recent.add(rows);
      for (const listener of listeners) {
        try {
          listener(mine, true);
        } catch (error) {
          // The works are committed: whoever waits for them must hear so.
          logger.error({ message: String(error) }, 'a listener for appended events failed');
        }
      }
    };
    return writer.submit(run, { committed });
  };

  return {
    shards,
    recent,
    transact,
    effect: effectBy(transact),
    read: <T>(work: (tx: SqlReadTx) => Promise<T>): Promise<T> => {
      if (closing) return refuse();
      // In memory there is one connection only, so a read takes its turn among the writes.
      return readers === undefined
        ? writer.submit(() => work(readTxOf(db)), { readOnly: true })
        : readers.run((readerDb) => work(readTxOf(readerDb)));
    },
    onAppended: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    changedElsewhere: async () => {
      const now = dataVersion();
      const changed = now !== versionSeen;
      versionSeen = now;
      return changed;
    },
    close: () => {
      closing ??= (async () => {
        await writer.idle();
        readers?.close();
        opened?.close();
      })();
      return closing;
    },
  };
}

type Touched = Map<Topic, Set<number>>;

/** SQLite has one writer: what is appended has its number and place at once, and nobody needs to wait for a lock. */
function hooksOf(
  db: Db,
  {
    shards,
    clock,
    touch,
    appended,
  }: {
    readonly shards: number;
    readonly clock: Clock;
    readonly touch: SqlHooks['touch'];
    readonly appended: (row: LoggedRow) => void;
  },
): SqlHooks {
  return {
    shards,
    touch,
    appendLog: async (rows) => {
      for (const row of rows) {
        const { id, tenant, topic, key, correlation, subject, at, shard, body } = row;
        const result = await insertEvent(db, [id, tenant, topic, key, correlation, subject, at, shard, body]);
        if (result.numAffectedRows === 1n) appended({ ...row, seq: Number(result.insertId) });
      }
    },
    appendFeed: async ({ tenant, traveller, event_id: id, event }) => {
      await insertFeed(db, [tenant, traveller, id, event]);
    },
    now: () => sql<number>`${Math.trunc(clock.now())}`,
    nowValues: () => [Math.trunc(clock.now())],
    readNow: async () => Math.trunc(clock.now()),
    speed: clock.speed,
    lock: async () => {},
    share: async () => {},
  };
}

const insertEvent = statement((db) =>
  db
    .insertInto('log')
    .values({ id: '', tenant: '', topic: '', key: '', correlation: '', subject: '', at: 0, shard: 0, body: '' })
    .onConflict((conflict) => conflict.column('id').doNothing()),
);

const insertFeed = statement((db) =>
  db
    .insertInto('feed')
    .values({ tenant: '', traveller: '', event_id: '', event: '' })
    .onConflict((conflict) => conflict.columns(['tenant', 'event_id']).doNothing()),
);

/** The number of shards of this installation: what was settled when it was made. */
function settledShards(database: Connection, wanted: number): number {
  const events = database.prepare('SELECT 1 FROM log LIMIT 1').get();
  // One from before there were shards has its events in one.
  const first = events === undefined ? wanted : 1;
  database
    .prepare("INSERT INTO meta (name, value) VALUES ('shards', ?) ON CONFLICT (name) DO NOTHING")
    .run(String(first));
  return Number(database.prepare("SELECT value FROM meta WHERE name = 'shards'").get()?.value);
}
