import { domainToASCII } from 'node:url';
import { AGENCY_SENDERS, CORPORATE_SENDERS, SYSTEM_SENDERS } from './agencies.ts';
import { AIRLINE_SENDERS } from './airlines.ts';
import { BUS_SENDERS, CAR_SENDERS, FERRY_SENDERS, RAIL_SENDERS } from './ground.ts';
import { organisationalDomain } from './organisational-domain.ts';
import { STAY_SENDERS } from './stays.ts';

/**
 * - `agency`: sells others' travel (online or not), tour operators; `corporate`: the same for companies;
 * - `system`: mails in the name of agencies, airlines or hotels (GDS, hotel software), and organisers of trips;
 * - `ferry` includes cruises, `car` transfers to and from airports, `stay` hotels, holiday homes and camp sites.
 */
export const SENDER_KINDS = [
  'airline',
  'rail',
  'bus',
  'ferry',
  'car',
  'stay',
  'agency',
  'corporate',
  'system',
] as const;
export type SenderKind = (typeof SENDER_KINDS)[number];

export interface TravelSender {
  readonly name: string;
  readonly kind: SenderKind;
  /** Organisational domains or parts of them, lower case. Whatever is below them belongs to the sender too. */
  readonly domains: readonly string[];
  /** ISO 3166-1 alpha-2 of where it is at home. */
  readonly country: string;
  /** ISO 639-1, the one it writes first in front. */
  readonly languages: readonly string[];
}

const TABLES: readonly (readonly [SenderKind, string])[] = [
  ['airline', AIRLINE_SENDERS],
  ['rail', RAIL_SENDERS],
  ['bus', BUS_SENDERS],
  ['ferry', FERRY_SENDERS],
  ['car', CAR_SENDERS],
  ['stay', STAY_SENDERS],
  ['agency', AGENCY_SENDERS],
  ['corporate', CORPORATE_SENDERS],
  ['system', SYSTEM_SENDERS],
];

/** All senders of travel mails that are known. It says whose mails are worth a look, and proves nothing about who wrote one. */
export const TRAVEL_SENDERS: readonly TravelSender[] = TABLES.flatMap(([kind, table]) =>
  table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', domains = '', country = '', languages = ''] = line.split('|');
      return { name, kind, domains: domains.split(' '), country, languages: languages.split(' ') };
    }),
);

const BY_DOMAIN: ReadonlyMap<string, TravelSender> = new Map(
  TRAVEL_SENDERS.flatMap((sender) => sender.domains.map((domain) => [domain, sender] as const)),
);

/**
 * The travel sender that an address or host name belongs to: its own domain or one above it, down to what an
 * organisation can register. `lufthansa.com.evil.example` and `notlufthansa.com` are nobody's.
 */
export function travelSenderOf(addressOrHost: string): TravelSender | undefined {
  const host = hostOf(addressOrHost);
  const shortest = organisationalDomain(host);
  if (shortest === undefined) return undefined;
  for (let domain = host; domain.length >= shortest.length; domain = domain.slice(domain.indexOf('.') + 1)) {
    const sender = BY_DOMAIN.get(domain);
    if (sender !== undefined) return sender;
    if (!domain.includes('.')) return undefined;
  }
  return undefined;
}

/** Host of an address in ASCII and lower case; '' when there is none. */
export function hostOf(addressOrHost: string): string {
  const text = addressOrHost
    .slice(addressOrHost.lastIndexOf('@') + 1)
    .trim()
    .toLowerCase()
    .replace(/\.$/, '');
  if (text.length > HOST_CHARS_MAX) return '';
  return PLAIN_HOST.test(text) ? text : domainToASCII(text);
}

const HOST_CHARS_MAX = 253;
const PLAIN_HOST = /^[a-z0-9_.-]*$/;
