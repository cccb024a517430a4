import { decodeWords } from '../encoded-words.ts';
import { BOUNDARY_CHARS_MAX, PARAMETER_BYTES_MAX } from './limits.ts';
import { type Parameterised, readParameters } from './parameters.ts';

/** What the headers of one entity say about its body (RFC 2045). */
export interface EntityHead {
  /** `text/html`, lower case. */
  readonly type: string;
  readonly charset: string | undefined;
  /** One character a byte, as it stands in the mail. */
  readonly boundary: string | undefined;
  /** Transfer encoding in lower case, '' where there is none. */
  readonly encoding: string;
  /** `attachment`, `inline` or '' . */
  readonly disposition: string;
  readonly fileName: string | undefined;
}

/** Raw values of the three headers that tell how a body is read, unfolded, one character a byte. */
export interface RawEntityHead {
  type: string | undefined;
  encoding: string | undefined;
  disposition: string | undefined;
}

export function readEntityHead(raw: RawEntityHead, defaultType: string): EntityHead {
  const type = raw.type === undefined ? undefined : readParameters(raw.type);
  const disposition = raw.disposition === undefined ? undefined : readParameters(raw.disposition);
  const boundary = type?.params.get('boundary')?.text;
  return {
    type: type === undefined ? defaultType : type.value,
    charset: type?.params.get('charset')?.text,
    boundary: boundary === undefined || boundary === '' || boundary.length > BOUNDARY_CHARS_MAX ? undefined : boundary,
    encoding: raw.encoding === undefined ? '' : encodingOf(raw.encoding),
    disposition: disposition?.value ?? '',
    fileName: nameOf(disposition, 'filename') ?? nameOf(type, 'name'),
  };
}

/** The first word outside of comments: `(really) base64`, `"base64"`, `base64;`. */
function encodingOf(value: string): string {
  return /[a-z0-9-]+/.exec(readParameters(value).value)?.[0] ?? '';
}

function nameOf(header: Parameterised | undefined, parameter: string): string | undefined {
  const value = header?.params.get(parameter);
  if (value === undefined) return undefined;
  // Encoded words in a parameter are against RFC 2047 section 5, and everybody writes them.
  return value.decoded ? value.text : decodeWords(value.text);
}

const NAMES = [
  ['type', 'content-type'],
  ['encoding', 'content-transfer-encoding'],
  ['disposition', 'content-disposition'],
] as const;

/** Takes a header line that starts at `from` and ends, with what is folded into it, at `to`, if it is one of the three. */
export function takeContentHeader(raw: RawEntityHead, bytes: Buffer, from: number, to: number): void {
  // `C` and the `-` after `Content`: most lines cost two comparisons.
  if ((bytes[from]! | 0x20) !== 0x63 || bytes[from + 7] !== 0x2d) return;
  for (const [key, name] of NAMES) {
    const end = from + name.length;
    if (end >= to || bytes.toString('latin1', from, end).toLowerCase() !== name) continue;
    let colon = end;
    while (colon < to && (bytes[colon] === 0x20 || bytes[colon] === 0x09)) colon++;
    if (bytes[colon] !== 0x3a || colon >= to || raw[key] !== undefined) return;
    raw[key] = bytes
      .toString('latin1', colon + 1, Math.min(to, colon + 1 + PARAMETER_BYTES_MAX))
      .replace(/[\r\n]+/g, '')
      .trim();
    return;
  }
}
