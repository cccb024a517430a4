import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { TripwatchError } from '../../domain/errors.ts';
import { whyNotGlobal } from './address.ts';

/** Where a stranger's URL may lead: a checked URL with the one address that is to be dialled. */
export interface Target {
  readonly url: URL;
  readonly address: string;
  readonly family: 4 | 6;
}

export interface EgressPolicy {
  /** Private and loopback addresses, http and any port too: for receivers beside us, and the sandbox. */
  readonly allowPrivate: boolean;
  /** All addresses of a name. Default: DNS. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

export const PORTS_ALLOWED: readonly number[] = [443, 8443];
const DNS_TIMEOUT_MS = 3000;
const REMEDY = 'Use a public https address, or set webhooks.allowPrivate: true to allow private ones.';

/**
 * Checks a URL and resolves its host once. Every address of the name must be a public one: a name with one private
 * address among them is refused whole. Errors: permanent `webhook-url-invalid`, permanent `webhook-address-private`,
 * transient `webhook-host-unknown`.
 */
export async function resolveTarget(text: string, policy: EgressPolicy): Promise<Target> {
  const url = checkedUrl(text, policy);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const literal = isIP(host) !== 0;
  const addresses = literal ? [host] : await resolved(host, policy);
  for (const address of addresses) {
    const why = policy.allowPrivate ? undefined : whyNotGlobal(address);
    if (why !== undefined) throw notPublic(literal ? `${host} is` : `${host} leads to an address that is`, why);
  }
  const address = addresses[0]!;
  return { url, address, family: isIP(address) === 6 ? 6 : 4 };
}

/** What can be seen without asking anyone. */
export function checkedUrl(text: string, policy: Pick<EgressPolicy, 'allowPrivate'>): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || /[\s\\]/.test(text)) throw invalid(text, 'it cannot be read as a URL');
  if (url.username !== '' || url.password !== '') throw invalid(url.host, 'it holds a user name or password');
  if (url.protocol !== 'https:' && !(policy.allowPrivate && url.protocol === 'http:')) {
    throw invalid(`${url.protocol}//${url.host}`, 'it must begin with https://');
  }
  if (policy.allowPrivate) return url;
  const port = url.port === '' ? 443 : Number(url.port);
  if (!PORTS_ALLOWED.includes(port)) throw invalid(url.host, `port ${port} is not one of ${PORTS_ALLOWED.join(', ')}`);
  const name = url.hostname.replace(/\.$/, '');
  // The URL parser turns 0177.1, 2130706433 and 0x7f.1 into dotted form; who writes so has something to hide.
  if (isIP(name) === 4 && !new RegExp(`^https://${name.replaceAll('.', '\\.')}([:/?#]|$)`, 'i').test(text)) {
    throw notPublic(`${name} is`, 'an address in a disguised spelling');
  }
  if (/(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|onion|test|invalid)$/.test(name) || !/[.:]/.test(name)) {
    throw notPublic(`${name} is`, 'a name of a local network');
  }
  return url;
}

async function resolved(host: string, policy: EgressPolicy): Promise<readonly string[]> {
  const name = host.replace(/\.$/, '');
  const addresses = await (policy.resolve ?? (policy.allowPrivate ? systemLookup : publicDns))(name).catch(() => []);
  if (addresses.length > 0) return addresses;
  throw new TripwatchError(
    'transient',
    'webhook-host-unknown',
    `The host "${name}" has no address in DNS at present. Check the spelling; if it is right, try again later.`,
  );
}

/** Asks DNS itself: without the hosts file, and without the few threads that files share. */
async function publicDns(name: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

async function systemLookup(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map((one) => one.address);
}

function invalid(shown: string, why: string): TripwatchError {
  const short = shown.length > 100 ? `${shown.slice(0, 100)}…` : shown;
  return new TripwatchError('permanent', 'webhook-url-invalid', `The webhook address "${short}" is refused: ${why}.`);
}

function notPublic(what: string, why: string): TripwatchError {
  return new TripwatchError(
    'permanent',
    'webhook-address-private',
    `The webhook address is refused: ${what} not a public one (${why}). ${REMEDY}`,
  );
}
