import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ImapFlow, type ImapFlowOptions } from 'imapflow';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Credentials } from '../../../ports/mailbox.ts';
import { whyNotGlobal } from '../../egress/address.ts';
import { type ImapLimits, LINE_BYTES_MAX, LITERAL_BYTES_MAX } from './limits.ts';
import { type ImapSettings, portOf } from './settings.ts';

/**
 * Where a mailbox's server may be, and how it is dialled: the name is resolved once, every address of it is checked, and
 * that very address is dialled, with the certificate checked against the name.
 */
export interface DialPolicy {
  /** Private and loopback addresses and any port too: for servers beside us. */
  readonly allowPrivate: boolean;
  /** Without encryption also where the server is not on loopback. */
  readonly allowPlain: boolean;
  /** All addresses of a name. Default: DNS; with `allowPrivate`, the system's way. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

export const PORTS_ALLOWED: readonly number[] = [993, 143];
const DNS_TIMEOUT_MS = 3000;

/**
 * The address to dial. Errors: permanent `mailbox-address-private`, `mailbox-port-refused`, `mailbox-tls-required`;
 * transient `mailbox-host-unknown`.
 */
export async function addressOf(settings: ImapSettings, policy: DialPolicy): Promise<string> {
  const host = settings.host.replace(/\.$/, '');
  const port = portOf(settings);
  if (!policy.allowPrivate && !PORTS_ALLOWED.includes(port)) {
    throw new TripwatchError(
      'permanent',
      'mailbox-port-refused',
      `Port ${port} of ${host} is not called: IMAP is at ${PORTS_ALLOWED.join(' or ')}. The operator may allow others ` +
        '(mailboxes.allowPrivate).',
    );
  }
  const addresses = isIP(host) === 0 ? await resolved(host, policy) : [host];
  for (const address of addresses) {
    const why = policy.allowPrivate ? undefined : whyNotGlobal(address);
    if (why === undefined) continue;
    throw new TripwatchError(
      'permanent',
      'mailbox-address-private',
      `${host} is, or leads to, an address that is not a public one (${why}). Name a public server; the operator may ` +
        'allow private ones (mailboxes.allowPrivate).',
    );
  }
  const address = addresses[0]!;
  if (settings.security === 'plain' && !policy.allowPlain && !isLoopback(address)) {
    throw new TripwatchError(
      'permanent',
      'mailbox-tls-required',
      `${host} is to be called without encryption, which would show password and mails to the network. Choose TLS or ` +
        'STARTTLS; the operator may allow plain connections (mailboxes.allowPlain).',
    );
  }
  return address;
}

async function resolved(host: string, policy: DialPolicy): Promise<readonly string[]> {
  const addresses = await (policy.resolve ?? (policy.allowPrivate ? systemLookup : publicDns))(host).catch(() => []);
  if (addresses.length > 0) return addresses;
  throw new TripwatchError(
    'transient',
    'mailbox-host-unknown',
    `The mail server "${host}" has no address in DNS at present. Check the spelling; it is tried again.`,
  );
}

/** Asks DNS itself: without the hosts file, and without the few threads that files share. IPv4 first. */
async function publicDns(name: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

async function systemLookup(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map((one) => one.address);
}

const isLoopback = (address: string): boolean =>
  address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));

/** A client that has not connected yet. `tls` is shared by all sessions, which saves a good part of their memory. */
export function clientOf(
  {
    settings,
    address,
    credentials,
    limits,
    tls,
  }: {
    readonly settings: ImapSettings;
    readonly address: string;
    readonly credentials: Credentials;
    readonly limits: ImapLimits;
    readonly tls: SecureContext;
  }, // prettier-ignore
): ImapFlow {
  const host = settings.host.replace(/\.$/, '');
  const { user } = credentials;
  const options: ImapFlowOptions = {
    host: address,
    port: portOf(settings),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secure: settings.security === 'tls',
    // Never by chance: an attacker on the way could hide that the server offers it.
    doSTARTTLS: settings.security === 'starttls',
    tls: { secureContext: tls, rejectUnauthorized: true, ...(isIP(host) === 0 ? { servername: host } : {}) },
    auth:
      credentials.kind === 'password'
        ? { user, pass: credentials.password }
        : { user, accessToken: credentials.accessToken },
    logger: false,
    // IDLE is ours to begin (listen.ts), and a compressed stream costs each session some 300 KB.
    disableAutoIdle: true,
    disableCompression: true,
    // Servers that offer it get little use, and their searches are answered in a form that is cut at what EXISTS says.
    disableIMAP4rev2: true,
    clientInfo: { name: 'Tripwatch', version: false, vendor: false, 'support-url': false },
    connectionTimeout: limits.connectMs,
    greetingTimeout: limits.connectMs,
    // A backstop only: `guarded` looks at the answers.
    socketTimeout: Math.max(limits.idleMs, limits.pollMs) + 2 * limits.answerMs,
    maxLiteralSize: LITERAL_BYTES_MAX,
    maxLineLength: LINE_BYTES_MAX,
    maxResponseSize: LITERAL_BYTES_MAX + LINE_BYTES_MAX,
    maxLockHoldTime: false,
  };
  return new ImapFlow(options);
}
