import { Resolver } from 'node:dns/promises';
import { domainToASCII } from 'node:url';
import { TripwatchError } from '../../../domain/errors.ts';
import { MAIL_HOSTS, type MailHost, wantsOf } from './providers.ts';
import type { ImapSettings } from './settings.ts';

/**
 * IMAP settings for a mail address, so that a traveller need not know them: from the list of well-known providers, from
 * what the domain says in DNS (SRV, RFC 6186), from whose servers take its mail (MX), and else the usual name.
 */
export type ImapFound =
  | {
      readonly kind: 'imap';
      readonly settings: Pick<ImapSettings, 'host' | 'security'> & { readonly port: number };
      /** To sign in as. */
      readonly user: string;
      readonly source: 'known' | 'srv' | 'mx' | 'guess';
      readonly login: 'password' | 'app-password';
      /**
       * The server is not of the domain, and only DNS, which anyone on the way may have changed, says so: the traveller is
       * to say yes before a password goes there (RFC 6186, section 6).
       */
      readonly confirm: boolean;
      /** What to do first, for people. */
      readonly note?: string;
    }
  /** No password is of use: sign-in at the provider. */
  | { readonly kind: 'sign-in'; readonly provider: 'microsoft'; readonly note: string }
  /** The domain says that it has no IMAP. */
  | { readonly kind: 'none'; readonly note: string };

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface DiscoverDns {
  srv(name: string): Promise<readonly SrvRecord[]>;
  mx(domain: string): Promise<readonly { readonly exchange: string; readonly priority: number }[]>;
}

const DNS_TIMEOUT_MS = 3000;

/** Errors: permanent `mailbox-settings-invalid` for what is no mail address. A name server that is silent is no error. */
export async function discoverImap(address: string, dns: DiscoverDns = systemDns()): Promise<ImapFound> {
  const user = address.trim();
  const at = user.lastIndexOf('@');
  const domain = at > 0 ? domainToASCII(user.slice(at + 1).replace(/\.$/, '')).toLowerCase() : '';
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain) || /[\s<>"]/.test(user)) {
    throw new TripwatchError(
      'permanent',
      'mailbox-settings-invalid',
      `"${user.slice(0, 100)}" is no mail address. Write it like ada@example.com.`,
    );
  }
  const known = MAIL_HOSTS.find(({ domains }) => domains.includes(domain));
  if (known !== undefined) return ofProvider(known, user, 'known');
  const [tls, starttls, exchanges] = await Promise.all([
    asked(dns.srv(`_imaps._tcp.${domain}`)),
    asked(dns.srv(`_imap._tcp.${domain}`)),
    asked(dns.mx(domain)),
  ]);
  for (const [records, security] of [
    [tls, 'tls'],
    [starttls, 'starttls'],
  ] as const) {
    const best = bestOf(records);
    if (best === undefined) continue;
    const wants = wantsOf(best.name);
    if (wants !== undefined) return ofProvider(wants, user, 'srv');
    const own = best.name === domain || best.name.endsWith(`.${domain}`);
    const settings = { host: best.name, port: best.port, security };
    return { kind: 'imap', settings, user, source: 'srv', login: 'password', confirm: !own };
  } // prettier-ignore
  const exchange = [...exchanges]
    .sort((a, b) => a.priority - b.priority)[0]
    ?.exchange.toLowerCase()
    .replace(/\.$/, '');
  const host = MAIL_HOSTS.find(({ exchanges: ends }) =>
    ends?.some((end) => exchange === end || exchange?.endsWith(`.${end}`) === true),
  );
  if (host !== undefined) return ofProvider(host, user, 'mx');
  if ([tls, starttls].some((records) => records.length > 0)) {
    return { kind: 'none', note: `${domain} says that it has no IMAP. Forward its mails to Tripwatch instead.` };
  }
  const settings = { host: `imap.${domain}`, port: 993, security: 'tls' } as const;
  return { kind: 'imap', settings, user, source: 'guess', login: 'password', confirm: false };
}

function ofProvider(host: MailHost, user: string, source: 'known' | 'srv' | 'mx'): ImapFound {
  if (host.login === 'oauth') {
    const note = `${host.label} takes no passwords for IMAP. Connect the mailbox with "Sign in with ${host.label}".`;
    return { kind: 'sign-in', provider: 'microsoft', note };
  }
  const app = host.appPasswords === undefined ? '' : `Make an app password at ${host.appPasswords} and enter that.`;
  const note = [app, host.note ?? ''].filter((part) => part !== '').join(' ');
  return {
    kind: 'imap',
    settings: { host: host.host, port: 993, security: 'tls' },
    user,
    source,
    login: host.login,
    // A server of the list is known, whoever named it.
    confirm: false,
    ...(note === '' ? {} : { note }),
  };
}

/** By priority, then weight (RFC 2782; without its chance). "." says that there is no such service. */
function bestOf(records: readonly SrvRecord[]): SrvRecord | undefined {
  return records
    .map((record) => ({ ...record, name: record.name.toLowerCase().replace(/\.$/, '') }))
    .filter(({ name }) => name !== '')
    .sort((a, b) => a.priority - b.priority || b.weight - a.weight || (a.name < b.name ? -1 : 1))[0];
}

const asked = <T>(answer: Promise<readonly T[]>): Promise<readonly T[]> => answer.catch(() => []);

function systemDns(): DiscoverDns {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
  return { srv: (name) => resolver.resolveSrv(name), mx: (domain) => resolver.resolveMx(domain) };
}
