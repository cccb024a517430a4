import type { MailboxId, MailId, TenantId, TravellerId } from '../../domain/ids.ts';
import type { BlobRef } from '../blobs.ts';
import type { Disposition } from './mails.ts';

/** A raw mail that is kept longer than it is to be. */
export interface KeptMail {
  readonly tenant: TenantId;
  readonly id: MailId;
  readonly raw: BlobRef;
}

/** A mail that was opened, and why. */
export interface OpenedMail {
  readonly id: MailId;
  readonly mailbox: MailboxId;
  readonly traveller: TravellerId;
  readonly from: string;
  readonly subject: string;
  readonly receivedAt: number;
  /** When it was decided to open it. */
  readonly openedAt: number;
  /** Stable code of the decision: `rule-allowed`, `sender-known`, `asked`, `no-rule`. */
  readonly why: string;
  readonly disposition: Disposition;
  /** Whether its bytes are still kept. */
  readonly kept: boolean;
}

/** What there is of a traveller, by kind of thing: rows, and raw mails. */
export type Holdings = Readonly<Record<string, number>>;

/** What is kept of people, for how long, and how it goes. */
export interface PrivacyRepo {
  /** Operator-wide: decided before `before` (epoch ms) and still kept, oldest first. */
  keptSince(before: number, limit: number): Promise<readonly KeptMail[]>;
  /** Their bytes are to go: the receipts say so. What came again meanwhile stays. */
  letGo(mails: readonly KeptMail[], note: { readonly code: string; readonly message: string }): Promise<void>;
  /** Operator-wide: whether any mail of the owner (`shared`: of anyone) rests on these bytes. */
  needed(ref: BlobRef, owner: TenantId | 'shared'): Promise<boolean>;
  /** Newest first; `before` is `next` of the page before. */
  opened(
    tenant: TenantId,
    query: { readonly traveller?: TravellerId; readonly before?: string; readonly limit: number },
  ): Promise<{ readonly mails: readonly OpenedMail[]; readonly next?: string }>;
  /** Counts everything that is kept of a traveller. Reads the whole log of the tenant. */
  holdings(tenant: TenantId, traveller: TravellerId): Promise<Holdings>;
  /** The raw mails of a traveller that are kept. */
  rawOf(tenant: TenantId, traveller: TravellerId): Promise<readonly BlobRef[]>;
  /** Events of the traveller that a reader of their topic has neither done nor set aside. */
  unfinished(tenant: TenantId, traveller: TravellerId, readers: readonly TopicReader[]): Promise<number>;
  /** Nothing more comes in, nobody reads any more: mailboxes removed with their credentials, tokens and endpoints gone. */
  shut(tenant: TenantId, traveller: TravellerId, now: number): Promise<void>;
  /** Deletes every row of the traveller. Call it when nothing is unfinished. */
  erase(tenant: TenantId, traveller: TravellerId): Promise<void>;
  /** Everything about a traveller, without secrets, one kind of thing after the other. */
  everything(tenant: TenantId, traveller: TravellerId): Promise<Readonly<Record<string, readonly unknown[]>>>;
}

export interface TopicReader {
  readonly name: string;
  readonly reads: string;
}
