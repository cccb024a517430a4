/**
 * Mailboxes by IMAP, against Debian's Dovecot on this machine: what does a mailbox that is listened to cost in memory,
 * plain and over TLS; how fast are a backlog's heads listed; how much of a mailbox is fetched when one mail in 33 is read;
 * how long from the server's notice to the wake and to the head? Run:
 * `npm run bench -- imap [mailboxes] [mails]` (2000 and 10000).
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { MEMORY_ENV, MEMORY_FLAGS } from '../bin/memory.js';
import { type DovecotServer, PASSWORD, startDovecot } from '../scripts/servers/dovecot.ts';
import { createImapConnector } from '../src/adapters/mailbox/imap/connector.ts';
import type { MailboxId, TenantId } from '../src/domain/ids.ts';
import type { MailboxAccount, MailboxSession } from '../src/ports/mailbox.ts';
import { startTcpProxy } from '../tests/chaos/tcp-proxy.ts';
import { benchMail } from './imap/mails.ts';

const never = new AbortController().signal;
const PAGE = 200;
/** Logins at a time. */
const AT_ONCE = 16;
const TRAVEL_EVERY = 33;

export interface ImapResult {
  readonly memory: readonly {
    readonly kind: 'plain' | 'tls';
    readonly mailboxes: number;
    readonly kibEach: number;
    readonly heapKibEach: number;
  }[];
  readonly backlog: { readonly mails: number; readonly perSecond: number; readonly rssMib: number };
  /** Bytes that came from the server, of those of the mailbox. */
  readonly share: number;
  /** From LMTP's yes, and from the wake, ms. */
  readonly notice: {
    readonly wakeP50: number;
    readonly headP50: number;
    readonly headP99: number;
    readonly mails: number;
  };
  /** Of the heads listed: the same mails give the same. */
  readonly digest: string;
}

type Held = Pick<DovecotServer, 'port' | 'tlsPort' | 'ca' | 'users'>;

const account = (server: Pick<Held, 'port'>, user: string, settings: Record<string, unknown>): MailboxAccount => ({
  mailbox: `mbx_${user}` as MailboxId,
  tenant: 'tnt_bench' as TenantId,
  settings: { host: '127.0.0.1', port: server.port, security: 'plain', folders: ['INBOX'], ...settings },
  credentials: async () => ({ kind: 'password', user, password: PASSWORD }),
});

export async function imap(mailboxes: number, mails: number, notices = 50): Promise<ImapResult> {
  const server = await startDovecot({ users: mailboxes });
  try {
    const memory = [await apart(server, 'plain', mailboxes), await apart(server, 'tls', Math.ceil(mailboxes / 2))];
    const { share, ...backlog } = await listed(server, mails);
    const notice = await noticed(server, notices);
    return { memory, backlog, share, notice, digest: backlog.digest };
  } finally {
    await server.stop();
  }
}

/** Memory of this process, with everything that can be collected gone. */
function rss(): number {
  for (let round = 0; round < 3; round++) global.gc?.();
  return process.memoryUsage.rss();
}

/** In a process of its own: what another measurement left behind would be used again, and not be seen. */
async function apart(
  server: DovecotServer,
  kind: 'plain' | 'tls',
  count: number,
): Promise<ImapResult['memory'][number]> {
  const { port, tlsPort, ca, users } = server;
  const args = ['--expose-gc', ...MEMORY_FLAGS, import.meta.filename, 'held', kind, String(count)];
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...MEMORY_ENV },
  });
  child.stdin.end(JSON.stringify({ port, tlsPort, ca, users }));
  return JSON.parse(await readAll(child.stdout));
}

async function held(server: Held, count: number, kind: 'plain' | 'tls'): Promise<ImapResult['memory'][number]> {
  const connector = createImapConnector({ allowPrivate: true, allowPlain: true, ca: [server.ca], limits: PATIENT });
  const settings = kind === 'tls' ? { port: server.tlsPort, security: 'tls' } : {};
  const stop = new AbortController();
  const listening: Promise<void>[] = [];
  const one = async (user: string): Promise<MailboxSession> => {
    const session = await connector.open(account(server, user, settings), never);
    await session.begin(never);
    listening.push(session.listen!(() => {}, stop.signal).catch(() => {}));
    return session;
  };
  // The first brings code and tables that all share.
  const warm = await one(server.users[0]!);
  await pause(500);
  const before = rss();
  const heapBefore = process.memoryUsage().heapUsed;
  const sessions: MailboxSession[] = [];
  for (let at = 1; at < count; at += AT_ONCE)
    sessions.push(...(await Promise.all(server.users.slice(at, Math.min(count, at + AT_ONCE)).map(one))));
  await pause(1500);
  const each = (bytes: number) => Math.round((bytes / 1024 / Math.max(1, sessions.length)) * 10) / 10;
  const kibEach = each(rss() - before);
  const heapKibEach = each(process.memoryUsage().heapUsed - heapBefore);
  stop.abort();
  await Promise.all(listening);
  for (let at = 0; at < sessions.length; at += AT_ONCE)
    await Promise.all(sessions.slice(at, at + AT_ONCE).map((session) => session.close()));
  await warm.close();
  return { kind, mailboxes: sessions.length, kibEach, heapKibEach };
}

async function listed(server: DovecotServer, mails: number) {
  const user = server.users[0]!;
  let whole = 0;
  const now = Date.now();
  for (let n = 0; n < mails; n++) {
    const mail = benchMail(n, n % TRAVEL_EVERY === 0);
    whole += mail.byteLength;
    server.drop(user, mail, { receivedAt: now - (mails - n) * 1000 });
  }
  const proxy = await startTcpProxy({ target: { port: server.port } });
  const connector = createImapConnector({ allowPrivate: true, allowPlain: true, limits: PATIENT });
  const session = await connector.open(account(server, user, { port: proxy.port }), never);
  const hash = createHash('sha256');
  let seen = 0;
  const from = performance.now();
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await session.backfill({ since: 0, max: PAGE, ...(cursor === undefined ? {} : { cursor }) }, never);
    ({ cursor, more } = page);
    for (const mail of page.mails) {
      seen++;
      hash.update(mail.head);
      if (Buffer.from(mail.head).includes('X-Travel: yes')) await session.fetch(mail.ref, 10_000_000, never);
    }
  }
  const seconds = (performance.now() - from) / 1000;
  if (seen !== mails) throw new Error(`${seen} of ${mails} mails were listed`);
  const share = proxy.passed.down / whole;
  await session.close();
  await proxy.close();
  const rssMib = Math.round(process.memoryUsage.rss() / 1024 / 1024);
  return { mails, perSecond: Math.round(mails / seconds), rssMib, share, digest: hash.digest('hex').slice(0, 16) };
}

async function noticed(server: DovecotServer, mails: number): Promise<ImapResult['notice']> {
  const user = server.users.at(-1)!;
  const connector = createImapConnector({ allowPrivate: true, allowPlain: true, limits: PATIENT });
  const session = await connector.open(account(server, user, {}), never);
  let cursor = await session.begin(never);
  let woken: () => void = () => {};
  const stop = new AbortController();
  const listening = session.listen!(() => woken(), stop.signal);
  const wakes: number[] = [];
  const heads: number[] = [];
  for (let n = 0; n < mails; n++) {
    await pause(60);
    let toldAt = 0;
    const told = new Promise<void>((resolve) => {
      woken = () => {
        toldAt = performance.now();
        resolve();
      };
    });
    await server.deliver(user, benchMail(1_000_000 + n, true));
    const deliveredAt = performance.now();
    await told;
    const page = await session.live({ cursor, since: 0, max: 10 }, never);
    ({ cursor } = page);
    if (page.mails.length === 0) continue;
    wakes.push(toldAt - deliveredAt);
    heads.push(performance.now() - toldAt);
  }
  stop.abort();
  await listening;
  await session.close();
  const at = (values: number[], share: number) =>
    Math.round(
      (values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0) * 10,
    ) / 10;
  return { wakeP50: at(wakes, 0.5), headP50: at(heads, 0.5), headP99: at(heads, 0.99), mails: heads.length };
}

/** Two thousand processes of a server on one machine are slow. */
const PATIENT = { connectMs: 60_000, answerMs: 120_000, totalMs: 600_000 };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const piece of stream) text += String(piece);
  return text;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv[2] === 'held') {
    const server: Held = JSON.parse(await readAll(process.stdin));
    console.log(JSON.stringify(await held(server, Number(process.argv[4]), process.argv[3] as 'plain' | 'tls')));
    process.exit();
  }
  const [mailboxes = 2000, mails = 10_000] = process.argv.slice(2).map(Number);
  console.log(JSON.stringify(await imap(mailboxes, mails), null, 2));
}
