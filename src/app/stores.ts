import { openFsBlobs } from '../adapters/blobs/fs/blobs.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../adapters/store/sqlite/store.ts';
import type { Config } from '../contracts/config.ts';
import type { BlobKeeper, BlobSeal } from '../ports/blobs.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { readSecret } from './config.ts';
import type { DataPaths } from './paths.ts';

/** Where state, log and raw mails are. */
export interface Stores {
  readonly store: SqlStore;
  readonly blobs: BlobKeeper;
  /** Other processes, on other machines too, may work on the same store. */
  readonly shared: boolean;
  close(): Promise<void>;
}

/** SQLite and files in the data folder, or PostgreSQL for both where it is configured. Errors: those of the stores. */
export async function openStores(
  config: Config,
  paths: DataPaths,
  clock: Clock,
  logger: Logger,
  seal: BlobSeal,
): Promise<Stores> {
  if (config.store.url === undefined) {
    const store = openSqliteStore({ file: paths.database, clock, logger });
    return { store, blobs: openFsBlobs(paths.mails, seal), shared: false, close: () => store.close() };
  }
  // Loaded only where it is used: commands on SQLite start faster without it.
  const { openPostgresStore } = await import('../adapters/store/postgres/store.ts');
  const { openPostgresBlobs } = await import('../adapters/blobs/postgres/blobs.ts');
  const { schema, shards } = config.store;
  const url = readSecret(config.store.url, process.env);
  const store = await openPostgresStore({ url, schema, shards, clock, logger });
  const blobs = openPostgresBlobs({ url, schema, clock, seal });
  return {
    store,
    blobs,
    shared: true,
    close: async () => {
      await store.close();
      await blobs.close();
    },
  };
}
