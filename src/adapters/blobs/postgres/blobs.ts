import { createHash } from 'node:crypto';
import { TripwatchError } from '../../../domain/errors.ts';
import { DEFAULT_TENANT, type TenantId } from '../../../domain/ids.ts';
import {
  type BlobKeeper,
  type BlobRef,
  type BlobSeal,
  SEAL_HEAD_BYTES,
  type StoredBlob,
} from '../../../ports/blobs.ts';
import type { Clock } from '../../../ports/clock.ts';
import { Connection } from '../../store/postgres/connection.ts';
import { Pool } from '../../store/postgres/pool.ts';

/** Puts and gets at once; each has a whole mail in memory, here and at the server. */
const CONNECTIONS_MAX = 4;

/** Of a row that is put again the time grows only after so long: most repeats write nothing. */
const TOUCH_MS = 60_000;
/**
 * A row that is there stays as it is, unless its bytes have changed: then putting the mail again mends it. Its time grows,
 * so that nobody removes it who counts it as old.
 */
const PUT = `INSERT INTO blob (id, bytes, at) VALUES ($1, $2, $3)
  ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes, at = excluded.at
  WHERE sha256(blob.bytes) <> sha256(excluded.bytes) OR blob.at < excluded.at - ${TOUCH_MS}`;
const REMOVE = 'DELETE FROM blob WHERE id = $1 AND at <= $2 RETURNING id';
const LIST = `SELECT id, substring(bytes from 1 for ${SEAL_HEAD_BYTES}) AS head FROM blob WHERE id > $1 ORDER BY id LIMIT 1000`;
const GET = 'SELECT bytes FROM blob WHERE id = $1';

export interface PostgresBlobs extends BlobKeeper {
  close(): Promise<void>;
}

/**
 * Blobs as rows of the store's database, for several machines that have no disk in common; encrypted where there is a
 * seal. The table comes with the store's: open that first. The key of a row is `<owner>/sha256:…`; one without owner was
 * stored before there were seals, and stays readable.
 */
export function openPostgresBlobs(options: {
  readonly url: string;
  readonly schema?: string;
  readonly clock: Clock;
  readonly seal?: BlobSeal | undefined;
}): PostgresBlobs {
  const { url, schema = 'tripwatch', clock, seal } = options;
  const pool = new Pool(() => Connection.open({ url, schema }), CONNECTIONS_MAX);
  const underWay = new Map<string, Promise<BlobRef>>();
  const keyOf = (ref: BlobRef, owner: TenantId | 'shared'): string =>
    seal === undefined || owner === 'shared' ? ref : `${owner}/${ref}`;

  const put = async (ref: BlobRef, owner: TenantId, bytes: Uint8Array): Promise<BlobRef> => {
    const stored = seal?.seal(bytes, owner, ref) ?? bytes;
    const value = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
    await pool.use((connection) => connection.query(PUT, [keyOf(ref, owner), value, clock.now()])).catch(fail);
    return ref;
  };
  const read = async (key: string): Promise<Buffer | undefined> =>
    (await pool.use((connection) => connection.query<{ bytes: Buffer }>(GET, [key])).catch(fail)).rows[0]?.bytes;
  return {
    put: (bytes, owner = DEFAULT_TENANT) => {
      const ref: BlobRef = `sha256:${sha256(bytes)}`;
      const key = keyOf(ref, owner);
      let same = underWay.get(key);
      if (same === undefined) {
        same = put(ref, owner, bytes).finally(() => underWay.delete(key));
        underWay.set(key, same);
      }
      return same;
    },
    get: async (ref, owner = DEFAULT_TENANT) => {
      const sealed = seal === undefined ? undefined : await read(keyOf(ref, owner));
      if (seal !== undefined && sealed !== undefined) return seal.open(sealed, owner, ref);
      const bytes = await read(ref);
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
    remove: async (ref, owner, idleMs) => {
      const before = idleMs > 0 ? clock.now() - (idleMs + TOUCH_MS) * clock.speed : Number.MAX_SAFE_INTEGER;
      const { rows } = await pool
        .use((connection) => connection.query(REMOVE, [keyOf(ref, owner), Math.trunc(before)]))
        .catch(fail);
      return rows.length > 0;
    },
    list: async function* (): AsyncIterable<StoredBlob> {
      for (let last = ''; ; ) {
        const { rows } = await pool
          .use((connection) => connection.query<{ id: string; head: Buffer }>(LIST, [last]))
          .catch(fail);
        for (const { id, head } of rows) {
          const [owner, ref] = id.includes('/') ? id.split('/', 2) : ['shared', id];
          const keyId = owner === 'shared' ? undefined : seal?.keyIdOf(head);
          yield { ref: ref as BlobRef, owner: owner as TenantId | 'shared', keyId };
        }
        if (rows.length < 1000) return;
        last = rows.at(-1)!.id;
      }
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
