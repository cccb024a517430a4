import { decodeCharset, decodeUnlabelled } from './charset.ts';

/**
 * RFC 2047 encoded words in a header value. The input holds one character per byte (latin1), so that raw 8-bit text
 * (RFC 6532, or simply wrong) keeps its bytes; the output is text. Never throws; what is no encoded word stays as it is.
 *
 * White space between two encoded words is dropped (section 6.2). Neighbours of one charset are joined as bytes before
 * they are decoded, because many senders split a character between two words although section 5 forbids it.
 */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return decodePlain(value);
  let out = '';
  let plainFrom = 0;
  let at = value.indexOf('=?');
  let run: { charset: string; parts: Buffer[] } | undefined;
  const flush = () => {
    if (run !== undefined) out += decodeCharset(Buffer.concat(run.parts), run.charset);
    run = undefined;
  };
  while (at !== -1) {
    const word = readWord(value, at);
    if (word === undefined) {
      at = value.indexOf('=?', at + 2);
      continue;
    }
    const between = value.slice(plainFrom, at);
    if (run === undefined || between.trim() !== '') {
      flush();
      out += decodePlain(between);
    }
    if (run !== undefined && run.charset !== word.charset) flush();
    run ??= { charset: word.charset, parts: [] };
    run.parts.push(word.bytes);
    plainFrom = word.end;
    at = value.indexOf('=?', word.end);
  }
  flush();
  return out + decodePlain(value.slice(plainFrom));
}

/** `=?charset*language?B|Q?text?=`; tolerates blanks and question marks in the text, as real senders write them. */
function readWord(value: string, at: number): { charset: string; bytes: Buffer; end: number } | undefined {
  const afterCharset = value.indexOf('?', at + 2);
  if (afterCharset === -1 || afterCharset - at > CHARSET_LENGTH_MAX || afterCharset === at + 2) return undefined;
  if (value[afterCharset + 2] !== '?') return undefined;
  const encoding = value[afterCharset + 1];
  const textFrom = afterCharset + 3;
  let textTo = value.indexOf('?=', textFrom);
  if (textTo === -1) return undefined;
  // `…?Q?Ready??=`: the first `?` belongs to the text. `…?Q?=41?=` is told apart by `=` and two hex digits.
  if (textTo === textFrom && /^[0-9A-Fa-f]{2}/.test(value.slice(textTo + 2, textTo + 4))) {
    const next = value.indexOf('?=', textTo + 2);
    if (next !== -1) textTo = next;
  }
  const text = value.slice(textFrom, textTo);
  if (text.includes('=?')) return undefined;
  const charset = value
    .slice(at + 2, afterCharset)
    .split('*', 1)[0]!
    .toLowerCase();
  if (/\s/.test(charset)) return undefined;
  if (encoding === 'B' || encoding === 'b') return { charset, bytes: Buffer.from(text, 'base64'), end: textTo + 2 };
  if (encoding === 'Q' || encoding === 'q') return { charset, bytes: decodeQ(text), end: textTo + 2 };
  return undefined;
}

const CHARSET_LENGTH_MAX = 60;

function decodeQ(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5f) bytes[length++] = 0x20;
    else if (code === 0x3d) {
      const high = hexValue(text.charCodeAt(i + 1));
      const low = hexValue(text.charCodeAt(i + 2));
      if (high === -1 || low === -1) bytes[length++] = code;
      else {
        bytes[length++] = high * 16 + low;
        i += 2;
      }
    } else bytes[length++] = code;
  }
  return bytes.subarray(0, length);
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}

/** Plain part of a value: ASCII as it is, else the bytes again and what they mean. */
export function decodePlain(latin1: string): string {
  return ASCII.test(latin1) ? latin1 : decodeUnlabelled(Buffer.from(latin1, 'latin1'));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: every 7-bit character, control characters too
const ASCII = /^[\x00-\x7f]*$/;
