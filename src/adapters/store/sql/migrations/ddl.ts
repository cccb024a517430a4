/** What differs between the databases in table definitions. */
export interface Ddl {
  /** Whole numbers of 64 bits. */
  readonly int: string;
  /** Primary key that counts up and never gives a number twice. */
  readonly counter: string;
  /** After the closing bracket of a table that is its own primary key index. */
  readonly clustered: string;
  /** What this database needs besides the common tables, made before them. */
  readonly base: readonly string[];
}

export const sqliteDdl: Ddl = {
  int: 'INTEGER',
  counter: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  clustered: ' WITHOUT ROWID',
  base: [],
};

export const postgresDdl: Ddl = {
  int: 'BIGINT',
  // The store gives the numbers itself, in the order of commits.
  counter: 'BIGINT PRIMARY KEY',
  clustered: '',
  base: [
    'CREATE SEQUENCE log_seq',
    'CREATE SEQUENCE feed_seq',
    // Counts what is to be delivered without being new in the log, for processes that look now and then.
    'CREATE TABLE touched (one BIGINT PRIMARY KEY, times BIGINT NOT NULL)',
    'INSERT INTO touched (one, times) VALUES (1, 0)',
    // Raw mails: those of several machines have no disk in common.
    'CREATE TABLE blob (id TEXT PRIMARY KEY, bytes BYTEA NOT NULL, at BIGINT NOT NULL)',
  ],
};

export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly up: (ddl: Ddl) => readonly string[];
}
