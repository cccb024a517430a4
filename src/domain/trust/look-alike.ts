import { domainToUnicode } from 'node:url';
import { organisationalDomain } from '../mail/senders/organisational-domain.ts';
import { TRAVEL_SENDERS, type TravelSender, travelSenderOf } from '../mail/senders/registry.ts';

/**
 * Domains and names made to be taken for a known travel sender's. Two strengths, because a hotel may well be called after
 * its chain: `look-alike` can only be meant to deceive (other letters of the same shape, a known domain inside another);
 * `near-alike` may be chance or a branch (another ending, one more word, one letter wrong).
 */
export interface LookAlike {
  readonly of: TravelSender;
  readonly strength: 'look-alike' | 'near-alike';
}

/** Shorter labels resemble each other by chance. */
const LABEL_CHARS_MIN = 5;
const TYPO_CHARS_MIN = 7;

/** Undefined for hosts of known senders and for all that resembles none. `host`: ASCII, lower case. */
export function lookAlikeOf(host: string): LookAlike | undefined {
  const domain = organisationalDomain(host);
  if (domain === undefined || travelSenderOf(host) !== undefined) return undefined;
  const inside = embeddedIn(host, domain);
  if (inside !== undefined) return { of: inside, strength: 'look-alike' };
  const label = domain.slice(0, domain.indexOf('.'));
  const shown = unicodeOf(label);
  const shape = skeleton(shown);
  const { byLabel, byShape, byDeletion } = tables();
  const same = byShape.get(shape);
  if (same !== undefined && shape.length >= LABEL_CHARS_MIN) {
    return { of: same, strength: byLabel.has(shown.replaceAll('-', '')) ? 'near-alike' : 'look-alike' };
  }
  for (const word of wordsOf(shown)) {
    const brand = byShape.get(skeleton(word));
    if (brand === undefined || word.length < LABEL_CHARS_MIN) continue;
    return { of: brand, strength: byLabel.has(word) ? 'near-alike' : 'look-alike' };
  }
  if (shape.length < TYPO_CHARS_MIN) return undefined;
  for (const one of [shape, ...deletionsOf(shape)]) {
    const typo = byDeletion.get(one);
    if (typo !== undefined) return { of: typo, strength: 'near-alike' };
  }
  return undefined;
}

/** The known sender whose name this display name is, with or without words such as "customer service". */
export function borrowedName(name: string): TravelSender | undefined {
  const { byName } = tables();
  const words = skeletonWords(name);
  const whole = words.join('');
  if (whole.length < LABEL_CHARS_MIN) return undefined;
  const told = words.filter((word) => !SERVICE_WORDS.has(word)).join('');
  return byName.get(whole) ?? (told.length < LABEL_CHARS_MIN ? undefined : byName.get(told));
}

/** `lufthansa.com.evil.example`, `lufthansa-com.evil.example`: a whole known domain in front of another one. */
function embeddedIn(host: string, domain: string): TravelSender | undefined {
  const front = host.slice(0, Math.max(0, host.length - domain.length - 1)).replaceAll('-', '.');
  const own = domain.slice(0, domain.indexOf('.')).replaceAll('-', '.');
  for (const text of [front, own]) {
    const labels = text.split('.');
    for (let from = 0; from < labels.length - 1; from++) {
      for (let to = from + 2; to <= Math.min(labels.length, from + 3); to++) {
        const sender = tables().byDomain.get(labels.slice(from, to).join('.'));
        if (sender !== undefined) return sender;
      }
    }
  }
  return undefined;
}

const SERVICE_WORDS = new Set(
  (
    'airline airlines airways air lines hotel hotels customer service services support team group booking bookings ' +
    'reservation reservations confirmation noreply no reply info online your trip trips travel notification ' +
    'notifications alert alerts the com help desk care'
  )
    .split(' ')
    .map((word) => skeleton(word)),
);

/** Parts of a label between hyphens, and what remains when a word of service stands before or after. */
function wordsOf(label: string): readonly string[] {
  const words = label.split('-').filter((word) => word !== '');
  const joined = words.join('');
  const rest = EXTRA_WORDS.flatMap((extra) => [
    ...(joined.startsWith(extra) ? [joined.slice(extra.length)] : []),
    ...(joined.endsWith(extra) ? [joined.slice(0, -extra.length)] : []),
  ]);
  return words.length > 1 ? [...words, ...rest] : rest;
}

const EXTRA_WORDS = [
  ...['booking', 'bookings', 'reservation', 'reservations', 'flight', 'flights', 'travel', 'trip', 'trips', 'ticket'],
  ...['tickets', 'service', 'services', 'support', 'secure', 'info', 'mail', 'online', 'refund', 'refunds', 'checkin'],
  ...['customer', 'help', 'account', 'my', 'confirmation', 'notification', 'update', 'updates', 'alert', 'alerts'],
];

interface Tables {
  readonly byDomain: ReadonlyMap<string, TravelSender>;
  /** Labels as they are, hyphens left out. */
  readonly byLabel: ReadonlyMap<string, TravelSender>;
  readonly byShape: ReadonlyMap<string, TravelSender>;
  /** Shapes of long labels, and these with one letter left out. */
  readonly byDeletion: ReadonlyMap<string, TravelSender>;
  readonly byName: ReadonlyMap<string, TravelSender>;
}

let made: Tables | undefined;
function tables(): Tables {
  if (made !== undefined) return made;
  const byDomain = new Map<string, TravelSender>();
  const byLabel = new Map<string, TravelSender>();
  const byShape = new Map<string, TravelSender>();
  const byDeletion = new Map<string, TravelSender>();
  const byName = new Map<string, TravelSender>();
  for (const sender of TRAVEL_SENDERS) {
    byName.set(skeletonWords(sender.name).join(''), sender);
    for (const domain of sender.domains) {
      byDomain.set(domain, sender);
      const organisation = organisationalDomain(domain) ?? domain;
      const label = unicodeOf(organisation.slice(0, organisation.indexOf('.')));
      const shape = skeleton(label);
      byLabel.set(label.replaceAll('-', ''), sender);
      byShape.set(shape, sender);
      if (shape.length < TYPO_CHARS_MIN) continue;
      for (const one of [shape, ...deletionsOf(shape)]) byDeletion.set(one, sender);
    }
  }
  made = { byDomain, byLabel, byShape, byDeletion, byName };
  return made;
}

function deletionsOf(text: string): readonly string[] {
  return Array.from(text, (_, at) => text.slice(0, at) + text.slice(at + 1));
}

function unicodeOf(label: string): string {
  return label.startsWith('xn--') ? domainToUnicode(label) || label : label;
}

function skeletonWords(text: string): readonly string[] {
  return text
    .split(/[\s.,_/|–—-]+/u)
    .map(skeleton)
    .filter((word) => word !== '');
}

/**
 * What a text looks like at a glance: letters of other scripts, digits and pairs of letters become the Latin letter that
 * they are taken for; marks, hyphens and all else that is no letter or digit are left out.
 */
export function skeleton(text: string): string {
  let shape = '';
  for (const char of text.normalize('NFKD').toLowerCase()) {
    const alike = ALIKE[char] ?? char;
    if (/[\p{L}\p{N}]/u.test(alike)) shape += alike;
  }
  return shape.replaceAll('rn', 'm').replaceAll('vv', 'w').replaceAll('cl', 'd');
}

/** Letters and digits taken for Latin letters: Cyrillic, Greek, Armenian, Latin without a decomposition, digits. */
const ALIKE: Readonly<Record<string, string>> = {
  ...{ а: 'a', в: 'b', е: 'e', ѕ: 's', і: 'l', ј: 'j', к: 'k', м: 'm', н: 'h', о: 'o', р: 'p', с: 'c', т: 't', у: 'y' },
  ...{ х: 'x', ԁ: 'd', ԛ: 'q', ԝ: 'w', һ: 'h', ь: 'b', г: 'r', п: 'n', ү: 'y', ӏ: 'l', ё: 'e', ѵ: 'v', ғ: 'f' },
  ...{ α: 'a', β: 'b', γ: 'y', ε: 'e', η: 'n', ι: 'l', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', σ: 'o', τ: 't', υ: 'u', χ: 'x' },
  ...{ ω: 'w', օ: 'o', ո: 'n', ս: 'u', հ: 'h', ց: 'g', ı: 'l', ł: 'l', ø: 'o', đ: 'd', ħ: 'h', ŧ: 't', ɑ: 'a', ɡ: 'g' },
  ...{ ƅ: 'b', ɩ: 'l', ß: 'b', æ: 'ae', œ: 'oe', þ: 'p', ȷ: 'j', ƒ: 'f', ɴ: 'n', ʀ: 'r', ѡ: 'w', ᴏ: 'o', ʏ: 'y' },
  ...{ '0': 'o', '1': 'l', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '9': 'g', '|': 'l', i: 'l', '!': 'l' },
};
