import { hash } from 'node:crypto';
import { TripwatchError } from '../domain/errors.ts';
import type { BlobRef, BlobStore } from '../ports/blobs.ts';
import type { Rng } from '../sandbox/random.ts';
import type { Life } from './life.ts';

/** A write with its syncs takes at most so long, ms. */
const PUT_MS_MAX = 40;

/** Raw mails on a disk that all nodes share; what is synced survives everything. */
export interface ModelBlobs {
  /** As one life sees it. */
  of(life: Life): BlobStore;
  /** Whether the bytes can be had. */
  has(ref: string): boolean;
  /** Power is lost: what was not synced is gone. */
  powerLoss(): void;
}

/** `sync: false` is a planted bug: nothing is ever synced, so it lives in the cache only. */
export function modelBlobs(draw: Rng, options: { readonly sync?: boolean } = {}): ModelBlobs {
  const { sync = true } = options;
  const cached = new Map<string, Uint8Array>();
  const synced = new Map<string, Uint8Array>();
  return {
    of: (life) => ({
      put: async (bytes) => {
        const ref: BlobRef = `sha256:${hash('sha256', bytes)}`;
        await life.point('blobs: before put');
        cached.set(ref, bytes);
        await life.wait(draw.number() * PUT_MS_MAX);
        // A machine that lost its power meanwhile has lost it from the cache too.
        if (sync && cached.has(ref)) synced.set(ref, bytes);
        await life.point('blobs: after put');
        return ref;
      },
      get: async (ref) => {
        await life.point('blobs: before get');
        await life.turn();
        const bytes = cached.get(ref);
        if (bytes === undefined) throw new TripwatchError('permanent', 'blob-missing', 'The bytes are gone.');
        return bytes;
      },
    }),
    has: (ref) => cached.has(ref),
    powerLoss: () => {
      cached.clear();
      for (const [ref, bytes] of synced) cached.set(ref, bytes);
    },
  };
}
