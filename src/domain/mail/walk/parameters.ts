import { decodeCharset } from '../charset.ts';
import { PARAMETERS_MAX } from './limits.ts';

/** `text/html; charset="utf-8"`: a value in lower case with its parameters. */
export interface Parameterised {
  readonly value: string;
  /** By name in lower case, one character a byte unless `decoded` says that RFC 2231 gave a text. */
  readonly params: ReadonlyMap<string, ParameterValue>;
}
export interface ParameterValue {
  readonly text: string;
  readonly decoded: boolean;
}

/**
 * Reads a structured header (RFC 2045 section 5.1): comments, quoted strings, and the continuations and charsets of RFC 2231.
 * Of repeated parameters the first counts, as of repeated headers, so that no two readers see two mails. One pass, never throws.
 */
export function readParameters(header: string): Parameterised {
  const plain = new Map<string, string>();
  const scan: Scan = { text: header, at: 0 };
  const value = readToken(scan, false).toLowerCase();
  while (scan.at < header.length && plain.size < PARAMETERS_MAX) {
    // At a semicolon, or after what belongs to nothing.
    scan.at++;
    const name = readName(scan);
    if (header[scan.at] !== '=') continue;
    scan.at++;
    const text = readToken(scan, true);
    if (name !== '' && !plain.has(name)) plain.set(name, text);
  }
  return { value, params: joinSections(plain) };
}

interface Scan {
  readonly text: string;
  at: number;
}

function readName(scan: Scan): string {
  const from = scan.at;
  while (scan.at < scan.text.length && scan.text[scan.at] !== '=' && scan.text[scan.at] !== ';') scan.at++;
  return scan.text.slice(from, scan.at).trim().toLowerCase();
}

/**
 * A token or quoted string, up to the semicolon, which is left. In a parameter a parenthesis opens a comment only after
 * blanks: `filename=Invoice(1).pdf` is a name. What follows a closed quoted string is dropped.
 */
function readToken(scan: Scan, parameter: boolean): string {
  const { text } = scan;
  let out = '';
  let blanks = '';
  for (; scan.at < text.length; scan.at++) {
    const char = text[scan.at]!;
    if (char === ';') break;
    if (char === '"') {
      out += (out === '' ? '' : blanks) + readQuoted(scan);
      blanks = '';
      if (parameter) {
        skipToSemicolon(scan);
        break;
      }
    } else if (char === '(' && (!parameter || out === '' || blanks !== '') && skipComment(scan)) {
      blanks += ' ';
    } else if (char === ' ' || char === '\t' || char === '\r' || char === '\n') {
      blanks += char;
    } else {
      if (out !== '') out += blanks;
      blanks = '';
      out += char;
    }
  }
  // `text/html charset=utf-8`: the semicolon was forgotten; the type is still told.
  return parameter ? out : (/^\S+/.exec(out)?.[0] ?? '');
}

/** From the opening quote; leaves `at` on the closing one. Without one, all that follows is inside. */
function readQuoted(scan: Scan): string {
  const { text } = scan;
  let out = '';
  for (scan.at++; scan.at < text.length; scan.at++) {
    const char = text[scan.at]!;
    if (char === '"') break;
    if (char === '\\' && scan.at + 1 < text.length) out += text[++scan.at]!;
    else out += char;
  }
  return out;
}

function skipToSemicolon(scan: Scan): void {
  for (scan.at++; scan.at < scan.text.length && scan.text[scan.at] !== ';'; scan.at++)
    if (scan.text[scan.at] === '(' && !skipComment(scan)) continue;
}

/** From the opening parenthesis to the closing one; false, and nothing skipped, when there is none. */
function skipComment(scan: Scan): boolean {
  let depth = 0;
  for (let i = scan.at; i < scan.text.length; i++) {
    const char = scan.text[i]!;
    if (char === '\\') i++;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) {
      scan.at = i;
      return true;
    }
  }
  return false;
}

/** RFC 2231: `name*0*=utf-8''a; name*1="b"` is one parameter; sections whose name ends in a star are percent-encoded. */
function joinSections(plain: ReadonlyMap<string, string>): ReadonlyMap<string, ParameterValue> {
  const params = new Map<string, ParameterValue>();
  const sections = new Map<string, { readonly nr: number; readonly text: string; readonly encoded: boolean }[]>();
  for (const [name, text] of plain) {
    const match = /^([^*]+)\*(?:(\d{1,3})(\*?))?$/.exec(name);
    if (match === null) {
      if (!params.has(name)) params.set(name, { text, decoded: false });
      continue;
    }
    const list = sections.get(match[1]!) ?? [];
    sections.set(match[1]!, list);
    list.push({ nr: Number(match[2] ?? 0), text, encoded: match[2] === undefined || match[3] === '*' });
  }
  for (const [name, list] of sections) {
    list.sort((a, b) => a.nr - b.nr);
    const first = list[0]!;
    const marked = first.encoded ? /^([^']*)'[^']*'/.exec(first.text) : null;
    let bytes = '';
    for (const section of list) {
      const text = marked !== null && section === first ? section.text.slice(marked[0].length) : section.text;
      bytes += section.encoded ? percentDecoded(text) : text;
    }
    params.set(name, { text: decodeCharset(Buffer.from(bytes, 'latin1'), marked?.[1] || 'utf-8'), decoded: true });
  }
  return params;
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
