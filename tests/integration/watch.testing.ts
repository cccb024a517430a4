import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { createModelConnector } from '../../src/adapters/mailbox/model/connector.ts';
import { headBlock } from '../../src/adapters/mailbox/model/head-block.ts';
import { ModelMailServer, type ModelServerOptions } from '../../src/adapters/mailbox/model/server.ts';
import { ModelSubscriptions } from '../../src/adapters/mailbox/model/subscriptions.ts';
import { leaseLost } from '../../src/adapters/store/sql/leases.ts';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import type { Event } from '../../src/contracts/event.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT, type MailboxId, type TravellerId } from '../../src/domain/ids.ts';
import type { Random } from '../../src/ports/clock.ts';
import type { LogFields, Logger } from '../../src/ports/logger.ts';
import type { MailboxCapabilities, MailboxConnector, MailboxSession } from '../../src/ports/mailbox.ts';
import type { MailReceipt } from '../../src/ports/store/mails.ts';
import type { Watch } from '../../src/ports/store/watches.ts';
import { heldParts } from '../../src/runtime/held.ts';
import { createCollectHandler } from '../../src/stages/collect/handler.ts';
import { createMailFetcher } from '../../src/stages/watch/fetcher.ts';
import { type MailboxAccess, MailboxSessions } from '../../src/stages/watch/sessions.ts';
import { createWatcher, type Watcher, type WatcherOptions } from '../../src/stages/watch/watcher.ts';
import { ManualClock, settle } from '../contract/broker/manual-clock.ts';
import { seededRandom } from '../contract/broker/rig.ts';
import { memoryBlobs } from './mail-in.testing.ts';

const SUBSCRIPTION_MS = 12 * 60_000;

/** Connected mailboxes at servers of the model, watched on a clock that is moved by hand. */
export class WatchRig {
  readonly clock = new CountingClock();
  readonly random: Random;
  readonly store: SqlStore;
  readonly blobs = memoryBlobs();
  readonly servers = new Map<string, ModelMailServer>();
  readonly said: { readonly level: string; readonly fields: LogFields; readonly message: string }[] = [];
  /** What the owner has typed in, by mailbox. */
  readonly passwords = new Map<string, string>();
  readonly push: MailboxCapabilities['push'];
  /** Chance that a write of a watcher fails, before and after it is done. */
  storeFaults = 0;
  /** Works are committed, and the answer is lost. */
  losesAnswers = false;
  readonly access: MailboxAccess;
  readonly connector: MailboxConnector;
  /** With push `request`, where no `subscribe` of the test's own is given: at the provider. */
  readonly subscriptions: ModelSubscriptions | undefined;
  #lives = 0;
  #collected = 0;

  constructor({
    seed = 1,
    shards = 2,
    push = 'live' as MailboxCapabilities['push'],
    subscribe = undefined as MailboxSession['subscribe'],
  } = {}) {
    this.random = seededRandom(seed);
    this.push = push;
    this.store = openSqliteStore({ file: ':memory:', clock: this.clock, logger: silentLogger, shards });
    if (push === 'request' && subscribe === undefined)
      this.subscriptions = new ModelSubscriptions({
        ...{ now: () => this.clock.now(), random: this.random, lifeMs: SUBSCRIPTION_MS },
      });
    const model = createModelConnector({
      push,
      server: ({ mailbox }) => this.servers.get(mailbox)!,
      subscriptions: this.subscriptions,
    });
    const connector: MailboxConnector = {
      ...model,
      open: async (account, signal) => {
        const session = await model.open(account, signal);
        return subscribe === undefined ? session : { ...session, subscribe };
      },
    };
    this.connector = connector;
    this.access = {
      connector: (kind) => (kind === 'imap' ? connector : undefined),
      account: ({ tenant, mailbox, settings }) => ({
        tenant,
        mailbox,
        settings,
        credentials: async () => ({ kind: 'password', user: 'me', password: this.passwords.get(mailbox) ?? 'right' }),
      }),
    };
  }

  /** A mailbox of a server of its own, connected now; `back` ms of what is there already is wanted too. */
  async connect(name: string, options: ModelServerOptions & { readonly back?: number } = {}): Promise<ModelMailServer> {
    const mailbox: MailboxId = `mbx_${name}`;
    const traveller: TravellerId = 'trv_ana';
    const now = this.clock.now();
    const server = this.servers.get(mailbox) ?? new ModelMailServer({ random: this.random, ...options });
    this.servers.set(mailbox, server);
    await this.store.transact(async (tx) => {
      await tx.accounts.ensureTenant(DEFAULT_TENANT, 'Test', 1);
      await tx.accounts.addMailbox(
        {
          ...{ id: mailbox, tenant: DEFAULT_TENANT, traveller, kind: 'imap', label: name, address: undefined },
          ...{ state: 'active', createdAt: now },
        },
        undefined,
      );
      await tx.watches.add(watchOf(mailbox, traveller, now - (options.back ?? 0), now));
    });
    return server;
  }

  /** A process that watches all shards. The one before may be at work still: its writes are refused from now on. */
  async begin(options: Partial<WatcherOptions> = {}): Promise<WatchProcess> {
    const sessions = new MailboxSessions({
      access: this.access,
      store: this.store,
      clock: this.clock,
      logger: silentLogger,
    });
    const { store, clock, random } = this;
    const watcher = createWatcher({ store, clock, random, logger: this.#logger(), sessions, ...options });
    const resources = Array.from({ length: store.shards }, (_, shard) => `mailbox/${shard}`);
    const state = { dead: false };
    const parts = heldParts('mailbox', resources, this.#failing(store, state), (resource, fenced) =>
      watcher.shard(resource, fenced),
    );
    const life = `life ${++this.#lives}`;
    const leases = await store.transact((tx) => tx.leases.take(life, resources, 1e12, 'ignore'));
    for (const lease of leases) await parts.group.take(lease.resource, lease, () => true);
    return {
      watcher,
      sessions,
      state,
      stop: async () => {
        await Promise.all(resources.map((resource) => parts.group.leave(resource, 'lost')));
        await watcher.stop();
      },
    };
  }

  /** Lets the collect stage decide on what was seen since, as the runtime would; what fails comes up the next time. */
  async collect({ sessions }: Pick<WatchProcess, 'sessions'>, bytesMax = 100_000): Promise<number> {
    const { store, blobs, clock } = this;
    const handler = createCollectHandler({ store, blobs, fetcher: createMailFetcher(sessions), bytesMax });
    const rows = await store.read(({ db }) =>
      db
        .selectFrom('log')
        .select(['seq', 'body'])
        .where('topic', '=', 'mail.seen')
        .where('seq', '>', this.#collected)
        .orderBy('seq')
        .execute(),
    );
    let failed: number | undefined;
    for (const { seq, body } of rows) {
      const event = JSON.parse(body) as Event<'mail.seen'>;
      const context = { clock, logger: silentLogger, signal: new AbortController().signal, attempt: 1 };
      try {
        const mark = { consumer: 'collect', eventId: event.id, now: clock.now() };
        const done = await store.read((tx) => tx.log.processedBy(event.id));
        if (done.length > 0) continue;
        const outcome = await handler(event, context);
        if (outcome.kind !== 'ack') throw new Error(`outcome ${outcome.kind}`);
        await store.effect(mark, async (tx) => {
          await tx.append((await outcome.commit?.(tx)) ?? [], { source: 'collect', cause: event, seed: 'x' });
        });
      } catch (error) {
        if (error instanceof TypeError || error instanceof RangeError) throw error;
        failed ??= seq - 1;
      }
    }
    this.#collected = failed ?? rows.at(-1)?.seq ?? this.#collected;
    return rows.length;
  }

  async receipts(): Promise<readonly MailReceipt[]> {
    const all: MailReceipt[] = [];
    for (let before: string | undefined; ; ) {
      const page = await this.store.read((tx) =>
        tx.mails.list(DEFAULT_TENANT, { limit: 500, ...(before === undefined ? {} : { before }) }),
      );
      all.push(...page.receipts);
      before = page.nextBefore;
      if (before === undefined) return all;
    }
  }

  async watch(name: string): Promise<Watch> {
    const watch = await this.store.read((tx) => tx.watches.get(DEFAULT_TENANT, `mbx_${name}`));
    if (watch === undefined) throw new Error(`no watch of ${name}`);
    return watch;
  }

  /** Moves time in small steps until it holds, at most so long. */
  async until(what: () => boolean | Promise<boolean>, ms = 60_000, step = 100): Promise<boolean> {
    for (let past = 0; past <= ms; past += step) {
      if (await what()) return true;
      await this.clock.advance(step);
      await settle(20);
    }
    return what();
  }

  /** Refuses works now and then, and breaks off after some that it has committed; a part of that is the process's end. */
  #failing(store: SqlStore, life: { dead: boolean }): SqlStore {
    const fault = (code: string): void => {
      if (life.dead) throw storeFault(code);
      if (this.random.number() >= this.storeFaults) return;
      life.dead = this.random.number() < 0.3;
      throw storeFault(code);
    };
    return {
      ...store,
      read: (work) => store.read(work),
      effect: (mark, work, options) => store.effect(mark, work, options),
      transact: async (work, options) => {
        fault('store-busy');
        const value = await store.transact(work, options);
        fault('store-lost');
        if (this.losesAnswers) throw storeFault('store-lost');
        return value;
      },
    };
  }

  #logger(): Logger {
    const note = (level: string) => (fields: LogFields, message: string) =>
      void this.said.push({ level, fields, message });
    const logger: Logger = {
      debug: note('debug'),
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
      child: () => logger,
    };
    return logger;
  }
}

const storeFault = (code: string): TripwatchError => new TripwatchError('transient', code, 'the store failed');

export interface WatchProcess {
  readonly watcher: Watcher;
  readonly sessions: MailboxSessions;
  /** Dead: it writes nothing any more. */
  readonly state: { readonly dead: boolean };
  /** Without handing anything over, as one that lost its leases. */
  stop(): Promise<void>;
}

/** Knows how many wait for it. */
class CountingClock extends ManualClock {
  sleeping = 0;

  override async sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.sleeping++;
    try {
      await super.sleep(ms, signal);
    } finally {
      this.sleeping--;
    }
  }
}

export function watchOf(mailbox: MailboxId, traveller: TravellerId, since: number, now: number): Watch {
  return {
    ...{ tenant: DEFAULT_TENANT, traveller, mailbox, kind: 'imap', settings: {}, sealedCredentials: undefined, since },
    ...{ liveCursor: undefined, backfillCursor: undefined, backfillDone: since >= now, backfillLeft: undefined },
    ...{ state: 'connecting', reasonCode: 'connecting', reason: 'Being tried.', stateAt: now, checkedAt: undefined },
    ...{ dueAt: undefined, seen: 0, subscription: undefined, renewAt: undefined, pushName: undefined },
    ...{ pushFault: undefined, needsSince: undefined, createdAt: now },
  };
}

/** A mail that is worth reading by its head, or one that is not. */
export function letter(name: string | number, kind: 'travel' | 'other' = 'travel', body = 'Hello.'): Uint8Array {
  const subject = kind === 'travel' ? `Your booking confirmation ${name}` : `Lunch on ${name}?`;
  const from = kind === 'travel' ? 'noreply@lufthansa.com' : 'friend@private.example';
  return Buffer.from(
    `From: <${from}>\r\nSubject: ${subject}\r\nDate: Mon, 01 Jun 2026 10:00:00 +0000\r\n` +
      `Message-ID: <${name}@test.example>\r\n\r\n${body}\r\n`,
  );
}

export { headBlock, leaseLost, settle };
