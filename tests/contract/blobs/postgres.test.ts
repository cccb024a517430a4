import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openPostgresBlobs } from '../../../src/adapters/blobs/postgres/blobs.ts';
import { createBlobSeal } from '../../../src/adapters/secrets/blob-seal.ts';
import { keyringOf } from '../../../src/adapters/secrets/keyring.ts';
import { Connection } from '../../../src/adapters/store/postgres/connection.ts';
import type { TenantId } from '../../../src/domain/ids.ts';
import { stillClock } from '../store/harness.ts';
import { freshSchema, openStore, serverForFile } from '../store/postgres.testing.ts';
import { blobsContract } from './blobs-contract.ts';

const OWNER: TenantId = 'tnt_default';
const seal = createBlobSeal(keyringOf(randomBytes(32).toString('hex')));
const server = await serverForFile();

if (server !== undefined) {
  const openFresh = async () => {
    const schema = freshSchema();
    await (await openStore(server, schema)).close();
    const blobs = openPostgresBlobs({ url: server.url, schema, clock: stillClock() });
    return { schema, blobs, dispose: () => blobs.close() };
  };

  blobsContract('postgres', openFresh);
  blobsContract('postgres, encrypted', async () => {
    const schema = freshSchema();
    await (await openStore(server, schema)).close();
    const blobs = openPostgresBlobs({ url: server.url, schema, clock: stillClock(), seal });
    return { blobs, dispose: () => blobs.close() };
  });

  test('bytes that changed in the database are found out, and mended by putting the mail again', async () => {
    const { schema, blobs, dispose } = await openFresh();
    const bytes = Buffer.from('a mail');
    const ref = await blobs.put(bytes, OWNER);
    const connection = await Connection.open({ url: server.url, schema });
    await connection.query('UPDATE blob SET bytes = $1', [Buffer.from('b mail')]);
    await connection.close();
    await assert.rejects(blobs.get(ref, OWNER), { kind: 'permanent', code: 'blob-corrupt' });
    await blobs.put(bytes, OWNER);
    assert.deepEqual(Buffer.from(await blobs.get(ref, OWNER)), bytes);
    await dispose();
  });

  test('the same mail put by several processes at once is one row', async () => {
    const { schema, blobs, dispose } = await openFresh();
    const others = Array.from({ length: 3 }, () => openPostgresBlobs({ url: server.url, schema, clock: stillClock() }));
    const bytes = Buffer.alloc(300_000, 'mail');
    await Promise.all([blobs, ...others].map((one) => one.put(bytes, OWNER)));
    const connection = await Connection.open({ url: server.url, schema });
    assert.deepEqual((await connection.query('SELECT count(*) AS n FROM blob')).rows, [{ n: 1 }]);
    await connection.close();
    await Promise.all(others.map((one) => one.close()));
    await dispose();
  });

  test('while the server is down a put is refused as transient, and goes on after it', async () => {
    const { blobs, dispose } = await openFresh();
    await blobs.put(Buffer.from('before'), OWNER);
    await server.pause();
    await assert.rejects(blobs.put(Buffer.from('during'), OWNER), { kind: 'transient', code: 'store-lost' });
    await server.restart();
    const ref = await blobs.put(Buffer.from('after'), OWNER);
    assert.equal(Buffer.from(await blobs.get(ref, OWNER)).toString(), 'after');
    await dispose();
  });
}
