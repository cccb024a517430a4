/** What differs between the databases in table definitions. */
export interface Ddl {
  /** Whole numbers of 64 bits. */
  readonly int: string;
  /** Primary key that counts up and never gives a number twice. */
  readonly counter: string;
  /** After the closing bracket of a table that is its own primary key index. */
  readonly clustered: string;
}

export const sqliteDdl: Ddl = {
  int: 'INTEGER',
  counter: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  clustered: ' WITHOUT ROWID',
};

export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly up: (ddl: Ddl) => readonly string[];
}
