import { createHash } from 'node:crypto';
import { TripwatchError } from '../domain/errors.ts';
import type { BlobRef, BlobStore } from '../ports/blobs.ts';

/** Raw mails in memory; they survive a crash, as files do. */
export function memoryBlobs(): BlobStore {
  const held = new Map<BlobRef, Uint8Array>();
  return {
    put: async (bytes) => {
      const ref: BlobRef = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      held.set(ref, bytes);
      return ref;
    },
    get: async (ref) => {
      const bytes = held.get(ref);
      if (bytes === undefined) throw new TripwatchError('permanent', 'blob-missing', 'The bytes are gone.');
      return bytes;
    },
  };
}
