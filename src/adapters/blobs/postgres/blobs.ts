import { createHash } from 'node:crypto';
import { TripwatchError } from '../../../domain/errors.ts';
import type { BlobRef, BlobStore } from '../../../ports/blobs.ts';
import type { Clock } from '../../../ports/clock.ts';
import { Connection } from '../../store/postgres/connection.ts';
import { Pool } from '../../store/postgres/pool.ts';

/** Puts and gets at once; each has a whole mail in memory, here and at the server. */
const CONNECTIONS_MAX = 4;

/** A row that is there stays as it is, unless its bytes have changed: then putting the mail again mends it. */
const PUT = `INSERT INTO blob (id, bytes, at) VALUES ($1, $2, $3)
  ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes WHERE sha256(blob.bytes) <> sha256(excluded.bytes)`;
const GET = 'SELECT bytes FROM blob WHERE id = $1';

export interface PostgresBlobs extends BlobStore {
  close(): Promise<void>;
}

/**
 * Blobs as rows of the store's database, for several machines that have no disk in common. The table comes with the
 * store's: open that first.
 */
export function openPostgresBlobs(options: {
  readonly url: string;
  readonly schema?: string;
  readonly clock: Clock;
}): PostgresBlobs {
  const { url, schema = 'tripwatch', clock } = options;
  const pool = new Pool(() => Connection.open({ url, schema }), CONNECTIONS_MAX);
  const underWay = new Map<BlobRef, Promise<BlobRef>>();

  const put = async (ref: BlobRef, bytes: Uint8Array): Promise<BlobRef> => {
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await pool.use((connection) => connection.query(PUT, [ref, value, clock.now()])).catch(fail);
    return ref;
  };
  return {
    put: (bytes) => {
      const ref: BlobRef = `sha256:${sha256(bytes)}`;
      let same = underWay.get(ref);
      if (same === undefined) {
        same = put(ref, bytes).finally(() => underWay.delete(ref));
        underWay.set(ref, same);
      }
      return same;
    },
    get: async (ref) => {
      const found = await pool.use((connection) => connection.query<{ bytes: Buffer }>(GET, [ref])).catch(fail);
      const bytes = found.rows[0]?.bytes;
      if (bytes === undefined) {
        throw new TripwatchError('permanent', 'blob-missing', `The stored mail ${ref.slice(0, 80)} is gone.`);
      }
      if (`sha256:${sha256(bytes)}` !== ref) {
        throw new TripwatchError(
          'permanent',
          'blob-corrupt',
          `The stored mail ${ref} has changed in the database. Restore its row from a backup.`,
        );
      }
      return bytes;
    },
    close: () => pool.close(),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** As a blob store's errors; what concerns the server alone stays as it is. */
function fail(error: unknown): never {
  if (error instanceof TripwatchError && error.code === 'store-disk-full')
    throw new TripwatchError('transient', 'blob-disk-full', error.message, { cause: error });
  if (error instanceof TripwatchError && error.code === 'store-io')
    throw new TripwatchError('defect', 'blob-io', error.message, { cause: error });
  throw error;
}
