import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Db } from '../adapters/store/sql/schema.ts';
import { openKysely } from '../adapters/store/sqlite/dialect.ts';
import { migrate } from '../adapters/store/sqlite/migrate.ts';

/**
 * One SQLite in memory for all the runs of this process, one after the other: opening and migrating a database, and
 * preparing its statements, would cost more than a simulated hour. Emptied between runs. All simulated nodes of a run
 * stand on it, each with a store of its own, as processes stand on one database server.
 */
export interface SimDatabase {
  readonly database: Connection;
  readonly db: Db;
  /** As it was when it had just been migrated. */
  empty(): void;
  /** Keeps what is in it now: what a disk would hold. */
  keep(): void;
  /** Back to what was kept: what a power loss leaves. Errors: Error when nothing was kept since it was emptied. */
  back(): void;
}

/** Old events that were let go, for the checkers: remembered in the transaction that removes them. */
const REMEMBER_GONE = `
  CREATE TABLE gone_log AS SELECT seq, id, topic, shard, body FROM log LIMIT 0;
  CREATE TRIGGER remember_log AFTER DELETE ON log
    BEGIN INSERT INTO gone_log VALUES (OLD.seq, OLD.id, OLD.topic, OLD.shard, OLD.body); END;
  CREATE TABLE gone_feed AS SELECT seq, event FROM feed LIMIT 0;
  CREATE TRIGGER remember_feed AFTER DELETE ON feed BEGIN INSERT INTO gone_feed VALUES (OLD.seq, OLD.event); END`;

type Connection = Pick<DatabaseSync, 'exec' | 'prepare' | 'isTransaction'>;

let shared: SimDatabase | undefined;

/** The database of this process. `fresh`: not the one of the run before, which ended in the middle of something. */
export function simDatabase(fresh = false): SimDatabase {
  if (fresh || shared === undefined || shared.database.isTransaction) shared = open();
  return shared;
}

function open(): SimDatabase {
  const database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false });
  database.exec("PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; ATTACH ':memory:' AS image");
  migrate(database, 0);
  database.exec(REMEMBER_GONE);
  // What remembers the rows of others is emptied after these.
  const rows = database
    .prepare(
      "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name LIKE 'gone_%', name",
    )
    .all();
  const tables = rows.map((row) => `"${String(row.name)}"`);
  const sequences = database.prepare("SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'").get();
  if (sequences !== undefined) tables.push('sqlite_sequence');
  const stored = tables.filter((table) => database.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() !== undefined);
  for (const table of tables)
    database.exec(`CREATE TABLE image.kept_${bare(table)} AS SELECT * FROM main.${table} LIMIT 0`);
  for (const table of stored) database.exec(`CREATE TABLE image.first_${bare(table)} AS SELECT * FROM main.${table}`);
  const all = (sql: (table: string) => string, names = tables): readonly StatementSync[] =>
    names.map((table) => database.prepare(sql(table)));
  const drop = all((table) => `DELETE FROM main.${table}`);
  const first = all((table) => `INSERT INTO main.${table} SELECT * FROM image.first_${bare(table)}`, stored);
  const forget = all((table) => `DELETE FROM image.kept_${bare(table)}`);
  const copy = all((table) => `INSERT INTO image.kept_${bare(table)} SELECT * FROM main.${table}`);
  const restore = all((table) => `INSERT INTO main.${table} SELECT * FROM image.kept_${bare(table)}`);
  const run = (...groups: (readonly StatementSync[])[]): void => {
    for (const group of groups) for (const statement of group) statement.run();
  };
  let kept = false;
  return {
    database: new LightConnection(database),
    db: openKysely(database),
    empty: () => {
      kept = false;
      run(drop, first);
    },
    keep: () => {
      kept = true;
      run(forget, copy);
    },
    back: () => {
      if (!kept) throw new Error('nothing was kept to go back to');
      run(drop, restore);
    },
  };
}

const bare = (table: string): string => table.replaceAll('"', '');

/**
 * What the store's writer says to its connection, done cheaply: fixed words are prepared statements, and nobody looks
 * whether a work that should only read writes (tests of the store do).
 */
class LightConnection implements Connection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction;
  }

  prepare(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }

  exec(sql: string): void {
    switch (sql) {
      case 'PRAGMA query_only = 1':
      case 'PRAGMA query_only = 0':
        return;
      case 'BEGIN IMMEDIATE':
      case 'COMMIT':
      case 'SAVEPOINT work':
      case 'RELEASE work':
        this.#run(sql);
        return;
      default:
        this.#database.exec(sql);
    }
  }

  #run(sql: string): void {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    statement.run();
  }
}
