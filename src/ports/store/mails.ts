import type { MailboxId, MailId, ObservationId, ReservationId, TenantId, TravellerId } from '../../domain/ids.ts';
import type { BlobRef } from '../blobs.ts';
import type { MailboxKind } from '../mailbox.ts';

/** What became of a mail. Every mail has exactly one, always visible. */
export const DISPOSITIONS = {
  seen: 'stored, not decided yet',
  collected: 'to be opened, or being read',
  imported: 'opened; it brought a reservation or a change',
  'nothing-found': 'opened; no reservation in it',
  merged: 'opened; what it says was known already, in the reservations it belongs to',
  skipped: 'not opened, by rule or because it does not look like a booking',
  duplicate: 'opened; the same mail came before by another way',
  'needs-you': 'opened; its owner has to decide',
  'too-large': 'larger than what is read; not opened',
  vanished: 'gone from the mailbox before it was opened',
  quarantined: 'set aside: it may do harm, or is not what it says it is',
  failed: 'could not be read; kept, with the reason',
} as const;
export type Disposition = keyof typeof DISPOSITIONS;

/** What its owner may have read after all: what was left unopened or set aside for reasons that are not the mail's own. */
export const ASKABLE: readonly Disposition[] = ['skipped', 'quarantined', 'vanished'];

/**
 * What one thing that a mail said did to the traveller's reservations: it brought something, was known, or could not be
 * recorded.
 */
export type MailEffect = 'brought' | 'known' | 'failed';

export interface MailRecord {
  readonly id: MailId;
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly mailbox: MailboxId;
  /** Its bytes. Absent: it was listed and not fetched, or its bytes are no longer kept. */
  readonly raw?: BlobRef;
  /** SHA-256 (hex) of its header block: what makes a listed mail one, however often and wherever it is listed. */
  readonly headDigest?: string;
  /** Where in the mailbox it was listed last: what `fetch` needs. */
  readonly ref?: string;
  readonly folder?: string;
  readonly size: number;
  readonly fromAddress: string;
  readonly fromName: string;
  readonly subject: string;
  /** Date header, epoch ms; evidence, not order. */
  readonly date: number | undefined;
  readonly messageId: string | undefined;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly via: MailVia;
}

/** How a mail came: brought to us, or fetched by a connector. */
export type MailVia = 'smtp' | 'import' | MailboxKind;

export interface MailReceipt extends MailRecord {
  readonly disposition: Disposition;
  /** Stable code: `rule-denied`, `no-markup`, `parse-timeout`, … */
  readonly reasonCode: string;
  /** One sentence for the traveller: why, and what to do where something can be done. */
  readonly reason: string;
  readonly reservations: readonly ReservationId[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  /** What is in it, for the traveller, whatever that changed. Absent: it was not opened, or nothing was found. */
  readonly found?: string;
  /** How often the same bytes came to this mailbox. */
  readonly timesSeen: number;
  readonly updatedAt: number;
}

export interface ReceiptUpdate {
  readonly disposition: Disposition;
  readonly reasonCode: string;
  readonly reason: string;
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  readonly found?: string;
  /** It is the question of a mail host: whose mails are to be forwarded here (address). */
  readonly asksFor?: string;
  /** Its bytes have been fetched. */
  readonly raw?: BlobRef;
  /** Only where it has not been listed anew under another reference meanwhile. */
  readonly ifRef?: string;
}

export interface AddedMail {
  readonly new: boolean;
  /** The id that it was given first. */
  readonly id: MailId;
  /** What had become of it by now. */
  readonly disposition: Disposition;
  readonly timesSeen: number;
}

export interface MailRepo {
  /**
   * Adds a mail with the disposition `seen`. The key is tenant + mailbox + digest of the bytes, or of the header block where
   * the bytes are not here (never Message-ID, which anyone can forge): a repeat only counts `timesSeen`, takes over where
   * it was listed last, and returns `new: false`.
   */
  add(mail: MailRecord, now: number): Promise<AddedMail>;
  get(tenant: TenantId, id: MailId): Promise<MailReceipt | undefined>;
  /** False: `ifRef` did not hold, or there is no such mail. */
  update(tenant: TenantId, id: MailId, update: ReceiptUpdate, now: number): Promise<boolean>;
  /** Notes that a reservation rests on this mail (idempotent). */
  linkReservation(tenant: TenantId, id: MailId, reservation: ReservationId): Promise<void>;
  /** Notes what it says, to be weighed one by one (idempotent; what is weighed stays so). Returns the effects of all. */
  expectEffects(
    tenant: TenantId,
    id: MailId,
    observations: readonly ObservationId[],
  ): Promise<readonly (MailEffect | undefined)[]>;
  /**
   * Notes what one of these did. Of several words on one the strongest stands (`brought`, `known`, `failed`), so that their
   * order does not matter. Returns the effects of all that the mail says; none: it was never noted that it says this.
   */
  noteEffect(
    tenant: TenantId,
    id: MailId,
    observation: ObservationId,
    effect: MailEffect,
  ): Promise<readonly (MailEffect | undefined)[]>;
  /**
   * The mail of this traveller that came before this one and is the same: the same bytes, or the same Message-ID (which
   * alone proves nothing) and joined to the same reservation. Only such as were read to the end, and duplicates of none.
   */
  sameBefore(receipt: MailReceipt): Promise<{ readonly id: MailId; readonly by: 'bytes' | 'message-id' } | undefined>;
  /** Of a mailbox: questions of mail hosts whose owner has yet to answer, where they say whose mails they are about. */
  questions(
    tenant: TenantId,
    mailbox: MailboxId,
  ): Promise<readonly { readonly id: MailId; readonly asksFor: string; readonly reason: string }[]>;
  /** Newest first; `before` is a cursor from the last row (`nextBefore`). */
  list(
    tenant: TenantId,
    query: {
      readonly traveller?: TravellerId;
      readonly mailbox?: MailboxId;
      readonly disposition?: Disposition;
      readonly reasonCode?: string;
      readonly before?: string;
      readonly limit: number;
    },
  ): Promise<{ readonly receipts: readonly MailReceipt[]; readonly nextBefore?: string }>;
  /** Mails by disposition: accepted = the sum. */
  count(tenant: TenantId, traveller?: TravellerId): Promise<Readonly<Record<Disposition, number>>>;
  /** The same of one mailbox. */
  countOf(tenant: TenantId, mailbox: MailboxId): Promise<Readonly<Record<Disposition, number>>>;
  /** How many of a mailbox are neither decided nor set aside: what still has to be read. */
  undecided(tenant: TenantId, mailbox: MailboxId): Promise<number>;
}
