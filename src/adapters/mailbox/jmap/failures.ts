import { TripwatchError } from '../../../domain/errors.ts';
import { FAILURES, type Failure } from '../../provider/http/failures.ts';
import { problemSchema } from './schema.ts';

/** Errors of a whole request come with a status (RFC 8620, 3.6.1), those of a method inside a 200 (3.6.2). */
const CONSENT: Failure = [
  'unauthorised',
  'consent-needed',
  'The mail server no longer lets Tripwatch read this mailbox. Connect it again and allow reading mails.',
];
const ACCOUNT: Failure = [
  'permanent',
  'mailbox-settings-invalid',
  'The mail server has no such mail account for this user. Check the account in the settings of the mailbox.',
];

const BY_TYPE: Readonly<Record<string, Failure>> = {
  rateLimit: FAILURES.limited,
  serverUnavailable: FAILURES.failed,
  serverFail: FAILURES.failed,
  serverPartialFail: FAILURES.failed,
  forbidden: CONSENT,
  accountNotFound: ACCOUNT,
  accountNotSupportedByMethod: ACCOUNT,
};

/** Undefined: the status decides. */
export function explainJmap(status: number, body: unknown): Failure | undefined {
  const problem = problemSchema.safeParse(body);
  if (!problem.success) return status === 403 ? CONSENT : undefined;
  const type = problem.data.type.replace('urn:ietf:params:jmap:error:', '');
  // Which limit matters: too much at a time passes by itself, a request that is too large does not.
  if (type === 'limit') {
    const soon = /maxConcurrent|rate/i.test(problem.data.limit ?? '');
    return soon ? FAILURES.limited : FAILURES.refused;
  }
  return status === 403 ? CONSENT : undefined;
}

/** An error of one method; those that have a meaning of their own to the caller are handled before. */
export function failureOfMethod(type: string): TripwatchError {
  const [kind, code, message] = (Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type] : undefined) ?? FAILURES.refused;
  return new TripwatchError(kind, code, message, { details: { method: /^\w{1,60}$/.test(type) ? type : 'unknown' } });
}
