import type { LimitsSaid } from '../../../ports/provider.ts';
import { RETRY_MS_MAX, RETRY_MS_MIN, waitMs } from './retry-after.ts';

/**
 * What a provider says of its limits with every answer: the fields of the IETF drafts in their old form (RateLimit-Limit,
 * -Remaining, -Reset) and their new one (RateLimit, RateLimit-Policy), the X-RateLimit ones before them, and those of
 * marketplaces (X-RateLimit-Requests-…). What cannot be is left out, what is absurd is clamped: a header must neither stop
 * an account for a year nor let it run wild.
 */

/** What stands before `remaining` and `reset`. */
const PREFIXES = ['ratelimit-', 'x-ratelimit-', 'x-rate-limit-', 'x-ratelimit-requests-'] as const;

/** One of these is there, or nothing is said: most answers say nothing, and all are looked at. */
const FIELDS = ['ratelimit', 'ratelimit-policy', 'ratelimit-limit', ...PREFIXES.map((prefix) => `${prefix}remaining`)];

/** A window named by the provider is believed within these bounds. */
const WINDOW_S_MAX = 31 * 86_400;
const CALLS_MAX = 1_000_000_000;
const POLICIES_MAX = 10;

/** Undefined: it says nothing. `now`: epoch ms by our clock. */
export function limitsSaidBy(headers: Readonly<Record<string, string>>, now: number): LimitsSaid | undefined {
  if (FIELDS.every((field) => headers[field] === undefined)) return undefined;
  const serverNow = dateOf(headers.date) ?? now;
  const limits = [...policiesOf(headers['ratelimit-policy']), ...policiesOf(headers['ratelimit-limit'])];
  const states = [stateOf(headers.ratelimit, now)];
  for (const prefix of PREFIXES) {
    const left = wholeOf(headers[`${prefix}remaining`]);
    const wait = waitMs(headers[`${prefix}reset`], serverNow);
    if (left !== undefined && wait !== undefined) states.push({ left, resetAt: now + clamped(wait) });
  }
  // Where several are told, the one with the least left holds.
  const [tightest] = states.filter((one) => one !== undefined).sort((a, b) => a.left - b.left);
  if (limits.length === 0 && tightest === undefined) return undefined;
  return { limits, ...tightest };
}

/** `"burst";q=100;w=60`, or `100, 100;w=60` of the older draft. Those that name no window are no limits. */
function policiesOf(value: string | undefined): LimitsSaid['limits'] {
  return itemsOf(value).flatMap(({ name, params }) => {
    const max = wholeOf(params.q ?? name);
    const perSeconds = wholeOf(params.w);
    if (max === undefined || max < 1 || perSeconds === undefined || perSeconds < 1 || perSeconds > WINDOW_S_MAX)
      return [];
    return [{ max, perSeconds }];
  });
}

/** `"burst";r=50;t=30`: what is left, and for how many seconds. */
function stateOf(value: string | undefined, now: number): { left: number; resetAt: number } | undefined {
  const states = itemsOf(value).flatMap(({ params }) => {
    const left = wholeOf(params.r);
    const seconds = wholeOf(params.t);
    return left === undefined || seconds === undefined ? [] : [{ left, resetAt: now + clamped(seconds * 1000) }];
  });
  return states.sort((a, b) => a.left - b.left)[0];
}

interface Listed {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
}

/** A list of structured fields (RFC 9651) as far as these headers use them. */
function itemsOf(value: string | undefined): readonly Listed[] {
  if (value === undefined || value.length > 1000) return [];
  return value
    .split(',')
    .slice(0, POLICIES_MAX)
    .map((text) => {
      const [name = '', ...rest] = text.split(';').map((part) => part.trim());
      const params = rest.map((part) => part.split('=', 2).map((word) => word.trim().replace(/^"|"$/g, '')));
      return { name: name.replace(/^"|"$/g, ''), params: Object.fromEntries(params) };
    });
}

function wholeOf(text: string | undefined): number | undefined {
  // Of a list (`50, 50;window=60`) the first one counts.
  const digits = /^\s*(\d{1,10})(\.\d+)?\s*(?:[,;].*)?$/.exec(text ?? '')?.[1];
  const value = digits === undefined ? undefined : Number(digits);
  return value !== undefined && value <= CALLS_MAX ? value : undefined;
}

function clamped(ms: number): number {
  return Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, ms));
}

function dateOf(text: string | undefined): number | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(at) ? at : undefined;
}
