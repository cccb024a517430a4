import type { Evidence } from '../facts.ts';
import { isObject, type JsonObject, type JsonValue } from './json-repair.ts';

/** Reading values out of schema.org nodes, whose writers take every liberty: arrays for one, objects for text, both cases. */

export function list(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [value as JsonValue];
}

/** Longest text kept of one value. */
const TEXT_MAX = 1000;

/** Plain text of a value: of an array its first text, of a `{@value}` its value. '' where there is none. */
export function text(value: JsonValue | undefined): string {
  for (const one of list(value)) {
    if (typeof one === 'string') {
      const clean = cleanText(one);
      if (clean !== '') return clean;
    } else if (typeof one === 'number' && Number.isFinite(one)) return String(one);
    else if (isObject(one) && one['@value'] !== undefined && !isObject(one['@value'])) return text(one['@value']);
  }
  return '';
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', quot: '"', apos: "'", lt: '<', gt: '>', nbsp: ' ' };

function cleanText(raw: string): string {
  const cut = raw.length > TEXT_MAX ? raw.slice(0, TEXT_MAX) : raw;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in a fact
  const plain = cut.replace(/[\u0000-\u001f\u007f\u200b\ufeff\s]+/g, ' ').trim();
  return plain.includes('&')
    ? plain.replace(/&(amp|quot|apos|lt|gt|nbsp);/g, (_, name: string) => ENTITIES[name] ?? '')
    : plain;
}

/** The first of several properties that has a text. */
export function firstText(node: JsonObject, ...names: readonly string[]): string {
  for (const name of names) {
    const found = text(node[name]);
    if (found !== '') return found;
  }
  return '';
}

/** The first object among the values. */
export function child(node: JsonObject, ...names: readonly string[]): JsonObject | undefined {
  for (const name of names) {
    const found = list(node[name]).find(isObject);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Name of a node, a bare string, or the parts of a person's name. */
export function nameOf(value: JsonValue | undefined): string {
  for (const one of list(value)) {
    if (typeof one === 'string' || typeof one === 'number') {
      const plain = text(one);
      if (plain !== '' && !/^https?:\/\//.test(plain)) return plain;
    } else if (isObject(one)) {
      const name = firstText(one, 'name', 'legalName', 'alternateName');
      if (name !== '') return name;
      const parts = [text(one.givenName), text(one.additionalName), text(one.familyName)].filter((part) => part !== '');
      if (parts.length > 0) return parts.join(' ');
    }
  }
  return '';
}

/** Types of a node without their namespace: `http://schema.org/Flight` and `schema:Flight` give `Flight`. */
export function typesOf(node: JsonObject): readonly string[] {
  return list(node['@type'] ?? node.type).flatMap((type) =>
    typeof type === 'string' && type.length < 300 ? [type.replace(/^.*[/#:]/, '').trim()] : [],
  );
}

/** IATA code of an airport or airline node, however it is written. */
export function iataCode(value: JsonValue | undefined): string {
  for (const one of list(value)) {
    if (!isObject(one)) continue;
    const code = text(one.iataCode) || text(one.identifier).replace(/^iata:/i, '') || text(one.iata);
    if (/^[A-Za-z0-9]{2,3}$/.test(code)) return code.toUpperCase();
  }
  return '';
}

/** Evidence of a value, cut to what the contract allows. */
export function evidence(where: string, raw: string): Evidence {
  const place = where.length > 500 ? `${where.slice(0, 499)}…` : where;
  return raw === '' ? { where: place } : { where: place, raw: raw.length > 200 ? `${raw.slice(0, 199)}…` : raw };
}

/** An https address, or '' for anything else: nothing else is ever shown as a link. */
export function httpsUrl(value: JsonValue | undefined): string {
  for (const one of list(value)) {
    const candidate = isObject(one) ? firstText(one, 'urlTemplate', 'url', '@id') : text(one);
    if (!/^https:\/\//i.test(candidate)) continue;
    try {
      return new URL(candidate).href;
    } catch {
      // Not an address after all.
    }
  }
  return '';
}
