import { completeEvents } from '../../../contracts/event.ts';
import type { Topic } from '../../../contracts/topics.ts';
import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { ReadTx, Store, Tx } from '../../../ports/store.ts';
import { openRepos } from '../sql/repos.ts';
import type { Db } from '../sql/schema.ts';
import { openWriter } from './connection.ts';
import { openKysely } from './dialect.ts';
import { GroupCommit } from './group-commit.ts';
import { BUSY_BLOCK_MS } from './limits.ts';
import { migrate } from './migrate.ts';
import { Readers } from './readers.ts';

/** What adapters in the same file (the broker) get besides the repositories. */
export interface SqlTx extends Tx {
  readonly db: Db;
  /** Tells the listeners of `onAppended`, after the commit, that there is something to deliver on a topic. */
  touch(topic: Topic): void;
}
export interface SqlReadTx extends ReadTx {
  readonly db: Db;
}

export type AppendedListener = (topics: ReadonlySet<Topic>) => void;

export interface SqliteStore extends Store {
  transact<T>(work: (tx: SqlTx) => Promise<T>): Promise<T>;
  read<T>(work: (tx: SqlReadTx) => Promise<T>): Promise<T>;
  /** Called after each commit that appended or touched, before the works' promises resolve. Returns its own undoing. */
  onAppended(listener: AppendedListener): () => void;
  /** Changes when another process has written to the file (never by writes of this store): a cheap question. */
  dataVersion(): number;
}

export interface SqliteStoreOptions {
  /** Path of the file, or `:memory:` (nothing durable; for tests and the simulation). */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
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
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { file, clock, logger } = options;
  const database = openWriter(file);
  try {
    migrate(database, clock.now());
    database.exec(`PRAGMA busy_timeout = ${BUSY_BLOCK_MS}`);
  } catch (error) {
    database.close();
    throw error;
  }
  const readers = file === ':memory:' ? undefined : new Readers(file);
  const db = openKysely(database);
  const listeners = new Set<AppendedListener>();
  // One work runs at a time, so what it appends to can be kept here.
  let touched = new Set<Topic>();
  const touch = (topic: Topic): void => void touched.add(topic);
  const repos = openRepos(db, touch);
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
  const writer = new GroupCommit({
    database,
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
  const noTouch = (): void => {};
  const readTx = new WeakMap<Db, SqlReadTx>();
  const readTxOf = (readerDb: Db): SqlReadTx => {
    let found = readTx.get(readerDb);
    if (found === undefined) {
      found = { ...openRepos(readerDb, noTouch), db: readerDb };
      readTx.set(readerDb, found);
    }
    return found;
  };
  const version = database.prepare('PRAGMA data_version');
  let closing: Promise<void> | undefined;
  const refuse = () =>
    Promise.reject(new TripwatchError('cancelled', 'store-closed', 'The store is closed: Tripwatch is shutting down.'));

  return {
    transact: <T>(work: (tx: SqlTx) => Promise<T>): Promise<T> => {
      if (closing) return refuse();
      let mine: ReadonlySet<Topic> | undefined;
      const run = async (): Promise<T> => {
        touched = new Set();
        const value = await work(tx);
        mine = touched;
        return value;
      };
      const committed = (): void => {
        if (mine === undefined || mine.size === 0) return;
        for (const listener of listeners) {
          try {
            listener(mine);
          } catch (error) {
            // The works are committed: whoever waits for them must hear so.
            logger.error({ message: String(error) }, 'a listener for appended events failed');
          }
        }
      };
      return writer.submit(run, { committed });
    },
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
    dataVersion: () => Number(version.get()?.data_version),
    close: () => {
      closing ??= (async () => {
        await writer.idle();
        readers?.close();
        database.close();
      })();
      return closing;
    },
  };
}
