import { randomBytes } from 'node:crypto';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { EffectMark, EffectResult, TransactOptions } from '../../../ports/store.ts';
import { RecentRows } from '../sql/recent.ts';
import type { Appended, AppendedListener, SqlReadTx, SqlStore, SqlTx } from '../sql/sql-store.ts';
import { checkServer } from './check.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { GroupCommit, type Work } from './group-commit.ts';
import { LANES, READERS_MAX } from './limits.ts';
import { lockNumber, migrate } from './migrate.ts';
import { Notices } from './notices.ts';
import { Readers } from './readers.ts';
import { type TransactionContext, Transactions } from './transaction.ts';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database?sslmode=verify-full`. Never logged. */
  readonly url: string;
  /** Where the tables are, so that a database may be shared. Default: `tripwatch`. */
  readonly schema?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of a new installation; one that exists keeps its number. Default: 16, for as many processes on one consumer. */
  readonly shards?: number;
  /** Connections that write, and that read. */
  readonly lanes?: number;
  readonly readers?: number;
  /** How long the server may be silent before a connection is given up. Default 15 s. */
  readonly answerMs?: number;
}

const SHARDS = 16;

/**
 * Opens (and makes, and migrates) the store: any number of processes on one server. Errors: transient `store-lost`;
 * permanent `store-newer`, `store-foreign`, `store-not-durable`, `store-server-unfit`, `store-cannot-open`.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<SqlStore> {
  const { url, clock, logger, schema = 'tripwatch' } = options;
  checkName(schema);
  const connect = (use: NonNullable<ConnectionOptions['use']>, onNotice?: (payload: string) => void) =>
    Connection.open({ url, schema, use, answerMs: options.answerMs }, onNotice);
  const shards = await prepared(await connect('migrating'), options);
  const context: TransactionContext = { schema, shards, clock };
  const listeners = new Set<AppendedListener>();
  const recent = new RecentRows();
  const announce = (appended: Appended, ours: boolean): void => {
    for (const listener of listeners) {
      try {
        listener(appended, ours);
      } catch (error) {
        // The works are committed: whoever waits for them must hear so.
        logger.error({ message: String(error) }, 'a listener for appended events failed');
      }
    }
  };
  const notices = new Notices({
    schema,
    shards,
    logger,
    self: randomBytes(8).toString('hex'),
    open: (onNotice) => connect('listening', onNotice),
    heard: (appended) => announce(appended, false),
  });
  const writer = new GroupCommit({
    lanes: options.lanes ?? LANES,
    open: async () => new Transactions(await connect('writing'), context),
    clock,
    logger,
    schedule: (run) => void setImmediate(run),
    committed: (appended, rows) => {
      recent.add(rows);
      announce(appended, true);
      notices.tell(appended);
    },
  });
  const readers = new Readers(() => connect('reading'), context, options.readers ?? READERS_MAX);
  let seen = await readers.ask(position);
  let closing: Promise<void> | undefined;

  const submit = <T>(work: Pick<Work, 'run' | 'mark' | 'repeated' | 'fence'>): Promise<T> => {
    if (closing) return refuse();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    writer.submit({ ...work, resolve: resolve as (value: unknown) => void, reject });
    return promise;
  };

  return {
    shards,
    recent,
    transact: <T>(work: (tx: SqlTx) => Promise<T>, { fence }: TransactOptions = {}): Promise<T> =>
      submit<T>({ run: work, mark: undefined, repeated: undefined, fence }),
    effect: <T>(
      mark: EffectMark,
      work: (tx: SqlTx) => Promise<T>,
      { fence }: TransactOptions = {},
    ): Promise<EffectResult<T>> =>
      submit<EffectResult<T>>({
        run: async (tx) => ({ repeat: false, value: await work(tx) }),
        mark,
        repeated: { repeat: true },
        fence,
      }),
    read: <T>(work: (tx: SqlReadTx) => Promise<T>): Promise<T> => (closing ? refuse() : readers.run(work)),
    onAppended: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    changedElsewhere: async () => {
      const now = await readers.ask(position);
      const changed = now !== seen;
      seen = now;
      return changed;
    },
    close: () => {
      closing ??= (async () => {
        await writer.idle();
        await Promise.all([writer.close(), readers.close(), notices.close()]);
      })();
      return closing;
    },
  };
}

function refuse(): Promise<never> {
  return Promise.reject(
    new TripwatchError('cancelled', 'store-closed', 'The store is closed: Tripwatch is shutting down.'),
  );
}

/** Moves with every commit that appended or touched, also of this process. */
async function position(connection: Connection): Promise<string> {
  const { rows } = await connection.query<{ seq: number; times: number }>(
    'SELECT (SELECT coalesce(max(seq), 0) FROM log) AS seq, (SELECT times FROM touched WHERE one = 1) AS times',
  );
  return `${rows[0]?.seq}/${rows[0]?.times}`;
}

/** Checks the server, brings the tables to their newest form, and settles the number of shards. */
async function prepared(connection: Connection, options: PostgresStoreOptions): Promise<number> {
  const { schema = 'tripwatch', clock, shards = SHARDS } = options;
  try {
    await checkServer(connection);
    await migrate(connection, schema, clock.now());
    await keepNumbersAhead(connection, schema);
    await connection.query("INSERT INTO meta (name, value) VALUES ('shards', $1) ON CONFLICT (name) DO NOTHING", [
      String(shards),
    ]);
    const { rows } = await connection.query<{ value: string }>("SELECT value FROM meta WHERE name = 'shards'");
    return Number(rows[0]!.value);
  } finally {
    await connection.close();
  }
}

/** A copy made row by row (logical replication) leaves the counters behind: a number given twice would hide events. */
async function keepNumbersAhead(connection: Connection, schema: string): Promise<void> {
  for (const table of ['log', 'feed']) {
    await connection.command('BEGIN');
    await connection.query('SELECT pg_advisory_xact_lock($1::int8)', [lockNumber(`${schema}/log`)]);
    await connection.query(
      `SELECT setval('${table}_seq', newest.seq) FROM (SELECT max(seq) AS seq FROM ${table}) AS newest, ${table}_seq
        WHERE newest.seq > ${table}_seq.last_value
          OR newest.seq = ${table}_seq.last_value AND NOT ${table}_seq.is_called`,
    );
    await connection.command('COMMIT');
  }
}

function checkName(schema: string): void {
  if (/^[a-z_][a-z0-9_]{0,39}$/.test(schema) && !schema.startsWith('pg_')) return;
  throw new TripwatchError(
    'permanent',
    'store-cannot-open',
    `“${schema}” cannot be the name of a schema: at most 40 small letters, digits and _, not beginning with pg_.`,
  );
}
