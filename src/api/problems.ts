import { describeError, TripwatchError } from '../domain/errors.ts';

/** Every problem type that the API answers with (RFC 9457). `type` is `/problems/<code>`; codes never change meaning. */
export const PROBLEMS = {
  'body-invalid': { status: 422, title: 'The body is not what this command takes' },
  'body-not-json': { status: 400, title: 'The body is not JSON' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'media-type-unsupported': { status: 415, title: 'The body has another media type than application/json' },
  'query-invalid': { status: 400, title: 'A parameter of the address cannot be read' },
  'token-missing': { status: 401, title: 'No token was sent' },
  'token-unknown': { status: 401, title: 'The token is not known' },
  'scope-missing': { status: 403, title: 'The token may not do this' },
  'csrf-header-missing': { status: 403, title: 'The header X-Tripwatch is missing' },
  'host-refused': { status: 421, title: 'This service is not reached by that host name' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The address does not take this method' },
  conflict: { status: 409, title: 'The state does not allow this' },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key came before with another body' },
  'field-unknown': { status: 422, title: 'There is no such field' },
  'field-invalid': { status: 422, title: 'The value does not fit its field' },
  'leg-unknown': { status: 422, title: 'The reservation has no such leg' },
  'provider-unknown': { status: 422, title: 'There is no such provider account' },
  'traveller-unknown': { status: 422, title: 'There is no such traveller' },
  'webhook-url-invalid': { status: 422, title: 'The webhook address cannot be used' },
  'webhook-address-private': { status: 422, title: 'The webhook address is not a public one' },
  'webhook-host-unknown': { status: 422, title: 'The host of the webhook address cannot be found' },
  'mailbox-refused': { status: 422, title: 'The mailbox cannot be connected' },
  'mailbox-confirm': { status: 409, title: 'The mail server has to be confirmed' },
  'mailbox-exists': { status: 409, title: 'The mailbox is connected already' },
  'sign-in-expired': { status: 409, title: 'The sign-in has to be begun again' },
  'push-refused': { status: 401, title: 'The pushed message could not be verified' },
  'limit-reached': { status: 429, title: 'A limit is reached' },
  unavailable: { status: 503, title: 'The service cannot do this at the moment' },
  unexpected: { status: 500, title: 'Something went wrong on our side' },
} as const;
export type ProblemCode = keyof typeof PROBLEMS;

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly code: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** Thrown by commands and routes; the detail names the value, the place and the remedy. */
export class Problem extends TripwatchError {
  readonly problem: ProblemCode;
  readonly errors: ProblemDocument['errors'];

  constructor(code: ProblemCode, detail: string, errors?: ProblemDocument['errors']) {
    super('permanent', code, detail);
    this.problem = code;
    this.errors = errors;
  }
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** The document for any error. What is not ours to tell (stack, SQL, paths) stays in the log. */
export function problemDocument(error: unknown, instance?: string): ProblemDocument {
  const { code, message } = describeError(error);
  const known: ProblemCode = isProblemCode(code) ? code : unknownCode(error);
  const told = (isProblemCode(code) && code !== 'unexpected') || code === 'intake-overloaded';
  const detail = told ? message : FALLBACK_DETAILS[known];
  const errors = error instanceof Problem ? error.errors : undefined;
  return {
    type: `/problems/${known}`,
    title: PROBLEMS[known].title,
    status: PROBLEMS[known].status,
    detail: detail ?? PROBLEMS[known].title,
    ...(instance === undefined ? {} : { instance }),
    code: known,
    ...(errors === undefined ? {} : { errors }),
  };
}

function unknownCode(error: unknown): ProblemCode {
  if (error instanceof TripwatchError) {
    if (error.kind === 'transient' || error.kind === 'rate-limited' || error.kind === 'cancelled') return 'unavailable';
    if (error.kind === 'stale') return 'conflict';
  }
  return 'unexpected';
}

const FALLBACK_DETAILS: Partial<Record<ProblemCode, string>> = {
  unavailable: 'The store or a part behind it is busy or stopping. Nothing was changed; try again in a few seconds.',
  conflict: 'Someone else changed this at the same moment. Read it again and repeat what still applies.',
  unexpected: 'Nothing was changed as far as we know. The log has the cause under this request id; please report it.',
};
