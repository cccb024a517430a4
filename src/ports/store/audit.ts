import type { Id, TenantId } from '../../domain/ids.ts';

export type AuditId = Id<'aud'>;

/** One thing that an operator did. Written in the transaction that does it, and never changed. */
export interface AuditEntry {
  readonly id: AuditId;
  readonly tenant: TenantId;
  /** Epoch ms. */
  readonly at: number;
  /** Token id, or `cli…` for the command line. */
  readonly by: string;
  /** `dead-letter.replay`, `stage.pause`: what, in the form `thing.verb`. */
  readonly action: string;
  /** What it was done to: an id, a stage, a query. */
  readonly target: string;
  /** What else one must know to understand it later. No payloads: they may be personal. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditRepo {
  /** Appends; a repeat of an id changes nothing. There is no way to change or remove an entry. */
  add(entry: AuditEntry): Promise<void>;
  /** Newest first; `before` is `nextBefore` of the page before. `action` may be the beginning, up to a dot. */
  list(
    tenant: TenantId,
    query: {
      readonly action?: string | undefined;
      readonly target?: string | undefined;
      readonly by?: string | undefined;
      /** At or after, epoch ms. */
      readonly from?: number | undefined;
      readonly before?: string | undefined;
      readonly limit: number;
    },
  ): Promise<{ readonly entries: readonly AuditEntry[]; readonly nextBefore?: string }>;
}
