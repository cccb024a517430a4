import { FAILURES, type Failure } from '../../provider/http/failures.ts';
import { errorSchema } from './schema.ts';

const CONSENT: Failure = [
  'unauthorised',
  'consent-needed',
  'Microsoft no longer lets Tripwatch read this mailbox. Connect it again and allow reading mails.',
];
const NO_MAILBOX: Failure = [
  'permanent',
  'provider-refused',
  'This Microsoft account has no mailbox that can be read. Connect the account that receives your mails.',
];

const BY_CODE: Readonly<Record<string, Failure>> = {
  ErrorAccessDenied: CONSENT,
  AccessDenied: CONSENT,
  Authorization_RequestDenied: CONSENT,
  MailboxNotEnabledForRESTAPI: NO_MAILBOX,
  MailboxNotSupportedForRESTAPI: NO_MAILBOX,
  ErrorNonExistentMailbox: NO_MAILBOX,
  ApplicationThrottled: FAILURES.limited,
  TooManyRequests: FAILURES.limited,
  activityLimitReached: FAILURES.limited,
  MailboxConcurrency: FAILURES.limited,
  ErrorMailboxStoreUnavailable: FAILURES.failed,
  ErrorServerBusy: FAILURES.failed,
  ErrorInternalServerTransientError: FAILURES.failed,
};

/** Undefined: the status decides. */
export function explainGraph(_status: number, body: unknown): Failure | undefined {
  const code = codeOf(body);
  return code !== undefined && Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
}

/** The place in the changes is gone: the word matters, because the status differs (400, 404, 410). */
export function syncStateGone(status: number, body: unknown): boolean {
  const parsed = errorSchema.safeParse(body);
  const codes = parsed.success ? [parsed.data.error.code, parsed.data.error.innerError?.code] : [];
  return status === 410 || codes.some((code) => code !== undefined && GONE.test(code));
}

const GONE =
  /^(syncStateNotFound|syncStateInvalid|resyncRequired|resyncApplyDifferences|resyncChangesApplied\w*|ErrorInvalidSyncStateData)$/i;

function codeOf(body: unknown): string | undefined {
  return errorSchema.safeParse(body).data?.error.code;
}
