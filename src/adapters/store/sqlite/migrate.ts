import type { DatabaseSync } from 'node:sqlite';
import { TripwatchError } from '../../../domain/errors.ts';
import { type Migration, sqliteDdl } from '../sql/migrations/ddl.ts';
import { MIGRATIONS } from '../sql/migrations/migrations.ts';
import { translate } from './errors.ts';

/**
 * Brings the file to the newest schema: each step in a transaction of its own together with its record, so an
 * interrupted run goes on where it stopped, and two processes may start at once. Errors: permanent `store-newer` for a
 * file of a later version, permanent `store-foreign` for a database that is not ours.
 */
export function migrate(database: DatabaseSync, now: number, migrations: readonly Migration[] = MIGRATIONS): void {
  const newest = migrations.at(-1)?.id ?? 0;
  let next = 0;
  do {
    database.exec('BEGIN IMMEDIATE');
    try {
      const done = appliedUpTo(database);
      if (done > newest) {
        throw new TripwatchError(
          'permanent',
          'store-newer',
          `The data was written by a newer Tripwatch (schema ${done}; this one knows ${newest}). Start the newer version, or restore a backup.`,
        );
      }
      const step = migrations.find((migration) => migration.id > done);
      if (step !== undefined) {
        for (const statement of step.up(sqliteDdl)) database.exec(statement);
        database
          .prepare('INSERT INTO migration (id, name, applied_at) VALUES (?, ?, ?)')
          .run(step.id, step.name, Math.trunc(now));
      }
      next = step?.id ?? newest;
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw translate(error);
    }
  } while (next < newest);
}

function appliedUpTo(database: DatabaseSync): number {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  if (!tables.some((table) => table.name === 'migration')) {
    if (tables.length > 0) {
      throw new TripwatchError(
        'permanent',
        'store-foreign',
        'The file is a database of another program. Choose another data folder.',
      );
    }
    database.exec('CREATE TABLE migration (id INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)');
  }
  return Number(database.prepare('SELECT coalesce(max(id), 0) AS id FROM migration').get()?.id ?? 0);
}
