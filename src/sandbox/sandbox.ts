import { type OpenOptions, openFolder, type SandboxFolder } from './folder.ts';
import { listen } from './listener.ts';
import { SANDBOX_MAIL_KEYS } from './mail/sign.ts';
import {
  enrol,
  type PlayContext,
  playMails,
  playNotices,
  playPushes,
  playRegistrations,
  tellHappenings,
} from './player.ts';
import { aeroDataBox } from './providers/aerodatabox.ts';
import { duffel } from './providers/duffel.ts';
import { type WebhookDesk, webhookDesk } from './providers/duffel-webhooks.ts';
import { type CallSummary, startFake, summary } from './providers/fake.ts';
import type { NoticeDesk } from './providers/notices.ts';
import { MINUTE } from './scenario/types.ts';
import { type ServiceAddress, serviceClient } from './service-client.ts';
import { startSink } from './sink.ts';
import { type Verdict, verify } from './verify.ts';
import { line } from './words.ts';

/**
 * The sandbox as a library, in the order of its use: `startSandboxProviders`, then Tripwatch with the accounts it
 * answers and the same clock, then `playSandbox`, then `verifySandbox`. All three go on where they stopped when they are
 * started again on the same folder.
 */

/** Credentials that the fakes accept. */
export const SANDBOX_KEYS = {
  aerodatabox: 'sandbox-aerodatabox-key',
  duffel: 'sandbox-duffel-token',
  duffelWebhook: 'sandbox-webhook-secret',
} as const;

/** Variables that carry them to Tripwatch: its config holds references only. */
export const SANDBOX_ENV = {
  TRIPWATCH_SANDBOX_AERODATABOX_KEY: SANDBOX_KEYS.aerodatabox,
  TRIPWATCH_SANDBOX_DUFFEL_TOKEN: SANDBOX_KEYS.duffel,
  TRIPWATCH_SANDBOX_DUFFEL_WEBHOOK_SECRET: SANDBOX_KEYS.duffelWebhook,
} as const;

export interface ProviderOptions extends OpenOptions {
  /** Where Duffel's webhooks go: `<service>/push/duffel`. Absent: nothing is pushed. */
  readonly pushUrl?: string;
  /** Calls a sandbox minute before a fake answers 429; far above what a day needs. */
  readonly callsPerMinuteMax?: number;
}

export interface SandboxProviders {
  readonly folder: SandboxFolder;
  readonly urls: { readonly aerodatabox: string; readonly duffel: string };
  /** `providers` of Tripwatch's config; needs SANDBOX_ENV in its environment. */
  readonly accounts: readonly ProviderAccountInput[];
  /** `mails` of Tripwatch's config: the key that the invented senders sign with. */
  readonly mailsConfig: { readonly trustedKeys: { readonly name: string; readonly text: string }[] };
  /** `clock` of Tripwatch's config. */
  readonly clockConfig: { readonly speed: number; readonly startAt: string; readonly anchor: number };
  readonly desk: WebhookDesk;
  readonly calls: () => { readonly aerodatabox: CallSummary; readonly duffel: CallSummary };
  stop(): Promise<void>;
}

export interface ProviderAccountInput {
  readonly account: string;
  readonly connector: 'aerodatabox' | 'duffel';
  readonly url: string;
  readonly key: string;
  readonly webhookSecret?: string;
  readonly calls: { readonly max: number; readonly perSeconds: number }[];
  readonly freshSeconds: number;
}

/** How old an answer may get, seconds: the design's five minutes. */
export const FRESH_SECONDS = 300;

/** Starts the fakes on loopback; they answer at once, by the sandbox clock. */
export async function startSandboxProviders(options: ProviderOptions): Promise<SandboxProviders> {
  const folder = openFolder(options);
  const { scenario, clock } = folder;
  const callsPerMinuteMax = options.callsPerMinuteMax ?? Math.max(120, scenario.flights.length * 2);
  const calls = folder.open('calls');
  const pushes = folder.open('pushes');
  const desk = webhookDesk({
    scenario,
    clock,
    ...(options.pushUrl === undefined
      ? {}
      : { standing: { url: options.pushUrl, secret: SANDBOX_KEYS.duffelWebhook } }),
    onPush: (record) => pushes.add(record),
  });
  const { ports } = folder.meta();
  const common = { scenario, clock, callsPerMinuteMax, onCall: calls.add };
  const earlier = (name: string) => calls.entries.filter((call) => call.provider === name);
  const status = await startFake(aeroDataBox(scenario, SANDBOX_KEYS.aerodatabox), {
    ...common,
    port: ports.aerodatabox,
    earlier: earlier('aerodatabox'),
  });
  const booking = await startFake(duffel(scenario, SANDBOX_KEYS.duffel, desk), {
    ...common,
    port: ports.duffel,
    earlier: earlier('duffel'),
  });
  folder.update({ ports: { ...ports, aerodatabox: status.port, duffel: booking.port }, stoppedAt: null });
  const { speed, anchor, day } = folder.meta();
  const limits = { calls: [{ max: callsPerMinuteMax, perSeconds: 60 }], freshSeconds: FRESH_SECONDS };
  return {
    folder,
    desk,
    urls: { aerodatabox: status.url, duffel: booking.url },
    accounts: [
      {
        account: 'aerodatabox',
        connector: 'aerodatabox',
        url: status.url,
        key: 'env:TRIPWATCH_SANDBOX_AERODATABOX_KEY',
        ...limits,
      },
      {
        account: 'duffel',
        connector: 'duffel',
        url: booking.url,
        key: 'env:TRIPWATCH_SANDBOX_DUFFEL_TOKEN',
        webhookSecret: 'env:TRIPWATCH_SANDBOX_DUFFEL_WEBHOOK_SECRET',
        ...limits,
      },
    ],
    mailsConfig: { trustedKeys: [...SANDBOX_MAIL_KEYS] },
    clockConfig: { speed, anchor, startAt: Temporal.Instant.fromEpochMilliseconds(day.startAt).toString() },
    calls: () => ({ aerodatabox: summary(status.calls()), duffel: summary(booking.calls()) }),
    stop: async () => {
      folder.update({ stoppedAt: clock.now() });
      await Promise.all([status.close(), booking.close()]);
      calls.close();
      pushes.close();
    },
  };
}

export interface TripwatchAddress extends ServiceAddress {
  readonly smtp: { readonly host: string; readonly port: number };
}

export interface PlayOptions {
  readonly providers: SandboxProviders;
  /** Token with all scopes for the whole tenant. */
  readonly tripwatch: TripwatchAddress;
  /** Of the further vendors (vendors.ts). Default: none post. */
  readonly notices?: readonly NoticeDesk[];
  /** One line of the live log. */
  readonly tell?: (text: string) => void;
  /** Sandbox time to go on after the day's end, so that the last changes can still be told. */
  readonly settleMs?: number;
  readonly signal: AbortSignal;
}

/** A day this small is told mail by mail. */
const TOLD_TRAVELLERS_MAX = 40;

/** Plays the day to its end; resolves early, without an error, when the signal aborts. */
export async function playSandbox(options: PlayOptions): Promise<void> {
  const { providers, tripwatch, signal } = options;
  const { folder } = providers;
  const tell = options.tell ?? ((): void => undefined);
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const service = serviceClient(tripwatch);
  const sinkJournal = folder.open('sink');
  const said = folder.open('said');
  const sink = await startSink({
    clock: folder.clock,
    port: folder.meta().ports.sink,
    secret: () => folder.meta().endpoint?.secret,
    onEntry: sinkJournal.add,
  });
  folder.update({ ports: { ...folder.meta().ports, sink: sink.port } });
  const context: PlayContext = {
    folder,
    service,
    smtp: tripwatch.smtp,
    desk: providers.desk,
    notices: options.notices ?? [],
    tell,
    tellMails: folder.scenario.people.length <= TOLD_TRAVELLERS_MAX,
    signal: either,
  };
  let listening: Promise<void> | undefined;
  try {
    if (folder.meta().endpoint === undefined) {
      const { id, secret } = await service.post<{ id: string; secret: string }>(
        '/v1/endpoints',
        { url: sink.url },
        either,
      );
      folder.update({ endpoint: { id, secret } });
    }
    listening = listen(
      tripwatch,
      folder.clock,
      said.entries.at(-1)?.seq ?? 0,
      (event) => {
        said.add(event);
        if (context.tellMails)
          for (const text of sentencesOf(event.event)) tell(line(event.at, `   Tripwatch: ${text}`));
      },
      either,
    );
    const people = await enrol(context);
    await allOrNone(ended, [
      playMails(context, people),
      playRegistrations(context, people),
      playPushes(context),
      playNotices(context),
      tellHappenings(context),
      folder.clock.sleep(Math.max(0, folder.scenario.endAt - folder.clock.now()), either),
    ]);
    await folder.clock.sleep(options.settleMs ?? 10 * MINUTE, either);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    ended.abort();
    await listening;
    await sink.close();
    sinkJournal.close();
    said.close();
  }
}

/** Waits for all, and ends the others when one fails. Errors: the first one's. */
async function allOrNone(others: AbortController, parts: readonly Promise<void>[]): Promise<void> {
  const failures: unknown[] = [];
  const end = (error: unknown): void => {
    failures.push(error);
    others.abort();
  };
  await Promise.all(parts.map((part) => part.catch(end)));
  if (failures.length > 0) throw failures[0];
}

function sentencesOf(event: unknown): readonly string[] {
  const sentences = (event as { data?: { sentences?: unknown } } | null)?.data?.sentences;
  return Array.isArray(sentences) ? sentences.filter((one) => typeof one === 'string') : [];
}

/** A service that is away now is not there to be judged. */
const VERIFY_PATIENCE_MS = 5000;

export interface VerifyOptions {
  readonly folder: SandboxFolder;
  readonly tripwatch: ServiceAddress;
  readonly signal: AbortSignal;
}

/** Compares what Tripwatch knows and said with the truth, as of now. */
export async function verifySandbox(options: VerifyOptions): Promise<Verdict> {
  return verify(options.folder, serviceClient(options.tripwatch, VERIFY_PATIENCE_MS), options.signal);
}

export { existingDay } from './folder.ts';
export type { Verdict };
