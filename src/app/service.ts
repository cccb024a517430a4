import { fileURLToPath } from 'node:url';
import { createSmtpListener, type SmtpListener } from '../adapters/mailbox/smtp/listener.ts';
import { createApi } from '../api/api.ts';
import type { Config } from '../contracts/config.ts';
import type { StatusReport } from '../contracts/http/status.ts';
import { TripwatchError } from '../domain/errors.ts';
import { isoInstant } from '../ports/clock.ts';
import { STAGES } from '../stages/stages.ts';
import { createPushDesk } from '../stages/track/push.ts';
import { createIntake } from '../stages/watch/intake.ts';
import { createMailboxPushDesk } from '../stages/watch/push.ts';
import { readSecret } from './config.ts';
import type { Core } from './core.ts';
import { figuresOf } from './figures.ts';
import { openPipeline } from './pipeline.ts';
import { providerAccounts, providerStatus } from './providers.ts';
import { ROLES, type Role } from './roles.ts';
import { version } from './version.ts';
import { takePlace } from './worker.ts';

/** How long work may take to end when the service stops, real ms. */
const DRAIN_MS = 10_000;
const webRoot = fileURLToPath(new URL('../../web', import.meta.url));

/** Everything at work: mails in, stages, provider questions, webhooks, REST and page. */
export interface Service {
  readonly url: string;
  readonly smtpPort: number | undefined;
  status(): Promise<StatusReport>;
  /** Stops taking in, finishes what runs, stores cursors, closes. Idempotent. The core stays open. */
  stop(): Promise<void>;
}

/** Key and certificate of the mail listener, where configured. Errors: permanent `secret-missing`. */
function smtpTls({ tls }: Config['smtp']): { readonly tls?: { readonly key: string; readonly cert: string } } {
  if (tls === undefined) return {};
  return { tls: { key: readSecret(tls.key, process.env), cert: readSecret(tls.cert, process.env) } };
}

/**
 * Starts the service on an opened core, with the roles given. Errors: permanent `already-running` (on SQLite one process
 * works on an installation), `http-listen`, `smtp-listen`, `smtp-tls-invalid`, `secret-missing`.
 */
export async function startService(core: Core, roles: readonly Role[] = ROLES): Promise<Service> {
  const { store, clock, logger, config } = core;
  const startedAt = isoInstant(clock.now());
  const place = takePlace(core);
  if (place === undefined) {
    throw new TripwatchError(
      'permanent',
      'already-running',
      `Another Tripwatch process works on ${core.paths.folder}. Stop it first, or use another folder with --data.`,
    );
  }
  const pipeline = await openPipeline(core, { roles, parts: true, place }).catch((error: unknown) => {
    place.release();
    throw error;
  });
  const { runtime, overloaded } = pipeline;
  const pushed = roles.includes('api') ? providerAccounts(core) : [];
  const takePush = createPushDesk({ store, clock, logger, accounts: pushed, onWoken: pipeline.onWoken });
  const takeMailboxPush = roles.includes('api')
    ? createMailboxPushDesk({ ...(await core.mailboxes()), watcher: pipeline.watcher, logger })
    : undefined;
  let ready = false;

  const status = async (): Promise<StatusReport> => {
    const now = clock.now();
    const { stages } = await runtime.status();
    return {
      version,
      startedAt,
      now: isoInstant(now),
      clockSpeed: clock.speed,
      ready,
      ...(ready ? {} : { notReady: 'starting or stopping' }),
      stages: STAGES.map(({ name, reads }) => {
        const here = stages.find((stage) => stage.name === name);
        // What waits elsewhere is as of the last beat there.
        const elsewhere = runtime.work.workers
          .filter((worker) => worker.id !== place.worker.id)
          .reduce((sum, worker) => sum + (worker.load[name] ?? 0), 0);
        return {
          name,
          reads,
          waiting: (here?.waiting ?? 0) + elsewhere,
          parked: here?.parked ?? 0,
          ...(here?.oldestAt === undefined ? {} : { oldestAgeSeconds: Math.max(0, (now - here.oldestAt) / 1000) }),
        };
      }),
      providers: providerStatus(pipeline.trackers()),
    };
  };

  const api = createApi({
    ...core.commands,
    overloaded,
    logger,
    status,
    push: takePush,
    ...(takeMailboxPush === undefined ? {} : { pushMailbox: takeMailboxPush }),
    webRoot,
    consumers: STAGES.map(({ name, reads }) => ({ name, reads })),
    onDeliveries: pipeline.onDeliveries,
    onMailboxes: (refs) => void pipeline.watcher.wake(refs).catch(() => undefined),
    // A second later every process knows anyway.
    onPauses: () => void pipeline.pauses.look().catch(() => undefined),
    figures: () => figuresOf(pipeline, clock.now()),
    only: roles.includes('api') ? undefined : 'health',
  });
  const forgetAppended = store.onAppended((appended) => {
    if (appended.has('itinerary.updated') || appended.has('mailbox.changed')) api.wake();
  });
  const intake = createIntake({ store, blobs: core.blobs, clock, logger, overloaded });
  let smtp: SmtpListener | undefined;

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      ready = false;
      await smtp?.close();
      await api.close();
      await pipeline.stop(DRAIN_MS);
      forgetAppended();
    })();
    return stopping;
  };

  try {
    if (config.smtp.enabled && roles.includes('watch')) {
      smtp = createSmtpListener({
        config: config.smtp,
        ...smtpTls(config.smtp),
        accept: (mail) => intake.accept(mail),
        findMailbox: (hash) => store.read((tx) => tx.accounts.findMailboxByAddress(hash)),
        clock,
        logger,
        overloaded,
      });
    }
    await pipeline.start();
    const { url } = await api.listen();
    const smtpPort = (await smtp?.listen())?.port;
    ready = true;
    return { url, smtpPort, status, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
