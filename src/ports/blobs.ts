/**
 * Raw mails. A blob's name is the SHA-256 of its bytes (hex), so a repeat is the same blob and a changed byte is found out.
 */
export interface BlobStore {
  /** Durable when it resolves (file and directory synced). Idempotent. Errors: transient `blob-disk-full`. */
  put(bytes: Uint8Array): Promise<BlobRef>;
  /** Errors: permanent `blob-missing`, permanent `blob-corrupt` (digest differs). */
  get(ref: BlobRef): Promise<Uint8Array>;
}
/** `sha256:<hex>` */
export type BlobRef = `sha256:${string}`;
