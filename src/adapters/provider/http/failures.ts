import { TripwatchError } from '../../../domain/errors.ts';
import { retryAtOf } from './retry-after.ts';

/** Translation of what goes wrong between us and a provider, by table, at this edge only. */

export type Failure = readonly [
  kind: 'transient' | 'rate-limited' | 'unauthorised' | 'permanent',
  code: string,
  message: string,
];

/** What a failure can be; vendors' own words are translated into one of these. */
export const FAILURES = {
  unauthorised: [
    'unauthorised',
    'provider-unauthorised',
    'The provider refuses our key. Check the account in the configuration and the plan at the provider.',
  ],
  failed: ['transient', 'provider-failed', 'The provider failed on its side. It is asked again.'],
  refused: [
    'permanent',
    'provider-refused',
    'The provider refuses the question as it is asked; asking it again will not help.',
  ],
  limited: ['rate-limited', 'provider-rate-limited', 'The provider wants fewer calls.'],
} as const satisfies Readonly<Record<string, Failure>>;

const BY_STATUS: Readonly<Record<number, Failure>> = {
  401: FAILURES.unauthorised,
  402: FAILURES.unauthorised,
  403: FAILURES.unauthorised,
  408: ['transient', 'provider-timeout', 'The provider gave up waiting. It is asked again.'],
  425: FAILURES.failed,
  429: FAILURES.limited,
};

/** A status that is no answer, as an error. `now`: epoch ms. `said`: the vendor's own word, which goes first. */
export function failureOfStatus(
  status: number,
  headers: Readonly<Record<string, string>>,
  now: number,
  said?: Failure,
): TripwatchError {
  // A redirect is not followed: it would carry the key to another host.
  const byStatus = BY_STATUS[status] ?? (status >= 400 && status < 500 ? FAILURES.refused : FAILURES.failed);
  const [kind, code, message] = said ?? byStatus;
  // 403 is a quota with some vendors, so it is asked when to come again, too.
  const retryAt = kind === 'permanent' ? undefined : retryAtOf(headers, now);
  return new TripwatchError(kind, code, message, {
    details: { status },
    // A failing server's quota header says nothing about when it is well again, nor whether our key is.
    ...(retryAt === undefined || (kind !== 'rate-limited' && headers['retry-after'] === undefined) ? {} : { retryAt }),
  });
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/** Anything thrown while asking. Our own errors pass; an abort by the caller is `cancelled`. */
export function failureOfTransport(error: unknown, origin: string, signal: AbortSignal): TripwatchError {
  if (error instanceof TripwatchError) return error;
  if (signal.aborted) return new TripwatchError('cancelled', 'question-called-off', 'The question was called off.');
  const code = codeOf(error);
  if ((error instanceof Error && error.name === 'TimeoutError') || TIMEOUTS.has(code)) {
    return new TripwatchError('transient', 'provider-timeout', `No whole answer from ${origin} in time.`, {
      cause: error,
    });
  }
  return new TripwatchError('transient', 'provider-unreachable', `The connection to ${origin} failed (${code}).`, {
    cause: error,
  });
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  return cause === undefined || cause === error ? 'unknown' : codeOf(cause);
}
