import { after, test } from 'node:test';
import {
  findPostgres,
  POSTGRES_MISSING,
  type PostgresServer,
  startPostgres,
} from '../../../scripts/servers/postgres.ts';
import { openPostgresStore, type PostgresStoreOptions } from '../../../src/adapters/store/postgres/store.ts';
import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import { quiet, stillClock } from './harness.ts';

/**
 * One server for a test file, ended after it; undefined where PostgreSQL is missing, which is said by a skipped test.
 */
export async function serverForFile(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer | undefined> {
  if (findPostgres() === undefined) {
    test('PostgreSQL', (t) => {
      if (process.env.CI === 'true') throw new Error(POSTGRES_MISSING);
      t.skip(POSTGRES_MISSING);
    });
    return undefined;
  }
  const server = await startPostgres({ settings });
  after(() => server.stop());
  return server;
}

let schemas = 0;
/** A name that no other test of the file has. */
export const freshSchema = (): string => `t${++schemas}`;

export function openStore(
  server: PostgresServer,
  schema: string,
  options: Partial<PostgresStoreOptions> = {},
): Promise<SqlStore> {
  return openPostgresStore({ url: server.url, schema, clock: stillClock(), logger: quiet, ...options });
}
