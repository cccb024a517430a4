import type { TenantId } from '../domain/ids.ts';

/**
 * Raw mails, each owner's apart. A blob's name is the SHA-256 of its bytes (hex), so a repeat is the same blob and a
 * changed byte is found out.
 */
export interface BlobStore {
  /** Durable when it resolves (file and directory synced). Idempotent. Errors: transient `blob-disk-full`. */
  put(bytes: Uint8Array, owner: TenantId): Promise<BlobRef>;
  /** Errors: permanent `blob-missing`, permanent `blob-corrupt` (digest differs), permanent `secret-unreadable`. */
  get(ref: BlobRef, owner: TenantId): Promise<Uint8Array>;
}

/** For who looks after what is stored, and for how long. */
export interface BlobKeeper extends BlobStore {
  /**
   * Removes it, unless it was put within the last `idleMs` (real time): whoever put it may not have written down yet that
   * it is needed. False: it is not there, or was put just now. What was stored before blobs had owners is `shared`.
   */
  remove(ref: BlobRef, owner: TenantId | 'shared', idleMs: number): Promise<boolean>;
  /** Everything stored, in no order that means anything. */
  list(): AsyncIterable<StoredBlob>;
}

export interface StoredBlob {
  readonly ref: BlobRef;
  readonly owner: TenantId | 'shared';
  /** Of the key that it is encrypted with; undefined: it is not encrypted. */
  readonly keyId: string | undefined;
}

/** `sha256:<hex>` */
export type BlobRef = `sha256:${string}`;

/** Encrypts blobs at rest, and knows under which key each is. */
export interface BlobSeal {
  /** The same bytes of one owner give the same result as long as the key is the same: so a repeat is found equal. */
  seal(bytes: Uint8Array, owner: TenantId, ref: BlobRef): Uint8Array;
  /** Errors: permanent `secret-unreadable` (another key), permanent `blob-corrupt` (changed, or moved to another owner). */
  open(stored: Uint8Array, owner: TenantId, ref: BlobRef): Uint8Array;
  /** Of the beginning of what is stored (`SEAL_HEAD_BYTES`). */
  keyIdOf(head: Uint8Array): string | undefined;
}
export const SEAL_HEAD_BYTES = 8;
