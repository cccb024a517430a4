/**
 * What does a mailbox cost in memory that the watcher listens to? Store, watcher and connector without the rest of a
 * service, in a process of its own that collects its garbage before it is looked at.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MEMORY_ENV, MEMORY_FLAGS } from '../../bin/memory.js';
import { type DovecotServer, PASSWORD, startDovecot } from '../../scripts/servers/dovecot.ts';
import { createClock } from '../../src/adapters/clock/system.ts';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { createImapConnector } from '../../src/adapters/mailbox/imap/connector.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import { DEFAULT_TENANT, type MailboxId, type TravellerId } from '../../src/domain/ids.ts';
import type { Watch } from '../../src/ports/store/watches.ts';
import { heldParts } from '../../src/runtime/held.ts';
import { MailboxSessions } from '../../src/stages/watch/sessions.ts';
import { createWatcher } from '../../src/stages/watch/watcher.ts';

export interface IdleResult {
  readonly kind: 'plain' | 'tls';
  readonly mailboxes: number;
  /** Of the process's memory, and of the heap in it. */
  readonly kibEach: number;
  readonly heapKibEach: number;
  readonly seconds: number;
}

type Held = Pick<DovecotServer, 'port' | 'tlsPort' | 'ca' | 'users'>;

/** The first brings code and tables that all share: not counted. */
const WARM = 5;

export async function idle(mailboxes: number, kind: 'plain' | 'tls'): Promise<IdleResult> {
  const server = await startDovecot({ users: mailboxes + WARM });
  try {
    const { port, tlsPort, ca, users } = server;
    const child = spawn(process.execPath, ['--expose-gc', ...MEMORY_FLAGS, import.meta.filename, kind], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...MEMORY_ENV },
    });
    child.stdin.end(JSON.stringify({ port, tlsPort, ca, users }));
    return JSON.parse(await textOf(child.stdout)) as IdleResult;
  } finally {
    await server.stop();
  }
}

async function held(server: Held, kind: 'plain' | 'tls'): Promise<IdleResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-bench-'));
  const clock = createClock();
  const store = openSqliteStore({ file: join(folder, 'bench.db'), clock, logger: silentLogger });
  const connector = createImapConnector({ allowPrivate: true, allowPlain: true, ca: [server.ca], limits: PATIENT });
  const access = {
    connector: () => connector,
    account: ({ tenant, mailbox, settings }: Watch) => ({
      ...{ tenant, mailbox, settings },
      credentials: async () => ({ kind: 'password', user: mailbox.slice(4), password: PASSWORD }) as const,
    }),
  };
  const settings =
    kind === 'tls'
      ? { host: 'localhost', port: server.tlsPort, security: 'tls' }
      : { host: '127.0.0.1', port: server.port, security: 'plain' };
  const add = (users: readonly string[]) =>
    store.transact(async (tx) => {
      for (const user of users) {
        const mailbox: MailboxId = `mbx_${user}`;
        const traveller: TravellerId = `trv_${user}`;
        const now = clock.now();
        const box = { id: mailbox, tenant: DEFAULT_TENANT, traveller, label: user, address: undefined, createdAt: now };
        await tx.accounts.addMailbox({ ...box, kind: 'imap', state: 'active' }, undefined);
        await tx.watches.add(watchOf(mailbox, traveller, { ...settings, folders: ['INBOX'] }, now));
      }
    });
  await store.transact((tx) => tx.accounts.ensureTenant(DEFAULT_TENANT, 'Bench', clock.now()));
  await add(server.users.slice(0, WARM));
  const sessions = new MailboxSessions({ access, store, clock, logger: silentLogger });
  const random = { number: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
  const watcher = createWatcher({ store, clock, random, logger: silentLogger, sessions });
  const resources = Array.from({ length: store.shards }, (_, shard) => `mailbox/${shard}`);
  const parts = heldParts('mailbox', resources, store, (resource, fenced) => watcher.shard(resource, fenced));
  const leases = await store.transact((tx) => tx.leases.take('bench', resources, 1e9, 'ignore'));
  for (const lease of leases) await parts.group.take(lease.resource, lease, () => true);
  const listening = async (count: number): Promise<void> => {
    for (let past = 0; watcher.status().listening < count || watcher.status().looking > 0; past++) {
      if (past > 6000) throw new Error(`${watcher.status().listening} of ${count} mailboxes are listened to`);
      await delay(100);
    }
    await delay(1500);
  };
  await listening(WARM);
  const began = performance.now();
  const before = await memory();
  await add(server.users.slice(WARM));
  await listening(server.users.length);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const after = await memory();
  const mailboxes = server.users.length - WARM;
  const each = (bytes: number): number => Math.round((bytes / 1024 / Math.max(1, mailboxes)) * 10) / 10;
  for (const resource of resources) await parts.group.leave(resource, 'hand-over');
  await watcher.stop();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
  return {
    ...{ kind, mailboxes, seconds },
    kibEach: each(after.rss - before.rss),
    heapKibEach: each(after.heapUsed - before.heapUsed),
  };
}

/** With everything gone that can be collected, and given back: pages are unmapped beside the program. */
async function memory(): Promise<NodeJS.MemoryUsage> {
  for (let round = 0; round < 5; round++) {
    global.gc?.();
    await delay(300);
  }
  return process.memoryUsage();
}

function watchOf(mailbox: MailboxId, traveller: TravellerId, settings: Watch['settings'], now: number): Watch {
  return {
    ...{ tenant: DEFAULT_TENANT, traveller, mailbox, kind: 'imap', settings, sealedCredentials: undefined },
    ...{ since: now, liveCursor: undefined, backfillCursor: undefined, backfillDone: true, backfillLeft: undefined },
    ...{ state: 'connecting', reasonCode: 'connecting', reason: 'Being tried.', stateAt: now, checkedAt: undefined },
    ...{ dueAt: undefined, seen: 0, subscription: undefined, renewAt: undefined, pushName: undefined },
    ...{ pushFault: undefined, needsSince: undefined, createdAt: now },
  };
}

/** Two thousand processes of a server on one machine are slow. */
const PATIENT = { connectMs: 60_000, answerMs: 120_000, totalMs: 600_000 };

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const piece of stream) text += String(piece);
  return text;
}

if (import.meta.main) {
  const result = await held(JSON.parse(await textOf(process.stdin)) as Held, process.argv[2] as 'plain' | 'tls');
  console.log(JSON.stringify(result));
  process.exit();
}
