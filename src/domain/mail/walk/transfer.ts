/** Transfer encodings (RFC 2045 section 6), never failing: what cannot be decoded is taken as it stands. */

/** Bytes of a body after its Content-Transfer-Encoding; never more than went in. Unknown encodings are taken as 8bit. */
export function decodeTransfer(bytes: Buffer, encoding: string): Buffer {
  switch (encoding) {
    case 'base64':
      return decodeBase64(bytes);
    case 'quoted-printable':
      return decodeQuotedPrintable(bytes);
    default:
      return bytes;
  }
}

const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Some senders pad in the middle (they encoded line by line): each padding ends a unit. The usual padding at the end
 * needs nothing special.
 */
function decodeBase64(bytes: Buffer): Buffer {
  const padding = bytes.indexOf(EQUALS);
  if (padding === -1 || !hasBase64After(bytes, padding)) return Buffer.from(bytes.toString('latin1'), 'base64');
  const units = bytes.toString('latin1').split(/=[=\s]*/, UNITS_MAX);
  return Buffer.concat(units.map((unit) => Buffer.from(unit, 'base64')));
}

/** Lines of 76 characters in the largest mail. */
const UNITS_MAX = 400_000;

function hasBase64After(bytes: Buffer, padding: number): boolean {
  for (let i = padding; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte !== EQUALS && byte > 0x20) return true;
  }
  return false;
}

/**
 * A `=` that starts no valid escape stays as it is; blanks at the end of a line were added on the way and stay too
 * (they do no harm in what is read here), but those after a soft line break belong to it.
 */
export function decodeQuotedPrintable(bytes: Buffer): Buffer {
  const first = bytes.indexOf(EQUALS);
  if (first === -1) return bytes;
  const length = bytes.length;
  const out = Buffer.allocUnsafe(length);
  let to = bytes.copy(out, 0, 0, first);
  for (let from = first; from < length; ) {
    const byte = bytes[from]!;
    if (byte !== EQUALS) {
      out[to++] = byte;
      from++;
      continue;
    }
    if (from + 2 < length) {
      const decoded = (HEX[bytes[from + 1]!]! << 4) | HEX[bytes[from + 2]!]!;
      if (decoded >= 0) {
        out[to++] = decoded;
        from += 3;
        continue;
      }
    }
    const after = softBreakEnd(bytes, from + 1);
    if (after === -1) {
      out[to++] = EQUALS;
      from++;
    } else from = after;
  }
  return out.subarray(0, to);
}

/** Where the text goes on after a soft line break; -1 where there is none. The end of the body counts as one. */
function softBreakEnd(bytes: Buffer, from: number): number {
  let at = from;
  const max = Math.min(bytes.length, from + BLANKS_MAX);
  while (at < max && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
  if (bytes[at] === CR) at++;
  if (at >= bytes.length) return bytes.length;
  return bytes[at] === LF ? at + 1 : -1;
}

/** Else `=` with a million blanks, a million times, would be looked at a million times. */
const BLANKS_MAX = 200;

/** Value of a hexadecimal digit, -1 for anything else. */
const HEX = Int8Array.from({ length: 256 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return value;
});
