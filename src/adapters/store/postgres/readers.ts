import type { SqlReadTx } from '../sql/sql-store.ts';
import type { Connection } from './connection.ts';
import { openKysely } from './dialect.ts';
import { readTxOf, type TransactionContext } from './transaction.ts';

interface Reader {
  readonly connection: Connection;
  readonly tx: SqlReadTx;
}

/** Connections for reading, each with a snapshot of its own while in use. Opened when needed, then kept. */
export class Readers {
  readonly #open: () => Promise<Connection>;
  readonly #context: TransactionContext;
  readonly #max: number;
  #free: Reader[] = [];
  readonly #waiting: (() => void)[] = [];
  #inUse = 0;
  #closed = false;

  constructor(open: () => Promise<Connection>, context: TransactionContext, max: number) {
    this.#open = open;
    this.#context = context;
    this.#max = max;
  }

  async run<T>(work: (tx: SqlReadTx) => Promise<T>): Promise<T> {
    return this.#with(async ({ connection, tx }) => {
      // Not waited for: it travels with the first question, and if it fails, so does that.
      const begun = connection.command('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      begun.catch(() => {});
      try {
        return await work(tx);
      } finally {
        if (!connection.broken) connection.command('COMMIT').catch(() => {});
      }
    });
  }

  /** Outside of any transaction. */
  async ask<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#with(({ connection }) => question(connection));
  }

  /** Reads under way end by themselves; their connections close as they come back. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#free.splice(0).map(({ connection }) => connection.close()));
  }

  async #with<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    while (this.#inUse >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#inUse++;
    let reader: Reader | undefined;
    try {
      this.#free = this.#free.filter(({ connection }) => !connection.broken);
      reader = this.#free.pop() ?? (await this.#make());
      return await work(reader);
    } finally {
      this.#inUse--;
      if (reader !== undefined && !reader.connection.broken) {
        if (this.#closed) void reader.connection.close();
        else this.#free.push(reader);
      }
      this.#waiting.shift()?.();
    }
  }

  async #make(): Promise<Reader> {
    const connection = await this.#open();
    return { connection, tx: readTxOf(openKysely(connection), this.#context) };
  }
}
