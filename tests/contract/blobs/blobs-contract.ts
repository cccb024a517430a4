import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { TenantId } from '../../../src/domain/ids.ts';
import type { BlobKeeper, BlobRef, StoredBlob } from '../../../src/ports/blobs.ts';

const OWNER: TenantId = 'tnt_default';

/** What every blob store must do. `open` gives a fresh, empty one each time. */
export function blobsContract(
  name: string,
  open: () => Promise<{ readonly blobs: BlobKeeper; readonly dispose: () => Promise<void> }>,
): void {
  describe(`blobs contract: ${name}`, () => {
    test('bytes come back as they were, under the name of their digest', async () => {
      const { blobs, dispose } = await open();
      for (const bytes of [new Uint8Array(), Buffer.from([0, 255, 13, 10]), Buffer.alloc(1_000_000, 7)]) {
        const ref = await blobs.put(bytes, OWNER);
        assert.match(ref, /^sha256:[0-9a-f]{64}$/);
        assert.deepEqual(new Uint8Array(await blobs.get(ref, OWNER)), new Uint8Array(bytes));
      }
      assert.equal(
        await blobs.put(Buffer.from('abc'), OWNER),
        'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      );
      await dispose();
    });

    test('a repeat is the same blob, also at the same time', async () => {
      const { blobs, dispose } = await open();
      const bytes = Buffer.from('the same mail');
      const refs = await Promise.all(Array.from({ length: 50 }, () => blobs.put(Buffer.from(bytes), OWNER)));
      refs.push(await blobs.put(bytes, OWNER));
      assert.equal(new Set(refs).size, 1);
      assert.deepEqual(Buffer.from(await blobs.get(refs[0]!, OWNER)), bytes);
      await dispose();
    });

    test('many at once', async () => {
      const { blobs, dispose } = await open();
      const all = Array.from({ length: 300 }, (_, n) => Buffer.from(`mail ${n}`));
      const refs = await Promise.all(all.map((bytes) => blobs.put(bytes, OWNER)));
      for (const [n, ref] of refs.entries()) assert.deepEqual(Buffer.from(await blobs.get(ref, OWNER)), all[n]);
      await dispose();
    });

    test('what is removed is gone, and what was put just now is not removed; the list says what there is', async () => {
      const { blobs, dispose } = await open();
      const [one, other] = await Promise.all(['one', 'other'].map((text) => blobs.put(Buffer.from(text), OWNER)));
      assert.deepEqual(refs(await all(blobs)), [one, other].toSorted());
      assert.equal(await blobs.remove(one!, OWNER, 3_600_000), false, 'too new');
      assert.equal(await blobs.remove(one!, OWNER, 0), true);
      assert.equal(await blobs.remove(one!, OWNER, 0), false, 'gone already');
      await assert.rejects(blobs.get(one!, OWNER), { code: 'blob-missing' });
      assert.deepEqual(refs(await all(blobs)), [other]);
      assert.equal(await blobs.put(Buffer.from('one'), OWNER), one);
      assert.equal(Buffer.from(await blobs.get(one!, OWNER)).toString(), 'one');
      await dispose();
    });

    test('what was never put is missing, whatever its name', async () => {
      const { blobs, dispose } = await open();
      for (const ref of [`sha256:${'0'.repeat(64)}`, 'sha256:../../etc/passwd', 'sha256:', `md5:${'0'.repeat(64)}`]) {
        await assert.rejects(
          blobs.get(ref as BlobRef, OWNER),
          (error) => error instanceof TripwatchError && error.kind === 'permanent' && error.code === 'blob-missing',
        );
      }
      await dispose();
    });
  });
}

async function all(blobs: BlobKeeper): Promise<readonly StoredBlob[]> {
  const found = [];
  for await (const one of blobs.list()) found.push(one);
  return found;
}
const refs = (found: readonly StoredBlob[]): readonly string[] => found.map(({ ref }) => ref).toSorted();
