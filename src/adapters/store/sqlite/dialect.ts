import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type LimitNode,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { directly } from '../sql/rows.ts';
import type { Schema } from '../sql/schema.ts';
import { translate } from './errors.ts';
import { STATEMENTS_MAX } from './limits.ts';

interface Prepared {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

/**
 * Kysely on node:sqlite. Statements are prepared once and kept: that doubles reads. Every call is synchronous, so one
 * connection serves all; transactions are the business of the store, which is why the driver has none.
 */
export function openKysely(database: DatabaseSync): Kysely<Schema> {
  const connection = new NodeSqliteConnection(database);
  const refuse = async () => {
    throw new Error('transactions are made by Store.transact');
  };
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: async () => {},
  };
  const dialect: Dialect = {
    createAdapter: () => new OneConnectionAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new LimitAsExpression(),
  };
  const db = new Kysely<Schema>({ dialect });
  directly.set(db, (sql, values) => connection.run(sql, values as SQLInputValue[]));
  return db;
}

/**
 * SQLite looks at the value of a bare `LIMIT ?` when it plans, and therefore plans anew whenever that is bound, which
 * costs many times what a small query does. Of an expression it knows nothing.
 */
class LimitAsExpression extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    super.visitLimit(node);
    this.append(' + 0');
  }
}

/** Without Kysely's mutex: a synchronous call cannot be interleaved. */
class OneConnectionAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.run(query.sql, query.parameters as SQLInputValue[]);
  }

  run<R>(sql: string, parameters: readonly SQLInputValue[]): QueryResult<R> {
    try {
      const { statement, returnsRows } = this.#prepare(sql);
      if (returnsRows) return { rows: statement.all(...parameters) as R[] };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      throw translate(error);
    }
  }

  // biome-ignore lint/correctness/useYield: results are bounded by LIMIT; nobody streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the store does not stream');
  }

  #prepare(sql: string): Prepared {
    let found = this.#prepared.get(sql);
    if (found === undefined) {
      if (this.#prepared.size >= STATEMENTS_MAX) this.#prepared.delete(this.#prepared.keys().next().value ?? '');
      const statement = this.#database.prepare(sql);
      found = { statement, returnsRows: statement.columns().length > 0 };
      this.#prepared.set(sql, found);
    }
    return found;
  }
}
