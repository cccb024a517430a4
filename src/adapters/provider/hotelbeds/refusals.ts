import type { LimitsSaid } from '../../../ports/provider.ts';
import { FAILURES, type Failure } from '../http/failures.ts';
import type { HotelbedsError } from './schema.ts';

/**
 * A gateway before Hotelbeds answers 403 for four different things: which of them stands in a header. A key that is
 * spent for the day is no wrong key.
 */
const BY_GATEWAY: Readonly<Record<string, Failure>> = {
  ERR_403_DEVELOPER_OVER_QPS: FAILURES.limited,
  ERR_403_SERVICE_OVER_QPS: FAILURES.limited,
  ERR_403_DEVELOPER_OVER_RATE: FAILURES.limited,
  ERR_403_DEVELOPER_INACTIVE: FAILURES.unauthorised,
  ERR_403_NOT_AUTHORIZED: [
    'unauthorised',
    'provider-unauthorised',
    'The provider refuses our signature. Check key and secret of the account, and the clock of this machine.',
  ],
};

type Headers = Readonly<Record<string, string>>;
const codeOf = (headers: Headers): string => headers['x-mashery-error-code']?.trim().toUpperCase() ?? '';

export function explain(_status: number, body: unknown, headers: Headers): Failure | undefined {
  const byGateway = BY_GATEWAY[codeOf(headers)];
  if (byGateway !== undefined) return byGateway;
  const words = (body as { error?: unknown } | null | undefined)?.error;
  return typeof words === 'string' && /quota|rate limit|too many/i.test(words) ? FAILURES.limited : undefined;
}

/** A spent day says seldom when the next begins. Asking once an hour finds out, at 24 refused calls a day. */
const SPENT_MS = 3_600_000;

/** The quota of the day, as far as an answer or a refusal says it. `now`: epoch ms. */
export function quotaSaid(headers: Headers, now: number): LimitsSaid | undefined {
  const isSpent = codeOf(headers) === 'ERR_403_DEVELOPER_OVER_RATE';
  if (isSpent)
    return headers['retry-after'] === undefined ? { limits: [], left: 0, resetAt: now + SPENT_MS } : undefined;
  const value = (name: string) => headers[`x-packagekey-quota-${name}`] ?? headers[`x-plan-quota-${name}`];
  const [allotted, current] = [value('allotted'), value('current')].map(Number);
  const resetAt = Date.parse(value('reset') ?? '');
  if (!Number.isInteger(allotted) || allotted! < 1 || !Number.isInteger(current) || !(resetAt > now)) return undefined;
  const limit = { max: allotted!, perSeconds: 86_400 };
  return { limits: [limit], left: Math.max(0, allotted! - current!), resetAt };
}

/** `error` of an answer that came with status 200. */
export function failureOf({ code, message }: HotelbedsError): Failure | 'absent' {
  if (/\bnot found\b|does not exist/i.test(message ?? '') || code === 'NOT_FOUND') return 'absent';
  return /^INVALID/.test(code ?? '') ? FAILURES.refused : FAILURES.failed;
}
