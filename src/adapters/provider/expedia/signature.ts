import { createHash, timingSafeEqual } from 'node:crypto';
import type { PushRequest, PushVerdict } from '../../../ports/provider.ts';
import { bookingSubjectId } from '../booking/subjects.ts';
import { notificationSchema } from './schema.ts';

/**
 * Rapid's way to say who is speaking: `EAN apikey=…,signature=…,timestamp=…`, the signature being the SHA-512 of key,
 * secret and Unix seconds. It does not cover what is said, so even a notice with a good one is only a hint.
 */
export interface RapidCredentials {
  readonly key: string;
  readonly secret: string;
}

/** Older than this, a signature may have been overheard. */
export const SIGNATURE_WINDOW_MS = 5 * 60_000;

/** `now`: epoch ms. */
export function authorization({ key, secret }: RapidCredentials, now: number): string {
  const seconds = Math.floor(now / 1000);
  return `EAN apikey=${key},signature=${signed(key, secret, String(seconds)).toString('hex')},timestamp=${seconds}`;
}

function signed(key: string, secret: string, seconds: string): Buffer {
  return createHash('sha512').update(`${key}${secret}${seconds}`).digest();
}

/**
 * A notice of Rapid. `credentials` absent: notices come unsigned, anybody may have sent it. Either way it wakes the
 * booking it names, if anyone follows it, and nothing more.
 */
export function receivePush(request: PushRequest, credentials: RapidCredentials | undefined): PushVerdict {
  const wrong = credentials === undefined ? undefined : faultOf(request, credentials);
  if (wrong !== undefined) return wrong;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(request.body).toString('utf8'));
  } catch {
    return refused('body-unreadable', 'The body is no JSON.');
  }
  const notice = notificationSchema.safeParse(json);
  if (!notice.success) return refused('body-unreadable', 'The body is no notification of Expedia Rapid.');
  const { event_id: id, itinerary_id: about } = notice.data;
  // With what it is about, so that nobody can have a notice taken for a repeat by sending its id about something else
  // first.
  return { kind: 'hint', pushId: `${id}/${about}`, wakes: wakesOf(about) };
}

/** Subjects that a notice about this itinerary wakes. */
export function wakesOf(itineraryId: string): readonly string[] {
  return /^\d{1,20}$/.test(itineraryId) ? [bookingSubjectId(itineraryId)] : [];
}

function faultOf({ headers, receivedAt }: PushRequest, { key, secret }: RapidCredentials): PushVerdict | undefined {
  const header = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  if (header === undefined)
    return refused(
      'signature-missing',
      'The header Authorization is missing. Set `pushes` to "unsigned" if so agreed.',
    );
  const [, list = ''] = /^EAN\s+(.{1,1000})$/i.exec(header.trim()) ?? [];
  const parts = new Map(list.split(',').map((part) => [part.split('=')[0]!.trim().toLowerCase(), behindEquals(part)]));
  const seconds = parts.get('timestamp') ?? '';
  if (!/^\d{1,12}$/.test(seconds)) return refused('signature-malformed', 'The signature names no time.');
  const given = Buffer.from(
    /^[0-9a-f]{128}$/i.test(parts.get('signature') ?? '') ? parts.get('signature')! : '',
    'hex',
  );
  const wanted = signed(key, secret, seconds);
  const fits = given.length === wanted.length && timingSafeEqual(given, wanted);
  if (!fits || parts.get('apikey') !== key)
    return refused('signature-wrong', 'The signature does not fit the account.');
  if (Math.abs(receivedAt - Number(seconds) * 1000) > SIGNATURE_WINDOW_MS)
    return refused('signature-old', 'The signature is more than five minutes off our clock.');
  return undefined;
}

function behindEquals(part: string): string {
  return part.slice(part.indexOf('=') + 1).trim();
}

function refused(code: string, message: string): PushVerdict {
  return { kind: 'refused', code, message };
}
