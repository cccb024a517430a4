import { fileURLToPath } from 'node:url';
import { createSmtpListener, type SmtpListener } from '../adapters/mailbox/smtp/listener.ts';
import { createApi } from '../api/api.ts';
import type { Config } from '../contracts/config.ts';
import type { StatusReport } from '../contracts/http/status.ts';
import { TripwatchError } from '../domain/errors.ts';
import { isoInstant } from '../ports/clock.ts';
import { createSender } from '../stages/notify/sender.ts';
import { STAGES } from '../stages/stages.ts';
import { createIntake } from '../stages/watch/intake.ts';
import { readSecret } from './config.ts';
import type { Core } from './core.ts';
import { openPipeline } from './pipeline.ts';
import { providerStatus } from './providers.ts';
import { version } from './version.ts';

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
 * Starts the service on an opened core. Errors: permanent `already-running` (one process works on an installation),
 * `http-listen`, `smtp-listen`, `smtp-tls-invalid`, `secret-missing`.
 */
export async function startService(core: Core): Promise<Service> {
  const { store, clock, random, logger, secrets, config } = core;
  const startedAt = isoInstant(clock.now());
  const sender = createSender({ store, clock, random, post: core.webhooks, secrets, logger });
  const pipeline = openPipeline(core, () => sender.wake());
  if (pipeline === undefined) {
    throw new TripwatchError(
      'permanent',
      'already-running',
      `Another Tripwatch process works on ${core.paths.folder}. Stop it first, or use another folder with --data.`,
    );
  }
  const { runtime, tracker, overloaded } = pipeline;
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
      stages: stages.map((stage) => ({
        name: stage.name,
        reads: STAGES.find((one) => one.name === stage.name)?.reads ?? '',
        waiting: stage.waiting,
        parked: stage.parked,
        ...(stage.oldestAt === undefined ? {} : { oldestAgeSeconds: Math.max(0, (now - stage.oldestAt) / 1000) }),
      })),
      providers: providerStatus(tracker),
    };
  };

  const api = createApi({
    ...core.commands,
    logger,
    status,
    push: (account, request) => tracker.receivePush(account, request),
    webRoot,
    consumers: STAGES.map(({ name, reads }) => ({ name, reads })),
    onDeliveries: () => sender.wake(),
  });
  const forgetAppended = store.onAppended((topics) => {
    if (topics.has('itinerary.updated')) api.wake();
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
      await sender.stop();
      forgetAppended();
    })();
    return stopping;
  };

  try {
    if (config.smtp.enabled) {
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
    await tracker.start();
    sender.start();
    const { url } = await api.listen();
    const smtpPort = (await smtp?.listen())?.port;
    ready = true;
    return { url, smtpPort, status, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
