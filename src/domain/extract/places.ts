import { type Airport, airportByCode, airportsByName, countryCode, zoneNear, zoneOfCountry } from '../geo/airports.ts';
import type { FactWriter, Warnings } from './draft.ts';
import { isObject, type JsonObject, type JsonValue } from './json-repair.ts';
import { child, firstText, iataCode, list, nameOf, text } from './node.ts';

/** Where a leg starts or ends, as far as a time there needs to know it. */
export interface Place {
  /** The code if there is one, else the name: for leg keys. */
  readonly identity: string;
  readonly zone: string | undefined;
  readonly airport: Airport | undefined;
}
const NOWHERE: Place = { identity: '', zone: undefined, airport: undefined };

const AIRPORT_TABLE = 'airport table';

/** Writes the facts of an airport: code, name, country, zone. Guesses no code from a name that fits several airports. */
export function writeAirport(
  side: 'start' | 'end',
  value: JsonValue | undefined,
  property: string,
  facts: FactWriter,
  warnings: Warnings,
  where: string,
): Place {
  let code = iataCode(value);
  let name = nameOf(value);
  if (code === '' && /^[A-Z]{3}$/.test(name) && airportByCode(name) !== undefined) {
    code = name;
    name = '';
  }
  if (code === '' && name === '') return NOWHERE;
  const byName = code === '' ? airportsByName(name) : [];
  const airport = code === '' ? (byName.length === 1 ? byName[0] : undefined) : airportByCode(code);
  if (code !== '') facts.set(`${side}.code`, code, `${property}.iataCode`);
  else facts.derive(`${side}.code`, airport?.code, AIRPORT_TABLE);
  facts.set(`${side}.name`, name, `${property}.name`);
  facts.derive(`${side}.name`, airport?.name, AIRPORT_TABLE);
  const node = list(value).find(isObject);
  const country = addressCountry(node) || airport?.country || '';
  facts.derive(`${side}.country`, countryCode(country) ?? country, airport === undefined ? property : AIRPORT_TABLE);
  const zones = new Set(byName.map((candidate) => candidate.zone));
  const zone = airport?.zone ?? (zones.size === 1 ? [...zones][0] : undefined) ?? placeZone(node, country);
  facts.derive(`${side}.zone`, zone, AIRPORT_TABLE);
  if (airport === undefined && (code !== '' || zone === undefined)) {
    warnings.add(
      'unknown-airport',
      zone === undefined
        ? `the airport ${code || `"${name.slice(0, 60)}"`} is not in the airport table, so times there keep no zone`
        : `the airport ${code || `"${name.slice(0, 60)}"`} is not in the airport table`,
      `${where}, ${property}`,
      code || name,
    );
  }
  return { identity: airport?.code ?? (code || name), zone, airport };
}

/** Writes the facts of a station, hotel, desk or venue: name, address, country, zone. */
export function writePlace(
  side: 'start' | 'end',
  value: JsonValue | undefined,
  property: string,
  facts: FactWriter,
  options: { readonly name?: boolean } = {},
): Place {
  const node = list(value).find(isObject);
  const name = nameOf(value);
  if (options.name !== false) facts.set(`${side}.name`, name, node === undefined ? property : `${property}.name`);
  const code = node === undefined ? '' : firstText(node, 'iataCode', 'identifier').replace(/^iata:/i, '');
  if (/^[\w:.-]{2,30}$/.test(code)) facts.set(`${side}.code`, code, `${property}.identifier`);
  const country = node === undefined ? '' : writeAddress(side, node, property, facts);
  const zone = placeZone(node, country);
  facts.derive(`${side}.zone`, zone, 'place and country');
  return { identity: name, zone, airport: undefined };
}

/** Writes the address of a node and returns its country as printed. */
function writeAddress(side: 'start' | 'end', node: JsonObject, property: string, facts: FactWriter): string {
  const address = child(node, 'address');
  const at = `${property}.address`;
  if (address === undefined) {
    const line = text(node.address);
    facts.set(`${side}.address`, line, at);
    return '';
  }
  const country = addressCountry(node);
  const parts = {
    street: text(address.streetAddress),
    postal: text(address.postalCode),
    locality: text(address.addressLocality),
  };
  facts.set(`${side}.street`, parts.street, `${at}.streetAddress`);
  facts.set(`${side}.locality`, parts.locality, `${at}.addressLocality`);
  facts.set(`${side}.postal`, parts.postal, `${at}.postalCode`);
  facts.set(`${side}.country`, countryCode(country) ?? country, `${at}.addressCountry`, country);
  const town = [parts.postal, parts.locality].filter((part) => part !== '').join(' ');
  const line = [parts.street, town, country].filter((part) => part !== '').join(', ');
  if (parts.street !== '' || town !== '') facts.set(`${side}.address`, line, at);
  return country;
}

function addressCountry(node: JsonObject | undefined): string {
  const address = node === undefined ? undefined : child(node, 'address');
  return address === undefined ? '' : nameOf(address.addressCountry);
}

/** Zone by coordinates, else by a country that has only one. */
function placeZone(node: JsonObject | undefined, country: string): string | undefined {
  const geo = node === undefined ? undefined : child(node, 'geo');
  if (geo !== undefined) {
    const lat = Number.parseFloat(text(geo.latitude));
    const lon = Number.parseFloat(text(geo.longitude));
    const zone = Number.isFinite(lat) && Number.isFinite(lon) ? zoneNear(lat, lon, country || undefined) : undefined;
    if (zone !== undefined) return zone;
  }
  return country === '' ? undefined : zoneOfCountry(country);
}
