import type { Event } from '../../contracts/event.ts';
import { derivedId, type TenantId } from '../../domain/ids.ts';
import { ack, type Handler } from '../../ports/handler.ts';
import type { Endpoint } from '../../ports/store/accounts.ts';
import type { Notification } from '../../ports/store/notifications.ts';
import type { Tx } from '../../ports/store.ts';

/** Receivers may refuse larger ones (Standard Webhooks). */
export const BODY_BYTES_MAX = 20_000;

/**
 * Queues one delivery for each active endpoint of the tenant that wants this traveller. The row is keyed by endpoint and
 * event, so a repeat queues nothing. Delivering is the sender's work; `onDeliveries` only wakes it.
 */
export function createNotifyHandler(
  options: { readonly onDeliveries?: () => void } = {},
): Handler<'itinerary.updated'> {
  return async (event, { clock }) => {
    let queued = 0;
    const commit = async (tx: Tx) => {
      queued = await queueDeliveries(tx, event, () => webhookBody(event), clock.now());
      return [];
    };
    return ack(commit, () => {
      if (queued > 0) options.onDeliveries?.();
    });
  };
}

/** What is told to endpoints. */
type Told = Event<'itinerary.updated' | 'mailbox.changed'>;

/** One delivery for each endpoint that wants it; a repeat queues nothing. Returns how many want it. */
export async function queueDeliveries(
  tx: Tx,
  event: Told,
  body: string | (() => string),
  now: number,
): Promise<number> {
  const tenant = event.tenantid as TenantId;
  const endpoints = (await tx.accounts.listEndpoints(tenant)).filter((one) => wants(one, event));
  if (endpoints.length === 0) return 0;
  const text = typeof body === 'string' ? body : body();
  for (const endpoint of endpoints) await tx.notifications.add(notification(endpoint, event, text, now));
  return endpoints.length;
}

function wants(endpoint: Endpoint, event: Told): boolean {
  if (endpoint.state !== 'active') return false;
  return endpoint.traveller === undefined || endpoint.traveller === event.travellerid;
}

function notification(endpoint: Endpoint, event: Told, body: string, now: number): Notification {
  return {
    id: derivedId('ntf', endpoint.id, event.id),
    tenant: endpoint.tenant,
    endpoint: endpoint.id,
    eventId: event.id,
    body,
    state: 'pending',
    attempts: 0,
    nextAt: now,
    lastStatus: undefined,
    lastError: undefined,
    createdAt: now,
    settledAt: undefined,
    correlation: event.correlationid,
  };
}

/**
 * `{type, timestamp, data}` below 20 kB. What is too long loses first who said each change, then changes from the end,
 * then what the alerts rest on, with `truncated: true`: the API has the rest.
 */
export function webhookBody(event: Event<'itinerary.updated'>): string {
  const { changes, sentences, alerts, ...rest } = event.data;
  const write = (some: readonly unknown[], words: readonly string[], truncated: boolean, told: unknown = alerts) =>
    JSON.stringify({
      type: event.topic,
      timestamp: event.data.publishedAt,
      data: {
        ...rest,
        traveller: event.travellerid,
        sentences: words,
        changes: some,
        ...(told === undefined ? {} : { alerts: told }),
        ...(truncated ? { truncated: true } : {}),
      },
    });
  const full = write(changes, sentences, false);
  if (Buffer.byteLength(full) < BODY_BYTES_MAX) return full;
  const bare = changes.map(({ by: _, ...change }) => change);
  for (let keep = bare.length; keep > 0; keep = Math.floor(keep / 2)) {
    const body = write(bare.slice(0, keep), sentences.slice(0, keep), true);
    if (Buffer.byteLength(body) < BODY_BYTES_MAX) return body;
  }
  const bareAlerts = alerts?.map(({ facts: _, ...alert }) => ({ ...alert, facts: [] }));
  const short = write([], [], true, bareAlerts);
  return Buffer.byteLength(short) < BODY_BYTES_MAX ? short : write([], [], true, []);
}
