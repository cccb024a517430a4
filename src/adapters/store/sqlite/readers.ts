import type { DatabaseSync } from 'node:sqlite';
import type { Db } from '../sql/schema.ts';
import { openReader } from './connection.ts';
import { openKysely } from './dialect.ts';
import { READERS_MAX } from './limits.ts';

interface Reader {
  readonly database: DatabaseSync;
  readonly db: Db;
}

/** Connections that cannot write, each with a snapshot of its own while in use. Opened when needed, then kept. */
export class Readers {
  readonly #file: string;
  readonly #free: Reader[] = [];
  readonly #waiting: ((reader: Reader) => void)[] = [];
  #open = 0;
  #closed = false;

  constructor(file: string) {
    this.#file = file;
  }

  async run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    const reader = await this.#take();
    try {
      reader.database.exec('BEGIN');
      try {
        return await work(reader.db);
      } finally {
        reader.database.exec('ROLLBACK');
      }
    } finally {
      this.#give(reader);
    }
  }

  /** Reads under way end by themselves; their connections close as they come back. */
  close(): void {
    this.#closed = true;
    for (const reader of this.#free.splice(0)) reader.database.close();
  }

  async #take(): Promise<Reader> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#open >= READERS_MAX) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#open++;
    try {
      const database = openReader(this.#file);
      return { database, db: openKysely(database) };
    } catch (error) {
      this.#open--;
      throw error;
    }
  }

  #give(reader: Reader): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next(reader);
    else if (this.#closed) reader.database.close();
    else this.#free.push(reader);
  }
}
