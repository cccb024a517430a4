import type { MailPlan } from '../scenario/types.ts';

/** Just enough MIME writing to choose charset, encoding and structure freely; checked against postal-mime in the tests. */

export type Charset = MailPlan['charset'];
export type Encoding = MailPlan['encoding'];

export interface Part {
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** Windows-1252 where it differs from Latin-1, as far as our texts go. */
const WINDOWS_1252: ReadonlyMap<string, number> = new Map([
  ['€', 0x80],
  ['…', 0x85],
  ['Š', 0x8a],
  ['‘', 0x91],
  ['’', 0x92],
  ['“', 0x93],
  ['”', 0x94],
  ['–', 0x96],
  ['—', 0x97],
  ['š', 0x9a],
]);

/** Bytes of a text; what the charset does not have goes through `replace` (an entity, a JSON escape). */
export function encodeText(text: string, charset: Charset, replace: (char: string) => string): Buffer {
  if (charset === 'utf-8') return Buffer.from(text, 'utf8');
  const bytes: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const special = charset === 'windows-1252' ? WINDOWS_1252.get(char) : undefined;
    if (special !== undefined) bytes.push(special);
    else if (code < 0x80 || (charset !== 'us-ascii' && code >= 0xa0 && code <= 0xff)) bytes.push(code);
    else bytes.push(...Buffer.from(replace(char), 'latin1'));
  }
  return Buffer.from(bytes);
}

export const asEntity = (char: string): string => `&#${char.codePointAt(0)};`;
/** For plain text in a narrow charset: the letter without its mark, or a question mark. */
export const asPlain = (char: string): string => {
  const base = char.normalize('NFKD').replace(/\p{M}/gu, '');
  return /^[\x20-\x7e]+$/.test(base) ? base : '?';
};

/** A leaf part with its transfer encoding; lines are CRLF and short enough for SMTP. */
export function leaf(type: string, body: Buffer, encoding: Encoding, extra: readonly string[] = []): Part {
  const headers = [`Content-Type: ${type}`, ...extra, `Content-Transfer-Encoding: ${encoding}`];
  const crlf = Buffer.from(body.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
  if (encoding === 'base64') return { headers, body: Buffer.from(wrap(crlf.toString('base64'), 76)) };
  if (encoding === 'quoted-printable') return { headers, body: Buffer.from(quotedPrintable(crlf)) };
  return { headers, body: crlf };
}

export function multipart(subtype: string, boundary: string, parts: readonly Part[]): Part {
  const chunks: Buffer[] = [];
  for (const part of parts) {
    chunks.push(
      Buffer.from(`--${boundary}\r\n${part.headers.join('\r\n')}\r\n\r\n`),
      Buffer.from(part.body),
      Buffer.from('\r\n'),
    );
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return { headers: [`Content-Type: multipart/${subtype}; boundary="${boundary}"`], body: Buffer.concat(chunks) };
}

export function message(headers: readonly string[], content: Part): Buffer {
  const head = [...headers, 'MIME-Version: 1.0', ...content.headers].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(content.body)]);
}

/** RFC 2047, one encoded word for each piece of at most 12 characters; plain where ASCII does. */
export function headerText(text: string, form: 'B' | 'Q'): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const words: string[] = [];
  const chars = [...text];
  for (let at = 0; at < chars.length; at += 12) {
    const bytes = Buffer.from(chars.slice(at, at + 12).join(''), 'utf8');
    const coded =
      form === 'B'
        ? bytes.toString('base64')
        : [...bytes]
            .map((byte) => (/[A-Za-z0-9]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : hex(byte)))
            .join('');
    words.push(`=?utf-8?${form}?${coded}?=`);
  }
  return words.join('\r\n ');
}

const hex = (byte: number): string => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;

function quotedPrintable(bytes: Buffer): string {
  const lines = bytes.toString('latin1').split('\r\n');
  return lines
    .map((line) => {
      let out = '';
      let length = 0;
      for (let at = 0; at < line.length; at++) {
        const byte = line.charCodeAt(at);
        const plain = byte >= 33 && byte <= 126 && byte !== 61;
        const space = (byte === 32 || byte === 9) && at < line.length - 1;
        const token = plain || space ? line[at]! : hex(byte);
        if (length + token.length > 75) {
          out += '=\r\n';
          length = 0;
        }
        out += token;
        length += token.length;
      }
      return out;
    })
    .join('\r\n');
}

function wrap(text: string, width: number): string {
  return text.replace(new RegExp(`.{1,${width}}`, 'g'), '$&\r\n').trimEnd();
}
