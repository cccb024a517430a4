import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFsBlobs } from '../../../src/adapters/blobs/fs/blobs.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { blobsContract } from './blobs-contract.ts';

async function openFresh() {
  const folder = await mkdtemp(join(tmpdir(), 'tripwatch-blobs-'));
  return { folder, blobs: openFsBlobs(join(folder, 'blobs')), dispose: () => rm(folder, { recursive: true }) };
}

blobsContract('files', openFresh);

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test('a file that changed on disk is found out, and mended by putting the mail again', async () => {
  const { folder, blobs, dispose } = await openFresh();
  const bytes = Buffer.from('a mail');
  const ref = await blobs.put(bytes);
  const [file = ''] = await filesIn(folder);
  await writeFile(file, 'b mail');
  await assert.rejects(
    blobs.get(ref),
    (error) => error instanceof TripwatchError && error.kind === 'permanent' && error.code === 'blob-corrupt',
  );
  await blobs.put(bytes);
  assert.deepEqual(Buffer.from(await blobs.get(ref)), bytes);
  await dispose();
});

test('only whole files, for the owner alone, and no temporary ones left', async () => {
  const { folder, blobs, dispose } = await openFresh();
  await Promise.all(Array.from({ length: 40 }, (_, n) => blobs.put(Buffer.from(`mail ${n % 20}`))));
  const files = await filesIn(folder);
  assert.equal(files.length, 20);
  for (const file of files) {
    assert.match(file, /[\\/]([0-9a-f])[\\/]([0-9a-f])[\\/]\1\2[0-9a-f]{62}$/);
    if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
  }
  await dispose();
});

test('a folder that cannot be made is an error, and the next put tries again', async () => {
  const { folder, blobs, dispose } = await openFresh();
  await writeFile(join(folder, 'blobs'), 'in the way');
  await assert.rejects(blobs.put(Buffer.from('a mail')));
  await rm(join(folder, 'blobs'));
  const ref = await blobs.put(Buffer.from('a mail'));
  assert.equal((await blobs.get(ref)).byteLength, 6);
  await dispose();
});
