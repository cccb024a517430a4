import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Credentials } from '../../../ports/mailbox.ts';
import { failureOfOpen, failureOfUse } from './failures.ts';
import { LIMITED_MS } from './limits.ts';

const NOW = 1_800_000_000_000;
const never = new AbortController().signal;
const opened = (error: object, host = 'imap.example.org', credentials: Credentials['kind'] = 'password') =>
  failureOfOpen(Object.assign(new Error('Command failed'), error), { host, port: 993, credentials }, NOW, never);
const refusal = (responseText: string, serverResponseCode?: string) => ({
  authenticationFailed: true,
  responseStatus: 'NO',
  responseText,
  ...(serverResponseCode === undefined ? {} : { serverResponseCode }),
});

/** What servers were seen to say, and what a traveller is told. */
const LOGINS: readonly (readonly [
  host: string,
  credentials: Credentials['kind'],
  said: object,
  kind: string,
  code: string,
  says: RegExp,
])[] = [
  [
    'imap.example.org',
    'password',
    refusal('Authentication failed.', 'AUTHENTICATIONFAILED'),
    'unauthorised',
    'password-refused',
    /Check both/,
  ],
  [
    'imap.example.org',
    'password',
    refusal('Password has expired', 'EXPIRED'),
    'unauthorised',
    'password-refused',
    /expired/,
  ],
  [
    'imap.gmail.com',
    'password',
    refusal('Invalid credentials (Failure)', 'AUTHENTICATIONFAILED'),
    'unauthorised',
    'mailbox-app-password-needed',
    /myaccount\.google\.com\/apppasswords/,
  ],
  [
    'imap.gmail.com',
    'password',
    refusal('Application-specific password required', 'ALERT'),
    'unauthorised',
    'mailbox-app-password-needed',
    /app password/,
  ],
  [
    'imap.mail.me.com',
    'password',
    refusal('Authentication Failed', 'AUTHENTICATIONFAILED'),
    'unauthorised',
    'mailbox-app-password-needed',
    /account\.apple\.com/,
  ],
  [
    'imap.mail.yahoo.com',
    'password',
    refusal('LOGIN Invalid credentials', 'AUTHENTICATIONFAILED'),
    'unauthorised',
    'mailbox-app-password-needed',
    /Yahoo/,
  ],
  [
    'imap.own.example',
    'password',
    refusal('Use an app-specific password'),
    'unauthorised',
    'mailbox-app-password-needed',
    /imap\.own\.example/,
  ],
  [
    'outlook.office365.com',
    'password',
    refusal('LOGIN failed.'),
    'unauthorised',
    'mailbox-oauth-needed',
    /Sign in with Microsoft/,
  ],
  [
    'outlook.office365.com',
    'token',
    refusal('AUTHENTICATE failed.'),
    'unauthorised',
    'consent-needed',
    /Connect the mailbox again/,
  ],
  [
    'imap.gmail.com',
    'password',
    refusal('Too many simultaneous connections. (Failure)', 'ALERT'),
    'rate-limited',
    'mailbox-limited',
    /other mail programs/,
  ],
  [
    'imap.example.org',
    'password',
    refusal('Maximum number of connections from user+IP exceeded', 'LIMIT'),
    'rate-limited',
    'mailbox-limited',
    /asked again later/,
  ],
  [
    'imap.mail.yahoo.com',
    'password',
    refusal('LOGIN Rate limit hit.', 'LIMIT'),
    'rate-limited',
    'mailbox-limited',
    /later/,
  ],
  [
    'imap.example.org',
    'password',
    refusal('Temporary authentication failure.', 'UNAVAILABLE'),
    'transient',
    'mailbox-unavailable',
    /tried again/,
  ],
]; // prettier-ignore

test('a refused login says what to do, by provider and by what the server says', () => {
  for (const [host, credentials, said, kind, code, says] of LOGINS) {
    const error = opened(said, host, credentials);
    assert.equal(error.code, code, `${host}: ${JSON.stringify(said)}`);
    assert.equal(error.kind, kind, `${host}: ${JSON.stringify(said)}`);
    assert.match(error.message, says);
    if (kind === 'rate-limited') assert.equal(error.retryAt, NOW + LIMITED_MS);
  }
});

test('a server that is not there, certificates and TLS each have their own error', () => {
  const codes = [
    [{ code: 'ECONNREFUSED' }, 'mailbox-unreachable'],
    [{ code: 'ENETUNREACH' }, 'mailbox-unreachable'],
    [{ code: 'ClosedAfterConnectText' }, 'mailbox-unreachable'],
    [{ code: 'CONNECT_TIMEOUT' }, 'mailbox-timeout'],
    [{ code: 'GREETING_TIMEOUT' }, 'mailbox-timeout'],
    [{ code: 'ETIMEDOUT' }, 'mailbox-timeout'],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'mailbox-certificate'],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'mailbox-certificate'],
    [{ code: 'CERT_HAS_EXPIRED', tlsFailed: true }, 'mailbox-certificate'],
    [{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, 'mailbox-certificate'],
    [{ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, 'mailbox-tls-failed'],
    [{ tlsFailed: true }, 'mailbox-tls-failed'],
    [{ code: 'ClosedAfterConnectText', reason: 'Too many connections' }, 'mailbox-limited'],
  ] as const;
  for (const [error, code] of codes) assert.equal(opened(error).code, code, JSON.stringify(error));
});

test('what fails in use is told apart, and no words of the server get out', () => {
  const used = (error: object) => failureOfUse(Object.assign(new Error('x'), error), 'imap.example.org', NOW, never);
  assert.equal(used({ code: 'NoConnection' }).code, 'mailbox-closed');
  assert.equal(used({ code: 'ETIMEOUT' }).code, 'mailbox-timeout');
  assert.equal(used({ code: 'LiteralTooLarge' }).code, 'mailbox-answer-odd');
  assert.equal(used({ code: 'ETHROTTLE' }).kind, 'rate-limited');
  const refused = used({
    responseStatus: 'NO',
    responseText: 'Folder "Divorce" is locked',
    serverResponseCode: 'INUSE',
  });
  assert.equal(refused.code, 'mailbox-failed');
  assert.match(refused.message, /NO \[INUSE\]/);
  assert.doesNotMatch(refused.message, /Divorce/);
});

test('what the caller called off is cancelled, whatever the connection says', () => {
  const error = failureOfUse(new Error('closed'), 'imap.example.org', NOW, AbortSignal.abort());
  assert.equal(error.kind, 'cancelled');
});
