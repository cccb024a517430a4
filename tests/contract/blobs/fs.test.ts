import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFsBlobs } from '../../../src/adapters/blobs/fs/blobs.ts';
import { createBlobSeal } from '../../../src/adapters/secrets/blob-seal.ts';
import { keyringOf } from '../../../src/adapters/secrets/keyring.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { TenantId } from '../../../src/domain/ids.ts';
import { blobsContract } from './blobs-contract.ts';

const OWNER: TenantId = 'tnt_default';
const newKey = () => randomBytes(32).toString('hex');
const sealOf = (...keys: string[]) => createBlobSeal(keyringOf(keys.join('\n')));

async function openFresh() {
  const folder = await mkdtemp(join(tmpdir(), 'tripwatch-blobs-'));
  return { folder, blobs: openFsBlobs(join(folder, 'blobs')), dispose: () => rm(folder, { recursive: true }) };
}

blobsContract('files', openFresh);
blobsContract('encrypted files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tripwatch-blobs-'));
  const blobs = openFsBlobs(join(folder, 'blobs'), sealOf(newKey()));
  return { blobs, dispose: () => rm(folder, { recursive: true }) };
});

test('an encrypted mail is nowhere to be read on the disk, and opens for its owner alone', async () => {
  const { folder, dispose } = await openFresh();
  const key = newKey();
  const blobs = openFsBlobs(folder, sealOf(key));
  const bytes = Buffer.from('Subject: Your booking QX7ABC\r\n\r\nDear Ada Example');
  const ref = await blobs.put(bytes, OWNER);
  const other = await blobs.put(bytes, 'tnt_other');
  assert.equal(ref, other);
  const files = await filesIn(folder);
  assert.equal(files.length, 2, 'each owner has its own');
  const stored = await Promise.all(files.map((file) => readFile(file)));
  for (const text of ['QX7ABC', 'Ada Example', 'Subject'])
    assert.ok(
      stored.every((file) => !file.includes(text)),
      text,
    );
  assert.notDeepEqual(stored[0], stored[1]);
  // One put in the place of the other is found out.
  await writeFile(files[0]!, stored[1]!);
  await writeFile(files[1]!, stored[0]!);
  for (const owner of [OWNER, 'tnt_other'] as const)
    await assert.rejects(blobs.get(ref, owner), { kind: 'permanent', code: 'blob-corrupt' });
  await blobs.put(bytes, OWNER);
  assert.deepEqual(Buffer.from(await blobs.get(ref, OWNER)), bytes, 'mended by putting it again');
  await assert.rejects(openFsBlobs(folder, sealOf(newKey())).get(ref, OWNER), { code: 'secret-unreadable' });
  await blobs.remove(ref, 'tnt_other', 0);
  await assert.rejects(blobs.get(ref, 'tnt_other'), { code: 'blob-missing' }, "another owner's is none of theirs");
  await dispose();
});

test('what was stored before there was a key stays readable; after a change of keys the old ones open theirs', async () => {
  const { folder, dispose } = await openFresh();
  const plain = await openFsBlobs(folder).put(Buffer.from('from before'), OWNER);
  const [first, second] = [newKey(), newKey()];
  const ref = await openFsBlobs(folder, sealOf(first)).put(Buffer.from('under the first'), OWNER);
  const blobs = openFsBlobs(folder, sealOf(second, first));
  assert.equal(Buffer.from(await blobs.get(plain, OWNER)).toString(), 'from before');
  assert.equal(Buffer.from(await blobs.get(ref, OWNER)).toString(), 'under the first');
  await blobs.put(Buffer.from('under the second'), OWNER);
  const keys = new Map<string | undefined, string>();
  for await (const { keyId, owner } of blobs.list()) keys.set(keyId, owner);
  assert.equal(keys.size, 3);
  assert.equal(keys.get(undefined), 'shared');
  assert.equal(await blobs.remove(plain, 'shared', 0), true);
  await assert.rejects(blobs.get(plain, OWNER), { code: 'blob-missing' });
  await dispose();
});

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test('a file that changed on disk is found out, and mended by putting the mail again', async () => {
  const { folder, blobs, dispose } = await openFresh();
  const bytes = Buffer.from('a mail');
  const ref = await blobs.put(bytes, OWNER);
  const [file = ''] = await filesIn(folder);
  await writeFile(file, 'b mail');
  await assert.rejects(
    blobs.get(ref, OWNER),
    (error) => error instanceof TripwatchError && error.kind === 'permanent' && error.code === 'blob-corrupt',
  );
  await blobs.put(bytes, OWNER);
  assert.deepEqual(Buffer.from(await blobs.get(ref, OWNER)), bytes);
  await dispose();
});

test('only whole files, for the owner alone, and no temporary ones left', async () => {
  const { folder, blobs, dispose } = await openFresh();
  await Promise.all(Array.from({ length: 40 }, (_, n) => blobs.put(Buffer.from(`mail ${n % 20}`), OWNER)));
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
  await assert.rejects(blobs.put(Buffer.from('a mail'), OWNER));
  await rm(join(folder, 'blobs'));
  const ref = await blobs.put(Buffer.from('a mail'), OWNER);
  assert.equal((await blobs.get(ref, OWNER)).byteLength, 6);
  await dispose();
});
