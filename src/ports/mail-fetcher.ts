import type { MailboxId, TenantId } from '../domain/ids.ts';
import type { FetchedMail } from './mailbox.ts';

/** Fetches whole mails out of connected mailboxes, wherever these are watched. */
export interface MailFetcher {
  /**
   * Reads at most `bytesMax`. A mail that is gone is no error, nor is a mailbox that is no longer connected (`vanished`).
   * Errors: those of the connector (`unauthorised`, `rate-limited`, `transient`, `permanent`), those of the store.
   */
  fetch(what: MailToFetch, bytesMax: number, signal: AbortSignal): Promise<FetchedMail>;
}

export interface MailToFetch {
  readonly tenant: TenantId;
  readonly mailbox: MailboxId;
  readonly ref: string;
  /** It was there before the mailbox was connected: fetched behind the new ones. */
  readonly backfill: boolean;
}
