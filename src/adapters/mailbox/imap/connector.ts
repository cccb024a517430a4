import { createSecureContext, rootCertificates } from 'node:tls';
import type { ImapFlow } from 'imapflow';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Credentials, MailboxAccount, MailboxConnector, MailboxSession } from '../../../ports/mailbox.ts';
import { addressOf, clientOf, type DialPolicy } from './dial.ts';
import { calledOff, failureOfOpen, oauthNeeded } from './failures.ts';
import { IMAP_LIMITS, type ImapLimits, SESSIONS_MAX } from './limits.ts';
import { wantsOf } from './providers.ts';
import { ImapSession } from './session.ts';
import { type ImapSettings, imapSettings, portOf } from './settings.ts';

export interface ImapOptions extends DialPolicy {
  /** PEM of authorities to trust beside those that Node knows. */
  readonly ca?: readonly string[];
  readonly limits?: Partial<ImapLimits>;
}

/**
 * Mailboxes by IMAP. Reads only: folders are opened with EXAMINE and mails fetched with PEEK. A refused login is never
 * tried again here: a password once, a token once more with another one.
 */
export function createImapConnector(options: ImapOptions): MailboxConnector {
  const limits: ImapLimits = { ...IMAP_LIMITS, ...options.limits };
  // One for all: each connection would make its own otherwise, and hold it.
  const tls = createSecureContext({
    minVersion: 'TLSv1.2',
    ...(options.ca === undefined ? {} : { ca: [...rootCertificates, ...options.ca] }),
  });
  const connected = async (
    settings: ImapSettings,
    credentials: Credentials,
    signal: AbortSignal,
  ): Promise<ImapFlow> => {
    const where = { host: settings.host, port: portOf(settings), credentials: credentials.kind };
    try {
      const address = await addressOf(settings, options);
      if (signal.aborted) throw calledOff(signal.reason);
      const client = clientOf({ settings, address, credentials, limits, tls });
      await connect(client, limits.connectMs, signal);
      return client;
    } catch (error) {
      throw failureOfOpen(error, where, Date.now(), signal);
    }
  };
  return {
    kind: 'imap',
    label: 'IMAP',
    capabilities: { push: 'live', sessionsMax: SESSIONS_MAX },
    open: async (account: MailboxAccount, signal: AbortSignal): Promise<MailboxSession> => {
      if (signal.aborted) throw calledOff(signal.reason);
      const settings = checked(account.settings);
      const credentials = await account.credentials(signal);
      const wants = wantsOf(settings.host);
      if (wants?.login === 'oauth' && credentials.kind === 'password') throw oauthNeeded(settings.host, wants.label);
      const client = await connected(settings, credentials, signal).catch(async (error: unknown) => {
        const refused = error instanceof TripwatchError && error.kind === 'unauthorised';
        if (!refused || credentials.kind !== 'token') throw error;
        const other = await account.credentials(signal, credentials);
        if (other.kind === 'token' && other.accessToken === credentials.accessToken) throw error;
        return await connected(settings, other, signal);
      });
      return new ImapSession({ client, host: settings.host, chosen: settings.folders, limits });
    },
  };
}

function checked(given: Readonly<Record<string, unknown>>): ImapSettings {
  const parsed = imapSettings.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'settings'}: ${message}`);
  throw new TripwatchError(
    'permanent',
    'mailbox-settings-invalid',
    `The settings of the IMAP mailbox cannot be used: ${faults.join('; ')}. Correct them.`,
  );
}

/** Connects and signs in within the deadline, or leaves nothing behind. */
async function connect(client: ImapFlow, ms: number, signal: AbortSignal): Promise<void> {
  const late = new Error('not signed in within the deadline') as Error & { code: string };
  late.code = 'CONNECT_TIMEOUT';
  let missed: Error | undefined;
  const giveUp = () => {
    missed = late;
    client.close();
  };
  const onAbort = () => client.close();
  const deadline = setTimeout(giveUp, ms);
  signal.addEventListener('abort', onAbort, { once: true });
  let first: Error | undefined;
  const onError = (error: Error) => {
    first ??= error;
  };
  client.on('error', onError);
  try {
    await client.connect();
    if (signal.aborted) throw signal.reason;
  } catch (error) {
    client.close();
    throw missed ?? first ?? error;
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', onAbort);
    // Errors of later belong to the session, which has its listener in the same turn.
    setImmediate(() => client.off('error', onError));
  }
}
