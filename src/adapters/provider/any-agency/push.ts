import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PushRequest, PushVerdict } from '../../../ports/provider.ts';
import { bookingSubjectId } from '../booking/subjects.ts';
import type { Description } from './description.ts';

/** A signed message may be so old. */
const WINDOW_MS = 5 * 60_000;

type Push = NonNullable<Description['push']>;

/**
 * Checks the signature over the raw body, in constant time. The references in it are taken by simple paths (`a.b.c`),
 * because what a stranger posts is never given to expressions.
 */
export function checkPush(push: Push, secret: string, request: PushRequest): PushVerdict {
  const { signature } = push;
  const given = request.headers[signature.header.toLowerCase()];
  if (given === undefined) return refused('signature-missing', `Header ${signature.header} is missing.`);
  if (!given.startsWith(signature.prefix)) return refused('signature-malformed', 'The signature cannot be read.');
  const sent = Buffer.from(given.slice(signature.prefix.length), signature.encoding);
  const stamp = signature.timestampHeader && (request.headers[signature.timestampHeader.toLowerCase()] ?? '');
  const mac = createHmac(signature.algorithm, secret);
  if (signature.signs === '{timestamp}.{body}') mac.update(`${stamp}.`);
  const wanted = mac.update(request.body).digest();
  if (sent.length !== wanted.length || !timingSafeEqual(sent, wanted))
    return refused('signature-wrong', 'The signature does not fit the body; check the webhook secret.');
  if (stamp !== undefined && !isRecent(stamp, request.receivedAt))
    return refused('signature-old', 'The message is more than five minutes old, or from the future.');
  const body = parsed(request.body);
  const reference = at(body, push.reference);
  const id = at(body, push.id);
  if (id === undefined) return refused('body-unreadable', 'The message has no id where the description says.');
  const wakes = reference !== undefined && /^[^\s/]{1,100}$/.test(reference) ? [bookingSubjectId(reference)] : [];
  return { kind: 'hint', pushId: id.slice(0, 200), wakes };
}

/** Unix seconds, or an ISO instant. */
function isRecent(stamp: string, receivedAt: number): boolean {
  const at = /^\d{9,13}$/.test(stamp) ? Number(stamp) * (stamp.length > 11 ? 1 : 1000) : Date.parse(stamp);
  return Math.abs(receivedAt - at) <= WINDOW_MS;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

function at(body: unknown, path: string): string | undefined {
  let value = body;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function refused(code: string, message: string): PushVerdict {
  return { kind: 'refused', code, message };
}
