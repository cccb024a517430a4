import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PushRequest, PushVerdict } from '../../../ports/provider.ts';
import { webhookSchema } from './schema.ts';

/**
 * Duffel's signed notices: `X-Duffel-Signature: t=<unix s>,v1=<hex>` over `<t>.<raw body>`. What they say is not
 * believed, only whom they speak of: that subject is asked at once.
 */
export const SIGNATURE_WINDOW_MS = 5 * 60_000;
const SIGNATURES_MAX = 10;

export function receivePush(request: PushRequest, secret: string): PushVerdict {
  const header = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'x-duffel-signature')?.[1];
  if (header === undefined) return refused('signature-missing', 'The header X-Duffel-Signature is missing.');
  const elements = header.split(',').map((part) => part.trim().split('='));
  const time = elements.find(([name]) => name === 't')?.[1] ?? '';
  if (!/^\d{1,12}$/.test(time)) return refused('signature-malformed', 'The signature names no time.');
  // Several v1 are sent while a secret is being rotated; elements with other names are for others.
  const given = elements.filter(([name]) => name === 'v1').slice(0, SIGNATURES_MAX);
  const wanted = createHmac('sha256', secret).update(`${time}.`).update(request.body).digest();
  if (!given.some(([, hex]) => equal(wanted, hex ?? '')))
    return refused('signature-wrong', 'The signature does not fit body and secret.');
  if (Math.abs(request.receivedAt - Number(time) * 1000) > SIGNATURE_WINDOW_MS)
    return refused('signature-old', 'The signature is more than five minutes off our clock.');
  return verdictOf(request.body);
}

function verdictOf(body: Uint8Array): PushVerdict {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return refused('body-unreadable', 'The body is no JSON.');
  }
  const parsed = webhookSchema.safeParse(json);
  if (!parsed.success) return refused('body-unreadable', 'The body is no Duffel event.');
  const { id, data } = parsed.data;
  const named = [data?.id, data?.object?.id, data?.object?.order_id, data?.object?.booking_id];
  const wakes = new Set(named.flatMap((one) => (typeof one === 'string' ? subjectIdsOf(one) : [])));
  return { kind: 'hint', pushId: id, wakes: [...wakes] };
}

function subjectIdsOf(id: string): readonly string[] {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) return [];
  if (id.startsWith('ord_')) return [`order:${id}`];
  if (id.startsWith('bok_')) return [`stay:${id}`, `car:${id}`];
  return /^(boo|car)_/.test(id) ? [`car:${id}`] : [];
}

function equal(wanted: Buffer, hex: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(hex)) return false;
  return timingSafeEqual(wanted, Buffer.from(hex, 'hex'));
}

function refused(code: string, message: string): PushVerdict {
  return { kind: 'refused', code, message };
}
