import { fold } from '../facts.ts';
import table from './airports.json' with { type: 'json' };

/** An airport with an IATA code; from OurAirports, see scripts/build-airports.ts. */
export interface Airport {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  /** ISO 3166 alpha-2. */
  readonly country: string;
  readonly lat: number;
  readonly lon: number;
  /** IANA zone. */
  readonly zone: string;
}

const AIRPORTS: ReadonlyMap<string, Airport> = new Map(
  table.airports.map((line) => {
    const [code = '', name = '', city = '', country = '', lat = '', lon = '', zone = ''] = line.split('\t');
    const airport = { code, name, city, country, lat: +lat, lon: +lon, zone: table.zones[+zone] ?? 'UTC' };
    return [code, airport] as const;
  }),
);

/** The airport of an IATA code in any case; undefined where the table does not know it. */
export function airportByCode(code: string): Airport | undefined {
  return AIRPORTS.get(code.trim().toUpperCase());
}

const COUNTRY_ZONES: Readonly<Record<string, string>> = table.countryZones;

/** The zone of a country (ISO code or English name) whose airports all share one; undefined elsewhere. */
export function zoneOfCountry(country: string): string | undefined {
  const code = countryCode(country);
  return code !== undefined && Object.hasOwn(COUNTRY_ZONES, code) ? COUNTRY_ZONES[code] : undefined;
}

/** ISO 3166 alpha-2 of a code, or of a name in English, German, French, Spanish, Italian or Dutch. */
export function countryCode(country: string): string | undefined {
  const text = country.trim();
  if (/^[A-Za-z]{2}$/.test(text)) return text.toUpperCase() === 'UK' ? 'GB' : text.toUpperCase();
  return countryNames().get(fold(text));
}

let names: Map<string, string> | undefined;
function countryNames(): Map<string, string> {
  if (names !== undefined) return names;
  names = new Map([
    ['usa', 'US'],
    ['unitedstatesofamerica', 'US'],
    ['greatbritain', 'GB'],
    ['england', 'GB'],
    ['scotland', 'GB'],
    ['wales', 'GB'],
    ['northernireland', 'GB'],
    ['holland', 'NL'],
    ['czechrepublic', 'CZ'],
  ]);
  const codes = new Set([...AIRPORTS.values()].map((airport) => airport.country));
  for (const language of ['en', 'de', 'fr', 'es', 'it', 'nl']) {
    const display = new Intl.DisplayNames([language], { type: 'region', fallback: 'none' });
    for (const code of codes) {
      if (!/^[A-Z]{2}$/.test(code)) continue;
      const name = display.of(code);
      if (name !== undefined && !names.has(fold(name))) names.set(fold(name), code);
    }
  }
  return names;
}

/** Great-circle distance in km. */
export function distanceKm(
  a: { readonly lat: number; readonly lon: number },
  b: { readonly lat: number; readonly lon: number },
): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2;
  return 12742 * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Farther than this from any airport says nothing about the zone. */
const ZONE_NEAR_KM = 300;

/** Zone of a place by its coordinates: that of the nearest airport, in the same country where that is known. */
export function zoneNear(lat: number, lon: number, country?: string): string | undefined {
  if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180) || (lat === 0 && lon === 0)) return undefined;
  const code = country === undefined ? undefined : countryCode(country);
  let best: Airport | undefined;
  let bestKm = ZONE_NEAR_KM;
  for (const airport of AIRPORTS.values()) {
    if ((code !== undefined && airport.country !== code) || Math.abs(airport.lat - lat) > 3) continue;
    const km = distanceKm(airport, { lat, lon });
    if (km < bestKm) {
      best = airport;
      bestKm = km;
    }
  }
  return best?.zone;
}

/** Words that many airport names carry and that tell none apart. */
const PLAIN_WORDS = new Set(
  'airport airports international intl int apt the of de la le du flughafen aeropuerto aeroport aeroporto regional terminal'.split(
    ' ',
  ),
);

function nameWords(text: string): string[] {
  return text
    .split(/[^\p{L}\p{N}]+/u)
    .map(fold)
    .filter((word) => word !== '' && !/^\d$/.test(word) && !PLAIN_WORDS.has(word));
}

let byWord: Map<string, Airport[]> | undefined;
const wordsOf = new Map<Airport, ReadonlySet<string>>();
function wordIndex(): Map<string, Airport[]> {
  if (byWord !== undefined) return byWord;
  byWord = new Map();
  for (const airport of AIRPORTS.values()) {
    const words = new Set(nameWords(`${airport.name} ${airport.city}`));
    wordsOf.set(airport, words);
    for (const word of words) byWord.set(word, [...(byWord.get(word) ?? []), airport]);
  }
  return byWord;
}

/**
 * Airports that a printed name may mean, e.g. `TOULOUSE FR BLAGNAC` or `Frankfurt International`: all of its words, but
 * for general ones and one country code, must occur in the airport's name or city. An airport whose name has no other
 * words is the only answer. More than one answer means: do not guess.
 */
export function airportsByName(name: string): readonly Airport[] {
  if (name.length > 120) return [];
  const index = wordIndex();
  const words = [...new Set(nameWords(name))];
  const country = words.find((word) => /^[a-z]{2}$/.test(word) && new RegExp(`\\b${word.toUpperCase()}\\b`).test(name));
  const tell = words.filter((word) => word !== country);
  const rarest = tell.map((word) => index.get(word) ?? []).sort((a, b) => a.length - b.length)[0] ?? [];
  const found = rarest.filter((airport) => tell.every((word) => wordsOf.get(airport)?.has(word)));
  const inCountry = country === undefined ? [] : found.filter((airport) => airport.country === country.toUpperCase());
  const candidates = inCountry.length > 0 ? inCountry : found;
  const exact = candidates.filter((airport) => nameWords(airport.name).every((word) => tell.includes(word)));
  return candidates.length > 1 && exact.length === 1 && tell.length > 1 ? exact : candidates;
}
