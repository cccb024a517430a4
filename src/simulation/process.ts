import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { TOPICS, type Topic } from '../contracts/topics.ts';
import { CONSERVATION_MS } from '../domain/limits.ts';
import { readHead } from '../domain/mail/head.ts';
import type { CallLimit } from '../domain/schedule/call-budget.ts';
import type { Authenticity } from '../ports/authenticity.ts';
import type { BlobStore } from '../ports/blobs.ts';
import type { Broker } from '../ports/broker.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Extractor } from '../ports/extractor.ts';
import type { StageHandlers } from '../ports/handler.ts';
import type { Intake } from '../ports/intake.ts';
import type { Logger } from '../ports/logger.ts';
import type { MailFetcher } from '../ports/mail-fetcher.ts';
import type { MailboxAccount, MailboxConnector } from '../ports/mailbox.ts';
import type { ProviderConnector } from '../ports/provider.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Lease } from '../ports/store/leases.ts';
import type { Watch } from '../ports/store/watches.ts';
import type { Store } from '../ports/store.ts';
import type { WebhookPost } from '../ports/webhook.ts';
import type { DeadLetterHook } from '../runtime/attempt.ts';
import { Conservation } from '../runtime/conservation.ts';
import { type HeldParts, heldParts, type Part } from '../runtime/held.ts';
import type { WorkGroup } from '../runtime/keeper.ts';
import { createOldEvents } from '../runtime/old-events.ts';
import { createRuntime, type Runtime } from '../runtime/runtime.ts';
import { createCollectHandler } from '../stages/collect/handler.ts';
import { createExtractHandler, extractFailed } from '../stages/extract/handler.ts';
import { createFanOutHandler } from '../stages/fan-out/handler.ts';
import { createNotifyHandler } from '../stages/notify/handler.ts';
import { createSender, type Sender } from '../stages/notify/sender.ts';
import { type Alerter, createAlerter } from '../stages/project/alerter.ts';
import { createProjectHandler } from '../stages/project/handler.ts';
import { reconcileFailed, reconcileHandler } from '../stages/reconcile/handler.ts';
import { STAGES } from '../stages/stages.ts';
import { createTrackHandler } from '../stages/track/handler.ts';
import { createPushDesk, type PushDesk } from '../stages/track/push.ts';
import { createTracker, type Tracker } from '../stages/track/tracker.ts';
import { createMailFetcher } from '../stages/watch/fetcher.ts';
import { createIntake } from '../stages/watch/intake.ts';
import { createMailboxPushDesk, type MailboxPushDesk } from '../stages/watch/push.ts';
import { MailboxSessions } from '../stages/watch/sessions.ts';
import { createWatcher, type Watcher } from '../stages/watch/watcher.ts';
import type { Life } from './life.ts';
import { BEAT_MS, LEASE_MS } from './plan.ts';

/** All mails are brought here. */
const NO_MAILBOXES: MailFetcher = { fetch: async () => ({ kind: 'vanished' }) };
const MAIL_BYTES_MAX = 25 * 1024 * 1024;

/** What one process is made of: real parts, on ports of the simulation. */
export interface ProcessParts {
  readonly life: Life;
  readonly store: SqlStore;
  readonly broker: Broker;
  readonly blobs: BlobStore;
  readonly extractor: Extractor;
  readonly connector: ProviderConnector;
  readonly post: Pick<WebhookPost, 'post'>;
  readonly random: Random;
  readonly logger: Logger;
  readonly freshSeconds: number;
  /** How long events are kept, ms; undefined: for ever. */
  readonly keepMs: number | undefined;
  /** The books have found what was neither done nor in anybody's care. */
  readonly onLost: (what: string) => void;
  /** To the mail server; undefined: no mailbox is connected in this run. */
  readonly mailboxes: MailboxConnector | undefined;
}

/**
 * Places where a test plants a bug, to see that the checkers catch it: each gets a real part and returns it, or one that
 * is wrong. The product knows nothing of them.
 */
export interface Planted {
  /** Around the store as the process sees it, faults and all. */
  readonly store?: (store: SqlStore, life: Life) => SqlStore;
  /** Around the store itself, behind what the run records of each transaction. */
  readonly database?: (store: SqlStore, life: Life) => SqlStore;
  /** Around the clock that the store goes by. */
  readonly storeClock?: (clock: Clock, life: Life) => Clock;
  /** What a disk holds is only what it held so many ms before the power went. */
  readonly syncEveryMs?: number;
  readonly blobs?: { readonly sync: boolean };
  readonly broker?: (broker: Broker, life: Life) => Broker;
  readonly handlers?: (handlers: StageHandlers, parts: ProcessParts) => StageHandlers;
  readonly connector?: (connector: ProviderConnector) => ProviderConnector;
  readonly post?: (post: Pick<WebhookPost, 'post'>) => Pick<WebhookPost, 'post'>;
  readonly intake?: (intake: Intake) => Intake;
  readonly mailboxes?: (connector: MailboxConnector, life: Life) => MailboxConnector;
  /** Around where providers call; `wake` asks about specs at once, if this process is the one that asks. */
  readonly pushDesk?: (desk: PushDesk, wake: (specIds: readonly string[]) => void) => PushDesk;
  readonly deadLetterHooks?: Readonly<Record<string, DeadLetterHook>>;
  /** What is shared out besides the stages. */
  readonly groups?: (groups: readonly WorkGroup[], life: Life) => readonly WorkGroup[];
  readonly callLimits?: readonly CallLimit[];
}

/** One process at work: what `tripwatch up` runs, without sockets. Wired as in src/app/pipeline.ts and service.ts. */
export interface SimulatedProcess {
  readonly runtime: Runtime;
  readonly intake: Intake;
  /** Undefined where no mailbox is connected. */
  readonly watcher: Pick<Watcher, 'wake'> | undefined;
  /** Where mail providers call us. Undefined as above. */
  readonly pushes: MailboxPushDesk | undefined;
  /** Where travel providers call us. */
  readonly providerPushes: PushDesk;
  start(): Promise<void>;
  /** In good order. */
  stop(): Promise<void>;
}

export const CALL_LIMITS = [
  { max: 2, perSeconds: 1 },
  { max: 30, perSeconds: 60 },
] as const;
const DAY_MS = 86_400_000;
/** Between two looks into the books. */
const LOOK_MS = 3_600_000;
/** Drain, ms of real time. */
const DRAIN_MS = 10_000;

/** The one account at the provider. */
export const ACCOUNT = 'flights';

/** Every mail is proven to come from the domain it names: forgeries are not what is simulated. */
const ALL_PROVEN: Authenticity = {
  check: async ({ bytes }) => {
    const { fromAddress } = readHead(bytes);
    const sender = fromAddress.slice(fromAddress.lastIndexOf('@') + 1);
    const by = ['dkim'] as const;
    return {
      verdict: { level: 'authentic', sender, registered: false, by, flags: [], sentence: 'Proven.' },
      transient: false,
    };
  },
  close: async () => undefined,
};

/** Seals nothing: secrets are not what is simulated. */
const openSecrets: Secrets = { keyId: 'none', seal: (plain) => plain, open: (sealed) => sealed };

export function openProcess(parts: ProcessParts, planted: Planted = {}): SimulatedProcess {
  const { life, random, logger } = parts;
  const { clock } = life;
  const store: Store = parts.store;
  const connector = planted.connector?.(parts.connector) ?? parts.connector;
  const post = planted.post?.(parts.post) ?? parts.post;
  const account = {
    account: ACCOUNT,
    connector,
    limits: planted.callLimits ?? CALL_LIMITS,
    freshSeconds: parts.freshSeconds,
  };
  const trackers: HeldParts<Tracker> = heldParts('account', [`account/${ACCOUNT}`], store, (_, fenced, isOurs) =>
    createTracker({ store: fenced, isOurs, clock, random, logger, accounts: [account], shared: true }),
  );
  const sender: HeldParts<Sender> = heldParts('sender', ['sender'], store, (_, fenced) =>
    createSender({ store: fenced, clock, random, post, secrets: openSecrets, logger }),
  );
  const alerters: HeldParts<Alerter> = heldParts('alerts', ['alerts'], store, (_, fenced) =>
    createAlerter({ store: fenced, clock, logger, vendorOf: (one) => one, accounts: [ACCOUNT] }),
  );
  const tracker: Pick<Tracker, 'accounts' | 'refresh' | 'wake'> = {
    accounts: [account],
    refresh: (subjects) => {
      for (const one of trackers.here.values()) one.refresh(subjects);
    },
    wake: (name, specIds, why) => trackers.here.get(`account/${name}`)?.wake(name, specIds, why) ?? 0,
  };
  const pushDesk = createPushDesk({
    ...{ store, clock, logger, accounts: [account] },
    onWoken: (ids) => {
      for (const one of trackers.here.values())
        one
          .look(ids)
          .catch((error: unknown) => logger.warn({ error: String(error) }, 'who was woken could not be read'));
    },
  });
  const wakeHere = (ids: readonly string[]): void => void tracker.wake(ACCOUNT, ids, 'push');
  const mailboxes =
    parts.mailboxes && openMailboxes(parts, planted.mailboxes?.(parts.mailboxes, life) ?? parts.mailboxes);
  const handlers: StageHandlers = {
    collect: createCollectHandler({
      store,
      blobs: parts.blobs,
      fetcher: mailboxes?.fetcher ?? NO_MAILBOXES,
      bytesMax: MAIL_BYTES_MAX,
      authenticity: ALL_PROVEN,
    }),
    extract: createExtractHandler({ blobs: parts.blobs, extractor: parts.extractor }),
    reconcile: reconcileHandler(),
    track: createTrackHandler({ tracker }),
    'fan-out': createFanOutHandler(),
    project: createProjectHandler(),
    notify: createNotifyHandler({ onDeliveries: () => sender.here.get('sender')?.wake() }),
  };
  const { keepMs } = parts;
  const retention = heldParts<Part>('retention', ['old-events'], store, (_, fenced) =>
    createOldEvents({
      ...{ store: fenced, clock, logger, stages: STAGES, shards: parts.store.shards },
      topics: Object.keys(TOPICS) as Topic[],
      keepDays: (keepMs ?? 0) / DAY_MS,
    }),
  );
  const held: readonly HeldParts<Part>[] = [
    ...(keepMs === undefined ? [] : [retention]),
    ...(mailboxes === undefined ? [] : [mailboxes.parts]),
    trackers,
    alerters,
    sender,
  ];
  const groups: readonly WorkGroup[] = held.map(({ group }) => group);
  const runtime = createRuntime({
    store,
    broker: planted.broker?.(parts.broker, life) ?? parts.broker,
    clock,
    random,
    logger,
    stages: STAGES,
    handlers: planted.handlers?.(handlers, parts) ?? handlers,
    onDeadLetter: planted.deadLetterHooks ?? {
      ...{ collect: extractFailed, extract: extractFailed, reconcile: reconcileFailed },
    },
    worker: { id: life.worker, label: `life ${life.number}`, alone: false, beatMs: BEAT_MS, leaseMs: LEASE_MS },
    groups: planted.groups?.(groups, life) ?? groups,
  });
  const books = keepMs === undefined ? undefined : openBooks(parts, () => runtime.work.held);
  const intake = createIntake({ store, blobs: parts.blobs, clock, logger, overloaded: () => runtime.overloaded() });
  return {
    runtime,
    intake: planted.intake?.(intake) ?? intake,
    watcher: mailboxes?.watcher,
    pushes: mailboxes?.pushes,
    providerPushes: planted.pushDesk?.(pushDesk, wakeHere) ?? pushDesk,
    start: async () => {
      await runtime.start();
      books?.start();
    },
    stop: async () => {
      await books?.stop();
      // These write until they have ended, so they end while their leases are held.
      for (const { group } of held)
        await Promise.all(group.resources.map((resource) => group.leave(resource, 'hand-over')));
      await runtime.drain(DRAIN_MS);
      await mailboxes?.watcher.stop();
    },
  };
}

/** Looks every hour of the day, however fast that is: in real time, as it does, most days would be over before it. */
function openBooks({ life, store, logger, onLost }: ProcessParts, held: () => readonly Lease[]): Conservation {
  const { clock } = life;
  const hourly: Clock = {
    speed: LOOK_MS / CONSERVATION_MS,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
  const listening: Logger = {
    ...logger,
    error: (fields, message) => {
      if ('lost' in fields) onLost(`${message} ${JSON.stringify(fields)}`);
      logger.error(fields, message);
    },
  };
  return new Conservation({
    ...{ store, clock: hourly, logger: listening, consumers: STAGES, shards: store.shards, held },
  });
}

/** As in src/app/mailboxes.ts; what an account signs in with is read when it is asked for. */
function openMailboxes({ life, store, random, logger }: ProcessParts, connector: MailboxConnector) {
  const { clock } = life;
  const access = {
    connector: () => connector,
    account: ({ tenant, mailbox, settings }: Watch): MailboxAccount => ({
      ...{ tenant, mailbox, settings },
      credentials: async () => {
        const watch = await store.read((tx) => tx.watches.get(tenant, mailbox));
        return { kind: 'password', user: mailbox, password: watch?.sealedCredentials ?? '' };
      },
    }),
  };
  const sessions = new MailboxSessions({ access, store, clock, logger });
  const watcher = createWatcher({ store, clock, random, logger, sessions });
  const shards = Array.from({ length: store.shards }, (_, shard) => `mailbox/${shard}`);
  return {
    watcher,
    pushes: createMailboxPushDesk({ connectors: [connector], watcher, logger }),
    fetcher: createMailFetcher(sessions),
    parts: heldParts('mailbox', shards, store, (resource, fenced) => watcher.shard(resource, fenced)),
  };
}
