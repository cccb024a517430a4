import type { Notification } from '../../ports/store/notifications.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits after the first, second, … failed attempt (as Standard Webhooks suggests): about 75 hours, then dead. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
/** Each wait is up to this much longer, so that what failed together does not come back together. */
const JITTER = 0.2;
const RETRY_AFTER_MS_MAX = 24 * HOUR;
export const ENDPOINT_DISABLED = 'the endpoint is disabled';

export type Result =
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: 'error'; readonly reason: string }
  /** Nobody to send to any more. */
  | { readonly kind: 'gone'; readonly reason: string };

export interface Decision {
  readonly state: Notification['state'];
  readonly nextAt: number;
  /** Why not, in a few words. */
  readonly reason: string | undefined;
  /** The receiver asked for less: leave the whole endpoint alone for so long. */
  readonly slowDownMs: number;
  /** The endpoint said never again. */
  readonly disable?: true;
  /** For the endpoint's owner, when this ends it. */
  readonly notice: string;
}

/** What an attempt's result means. Pure; `random` in [0, 1). */
export function decide(
  one: Pick<Notification, 'attempts' | 'nextAt'>,
  result: Result,
  now: number,
  random: number,
): Decision {
  const settled = { nextAt: now, slowDownMs: 0, notice: '' };
  if (result.kind === 'gone') return { ...settled, state: 'dead', reason: result.reason };
  if (result.kind === 'answer' && result.status >= 200 && result.status < 300) {
    return { ...settled, state: 'sent', reason: undefined };
  }
  const reason = result.kind === 'error' ? result.reason : answered(result.status);
  if (result.kind === 'answer' && result.status === 410) {
    const notice = 'disabled: it answered 410 Gone. Set its state to active to send again.';
    return { ...settled, state: 'dead', reason, disable: true, notice };
  }
  const delay = RETRY_DELAYS_MS[one.attempts];
  if (delay === undefined) {
    const notice = `disabled: nothing arrived in ${one.attempts + 1} attempts over about 75 hours; last: ${reason}. Mend the receiver, then set its state to active.`;
    return { ...settled, state: 'dead', reason, notice };
  }
  const asked = result.kind === 'answer' ? retryAfterMs(result.retryAfter, now) : undefined;
  const slow = result.kind === 'answer' && [429, 502, 503, 504].includes(result.status);
  const wait = Math.max(delay * (1 + JITTER * random), asked ?? 0);
  return {
    state: 'pending',
    nextAt: now + Math.ceil(wait),
    reason,
    slowDownMs: asked ?? (slow ? Math.min(delay, MINUTE) : 0),
    notice: '',
  };
}

function answered(status: number): string {
  if (status >= 300 && status < 400) return `it answered ${status}; redirects are not followed, give the final address`;
  return `it answered ${status}`;
}

/** `Retry-After`: seconds or an HTTP date, at most a day. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * SECOND, RETRY_AFTER_MS_MAX);
  const at = httpDateMs(text);
  return at === undefined ? undefined : Math.min(Math.max(0, at - now), RETRY_AFTER_MS_MAX);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Wed, 21 Oct 2026 07:28:00 GMT` (RFC 9110, 5.6.7; the obsolete forms are not read). */
function httpDateMs(text: string): number | undefined {
  const match = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(text);
  const month = MONTHS.indexOf(match?.[2] ?? '') + 1;
  if (match === null || month === 0) return undefined;
  try {
    const iso = `${match[3]}-${String(month).padStart(2, '0')}-${match[1]}T${match[4]}Z`;
    return Temporal.Instant.from(iso).epochMilliseconds;
  } catch {
    return undefined;
  }
}
