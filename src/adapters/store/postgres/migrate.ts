import { createHash } from 'node:crypto';
import { TripwatchError } from '../../../domain/errors.ts';
import { type Migration, postgresDdl } from '../sql/migrations/ddl.ts';
import { MIGRATIONS } from '../sql/migrations/migrations.ts';
import type { Connection } from './connection.ts';

/**
 * Brings the schema to its newest form: each step in a transaction of its own together with its record, so an
 * interrupted run goes on where it stopped; a lock lets two processes start at once. Errors: permanent `store-newer`
 * for a schema of a later version, permanent `store-foreign` for one that is not ours.
 */
export async function migrate(
  connection: Connection,
  schema: string,
  now: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const newest = migrations.at(-1)?.id ?? 0;
  const lock = lockNumber(`${schema}/migrate`);
  await connection.query('SELECT pg_advisory_lock($1::int8)', [lock]);
  try {
    await prepare(connection, schema);
    for (;;) {
      const { rows } = await connection.query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM migration');
      const done = rows[0]!.id;
      if (done > newest) {
        throw new TripwatchError(
          'permanent',
          'store-newer',
          `The data was written by a newer Tripwatch (schema ${done}; this one knows ${newest}). ` +
            'Start the newer version, or restore a backup.',
        );
      }
      const step = migrations.find((migration) => migration.id > done);
      if (step === undefined) return;
      await inTransaction(connection, async () => {
        // Sent at once, answered in order: the first that fails is the one that is heard of.
        await Promise.all(step.up(postgresDdl).map((statement) => connection.command(bytewise(statement))));
        await connection.query('INSERT INTO migration (id, name, applied_at) VALUES ($1, $2, $3)', [
          step.id,
          step.name,
          now,
        ]);
      });
    }
  } finally {
    if (!connection.broken) await connection.query('SELECT pg_advisory_unlock($1::int8)', [lock]);
  }
}

async function prepare(connection: Connection, schema: string): Promise<void> {
  const found = await connection.query('SELECT 1 AS one FROM pg_namespace WHERE nspname = $1', [schema]);
  // Asked first: whoever may not make one can still use the one that the database's owner has made.
  if (found.rows.length === 0) await connection.command(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
  const { rows } = await connection.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
    [schema],
  );
  if (rows.some((row) => row.name === 'migration')) return;
  if (rows.length > 0) {
    throw new TripwatchError(
      'permanent',
      'store-foreign',
      `The schema ${schema} of the database belongs to another program. Choose another schema.`,
    );
  }
  await connection.command(
    bytewise('CREATE TABLE migration (id BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)'),
  );
}

async function inTransaction(connection: Connection, work: () => Promise<void>): Promise<void> {
  await connection.command('BEGIN');
  try {
    await work();
    await connection.command('COMMIT');
  } catch (error) {
    if (!connection.broken) await connection.command('ROLLBACK');
    throw error;
  }
}

/**
 * Texts compare by their bytes, as in SQLite: the same order everywhere, faster, and no index depends on the sorting
 * rules of the system's library, which change with its updates.
 */
function bytewise(statement: string): string {
  return statement.replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"');
}

/** A name as the number of an advisory lock. */
export function lockNumber(name: string): string {
  return String(createHash('sha256').update(`tripwatch/${name}`).digest().readBigInt64BE());
}
