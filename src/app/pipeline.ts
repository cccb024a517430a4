import { createAuthenticity } from '../adapters/authenticity/check.ts';
import type { NatsCarrier } from '../adapters/broker/nats/carrier.ts';
import { SqlBroker } from '../adapters/broker/sql/broker.ts';
import { createExtractPool } from '../adapters/extractor/threads/pool.ts';
import { TOPICS, type Topic } from '../contracts/topics.ts';
import type { SubjectId } from '../domain/ids.ts';
import { LEASE_MS } from '../domain/limits.ts';
import { Conservation } from '../runtime/conservation.ts';
import { type HeldParts, heldParts, type Part } from '../runtime/held.ts';
import type { WorkGroup } from '../runtime/keeper.ts';
import { createOldEvents } from '../runtime/old-events.ts';
import { Pauses } from '../runtime/pauses.ts';
import { createRetention } from '../runtime/retention.ts';
import { createRuntime, type Runtime } from '../runtime/runtime.ts';
import { createSender, type Sender } from '../stages/notify/sender.ts';
import { createAlerter } from '../stages/project/alerter.ts';
import { STAGES } from '../stages/stages.ts';
import { subjectIdOf } from '../stages/track/subject.ts';
import { createTracker, type Tracker } from '../stages/track/tracker.ts';
import type { Watcher } from '../stages/watch/watcher.ts';
import { readSecret } from './config.ts';
import type { Core } from './core.ts';
import { createHandlers, deadLetterHooks } from './handlers.ts';
import { openMailboxes } from './mailboxes.ts';
import { providerAccount, providerAccounts } from './providers.ts';
import type { Role } from './roles.ts';
import { vendorsOf } from './vendors.ts';
import { type Place, takePlace } from './worker.ts';

/** The stages of the table that this process runs, and what belongs to them: asking providers, sending webhooks. */
export interface Pipeline {
  readonly runtime: Runtime;
  /** What operators have paused. */
  readonly pauses: Pick<Pauses, 'look'>;
  /** The check that everything is accounted for. */
  readonly conservation: Pick<Conservation, 'last'>;
  /** How far NATS is behind the log, whichever process publishes; undefined without NATS. */
  readonly relayLag: NatsCarrier['relayLag'] | undefined;
  /** The trackers at work here, by account. */
  readonly trackers: () => readonly Tracker[];
  /** These subjects were woken in the store: whoever asks about them here does so now. */
  onWoken(ids: readonly SubjectId[]): void;
  /** The watcher of connected mailboxes: "check now", pushed hints. */
  readonly watcher: Pick<Watcher, 'wake' | 'pushed' | 'status'>;
  /** Deliveries may be due. */
  readonly onDeliveries: () => void;
  /** As `runtime.overloaded`, at once: refreshed by each call. */
  overloaded(): boolean;
  /** Takes a share of the work and begins. */
  start(): Promise<void>;
  /** Finishes what runs (at most `timeoutMs`, real), stores cursors, gives the work back. */
  stop(timeoutMs: number): Promise<void>;
}

export interface PipelineOptions {
  readonly roles: readonly Role[];
  /** Ask providers and send webhooks too; a command that only works off the queues does neither. */
  readonly parts: boolean;
  readonly place: Place;
}

export async function openPipeline(core: Core, { roles, parts, place }: PipelineOptions): Promise<Pipeline> {
  const { store, clock, random, logger, config } = core;
  let full = false;
  const overloaded = (): boolean => {
    void runtime.overloaded().then((value) => {
      full = value;
    });
    return full;
  };
  // Only who follows reservations needs to know the providers, and their keys.
  const accounts = roles.includes('track') ? providerAccounts(core) : [];
  const pauses = new Pauses({ store, clock, logger });
  const stages = STAGES.filter((stage) => roles.includes(stage.name));
  const mailboxes = openMailboxes({ core, ...(await core.mailboxes()), pauses, overloaded });
  const trackers: HeldParts<Tracker> = heldParts(
    'account',
    accounts.map(({ account }) => `account/${account}`),
    store,
    (resource, fenced, isOurs) =>
      createTracker({
        store: fenced,
        isOurs,
        clock,
        random,
        logger,
        // A connector of its own: it is closed with the tracker.
        accounts: [providerAccount(core, resource.slice('account/'.length))],
        shared: core.shared,
        paused: pauses,
        askElsewhere,
      }),
  );
  const sender: HeldParts<Sender> = heldParts('sender', ['sender'], store, (_, fenced) =>
    createSender({ store: fenced, clock, random, post: core.webhooks, secrets: core.secrets, logger }),
  );
  const retention = heldParts<Part>('retention', ['retention', 'old-events'], store, (resource, fenced) =>
    resource === 'old-events'
      ? createOldEvents({
          ...{ store: fenced, clock, logger, stages: STAGES, shards: store.shards },
          topics: Object.keys(TOPICS) as Topic[],
          keepDays: config.events.keepDays,
        })
      : createRetention({ store: fenced, blobs: core.blobs, clock, logger, keepDays: config.mails.keepDays }),
  );
  const alerters = heldParts('alerts', ['alerts'], store, (_, fenced) =>
    createAlerter({
      store: fenced,
      clock,
      logger,
      vendorOf: vendorsOf(core),
      accounts: config.providers.map(({ account }) => account),
    }),
  );
  const onDeliveries = (): void => sender.here.get('sender')?.wake();
  const onWoken = (ids: readonly SubjectId[]): void => {
    for (const tracker of trackers.here.values())
      tracker
        .look(ids)
        .catch((error: unknown) => logger.debug({ error: String(error) }, 'woken subjects wait a while'));
  };
  /** Asks another account about these now, whoever asks it. */
  function askElsewhere(account: string, specIds: readonly string[]): void {
    const ids = specIds.map((id) => subjectIdOf(account, id));
    store
      .transact((tx) => tx.subjects.wake(ids, 'doubt'))
      .then(() => onWoken(ids))
      .catch((error: unknown) => logger.warn({ error: String(error) }, 'subjects could not be woken'));
  }
  const carrier = await openCarrier(core);
  const pool = createExtractPool(config.workers === undefined ? {} : { size: config.workers });
  const groups: WorkGroup[] = [];
  if (parts && roles.includes('watch')) groups.push(mailboxes.parts.group);
  if (parts && roles.includes('watch')) groups.push(retention.group);
  if (parts && roles.includes('track')) groups.push(trackers.group);
  if (parts && roles.includes('project')) groups.push(alerters.group);
  if (parts && roles.includes('notify')) groups.push(sender.group);
  if (carrier !== undefined && stages.length > 0) groups.push(relayGroup(carrier));
  const runtime = createRuntime({
    store,
    broker: new SqlBroker({ store, clock, logger, feed: carrier?.feed }),
    clock,
    random,
    logger,
    stages,
    handlers: createHandlers({
      core,
      fetcher: mailboxes.fetcher,
      authenticity: createAuthenticity({
        dns: { fixed: config.mails.trustedKeys },
        sealers: config.mails.forwarders,
      }),
      extractor: pool,
      tracker: {
        accounts,
        refresh: (subjects) => {
          for (const tracker of trackers.here.values()) tracker.refresh(subjects);
        },
        wake: (account, specIds) => trackers.here.get(`account/${account}`)?.wake(account, specIds) ?? 0,
      },
      onDeliveries,
    }),
    onDeadLetter: deadLetterHooks,
    worker: place.worker,
    groups,
    paused: pauses,
  });
  const names = config.providers.map(({ account }) => account);
  const conservation = new Conservation({
    ...{ store, clock, logger, consumers: STAGES, shards: store.shards, paused: pauses },
    held: () => runtime.work.held,
    // A process that was not told of any provider cannot miss one.
    ...(names.length === 0 ? {} : { accounts: names }),
  });
  return {
    runtime,
    pauses,
    conservation,
    relayLag: carrier?.relayLag,
    trackers: () => [...trackers.here.values()],
    onWoken,
    onDeliveries,
    overloaded,
    watcher: mailboxes.watcher,
    start: async () => {
      await pauses.start();
      // Before any change is published: this store may be an older one than it was.
      if (roles.includes('project'))
        await store.transact((tx) => tx.itineraries.beginEpoch(crypto.randomUUID().slice(0, 8), clock.now()));
      await runtime.start();
      if (parts) conservation.start();
    },
    stop: async (timeoutMs) => {
      // These write until they have ended, so they end while their leases are held.
      await conservation.stop();
      for (const { group } of [mailboxes.parts, trackers, alerters, sender, retention])
        await Promise.all(group.resources.map((resource) => group.leave(resource, 'hand-over')));
      await runtime.drain(timeoutMs);
      await mailboxes.stop();
      await pauses.stop();
      await carrier?.close();
      await Promise.all(accounts.map(({ connector }) => connector.close?.()));
      await pool.close();
      place.release();
    },
  };
}

/** NATS, where it is configured. Loaded only then. */
async function openCarrier(core: Core): Promise<NatsCarrier | undefined> {
  const { store, clock, logger, config } = core;
  if (config.broker.url === undefined) return undefined;
  const { openNatsCarrier } = await import('../adapters/broker/nats/carrier.ts');
  return openNatsCarrier({
    urls: readSecret(config.broker.url, process.env)
      .split(',')
      .map((url) => url.trim()),
    store,
    clock,
    logger,
    replicas: config.broker.replicas,
    keepMs: Math.round(config.broker.keepDays * 86_400_000),
    syncsAlways: config.broker.syncsAlways,
  });
}

function relayGroup(carrier: NatsCarrier): WorkGroup {
  const numberOf = (resource: string): number => Number(resource.slice('relay/'.length));
  return {
    name: 'relay',
    resources: Array.from({ length: carrier.relays }, (_, relay) => `relay/${relay}`),
    take: async (resource, lease) => carrier.take(numberOf(resource), lease),
    leave: (resource, how) => carrier.leave(numberOf(resource), how),
  };
}

/**
 * Works off what a command has appended: where nobody works on this installation, this process runs the stages until
 * nothing waits; otherwise those do it.
 */
export async function settle(core: Core, signal: AbortSignal): Promise<void> {
  if (core.shared && (await someoneWorks(core))) return;
  const place = takePlace(core, 'helper');
  if (place === undefined) return;
  const pipeline = await openPipeline(core, { roles: STAGES.map((stage) => stage.name), parts: false, place });
  await pipeline.start();
  try {
    await pipeline.runtime.idle({ parked: 'ignore', signal });
  } finally {
    await pipeline.stop(5000);
  }
}

/** Whether another process is at work on a shared store. */
export async function someoneWorks(core: Core): Promise<boolean> {
  const { workers } = await core.store.read((tx) => tx.leases.survey());
  return workers.some((worker) => worker.seenAgoMs <= LEASE_MS && worker.groups.length > 0);
}
