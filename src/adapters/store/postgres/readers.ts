import type { SqlReadTx } from '../sql/sql-store.ts';
import type { Connection } from './connection.ts';
import { openKysely } from './dialect.ts';
import { Pool } from './pool.ts';
import { readTxOf, type TransactionContext } from './transaction.ts';

/** Connections for reading, each with a snapshot of its own while in use. */
export class Readers {
  readonly #pool: Pool;
  readonly #context: TransactionContext;
  readonly #tx = new WeakMap<Connection, SqlReadTx>();

  constructor(open: () => Promise<Connection>, context: TransactionContext, max: number) {
    this.#pool = new Pool(open, max);
    this.#context = context;
  }

  run<T>(work: (tx: SqlReadTx) => Promise<T>): Promise<T> {
    return this.#pool.use(async (connection) => {
      // Not waited for: it travels with the first question, and if it fails, so does that.
      connection.command('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY').catch(() => {});
      try {
        return await work(this.#txOf(connection));
      } finally {
        if (!connection.broken) connection.command('COMMIT').catch(() => {});
      }
    });
  }

  /** Outside of any transaction. */
  ask<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#pool.use(question);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #txOf(connection: Connection): SqlReadTx {
    let found = this.#tx.get(connection);
    if (found === undefined) {
      found = readTxOf(openKysely(connection), this.#context);
      this.#tx.set(connection, found);
    }
    return found;
  }
}
