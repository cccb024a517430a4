import type { MailCall, MailReply } from './server.ts';

/** Subscriptions of Graph: the handshake with both addresses, life and renewal, notices and lifecycle notices. */
export interface GraphSubscriptions {
  readonly all: ReadonlyMap<string, Subscription>;
  answer(call: MailCall): Promise<MailReply>;
  /** Notices of a change to everyone subscribed, `times` each. `forged`: with another clientState. */
  notify(
    messageId: string,
    options?: { readonly times?: number; readonly forged?: boolean },
  ): Promise<readonly number[]>;
  lifecycle(event: 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed'): Promise<readonly number[]>;
  /** All end without a word. */
  lapse(): void;
  /** Pushes are thrown away. */
  dropped: boolean;
}

export interface Subscription {
  readonly id: string;
  readonly changeType: string;
  readonly resource: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | undefined;
  readonly clientState: string;
  expiresAt: number;
}

const MINUTES_MAX = 10_080;
const HANDSHAKE_MS = 10_000;
const RESOURCE = /^\/?me\/(mailFolders\('[^']+'\)\/)?messages$/;

export function createGraphSubscriptions(now: () => number): GraphSubscriptions {
  const all = new Map<string, Subscription>();
  let serial = 0;

  /** Graph wants its own token back as plain text, within ten seconds. */
  async function shakes(url: string): Promise<boolean> {
    const token = `Validation: Testing client application reachability ${++serial} & more`;
    const target = new URL(url);
    target.searchParams.set('validationToken', token);
    try {
      const response = await fetch(target, { method: 'POST', signal: AbortSignal.timeout(HANDSHAKE_MS) });
      const type = response.headers.get('content-type') ?? '';
      return response.status === 200 && type.startsWith('text/plain') && (await response.text()) === token;
    } catch {
      return false;
    }
  }

  async function create(call: MailCall): Promise<MailReply> {
    const body = (call.json ?? {}) as Record<string, unknown>;
    const text = (name: string): string => (typeof body[name] === 'string' ? (body[name] as string) : '');
    const expiresAt = Date.parse(text('expirationDateTime'));
    const [notificationUrl, lifecycle] = [text('notificationUrl'), text('lifecycleNotificationUrl')];
    const valid =
      text('changeType')
        .split(',')
        .every((one) => ['created', 'updated', 'deleted'].includes(one)) &&
      RESOURCE.test(text('resource')) &&
      text('clientState').length <= 128 &&
      expiresAt > now() &&
      expiresAt <= now() + MINUTES_MAX * 60_000;
    if (!valid) return failure(400, 'InvalidRequest');
    for (const url of [notificationUrl, ...(lifecycle === '' ? [] : [lifecycle])])
      if (!(await shakes(url))) return failure(400, 'ValidationError');
    const id = `sub-${++serial}-0000-4000-8000-000000000000`;
    const made: Subscription = {
      id,
      changeType: text('changeType'),
      resource: text('resource'),
      notificationUrl,
      lifecycleNotificationUrl: lifecycle === '' ? undefined : lifecycle,
      clientState: text('clientState'),
      expiresAt,
    };
    all.set(id, made);
    return { status: 201, body: shown(made) };
  }

  function renew(call: MailCall, id: string): MailReply {
    const found = all.get(id);
    const until = Date.parse(String((call.json as { expirationDateTime?: unknown } | undefined)?.expirationDateTime));
    if (found === undefined || found.expiresAt < now()) return failure(404, 'ResourceNotFound');
    if (!(until > now() && until <= now() + MINUTES_MAX * 60_000)) return failure(400, 'InvalidRequest');
    found.expiresAt = until;
    return { status: 200, body: shown(found) };
  }

  const shown = (one: Subscription) => ({
    id: one.id,
    resource: one.resource,
    changeType: one.changeType,
    clientState: null,
    expirationDateTime: new Date(one.expiresAt).toISOString(),
  });

  async function post(url: string | undefined, value: unknown): Promise<number> {
    if (url === undefined || subscriptions.dropped) return 0;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ value: [value] }),
    });
    await response.body?.cancel();
    return response.status;
  }

  const subscriptions: GraphSubscriptions = {
    all,
    dropped: false,
    answer: async (call) => {
      const id = call.path[2];
      if (call.method === 'POST' && id === undefined) return create(call);
      if (call.method === 'PATCH' && id !== undefined) return renew(call, id);
      if (call.method === 'DELETE' && id !== undefined) return { status: all.delete(id) ? 204 : 404 };
      return failure(405, 'BadRequest');
    },
    notify: async (messageId, { times = 1, forged = false } = {}) => {
      const statuses: number[] = [];
      for (const one of all.values()) {
        if (one.expiresAt < now()) continue;
        const notice = {
          subscriptionId: one.id,
          subscriptionExpirationDateTime: new Date(one.expiresAt).toISOString(),
          clientState: forged ? `${one.clientState.slice(0, -4)}AAAA` : one.clientState,
          changeType: 'created',
          resource: `Users/user-1/Messages/${messageId}`,
          tenantId: 'tenant-1',
          resourceData: { '@odata.type': '#Microsoft.Graph.Message', id: messageId, '@odata.etag': 'W/"1"' },
        };
        for (let i = 0; i < times; i++) statuses.push(await post(one.notificationUrl, notice));
      }
      return statuses;
    },
    lifecycle: async (lifecycleEvent) => {
      const statuses: number[] = [];
      for (const one of [...all.values()]) {
        if (lifecycleEvent === 'subscriptionRemoved') all.delete(one.id);
        const notice = { subscriptionId: one.id, clientState: one.clientState, lifecycleEvent, tenantId: 'tenant-1' };
        statuses.push(await post(one.lifecycleNotificationUrl, notice));
      }
      return statuses;
    },
    lapse: () => all.clear(),
  };
  return subscriptions;
}

/** Graph's form of an error. */
export function failure(status: number, code: string, inner?: string): MailReply {
  const innerError = { date: '2026-11-25T10:00:00', ...(inner === undefined ? {} : { code: inner }) };
  return { status, body: { error: { code, message: 'The request was not carried out.', innerError } } };
}
