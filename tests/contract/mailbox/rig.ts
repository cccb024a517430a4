import { readHead } from '../../../src/domain/mail/head.ts';
import type {
  Credentials,
  ListedMail,
  MailboxAccount,
  MailboxConnector,
  MailboxSession,
  MailPage,
} from '../../../src/ports/mailbox.ts';

/** A fresh, empty mailbox at a real or a fake server, and what the outside does to it. One for each test. */
export interface MailboxRig {
  readonly connector: MailboxConnector;
  /** `credentials` gives what is good. The inbox alone is watched. */
  readonly account: MailboxAccount;
  /** What the server refuses, in the form of `account.credentials`. */
  readonly badCredentials: Credentials;
  /** Mails come to the inbox one after the other, as received at `receivedAt` (epoch ms) or now. Resolves when all are there. */
  deliver(mails: readonly Uint8Array[], receivedAt?: number): Promise<void>;
  /** The mail of this Message-ID (with its angle brackets) is gone from the mailbox. */
  remove(messageId: string): Promise<void>;
  /**
   * Cursors given until now hold no longer (UIDVALIDITY changed, history gone), and where the server numbers mails, the
   * numbers name others now. The mails stay, with the time at which they came. Absent: cannot happen.
   */
  loseHistory?(): Promise<void>;
  /** All connections end, without a word. Absent: there are none between two requests. */
  drop?(): Promise<void>;
  /** A restart after `drop`, where one is needed before new sessions can be opened. */
  back?(): Promise<void>;
  /** How long a listener may wait for its wake, ms. Default 5000. */
  readonly wakeMsMax?: number;
  /** The server gives the bytes of mails as they came (default true); false: it adds or orders headers. */
  readonly keepsBytes?: boolean;
  /** The server offers to tell of new mails, and then does not. */
  readonly tellsNothing?: boolean;
  /** The server takes no mail with a line in its head that is no header. */
  readonly strictHeads?: boolean;
  /** The longest header block that the server takes is below HEAD_BYTES_MAX. */
  readonly smallHeads?: boolean;
  dispose(): Promise<void>;
}

export const never = new AbortController().signal;

export const idOf = (name: string | number): string => `<${name}@contract.example>`;

/** A mail with a name of its own; `body` and `head` lines may be added. */
export function mail(name: string | number, { body = `Mail ${name}.\r\n`, head = '' } = {}): Uint8Array {
  return Buffer.from(
    `From: Sender ${name} <sender@contract.example>\r\nTo: me@mailbox.example\r\nSubject: Mail ${name}\r\n` +
      `Date: Mon, 01 Jun 2026 10:00:00 +0000\r\nMessage-ID: ${idOf(name)}\r\n${head}` +
      `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}`,
  );
}

export const mails = (from: number, to: number): Uint8Array[] =>
  Array.from({ length: to - from + 1 }, (_, index) => mail(from + index));

/** The name of a listed mail: what stands in its Message-ID. */
export function nameOf({ head }: Pick<ListedMail, 'head'>): string {
  return (readHead(head).messageId ?? '').replace(/^<|@contract\.example>$/g, '');
}

export const names = (page: MailPage): string[] => page.mails.map(nameOf);
export const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
/** In the order in which they came first. */
export const once = (all: readonly string[]): string[] => [...new Set(all)];

const PAGES_MAX = 200;

/** Pages of a lane until there is no more. */
export async function pagesOf(
  next: (cursor: string | undefined) => Promise<MailPage>,
  cursor?: string,
): Promise<{ readonly pages: readonly MailPage[]; readonly names: string[]; readonly cursor: string }> {
  const pages: MailPage[] = [];
  let at = cursor;
  do {
    if (pages.length === PAGES_MAX) throw new Error(`no end after ${PAGES_MAX} pages`);
    pages.push(await next(at));
    at = pages.at(-1)!.cursor;
  } while (pages.at(-1)!.more);
  return { pages, names: pages.flatMap(names), cursor: at };
}

export const liveOf = (session: MailboxSession, cursor: string, max = 10, since = 0) =>
  pagesOf((at) => session.live({ cursor: at!, since, max }, never), cursor);

export const backfillOf = (session: MailboxSession, max = 10, since = 0, cursor?: string) =>
  pagesOf((at) => session.backfill({ ...(at === undefined ? {} : { cursor: at }), since, max }, never), cursor);
