import { createHmac } from 'node:crypto';
import { describeError, TripwatchError } from '../../domain/errors.ts';
import type { EndpointId } from '../../domain/ids.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Secrets } from '../../ports/secrets.ts';
import type { Endpoint } from '../../ports/store/accounts.ts';
import type { Notification } from '../../ports/store/notifications.ts';
import type { Store } from '../../ports/store.ts';
import type { WebhookPost } from '../../ports/webhook.ts';
import { type Decision, decide, ENDPOINT_DISABLED, type Result } from './schedule.ts';

/**
 * Delivers queued notifications. Each goes from pending to sent or dead; an attempt is recorded after it was made, so a
 * crash between repeats it with the same `webhook-id`, which receivers deduplicate on.
 *
 * Bulkheads: at most two deliveries of an endpoint at a time, and endpoints that failed last time share a part of all
 * slots, so that any number of dead ones delay nobody. After three failures in a row an endpoint is left alone for a
 * while (30 s, doubling to 5 min), whatever waits for it.
 */
export interface SenderDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly post: Pick<WebhookPost, 'post'>;
  readonly secrets: Secrets;
  readonly logger: Logger;
}

export interface Sender {
  start(): void;
  /** Takes nothing new, aborts what is under way (it is repeated after the next start) and waits for it. */
  stop(): Promise<void>;
  /** Something may be due. */
  wake(): void;
}

const PER_ENDPOINT_MAX = 2;
/** Twice what the endpoints of one tenant (200) can hold when all of them hang for the first time. */
const SLOTS = 800;
/** Of these, for endpoints whose last delivery failed. */
const SUSPECT_SLOTS = 64;
const READ_MAX = 200;
/** Without a wake-up, and when the next due time is far (clock time × speed = real time). */
const POLL_REAL_MS = 1000;
const PAUSE_AFTER_FAILURES = 3;
const PAUSE_MS_MIN = 30_000;
const PAUSE_MS_MAX = 300_000;

/** Made once: an abort without a reason makes one each time, with a stack. */
const AWAKE = new Error('woken');

interface Health {
  failures: number;
  pausedUntil: number;
}

export function createSender(deps: SenderDeps): Sender {
  return new WebhookSender(deps);
}

interface Looked {
  readonly started: number;
  readonly lookedAt: number;
  /** When the first of what waited was due. */
  readonly next: number | undefined;
}

class WebhookSender implements Sender {
  readonly #deps: SenderDeps;
  readonly #underWay = new Map<string, { readonly endpoint: EndpointId; readonly done: Promise<void> }>();
  readonly #health = new Map<EndpointId, Health>();
  #stopping = new AbortController();
  #nap = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#loop !== undefined) return;
    this.#stopping = new AbortController();
    this.#loop = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new TripwatchError('cancelled', 'shutdown', 'The service is stopping.'));
    this.#nap.abort(AWAKE);
    await this.#loop;
    await Promise.allSettled([...this.#underWay.values()].map((one) => one.done));
    this.#loop = undefined;
  }

  wake(): void {
    this.#nap.abort(AWAKE);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#nap = new AbortController();
      try {
        const look = await this.#sendDue();
        if (look.started === 0) await this.#rest(look, signal);
      } catch (error) {
        this.#deps.logger.warn({ ...describeError(error) }, 'webhook sender could not read what is due; tries again');
        await this.#sleep(POLL_REAL_MS * this.#deps.clock.speed);
      }
    }
  }

  /** After a look that started nothing; what came since then woke us. */
  async #rest({ lookedAt, next }: Looked, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const most = POLL_REAL_MS * clock.speed;
    // What is due already and did not start waits for a slot or a pause: the end of a delivery wakes us.
    const moments = [next ?? 0, ...[...this.#health.values()].map((one) => one.pausedUntil)];
    const later = moments.filter((at) => at > lookedAt);
    const wait = Math.max(0, Math.min(most, ...later.map((at) => at - clock.now())));
    if (!signal.aborted) await this.#sleep(wait);
  }

  async #sleep(ms: number): Promise<void> {
    await this.#deps.clock.sleep(ms, this.#nap.signal).catch(() => {});
  }

  async #sendDue(): Promise<Looked> {
    const { clock, store } = this.#deps;
    const now = clock.now();
    const paused = [...this.#health.values()].filter((one) => one.pausedUntil > now).length;
    // Rows under way or paused come up again: they must not use up what is read for the others.
    const limit = READ_MAX + this.#underWay.size + paused * PER_ENDPOINT_MAX;
    const { next, due } = await store.read(async ({ notifications }) => {
      const next = await notifications.nextDueAt();
      if (next === undefined || next > now) return { next, due: [] };
      return { next, due: await notifications.due(now, limit, PER_ENDPOINT_MAX) };
    });
    let started = 0;
    for (const one of due) {
      if (this.#stopping.signal.aborted || !this.#mayStart(one, now)) continue;
      const done = this.#deliver(one).finally(() => {
        this.#underWay.delete(one.id);
        this.#nap.abort(AWAKE);
      });
      this.#underWay.set(one.id, { endpoint: one.endpoint, done });
      started++;
    }
    return { started, lookedAt: now, next };
  }

  #mayStart(one: Notification, now: number): boolean {
    if (this.#underWay.has(one.id) || this.#underWay.size >= SLOTS) return false;
    const running = [...this.#underWay.values()];
    if (running.filter((other) => other.endpoint === one.endpoint).length >= PER_ENDPOINT_MAX) return false;
    const health = this.#health.get(one.endpoint);
    if (health === undefined || health.failures === 0) return true;
    if (health.pausedUntil > now) return false;
    return running.filter((other) => (this.#health.get(other.endpoint)?.failures ?? 0) > 0).length < SUSPECT_SLOTS;
  }

  async #deliver(one: Notification): Promise<void> {
    const { store, logger, random, clock } = this.#deps;
    try {
      const endpoint = await store.read((tx) => tx.accounts.getEndpoint(one.tenant, one.endpoint));
      const result = await this.#attempt(one, endpoint);
      if (result === 'aborted') return;
      const decision = decide(one, result, clock.now(), random.number());
      this.#note(one.endpoint, result, decision);
      await this.#record(one, result, decision);
      logger.debug({ notification: one.id, state: decision.state, attempt: one.attempts + 1 }, 'webhook attempt made');
    } catch (error) {
      // Not recorded: it stays due and is repeated with the same id; the pause keeps this from spinning.
      logger.warn({ notification: one.id, ...describeError(error) }, 'webhook attempt could not be recorded');
      this.#pause(one.endpoint, PAUSE_MS_MIN);
    }
  }

  async #attempt(one: Notification, endpoint: Endpoint | undefined): Promise<Result | 'aborted'> {
    if (endpoint === undefined) return { kind: 'gone', reason: 'the endpoint was removed' };
    if (endpoint.state !== 'active') return { kind: 'gone', reason: ENDPOINT_DISABLED };
    const signal = this.#stopping.signal;
    try {
      const secrets = endpoint.sealedSecrets.map((sealed) => this.#deps.secrets.open(sealed, endpoint.id));
      const headers = signedHeaders(one, secrets, this.#deps.clock.now());
      const answer = await this.#deps.post.post({ url: endpoint.url, headers, body: one.body }, signal);
      return { kind: 'answer', status: answer.status, retryAfter: answer.retryAfter };
    } catch (error) {
      if (signal.aborted) return 'aborted';
      const { code, message } = describeError(error);
      return { kind: 'error', reason: `${code}: ${message}` };
    }
  }

  #note(endpoint: EndpointId, result: Result, decision: Decision): void {
    if (decision.state === 'sent') {
      this.#health.delete(endpoint);
      return;
    }
    if (result.kind === 'gone') return;
    const failures = (this.#health.get(endpoint)?.failures ?? 0) + 1;
    this.#health.set(endpoint, { failures, pausedUntil: 0 });
    const doubled = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (failures - PAUSE_AFTER_FAILURES));
    if (failures >= PAUSE_AFTER_FAILURES) this.#pause(endpoint, doubled);
    if (decision.slowDownMs > 0) this.#pause(endpoint, decision.slowDownMs);
  }

  #pause(endpoint: EndpointId, ms: number): void {
    const health = this.#health.get(endpoint) ?? { failures: 1, pausedUntil: 0 };
    health.pausedUntil = Math.max(health.pausedUntil, this.#deps.clock.now() + ms);
    this.#health.set(endpoint, health);
  }

  /** The attempt, what it means for the endpoint, and `notification.sent` when it is settled, in one transaction. */
  async #record(one: Notification, result: Result, decision: Decision): Promise<void> {
    const { store, clock } = this.#deps;
    const status = result.kind === 'answer' ? result.status : undefined;
    await store.transact(async (tx) => {
      await tx.notifications.recordAttempt(one.id, {
        state: decision.state,
        nextAt: decision.nextAt,
        at: clock.now(),
        ...(status === undefined ? {} : { status }),
        ...(decision.reason === undefined ? {} : { error: decision.reason }),
      });
      if (decision.state === 'pending') return;
      if (decision.state === 'dead' && result.kind !== 'gone') {
        // Something got through since this one was queued: the endpoint works, only this delivery does not.
        const sent = await tx.notifications.list(one.tenant, { endpoint: one.endpoint, state: 'sent', limit: 20 });
        const works = decision.disable !== true && sent.some((other) => (other.settledAt ?? 0) > one.createdAt);
        const stateReason = works ? `a delivery was given up: ${decision.reason}` : decision.notice;
        await tx.accounts.updateEndpoint(one.tenant, one.endpoint, {
          ...(works ? {} : { state: 'disabled' as const }),
          stateReason,
        });
      }
      await tx.append(
        [
          {
            topic: 'notification.sent',
            tenant: one.tenant,
            key: one.endpoint,
            subject: one.id,
            data: {
              endpointId: one.endpoint,
              eventId: one.eventId,
              state: decision.state,
              attempts: one.attempts + 1,
              ...(status === undefined ? {} : { lastStatus: status }),
              ...(decision.reason === undefined ? {} : { reason: decision.reason }),
            },
          },
        ],
        { source: 'notify', correlation: one.correlation, seed: one.id, at: one.createdAt },
      );
    });
  }
}

/** Standard Webhooks: `v1,<base64 HMAC-SHA256 of id.timestamp.body>`, one signature for each secret. */
export function signedHeaders(
  one: Pick<Notification, 'eventId' | 'body'>,
  secrets: readonly string[],
  nowMs: number,
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${one.eventId}.${timestamp}.${one.body}`).digest('base64')}`;
  });
  return {
    'content-type': 'application/json',
    'user-agent': 'Tripwatch',
    'webhook-id': one.eventId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
