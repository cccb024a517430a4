import { TripwatchError } from '../../../domain/errors.ts';
import type { ProviderRequest } from '../http/http.ts';
import { escapeXml } from '../http/xml.ts';
import { type Description, PLACEHOLDERS } from './description.ts';

/** What signs a question in: headers, or a parameter of its address. */
export interface SignedIn {
  readonly headers: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

/**
 * The question from its templates. Values are put where they cannot become anything else: encoded in paths and queries,
 * inside the strings of a JSON body, escaped in a document of XML, without line breaks in headers.
 */
export function requestOf(
  description: Description,
  base: string,
  values: Readonly<Record<string, string>>,
  { headers, query: signed = {} }: SignedIn,
): Omit<ProviderRequest, 'token'> {
  const { read } = description;
  const path = fill(read.path, values, encodeSegment);
  const filled = Object.entries(read.query).map(([name, text]) => [name, fill(text, values, (value) => value)]);
  const query = new URLSearchParams([...filled, ...Object.entries(signed)]).toString();
  const own = Object.entries(read.headers).map(([name, text]) => [name.toLowerCase(), fill(text, values, inHeader)]);
  const json = read.body === undefined ? undefined : JSON.stringify(inside(read.body, values));
  const body = read.xml === undefined ? json : fill(read.xml, values, escapeXml);
  const type = read.xml === undefined ? 'application/json' : 'text/xml; charset=utf-8';
  return {
    url: `${base}${path}${query === '' ? '' : `${path.includes('?') ? '&' : '?'}${query}`}`,
    method: read.method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(read.as === 'xml' ? { accept: 'text/xml, application/xml' } : {}),
      ...Object.fromEntries(own),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
    ...(read.as === 'xml' ? { as: 'text' } : {}),
    also: read.notFound,
  };
}

/** The placeholders that the templates name: without them it cannot be asked. */
export function placeholdersOf({ read }: Description): readonly string[] {
  const text = JSON.stringify([read.path, read.query, read.headers, read.body, read.xml]);
  return PLACEHOLDERS.filter((name) => text.includes(`{${name}}`));
}

function fill(template: string, values: Readonly<Record<string, string>>, put: (value: string) => string): string {
  return template.replace(/\{([A-Za-z]+)\}/g, (whole, name: string) =>
    (PLACEHOLDERS as readonly string[]).includes(name) ? put(values[name] ?? '') : whole,
  );
}

function encodeSegment(value: string): string {
  // `.` and `..` would lead to another path.
  if (/^\.*$/.test(value))
    throw new TripwatchError('permanent', 'provider-refused', 'A reference of dots alone cannot be asked about.');
  return encodeURIComponent(value);
}

function inHeader(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '');
}

function inside(value: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') return fill(value, values, (text) => text);
  if (Array.isArray(value)) return value.map((one) => inside(one, values));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inside(one, values)]));
  return value;
}
