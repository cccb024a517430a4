import type { SqliteStore } from '../adapters/store/sqlite/store.ts';
import type { BlobStore } from '../ports/blobs.ts';
import type { Broker } from '../ports/broker.ts';
import type { Random } from '../ports/clock.ts';
import type { Extractor } from '../ports/extractor.ts';
import type { StageHandlers } from '../ports/handler.ts';
import type { Intake } from '../ports/intake.ts';
import type { Logger } from '../ports/logger.ts';
import type { ProviderConnector } from '../ports/provider.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Store } from '../ports/store.ts';
import type { WebhookPost } from '../ports/webhook.ts';
import type { DeadLetterHook } from '../runtime/attempt.ts';
import { createRuntime, type Runtime } from '../runtime/runtime.ts';
import { createCollectHandler } from '../stages/collect/handler.ts';
import { createExtractHandler, extractFailed } from '../stages/extract/handler.ts';
import { createFanOutHandler } from '../stages/fan-out/handler.ts';
import { createNotifyHandler } from '../stages/notify/handler.ts';
import { createSender, type Sender } from '../stages/notify/sender.ts';
import { createProjectHandler } from '../stages/project/handler.ts';
import { reconcileHandler } from '../stages/reconcile/handler.ts';
import { STAGES } from '../stages/stages.ts';
import { createTrackHandler } from '../stages/track/handler.ts';
import { createTracker, type Tracker } from '../stages/track/tracker.ts';
import { createIntake } from '../stages/watch/intake.ts';
import type { Life } from './life.ts';

/** What one process is made of: real parts, on ports of the simulation. */
export interface ProcessParts {
  readonly life: Life;
  readonly store: SqliteStore;
  readonly broker: Broker;
  readonly blobs: BlobStore;
  readonly extractor: Extractor;
  readonly connector: ProviderConnector;
  readonly post: Pick<WebhookPost, 'post'>;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Places where a test plants a bug, to see that the checkers catch it: each gets a real part and returns it, or one that
 * is wrong. The product knows nothing of them.
 */
export interface Planted {
  readonly store?: (store: SqliteStore, life: Life) => SqliteStore;
  readonly broker?: (broker: Broker, life: Life) => Broker;
  readonly handlers?: (handlers: StageHandlers, parts: ProcessParts) => StageHandlers;
  readonly connector?: (connector: ProviderConnector) => ProviderConnector;
  readonly post?: (post: Pick<WebhookPost, 'post'>) => Pick<WebhookPost, 'post'>;
  readonly intake?: (intake: Intake) => Intake;
  readonly deadLetterHooks?: Readonly<Record<string, DeadLetterHook>>;
}

/** One process at work: what `tripwatch up` runs, without sockets. Wired as in src/app/pipeline.ts and service.ts. */
export interface SimulatedProcess {
  readonly runtime: Runtime;
  readonly tracker: Tracker;
  readonly intake: Intake;
  start(): Promise<void>;
  /** In good order. */
  stop(): Promise<void>;
}

export const CALL_LIMITS = [
  { max: 2, perSeconds: 1 },
  { max: 30, perSeconds: 60 },
] as const;
export const FRESH_SECONDS = 300;
/** Drain, ms of real time. */
const DRAIN_MS = 10_000;

/** Seals nothing: secrets are not what is simulated. */
const openSecrets: Secrets = { seal: (plain) => plain, open: (sealed) => sealed };

export function openProcess(parts: ProcessParts, planted: Planted = {}): SimulatedProcess {
  const { life, random, logger } = parts;
  const { clock } = life;
  const store: Store = parts.store;
  const connector = planted.connector?.(parts.connector) ?? parts.connector;
  const post = planted.post?.(parts.post) ?? parts.post;
  const sender: Sender = createSender({ store, clock, random, post, secrets: openSecrets, logger });
  const account = { account: 'flights', connector, limits: CALL_LIMITS, freshSeconds: FRESH_SECONDS };
  const tracker = createTracker({ store, clock, random, logger, accounts: [account] });
  const handlers: StageHandlers = {
    collect: createCollectHandler(),
    extract: createExtractHandler({ blobs: parts.blobs, extractor: parts.extractor }),
    reconcile: reconcileHandler(),
    track: createTrackHandler({ tracker }),
    'fan-out': createFanOutHandler(),
    project: createProjectHandler(),
    notify: createNotifyHandler({ onDeliveries: () => sender.wake() }),
  };
  const runtime = createRuntime({
    store,
    broker: planted.broker?.(parts.broker, life) ?? parts.broker,
    clock,
    random,
    logger,
    stages: STAGES,
    handlers: planted.handlers?.(handlers, parts) ?? handlers,
    onDeadLetter: planted.deadLetterHooks ?? { collect: extractFailed, extract: extractFailed },
  });
  const intake = createIntake({ store, blobs: parts.blobs, clock, logger, overloaded: () => runtime.overloaded() });
  return {
    runtime,
    tracker,
    intake: planted.intake?.(intake) ?? intake,
    start: async () => {
      await runtime.start();
      sender.start();
      await tracker.start();
    },
    stop: async () => {
      await tracker.stop();
      await runtime.drain(DRAIN_MS);
      await sender.stop();
    },
  };
}
