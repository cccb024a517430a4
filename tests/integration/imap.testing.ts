import { ImapFlow } from 'imapflow';
import { type DovecotServer, missingDovecot, PASSWORD } from '../../scripts/servers/dovecot.ts';
import { createImapConnector } from '../../src/adapters/mailbox/imap/connector.ts';
import type { ImapLimits } from '../../src/adapters/mailbox/imap/limits.ts';
import type { MailboxId, TenantId } from '../../src/domain/ids.ts';
import type { Credentials, MailboxAccount, MailboxSession, MailPage } from '../../src/ports/mailbox.ts';

/** What the tests with Dovecot have in common. */

export const never = new AbortController().signal;

/** For `{ skip }` of a test: a machine without Dovecot says so; CI fails. */
export function skipWithoutDovecot(): string | false {
  const missing = missingDovecot();
  if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);
  return missing ?? false;
}

export function account(
  user: string,
  settings: Readonly<Record<string, unknown>>,
  credentials: Credentials = { kind: 'password', user, password: PASSWORD },
): MailboxAccount & { readonly asked: number } {
  let asked = 0;
  return {
    mailbox: `mbx_${user}` as MailboxId,
    tenant: 'tnt_test' as TenantId,
    settings: { host: '127.0.0.1', security: 'plain', ...settings },
    credentials: async () => {
      asked++;
      return credentials;
    },
    get asked() {
      return asked;
    },
  };
}

export const connector = (limits: Partial<ImapLimits> = {}) =>
  createImapConnector({ allowPrivate: true, allowPlain: false, limits });

export const open = (
  server: Pick<DovecotServer, 'port'>,
  user: string,
  { limits = {}, ...settings }: Readonly<Record<string, unknown>> & { readonly limits?: Partial<ImapLimits> } = {},
): Promise<MailboxSession> => connector(limits).open(account(user, { port: server.port, ...settings }), never);

/** As another program of the owner does things. */
export async function beside<T>(
  server: Pick<DovecotServer, 'port'>,
  user: string,
  work: (client: ImapFlow) => Promise<T>,
): Promise<T> {
  const auth = { user, pass: PASSWORD };
  const client = new ImapFlow({ host: '127.0.0.1', port: server.port, doSTARTTLS: false, auth, logger: false });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.logout();
  }
}

export const text = (name: string | number, body = `Mail ${name}.\r\n`): Buffer =>
  Buffer.from(`From: a@example.org\r\nSubject: ${name}\r\nMessage-ID: <${name}@example.org>\r\n\r\n${body}`);

export const append = (
  server: Pick<DovecotServer, 'port'>,
  user: string,
  mails: readonly Uint8Array[],
  { folder = 'INBOX', receivedAt = Date.now() } = {},
): Promise<void> =>
  beside(server, user, async (client) => {
    for (const mail of mails) await client.append(folder, mail, [], new Date(receivedAt));
  });

export const subjects = (page: Pick<MailPage, 'mails'>): string[] =>
  page.mails.map(({ head }) => /^Subject: (.*)\r$/m.exec(Buffer.from(head).toString('latin1'))?.[1] ?? '?');

/** All pages after a cursor. */
export async function all(
  session: MailboxSession,
  from: string,
  { max = 100, since = 0 } = {},
): Promise<{
  readonly subjects: string[];
  readonly mails: MailPage['mails'];
  readonly cursor: string;
  readonly resets: string[];
}> {
  const mails: MailPage['mails'][number][] = [];
  const resets: string[] = [];
  let cursor = from;
  for (let page: MailPage | undefined; page?.more !== false; ) {
    page = await session.live({ cursor, since, max }, never);
    mails.push(...page.mails);
    if (page.reset !== undefined) resets.push(page.reset);
    cursor = page.cursor;
  }
  return { subjects: subjects({ mails }), mails, cursor, resets };
}

/** Resolves when it holds; fails after `ms`. */
export async function until(holds: () => boolean, ms = 15_000): Promise<void> {
  const giveUpAt = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${ms} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
