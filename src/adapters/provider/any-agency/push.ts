import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { PushRequest, PushVerdict } from '../../../ports/provider.ts';
import { bookingSubjectId } from '../booking/subjects.ts';
import { basic } from '../http/oauth.ts';
import type { Description } from './description.ts';
import { xmlValue } from './xml-value.ts';

/** A signed message may be so old. */
const WINDOW_MS = 5 * 60_000;
/** Without an id of its own, an equal message after this is another one. */
const SAME_MS = 60_000;
/** A message names a booking or a few. */
const REFERENCES_MAX = 50;

type Push = NonNullable<Description['push']>;

/**
 * Checks who sent it, in constant time: the signature over the raw body, or the name and password that the sender signs
 * in with. Only then it is parsed, and the references in it are taken by simple paths (`a.b.c`), because what a
 * stranger posts is never given to expressions. Whatever it says, it only wakes the bookings that it names.
 */
export function checkPush(push: Push, secret: string, request: PushRequest): PushVerdict {
  const wrong =
    push.basic === undefined ? faultOfSignature(push, secret, request) : faultOfName(push.basic.user, secret, request);
  if (wrong !== undefined) return wrong;
  const body = parsed(push.as, request.body);
  if (body === undefined) return refused('body-unreadable', `The message is no ${push.as === 'xml' ? 'XML' : 'JSON'}.`);
  const id = push.id === undefined ? idOf(request) : at(body, push.id)[0];
  if (id === undefined) return refused('body-unreadable', 'The message has no id where the description says.');
  const references = [push.reference].flat().flatMap((path) => at(body, path));
  const named = [...new Set(references)].filter((one) => /^[^\s/]{1,100}$/.test(one)).slice(0, REFERENCES_MAX);
  return { kind: 'hint', pushId: id.slice(0, 200), wakes: named.map(bookingSubjectId) };
}

function faultOfSignature({ signature }: Push, secret: string, request: PushRequest): PushVerdict | undefined {
  if (signature === undefined) return refused('signature-missing', 'The description says nothing of signatures.');
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
  return undefined;
}

function faultOfName(user: string, password: string, { headers }: PushRequest): PushVerdict | undefined {
  const given = headers.authorization;
  if (given === undefined) return refused('signature-missing', 'Header Authorization is missing.');
  // Digests are of one length, whatever was sent.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(given), digest(basic(user, password)))) return undefined;
  return refused('signature-wrong', 'Name and password do not fit; check the webhook secret.');
}

/** Unix seconds, or an ISO instant. */
function isRecent(stamp: string, receivedAt: number): boolean {
  const at = /^\d{9,13}$/.test(stamp) ? Number(stamp) * (stamp.length > 11 ? 1 : 1000) : Date.parse(stamp);
  return Math.abs(receivedAt - at) <= WINDOW_MS;
}

function idOf({ body, receivedAt }: PushRequest): string {
  const digest = createHash('sha256').update(body).digest('base64url');
  return `${digest}/${Math.floor(receivedAt / SAME_MS)}`;
}

function parsed(as: Push['as'], body: Uint8Array): unknown {
  const text = Buffer.from(body).toString('utf8');
  try {
    return as === 'xml' ? xmlValue(text) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** All that stand at a path; `**.` before it: wherever in the message. */
function at(body: unknown, path: string): readonly string[] {
  const anywhere = path.startsWith('**.');
  const names = (anywhere ? path.slice(3) : path).split('.');
  const found = (anywhere ? everythingIn(body) : [body]).flatMap((value) => {
    let here = [value];
    for (const name of names) here = here.flatMap((one) => items(one).flatMap((each) => field(each, name)));
    return here.flatMap(items);
  });
  return found.flatMap((value) => (typeof value === 'string' || typeof value === 'number' ? [String(value)] : []));
}

function field(value: unknown, name: string): unknown[] {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? [(value as Record<string, unknown>)[name]]
    : [];
}

function items(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Every object in it, itself first. Bodies are short, so there are not many. */
function everythingIn(body: unknown): unknown[] {
  const found: unknown[] = [body];
  for (let i = 0; i < found.length; i++) {
    const value = found[i];
    if (typeof value === 'object' && value !== null)
      for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) found.push(inner);
  }
  return found;
}

function refused(code: string, message: string): PushVerdict {
  return { kind: 'refused', code, message };
}
