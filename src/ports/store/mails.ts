import type { MailboxId, MailId, ReservationId, TenantId, TravellerId } from '../../domain/ids.ts';
import type { BlobRef } from '../blobs.ts';

/** What became of a mail. Every mail has exactly one, always visible. */
export const DISPOSITIONS = {
  seen: 'stored, not decided yet',
  collected: 'decided on headers to open it',
  imported: 'opened; reservations were found',
  'nothing-found': 'opened; no reservation in it',
  skipped: 'not opened, by rule',
  duplicate: 'the same bytes came before',
  failed: 'could not be read; kept, with the reason',
} as const;
export type Disposition = keyof typeof DISPOSITIONS;

export interface MailRecord {
  readonly id: MailId;
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly mailbox: MailboxId;
  readonly raw: BlobRef;
  readonly size: number;
  readonly fromAddress: string;
  readonly fromName: string;
  readonly subject: string;
  /** Date header, epoch ms; evidence, not order. */
  readonly date: number | undefined;
  readonly messageId: string | undefined;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly via: 'smtp' | 'import';
}

export interface MailReceipt extends MailRecord {
  readonly disposition: Disposition;
  /** Stable code: `rule-denied`, `no-markup`, `parse-timeout`, … */
  readonly reasonCode: string;
  /** One sentence for the traveller: why, and what to do where something can be done. */
  readonly reason: string;
  readonly reservations: readonly ReservationId[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  /** How often the same bytes came to this mailbox. */
  readonly timesSeen: number;
  readonly updatedAt: number;
}

export interface ReceiptUpdate {
  readonly disposition: Disposition;
  readonly reasonCode: string;
  readonly reason: string;
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
}

export interface MailRepo {
  /**
   * Adds a mail with the disposition `seen`. The key is tenant + mailbox + digest of the bytes (never Message-ID, which
   * anyone can forge): a repeat only counts `timesSeen` and returns `new: false`, with the id that it was given first.
   */
  add(mail: MailRecord, now: number): Promise<{ readonly new: boolean; readonly id: MailId }>;
  get(tenant: TenantId, id: MailId): Promise<MailReceipt | undefined>;
  update(tenant: TenantId, id: MailId, update: ReceiptUpdate, now: number): Promise<void>;
  /** Notes that a reservation rests on this mail (idempotent). */
  linkReservation(tenant: TenantId, id: MailId, reservation: ReservationId): Promise<void>;
  /** Newest first; `before` is a cursor from the last row (`nextBefore`). */
  list(
    tenant: TenantId,
    query: {
      readonly traveller?: TravellerId;
      readonly disposition?: Disposition;
      readonly before?: string;
      readonly limit: number;
    },
  ): Promise<{ readonly receipts: readonly MailReceipt[]; readonly nextBefore?: string }>;
  /** Mails by disposition: accepted = the sum. */
  count(tenant: TenantId, traveller?: TravellerId): Promise<Readonly<Record<Disposition, number>>>;
}
