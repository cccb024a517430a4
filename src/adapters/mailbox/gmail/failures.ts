import { FAILURES, type Failure } from '../../provider/http/failures.ts';
import { errorSchema } from './schema.ts';

/**
 * Google says 403 for three different things: too many calls (wait), no right to the mailbox (its owner must consent
 * again), and a project that may not use the API (the operator's business). The reason tells which.
 */
const CONSENT: Failure = [
  'unauthorised',
  'consent-needed',
  'Google no longer lets Tripwatch read this mailbox. Connect it again and allow reading mails.',
];
const PROJECT: Failure = [
  'permanent',
  'provider-refused',
  'The Gmail API is not enabled for this Google Cloud project, or its domain forbids it. The operator must allow it.',
];

const BY_REASON: Readonly<Record<string, Failure>> = {
  rateLimitExceeded: FAILURES.limited,
  userRateLimitExceeded: FAILURES.limited,
  quotaExceeded: FAILURES.limited,
  dailyLimitExceeded: FAILURES.limited,
  concurrentLimitExceeded: FAILURES.limited,
  RATE_LIMIT_EXCEEDED: FAILURES.limited,
  RESOURCE_EXHAUSTED: FAILURES.limited,
  insufficientPermissions: CONSENT,
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: CONSENT,
  forbidden: CONSENT,
  authError: CONSENT,
  accessNotConfigured: PROJECT,
  SERVICE_DISABLED: PROJECT,
  domainPolicy: PROJECT,
  backendError: FAILURES.failed,
};

/** Undefined: the status decides. A 401 is the caller's: it tries another token first. */
export function explainGmail(status: number, body: unknown): Failure | undefined {
  const parsed = errorSchema.safeParse(body);
  if (!parsed.success) return status === 403 ? FAILURES.limited : undefined;
  const { errors, details, status: word } = parsed.data.error;
  const reasons = [...errors, ...details].map((one) => one.reason);
  const known = [...reasons, word].find((one) => one !== undefined && Object.hasOwn(BY_REASON, one));
  if (known !== undefined) return BY_REASON[known];
  // A 403 of an unknown reason is taken for the one that costs least if it is wrong: we wait, and nobody is bothered.
  return status === 403 ? (word === 'PERMISSION_DENIED' ? CONSENT : FAILURES.limited) : undefined;
}
