/** Seals small secrets at rest (AES-256-GCM; `context` is authenticated, so a row cannot be moved to another owner). */
export interface Secrets {
  /** Names the key without telling it. */
  readonly keyId: string;
  seal(plain: string, context: string): string;
  /** Errors: permanent `secret-unreadable` when key or context differ. */
  open(sealed: string, context: string): string;
}
