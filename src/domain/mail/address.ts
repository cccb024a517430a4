import { decodePlain, decodeWords } from './encoded-words.ts';
import { HEAD_LIMITS } from './limits.ts';

export interface MailAddress {
  /** In lower case; empty when the header names nobody. */
  readonly address: string;
  readonly name: string;
}

/**
 * The first address of an unfolded address header (RFC 5322 section 3.4, tolerant of what senders write). One character
 * per byte in, text out. Only structure decides what the address is: an address inside quotes, a comment or an encoded
 * word is a name, so that nobody can pass for another by a display name. Never throws; one pass.
 */
export function firstAddress(value: string): MailAddress {
  let fallback: MailAddress = { address: '', name: '' };
  for (const entry of entries(value)) {
    const found = toAddress(entry);
    if (found.address.includes('@')) return found;
    if (fallback.address === '' && (found.address !== '' || found.name !== '')) fallback = found;
  }
  return fallback;
}

/** All addresses of such a header, at most `ADDRESSES_MAX`, in its order. */
export function allAddresses(value: string): readonly MailAddress[] {
  const found: MailAddress[] = [];
  for (const entry of entries(value)) {
    const one = toAddress(entry);
    if (one.address.includes('@')) found.push(one);
    if (found.length >= ADDRESSES_MAX) break;
  }
  return found;
}
const ADDRESSES_MAX = 200;

interface Entry {
  /** Plain text and quoted strings outside of angle brackets, for a name. */
  phrase: string;
  /** The same without quoted strings: a bare address. */
  bare: string;
  angle: string | undefined;
  comment: string;
}

/** Splits at commas; a group's name and its colon are dropped. */
function* entries(value: string): Generator<Entry> {
  let entry: Entry = { phrase: '', bare: '', angle: undefined, comment: '' };
  for (let i = 0; i < value.length; i++) {
    const char = value[i]!;
    if (char === '"') {
      const quoted = readQuoted(value, i + 1);
      // `"john smith"@example.com`: the quoted string is a local part.
      if (value[quoted.end] === '@') entry.bare += `"${quoted.text.replace(/\s+/g, '')}"`;
      else entry.phrase += quoted.text;
      i = quoted.end - 1;
    } else if (char === '(') {
      const comment = readComment(value, i + 1);
      entry.comment += comment.text;
      i = comment.end - 1;
    } else if (char === '<') {
      const close = value.indexOf('>', i);
      const end = close === -1 ? value.length : close;
      entry.angle ??= value.slice(i + 1, end);
      i = end;
    } else if (char === ',' || char === ';') {
      yield entry;
      entry = { phrase: '', bare: '', angle: undefined, comment: '' };
    } else if (char === ':' && entry.angle === undefined && !entry.bare.includes('@')) {
      entry = { phrase: '', bare: '', angle: undefined, comment: '' };
    } else {
      entry.phrase += char;
      entry.bare += char;
    }
  }
  yield entry;
}

function toAddress(entry: Entry): MailAddress {
  if (entry.angle !== undefined) {
    // A route (`<@a,@b:c@d>`, RFC 5322 section 4.4) ends at its colon.
    const spec = entry.angle.slice(entry.angle.startsWith('@') ? entry.angle.indexOf(':') + 1 : 0);
    return { address: cleanAddress(spec), name: cleanText(decodeWords(entry.phrase)) || commentName(entry) };
  }
  const word = entry.bare
    .trim()
    .split(/\s+/)
    .find((part) => part.includes('@'));
  if (word !== undefined) return { address: cleanAddress(word), name: commentName(entry) };
  return { address: '', name: cleanText(decodeWords(entry.phrase)) };
}

function commentName(entry: Entry): string {
  return cleanText(decodeWords(entry.comment));
}

function readQuoted(value: string, from: number): { text: string; end: number } {
  let text = '';
  for (let i = from; i < value.length; i++) {
    if (value[i] === '"') return { text, end: i + 1 };
    if (value[i] === '\\') i++;
    text += value[i] ?? '';
  }
  return { text, end: value.length };
}

function readComment(value: string, from: number): { text: string; end: number } {
  let text = '';
  let depth = 1;
  for (let i = from; i < value.length; i++) {
    const char = value[i]!;
    if (char === '\\') i++;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return { text, end: i + 1 };
    text += char === '\\' ? (value[i] ?? '') : char;
  }
  return { text, end: value.length };
}

function cleanAddress(spec: string): string {
  const text = cleanText(decodePlain(spec)).replace(/\s+/g, '').toLowerCase();
  return text.length > HEAD_LIMITS.addressCharsMax ? '' : text;
}

/** Text for people: no control characters or line breaks, white space collapsed, at most `textCharsMax` long. */
export function cleanText(text: string): string {
  const flat = UNSAFE.test(text) ? text.replace(UNSAFE_ALL, ' ') : text;
  const tidy = flat.replace(/\s+/g, ' ').trim().slice(0, HEAD_LIMITS.textCharsMax);
  return tidy.isWellFormed() ? tidy : tidy.toWellFormed();
}

// Control characters, line separators and the bidirectional controls that make a text read as another.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;
const UNSAFE_ALL = new RegExp(UNSAFE.source, 'g');
