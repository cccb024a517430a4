/**
 * Arrays in PostgreSQL's binary form, so that a whole batch of rows is a few parameters of one statement: in text form
 * every quote of a JSON body would be escaped here and unescaped there.
 */
const TEXT_OID = 25;
const INT8_OID = 20;

/** PostgreSQL has no NUL in a text. Only headers of mails from outside have one; a replacement character is shown. */
export function cleanText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\u{FFFD}') : text;
}

export function textArray(values: readonly (string | null)[]): Buffer {
  const texts = values.map((value) => (value === null ? null : cleanText(value)));
  const sizes = texts.map((text) => (text === null ? 0 : Buffer.byteLength(text)));
  const out = Buffer.allocUnsafe(20 + sizes.reduce((sum, size) => sum + size + 4, 0));
  const nulls = texts.includes(null);
  let at = writeHead(out, values.length, TEXT_OID, nulls);
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    const size = sizes[i]!;
    at = out.writeInt32BE(text === null || text === undefined ? -1 : size, at);
    if (typeof text === 'string') at += out.write(text, at, size);
  }
  return out;
}

/** Whole numbers below 2^53. */
export function int8Array(values: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(20 + values.length * 12);
  let at = writeHead(out, values.length, INT8_OID, false);
  for (const value of values) {
    const whole = Math.trunc(value);
    at = out.writeInt32BE(8, at);
    at = out.writeInt32BE(Math.floor(whole / 2 ** 32), at);
    at = out.writeUInt32BE((whole % 2 ** 32) >>> 0, at);
  }
  return out;
}

/** One dimension, with or without nulls, the type of its elements, how many, counted from 1. */
function writeHead(out: Buffer, length: number, oid: number, nulls: boolean): number {
  let at = out.writeInt32BE(1, 0);
  at = out.writeInt32BE(nulls ? 1 : 0, at);
  at = out.writeInt32BE(oid, at);
  at = out.writeInt32BE(length, at);
  return out.writeInt32BE(1, at);
}
