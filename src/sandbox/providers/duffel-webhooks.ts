import { createHmac } from 'node:crypto';
import type { Clock } from '../../ports/clock.ts';
import { ID_ALPHABET, rng } from '../random.ts';
import { MINUTE, type PushPlan, type Scenario } from '../scenario/types.ts';
import { failure } from './duffel.ts';
import type { Call, Reply, Route } from './fake.ts';

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly events: readonly string[];
  readonly active: boolean;
  readonly createdAt: number;
}

export interface PushRecord {
  readonly at: number;
  readonly eventId: string;
  readonly type: string;
  readonly endpointId: string;
  readonly url: string;
  /** 0: nobody answered. */
  readonly status: number;
}

/** Webhooks of the fake: kept, signed and delivered here. */
export interface WebhookDesk {
  readonly route: (call: Call) => Route | undefined;
  /** Sends one planned event to every webhook that wants it; retries until it is taken or the signal aborts. */
  readonly push: (plan: PushPlan, signal: AbortSignal) => Promise<void>;
  readonly deliveries: () => readonly PushRecord[];
}

export interface DeskOptions {
  readonly scenario: Scenario;
  readonly clock: Clock;
  /** A webhook that exists from the start: what the operator made and copied the secret of. */
  readonly standing?: { readonly url: string; readonly secret: string };
  readonly onPush?: (record: PushRecord) => void;
}

/** Waits before repeats, sandbox time: the vendor goes on for three days. */
const RETRY_MS = [10_000, MINUTE, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE, 360 * MINUTE];

export function webhookDesk(options: DeskOptions): WebhookDesk {
  const { scenario, clock } = options;
  const draw = rng(scenario.options.seed, 'webhooks');
  const hooks = new Map<string, Webhook>();
  const deliveries: PushRecord[] = [];
  if (options.standing !== undefined) {
    const id = `end_0000${draw.text(18, ID_ALPHABET)}`;
    hooks.set(id, { id, ...options.standing, events: [], active: true, createdAt: scenario.options.startAt });
  }

  async function deliver(hook: Webhook, plan: PushPlan): Promise<number> {
    const body = JSON.stringify(eventOf(plan));
    const at = clock.now();
    let status = 0;
    try {
      const response = await fetch(hook.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-duffel-signature': sign(body, hook.secret, at, plan.eventId),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(10_000),
      });
      status = response.status;
      await response.body?.cancel();
    } catch {
      // Nobody there: counted as status 0 and tried again.
    }
    const record = { at, eventId: plan.eventId, type: plan.type, endpointId: hook.id, url: hook.url, status };
    deliveries.push(record);
    options.onPush?.(record);
    return status;
  }

  async function push(plan: PushPlan, signal: AbortSignal): Promise<void> {
    const wanting = [...hooks.values()].filter(
      (hook) => hook.active && (hook.events.length === 0 || hook.events.includes(plan.type)),
    );
    await Promise.all(
      wanting.map(async (hook) => {
        for (const wait of [0, ...RETRY_MS]) {
          if (wait > 0) await clock.sleep(wait, signal);
          const status = await deliver(hook, plan);
          if (status >= 200 && status < 300) return;
        }
      }),
    );
  }

  function create(call: Call): Reply {
    const data = (call.body as { data?: { url?: unknown; events?: unknown } } | undefined)?.data;
    const events = data?.events;
    if (typeof data?.url !== 'string' || !isAllowed(data.url)) {
      return failure(call, 422, 'validation_error', 'validation_invalid', 'Url must be https, or http to loopback');
    }
    if (!Array.isArray(events) || events.length === 0 || !events.every((one) => typeof one === 'string')) {
      return failure(call, 422, 'validation_error', 'validation_required', 'Events must be a list of event types');
    }
    const hook: Webhook = {
      id: `end_0000${draw.text(18, ID_ALPHABET)}`,
      url: data.url,
      secret: Buffer.from(draw.text(16, ID_ALPHABET)).toString('base64'),
      events: events as string[],
      active: true,
      createdAt: call.at,
    };
    hooks.set(hook.id, hook);
    return { status: 201, body: { data: { ...view(hook), secret: hook.secret } } };
  }

  function patch(call: Call, hook: Webhook): Reply {
    const data = (call.body as { data?: { url?: unknown; active?: unknown } } | undefined)?.data ?? {};
    if (data.url !== undefined && (typeof data.url !== 'string' || !isAllowed(data.url))) {
      return failure(call, 422, 'validation_error', 'validation_invalid', 'Url must be https, or http to loopback');
    }
    const url = data.url ?? hook.url;
    const next = { ...hook, url, ...(typeof data.active === 'boolean' ? { active: data.active } : {}) };
    hooks.set(hook.id, next);
    return { status: 200, body: { data: view(next) } };
  }

  function eventById(id: string): PushPlan | undefined {
    return scenario.pushes.find((plan) => plan.eventId === id && plan.createdAt <= clock.now());
  }

  function route(call: Call): Route | undefined {
    const [, , id, ...rest] = call.path;
    const missing = (): Reply => failure(call, 404, 'invalid_request_error', 'not_found', 'Resource not found');
    const at = (endpoint: string, answer: () => Reply): Route => ({ endpoint, identifier: id ?? '*', answer });
    const key = `${call.method} ${rest.join('/')}`;
    if (id === undefined) {
      if (call.method === 'POST') return at('POST /air/webhooks', () => create(call));
      return at('GET /air/webhooks', () => ({
        status: 200,
        body: { data: [...hooks.values()].map(view), meta: { after: null, before: null, limit: 50 } },
      }));
    }
    if (id === 'deliveries') {
      return at('GET /air/webhooks/deliveries', () => ({
        status: 200,
        body: {
          data: deliveries.filter((one) => wanted(call, one)).map(deliveryView),
          meta: { after: null, before: null, limit: 200 },
        },
      }));
    }
    if (id === 'events') {
      const plan = eventById(rest[0] ?? '');
      if (call.method === 'GET') {
        return at('GET /air/webhooks/events/{id}', () =>
          plan === undefined ? missing() : { status: 200, body: { data: eventOf(plan) } },
        );
      }
      return at('POST /air/webhooks/events/{id}/actions/redeliver', () => {
        if (plan === undefined || rest[1] !== 'actions') return missing();
        for (const hook of hooks.values()) void deliver(hook, plan);
        return { status: 204 };
      });
    }
    const hook = hooks.get(id);
    if (hook === undefined) return at(`${call.method} /air/webhooks/{id}`, missing);
    switch (key) {
      case 'PATCH ':
        return at('PATCH /air/webhooks/{id}', () => patch(call, hook));
      case 'DELETE ':
        return at('DELETE /air/webhooks/{id}', () => {
          hooks.delete(id);
          return { status: 204 };
        });
      case 'POST actions/ping':
        return at('POST /air/webhooks/{id}/actions/ping', () => {
          const now = clock.now();
          void deliver(hook, {
            at: now,
            createdAt: now,
            eventId: `wev_0000${draw.text(18, ID_ALPHABET)}`,
            type: 'ping.triggered',
            idempotencyKey: id,
            object: {},
          });
          return { status: 204 };
        });
      default:
        return undefined;
    }
  }

  return { route, push, deliveries: () => deliveries };
}

/** `t=<unix s>,v1=<hex>` over `<t>.<raw body>`; now and then with an element nobody knows yet. */
export function sign(body: string, secret: string, at: number, salt = ''): string {
  const seconds = Math.floor(at / 1000);
  const v1 = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${v1}${salt.charCodeAt(salt.length - 1) % 3 === 0 ? ',v2=bm90LXlldA' : ''}`;
}

function eventOf(plan: PushPlan): Record<string, unknown> {
  return {
    id: plan.eventId,
    type: plan.type,
    api_version: 'v2',
    live_mode: false,
    idempotency_key: plan.idempotencyKey,
    identity_organisation_id: 'org_0000sandbox',
    created_at: Temporal.Instant.fromEpochMilliseconds(plan.createdAt).toString(),
    data: { object: plan.object },
  };
}

function view(hook: Webhook): Record<string, unknown> {
  const created = Temporal.Instant.fromEpochMilliseconds(Math.trunc(hook.createdAt)).toString();
  return {
    id: hook.id,
    url: hook.url,
    events: hook.events,
    active: hook.active,
    live_mode: false,
    created_at: created,
    updated_at: created,
  };
}

function deliveryView(record: PushRecord, position: number): Record<string, unknown> {
  return {
    id: `del_0000${position}`,
    type: record.type,
    url: record.url,
    event_id: record.eventId,
    endpoint_id: record.endpointId,
    response_status_code: record.status,
    response_body: '',
    live_mode: false,
    created_at: Temporal.Instant.fromEpochMilliseconds(Math.trunc(record.at)).toString(),
  };
}

function wanted(call: Call, record: PushRecord): boolean {
  const success = call.query.get('delivery_success');
  const ok = record.status >= 200 && record.status < 300;
  return (
    (success === null || (success === 'true') === ok) &&
    (call.query.get('type') ?? record.type) === record.type &&
    (call.query.get('endpoint_id') ?? record.endpointId) === record.endpointId
  );
}

/** HTTPS only, as there; but this one lives on loopback. */
function isAllowed(url: string): boolean {
  try {
    const { protocol, hostname } = new URL(url);
    return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
  } catch {
    return false;
  }
}
