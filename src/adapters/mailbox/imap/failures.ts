import type { ImapFlowError } from 'imapflow';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Credentials } from '../../../ports/mailbox.ts';
import { LIMITED_MS } from './limits.ts';
import { wantsOf } from './providers.ts';

/** Translation of what goes wrong between us and an IMAP server, by table, at this edge only. */

export interface Where {
  readonly host: string;
  readonly port: number;
  readonly credentials?: Credentials['kind'];
}

const RETRIED = 'It is tried again, and nothing is lost.';

/** Codes of Node and OpenSSL for a certificate that we do not trust. */
const CERTIFICATE =
  /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER|GET_CRL)|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH)/;
const TLS = /^(ERR_SSL|ERR_TLS|EPROTO|UPGRADE_TIMEOUT|STARTTLS_INJECTION|ClosedAfterConnectTLS)/;
const SILENT = /^(CONNECT_TIMEOUT|GREETING_TIMEOUT|ETIMEDOUT|ETIMEOUT)$/;
/** Of RFC 5530, and as large providers put it in words. */
const LIMITED = /^(LIMIT|OVERQUOTA|THROTTLED)$/;
const LIMITED_WORDS = /too many|maximum number of connections|rate limit|throttl|try again later|temporarily blocked/i;
const UNAVAILABLE = /^(UNAVAILABLE|INUSE|SERVERBUG|CORRUPTION)$/;
const UNAVAILABLE_WORDS = /temporar|internal (server )?error|service unavailable|server is busy|system error/i;
const APP_PASSWORD_WORDS = /application-specific|app(lication)?[- ]?password|app-specific|authori[sz]ation code/i;

/** A failed `open`. `now`: epoch ms. Errors of ours pass; an abort by the caller is `cancelled`. */
export function failureOfOpen(error: unknown, where: Where, now: number, signal: AbortSignal): TripwatchError {
  if (error instanceof TripwatchError) return error;
  if (signal.aborted) return calledOff(error);
  const { code = '', authenticationFailed, tlsFailed, responseText = '', reason = '' } = partsOf(error);
  const said = `${responseText} ${reason}`;
  const name = `${where.host}:${where.port}`;
  if (authenticationFailed === true) return failureOfLogin(error, where, now);
  if (CERTIFICATE.test(code)) {
    return new TripwatchError(
      // Expired ones are renewed, and strange networks are left again. Nothing secret was sent.
      'transient',
      'mailbox-certificate',
      `The certificate of ${name} cannot be trusted (${code}), so nothing was sent. Check the server name; for a ` +
        'certificate of your own, the operator of Tripwatch names a file with it or its authority (mailboxes.ca).',
      { cause: error },
    );
  }
  if (tlsFailed === true || TLS.test(code)) {
    return new TripwatchError(
      'transient',
      'mailbox-tls-failed',
      `No encrypted connection to ${name} could be made (${code || 'STARTTLS'}). Check port and kind of encryption: ` +
        `993 is usually TLS, 143 STARTTLS. ${RETRIED}`,
      { cause: error },
    );
  }
  if (LIMITED_WORDS.test(said)) return limited(name, now, error);
  if (SILENT.test(code)) {
    return new TripwatchError(
      'transient',
      'mailbox-timeout',
      `${name} did not answer in time. Check server and port; 993 wants TLS from the start. ${RETRIED}`,
      { cause: error },
    );
  }
  return new TripwatchError(
    'transient',
    'mailbox-unreachable',
    `The connection to ${name} failed (${code || 'closed'}). Check server name and port. ${RETRIED}`,
    { cause: error },
  );
}

/** The server said no to user and password or token. */
function failureOfLogin(error: unknown, where: Where, now: number): TripwatchError {
  const { serverResponseCode: code = '', responseText = '', response } = partsOf(error);
  const said = `${responseText} ${typeof response === 'string' ? response : ''}`;
  const name = where.host;
  if (LIMITED.test(code) || (code !== 'AUTHENTICATIONFAILED' && LIMITED_WORDS.test(said))) {
    return limited(name, now, error);
  }
  if (UNAVAILABLE.test(code) || (code === '' && UNAVAILABLE_WORDS.test(said))) {
    return new TripwatchError('transient', 'mailbox-unavailable', `${name} cannot sign anyone in now. ${RETRIED}`, {
      cause: error,
    });
  }
  if (where.credentials === 'token') {
    return new TripwatchError(
      'unauthorised',
      'consent-needed',
      `${name} refuses our access. Connect the mailbox again; your place in it is kept.`,
      { cause: error },
    );
  }
  const wants = wantsOf(name);
  if (wants?.login === 'oauth') return oauthNeeded(name, wants.label);
  if (wants?.login === 'app-password' || APP_PASSWORD_WORDS.test(said)) {
    const place =
      wants?.appPasswords === undefined ? 'in the settings of your mail account' : `at ${wants.appPasswords}`;
    return new TripwatchError(
      'unauthorised',
      'mailbox-app-password-needed',
      `${wants?.label ?? name} refuses user or password. It takes no ordinary password here: make an app password ` +
        `${place} and enter that, with your whole address as user.`,
      { cause: error },
    );
  }
  return new TripwatchError(
    'unauthorised',
    'password-refused',
    `${name} refuses user or password${code === 'EXPIRED' ? ' (the password has expired)' : ''}. Check both; the user is ` +
      'often the whole address, and with two-step sign-in an app password is needed. It is not tried again by itself.',
    { cause: error },
  );
}

/** A password would be of no use there, so it is not sent. */
export function oauthNeeded(host: string, label: string): TripwatchError {
  return new TripwatchError(
    'unauthorised',
    'mailbox-oauth-needed',
    `${label} (${host}) takes no passwords over IMAP. Connect the mailbox with "Sign in with ${label}" instead.`,
  );
}

/** A failed operation of a session that stood. */
export function failureOfUse(error: unknown, host: string, now: number, signal: AbortSignal): TripwatchError {
  if (error instanceof TripwatchError) return error;
  if (signal.aborted) return calledOff(error);
  const { code = '', responseStatus, serverResponseCode = '', responseText = '' } = partsOf(error);
  if (code === 'ETHROTTLE' || LIMITED.test(serverResponseCode)) return limited(host, now, error);
  if (responseStatus === 'NO' || responseStatus === 'BAD') {
    if (LIMITED_WORDS.test(responseText)) return limited(host, now, error);
    // Its words may hold names of folders and mails.
    const why = serverResponseCode === '' ? responseStatus : `${responseStatus} [${serverResponseCode.slice(0, 40)}]`;
    return new TripwatchError('transient', 'mailbox-failed', `${host} refused a question (${why}). ${RETRIED}`, {
      cause: error,
    });
  }
  if (SILENT.test(code)) return silent(host, error);
  if (
    /^(LiteralTooLarge|LineTooLarge|ResponseTooLarge|TooMany|ParserError|MAX_IMAP|InvalidResponse|Response)/.test(code)
  ) {
    return answerOdd(host, code, error);
  }
  return ended(host, error);
}

export function limited(host: string, now: number, cause?: unknown): TripwatchError {
  return new TripwatchError(
    'rate-limited',
    'mailbox-limited',
    `${host} allows no more connections or questions now. It is asked again later; if it stays, close other mail ` +
      'programs of this account.',
    { cause, retryAt: now + LIMITED_MS },
  );
}

export function silent(host: string, cause?: unknown): TripwatchError {
  return new TripwatchError(
    'transient',
    'mailbox-timeout',
    `${host} did not answer in time; the connection was given up. ${RETRIED}`,
    { cause },
  );
}

export function ended(host: string, cause?: unknown): TripwatchError {
  return new TripwatchError('transient', 'mailbox-closed', `The connection to ${host} has ended. ${RETRIED}`, {
    cause,
  });
}

export function answerOdd(host: string, what: string, cause?: unknown): TripwatchError {
  return new TripwatchError(
    'transient',
    'mailbox-answer-odd',
    `${host} gave an answer that cannot be used (${what}). ${RETRIED}`,
    { cause },
  );
}

export function calledOff(cause?: unknown): TripwatchError {
  return new TripwatchError('cancelled', 'mailbox-called-off', 'The question to the mail server was called off.', {
    cause,
  });
}

function partsOf(error: unknown): Partial<ImapFlowError> {
  return typeof error === 'object' && error !== null ? (error as Partial<ImapFlowError>) : {};
}
