import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { BlobRef, BlobStore } from '../../../src/ports/blobs.ts';

/** What every blob store must do. `open` gives a fresh, empty one each time. */
export function blobsContract(
  name: string,
  open: () => Promise<{ readonly blobs: BlobStore; readonly dispose: () => Promise<void> }>,
): void {
  describe(`blobs contract: ${name}`, () => {
    test('bytes come back as they were, under the name of their digest', async () => {
      const { blobs, dispose } = await open();
      for (const bytes of [new Uint8Array(), Buffer.from([0, 255, 13, 10]), Buffer.alloc(1_000_000, 7)]) {
        const ref = await blobs.put(bytes);
        assert.match(ref, /^sha256:[0-9a-f]{64}$/);
        assert.deepEqual(new Uint8Array(await blobs.get(ref)), new Uint8Array(bytes));
      }
      assert.equal(
        await blobs.put(Buffer.from('abc')),
        'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      );
      await dispose();
    });

    test('a repeat is the same blob, also at the same time', async () => {
      const { blobs, dispose } = await open();
      const bytes = Buffer.from('the same mail');
      const refs = await Promise.all(Array.from({ length: 50 }, () => blobs.put(Buffer.from(bytes))));
      refs.push(await blobs.put(bytes));
      assert.equal(new Set(refs).size, 1);
      assert.deepEqual(Buffer.from(await blobs.get(refs[0]!)), bytes);
      await dispose();
    });

    test('many at once', async () => {
      const { blobs, dispose } = await open();
      const all = Array.from({ length: 300 }, (_, n) => Buffer.from(`mail ${n}`));
      const refs = await Promise.all(all.map((bytes) => blobs.put(bytes)));
      for (const [n, ref] of refs.entries()) assert.deepEqual(Buffer.from(await blobs.get(ref)), all[n]);
      await dispose();
    });

    test('what was never put is missing, whatever its name', async () => {
      const { blobs, dispose } = await open();
      for (const ref of [`sha256:${'0'.repeat(64)}`, 'sha256:../../etc/passwd', 'sha256:', `md5:${'0'.repeat(64)}`]) {
        await assert.rejects(
          blobs.get(ref as BlobRef),
          (error) => error instanceof TripwatchError && error.kind === 'permanent' && error.code === 'blob-missing',
        );
      }
      await dispose();
    });
  });
}
