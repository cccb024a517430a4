import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { TripwatchError } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { BlobRef, BlobSeal } from '../../ports/blobs.ts';
import type { Keyring } from './keyring.ts';

/** `TWB1`, then the key's id: eight bytes by which a stored mail says what opens it. */
const MAGIC = Buffer.from('TWB1', 'latin1');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MAGIC.length + 4;

/**
 * Raw mails encrypted with AES-256-GCM, bound to owner and name, so that a file cannot be moved to another tenant or
 * given another name. Keys are derived from those of the ring for this use alone. The nonce is derived from owner and
 * name, which is the digest of the bytes: under one key it comes twice only for the same bytes, and a mail that is stored
 * again is byte for byte the same.
 */
export function createBlobSeal(ring: Keyring): BlobSeal {
  const derived = new Map<string, { readonly cipher: Buffer; readonly nonce: Buffer }>();
  const keysOf = (id: string) => {
    let keys = derived.get(id);
    if (keys === undefined) {
      const key = ring.key(id);
      if (key === undefined) throw otherKey(id, ring.current.id);
      const derive = (use: string) => Buffer.from(hkdfSync('sha256', key, '', `tripwatch blob ${use}`, 32));
      keys = { cipher: derive('cipher'), nonce: derive('nonce') };
      derived.set(id, keys);
    }
    return keys;
  };
  return {
    seal: (bytes, owner, ref) => {
      const { id } = ring.current;
      const keys = keysOf(id);
      const nonce = createHmac('sha256', keys.nonce).update(bound(owner, ref)).digest().subarray(0, NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keys.cipher, nonce, { authTagLength: TAG_BYTES });
      const head = Buffer.concat([MAGIC, Buffer.from(id, 'hex')]);
      cipher.setAAD(Buffer.concat([head, bound(owner, ref)]));
      return Buffer.concat([head, nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    },
    open: (stored, owner, ref) => {
      const body = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
      const id = keyIdOf(body);
      if (id === undefined || body.length < HEAD_BYTES + NONCE_BYTES + TAG_BYTES) throw changed(ref);
      const keys = keysOf(id);
      const nonce = body.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', keys.cipher, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.concat([body.subarray(0, HEAD_BYTES), bound(owner, ref)]));
      decipher.setAuthTag(body.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(body.subarray(HEAD_BYTES + NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch {
        throw changed(ref);
      }
    },
    keyIdOf,
  };
}

function keyIdOf(head: Uint8Array): string | undefined {
  if (head.byteLength < HEAD_BYTES || !MAGIC.equals(head.subarray(0, MAGIC.length))) return undefined;
  return Buffer.from(head.subarray(MAGIC.length, HEAD_BYTES)).toString('hex');
}

const bound = (owner: TenantId, ref: BlobRef): Buffer => Buffer.from(`${owner}\n${ref}`, 'utf8');

function changed(ref: BlobRef): TripwatchError {
  return new TripwatchError(
    'permanent',
    'blob-corrupt',
    `The stored mail ${ref} has changed, or belongs to another owner. Restore it from a backup.`,
  );
}

function otherKey(id: string, current: string): TripwatchError {
  return new TripwatchError(
    'permanent',
    'secret-unreadable',
    `A stored mail is encrypted with key ${id}, but the key file holds ${current}. Put the key that is missing behind it.`,
  );
}
