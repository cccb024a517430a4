import type { MailboxId, TenantId } from '../domain/ids.ts';

/** Mailboxes that we go to, other than those whose mails are brought to us (`forward`, `import`). */
export const MAILBOX_KINDS = ['imap', 'gmail', 'graph', 'jmap'] as const;
export type MailboxKind = (typeof MAILBOX_KINDS)[number];

/**
 * One way to read mailboxes. Knows a protocol and nothing else: when to look, what is opened and what becomes of a mail
 * is the watch stage's business. Reads only; never marks, moves or removes anything.
 *
 * Errors of all duties, translated at the edge: `unauthorised` (only a person can mend it: never tried again by itself),
 * `rate-limited` with retryAt, `transient`, `permanent`. They tell no secret.
 */
export interface MailboxConnector {
  readonly kind: MailboxKind;
  /** Shown to people: `IMAP`, `Gmail`. */
  readonly label: string;
  readonly capabilities: MailboxCapabilities;
  /** Connects and signs in. The session ends by itself when the connection does (`closed`). */
  open(account: MailboxAccount, signal: AbortSignal): Promise<MailboxSession>;
  /** Verifies a pushed request and says which accounts it wakes; only ever a hint. Absent: no push by request. */
  receivePush?(request: MailboxPush): Promise<MailboxPushVerdict>;
}

export interface MailboxCapabilities {
  /** `live`: an open session tells (IDLE, event source). `request`: the provider calls us. `none`: only looks find mails. */
  readonly push: 'live' | 'request' | 'none';
  /** Sessions that one account allows us at a time. */
  readonly sessionsMax: number;
}

export interface MailboxAccount {
  readonly mailbox: MailboxId;
  readonly tenant: TenantId;
  /** What the connector needs beside credentials: host, folders; it checks them itself. */
  readonly settings: Readonly<Record<string, unknown>>;
  /**
   * What to sign in with, fresh enough to be used now. `refused`: what was given last was refused; gets another one or
   * throws `unauthorised`. Errors: `unauthorised` (`consent-needed`, `password-refused`), `transient`.
   */
  credentials(signal: AbortSignal, refused?: Credentials): Promise<Credentials>;
}

export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly user: string; readonly accessToken: string };

export interface MailboxSession {
  /** Folders that can be watched, with the role the server gives them (`inbox`, `all`, `junk`, `trash`, `sent`, `drafts`). */
  folders(signal: AbortSignal): Promise<readonly { readonly name: string; readonly role?: string }[]>;
  /** Where `live` begins for a mailbox that is connected now: nothing that is there already comes after it. */
  begin(signal: AbortSignal): Promise<string>;
  /**
   * What came after a cursor, in the order it came, whole pages only. Must never skip a mail that a later cursor has
   * passed; may give one again. When the cursor no longer holds (UIDVALIDITY changed, history gone), `reset` says so, and
   * the page holds what the server received from `since` on, as many pages as that takes.
   */
  live(query: MailQuery, signal: AbortSignal): Promise<MailPage>;
  /** What was there before `begin`, newest first, back to `since`; no cursor: from the newest on. */
  backfill(
    query: Partial<Pick<MailQuery, 'cursor'>> & Omit<MailQuery, 'cursor'>,
    signal: AbortSignal,
  ): Promise<MailPage>;
  /** The whole mail. Reads at most `bytesMax`: beyond it `truncated`, with what was read. A mail that is gone is no error. */
  fetch(ref: string, bytesMax: number, signal: AbortSignal): Promise<FetchedMail>;
  /**
   * Only with push `live`: calls `wake` whenever something may have come, until aborted. Rejects when it can listen no
   * longer (`transient`); a server that is silent beyond its own deadline counts as gone. Where the server turns out to
   * tell nothing it rejects with `permanent`, and is looked at as often as one that cannot tell.
   */
  listen?(wake: () => void, signal: AbortSignal): Promise<void>;
  /**
   * Only with push `request`: makes the provider call us, or prolongs that. Returns what to store for the next time and
   * when to come again (epoch ms; half of its life).
   */
  subscribe?(state: string | undefined, signal: AbortSignal): Promise<MailboxSubscription>;
  /** Aborted when the connection has ended, whoever ended it. */
  readonly closed: AbortSignal;
  /** In good order; never throws. */
  close(): Promise<void>;
}

export interface MailboxSubscription {
  readonly state: string;
  readonly renewAt: number;
  /** What pushed hints call this mailbox. Default: the user that signs in. */
  readonly name?: string;
}

export interface MailQuery {
  readonly cursor: string;
  /** Epoch ms: mails received before are none of ours. */
  readonly since: number;
  /** Mails in a page, at most; a page may hold fewer and still have `more`. */
  readonly max: number;
}

export interface MailPage {
  readonly mails: readonly ListedMail[];
  /** Holds when all of this page is stored. */
  readonly cursor: string;
  readonly more: boolean;
  /** Why the cursor began anew: `uidvalidity-changed`, `history-expired`. */
  readonly reset?: string;
  /** How many are yet to come, where the server says so: for progress. */
  readonly left?: number;
}

export interface ListedMail {
  /** What `fetch` needs to find it again; unique in the mailbox, text: `INBOX;1700000000;42`. */
  readonly ref: string;
  readonly folder: string;
  /** Bytes of the whole mail, as the server says. */
  readonly size: number;
  /** When the server received it, epoch ms. */
  readonly receivedAt: number;
  /** Its header block as the server has it, with the empty line, at most HEAD_BYTES_MAX. */
  readonly head: Uint8Array;
  /** Its parts without their content, where that costs nothing more: `text/calendar`, `application/pdf` `ticket.pdf`. */
  readonly parts?: readonly { readonly type: string; readonly name?: string; readonly size?: number }[];
}

export type FetchedMail =
  | { readonly kind: 'mail'; readonly bytes: Uint8Array; readonly truncated: boolean }
  /** Moved or removed since it was listed. */
  | { readonly kind: 'vanished' };

export interface MailboxPush {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly receivedAt: number;
}

export type MailboxPushVerdict =
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** A handshake: to be answered with this text as it is, `text/plain`. */
  | { readonly kind: 'reply'; readonly text: string }
  | ({ readonly kind: 'hint' } & MailboxHint);

/** Which mailboxes may have something new. */
export interface MailboxHint {
  /** What the provider calls them (address, subscription id). */
  readonly accounts: readonly string[];
  /** Ours, where the push itself proves which; then `accounts` need not be looked up. */
  readonly mailboxes?: readonly MailboxId[];
  /** Of these, those whose subscription has ended or is about to: `subscribe` is due at once. */
  readonly renew?: readonly MailboxId[];
}

/** Bytes of a header block that are read, at most. */
export const HEAD_BYTES_MAX = 256 * 1024;
