import type { MailId } from '../domain/ids.ts';
import type { MailEnvelope } from './authenticity.ts';
import type { Mailbox } from './store/accounts.ts';
import type { MailRecord } from './store/mails.ts';

/** What mailbox adapters (SMTP, files, later IMAP) hand mails to. */
export interface Intake {
  /**
   * Resolves only when the raw mail, its record and its event are durable: the moment a sender may be told "accepted".
   * Idempotent: the same bytes in the same mailbox are one mail. Errors: `rate-limited` `intake-overloaded` (with
   * retryAt), those of store and blobs; after any error the mail counts as not accepted and may be handed in again.
   */
  accept(mail: IncomingMail): Promise<AcceptedMail>;
}

export interface IncomingMail {
  readonly mailbox: Mailbox;
  /** The mail as received; of a mail over the size limit only its beginning, with `fullSize`. */
  readonly bytes: Uint8Array;
  /** Set when the mail was larger than the limit: it gets a receipt that says so, and is not opened. */
  readonly fullSize?: number;
  readonly via: MailRecord['via'];
  /** By SMTP: who handed it in, for the check of its sender. */
  readonly envelope?: MailEnvelope;
  /** Epoch ms; default: now, and for an imported mail what its own headers say, never later than now. */
  readonly receivedAt?: number;
}

export interface AcceptedMail {
  readonly mailId: MailId;
  /** False: these bytes came to this mailbox before. */
  readonly new: boolean;
  /** `refused`: it has a receipt that says why (`mail-empty`, `mail-too-large`), and will not be opened. */
  readonly outcome: 'accepted' | 'refused';
}
