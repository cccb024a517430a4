import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Schema } from '../sql/schema.ts';
import type { Connection } from './connection.ts';

/** Commands that say how many rows they touched. */
const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE']);

/**
 * Kysely on one connection of ours. Transactions are the business of the store, which is why the driver has none.
 */
export function openKysely(connection: Pick<Connection, 'query'>): Kysely<Schema> {
  const refuse = async () => {
    throw new Error('transactions are made by Store.transact');
  };
  const only: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, command, rowCount } = await connection.query<R>(query.sql, query.parameters);
      return COUNTED.has(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
    },
    // biome-ignore lint/correctness/useYield: results are bounded by LIMIT; nobody streams
    async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
      throw new Error('the store does not stream');
    },
  };
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => only,
    releaseConnection: async () => {},
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: async () => {},
  };
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
  return new Kysely<Schema>({ dialect });
}
