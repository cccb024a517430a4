/** Transfer encodings and charsets, never failing: what cannot be decoded is taken as it stands. */

/** Bytes of a part after its Content-Transfer-Encoding. Unknown encodings are taken as 8bit. */
export function decodeTransfer(bytes: Buffer, encoding: string): Buffer {
  switch (encoding) {
    case 'base64':
      return Buffer.from(bytes.toString('latin1'), 'base64');
    case 'quoted-printable':
      return decodeQuotedPrintable(bytes);
    default:
      return bytes;
  }
}

const EQUALS = 0x3d;

/** RFC 2045 quoted-printable; a `=` that starts no valid escape stays as it is. */
export function decodeQuotedPrintable(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length);
  let to = 0;
  let from = 0;
  while (from < bytes.length) {
    const next = bytes.indexOf(EQUALS, from);
    const end = next === -1 ? bytes.length : next;
    bytes.copy(out, to, from, end);
    to += end - from;
    if (next === -1) break;
    const high = hex(bytes[next + 1]);
    const low = hex(bytes[next + 2]);
    if (high >= 0 && low >= 0) {
      out[to++] = (high << 4) | low;
      from = next + 3;
      continue;
    }
    let after = next + 1;
    while (bytes[after] === 0x20 || bytes[after] === 0x09) after++;
    if (bytes[after] === 0x0d) after++;
    if (bytes[after] === 0x0a) from = after + 1;
    else if (after >= bytes.length) break;
    else {
      out[to++] = EQUALS;
      from = next + 1;
    }
  }
  return out.subarray(0, to);
}

function hex(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}

/**
 * Text of bytes with a declared charset. A byte order mark wins; then UTF-8 where the bytes are valid UTF-8 and the label
 * says so, says nothing or is a superset of ASCII that mails abuse; then the label; then Windows-1252, which decodes
 * everything.
 */
export function decodeText(bytes: Buffer, charset: string | undefined): string {
  const marked = byteOrderMark(bytes);
  if (marked !== undefined) return decodeAs(bytes, marked) ?? bytes.toString('latin1');
  const label = (charset ?? '').trim().toLowerCase();
  if (label.startsWith('utf-16')) return decodeAs(bytes, label) ?? bytes.toString('latin1');
  if (label === '' || label === 'us-ascii' || label === 'ascii' || label === 'utf-8' || label === 'utf8') {
    const strict = decodeStrictUtf8(bytes);
    if (strict !== undefined) return strict;
    // Declared UTF-8 with a few broken bytes is still mostly UTF-8; declared or not, bytes of which none beyond ASCII is
    // UTF-8 are most likely Windows-1252.
    const loose = label.startsWith('utf') ? decodeAs(bytes, 'utf-8') : undefined;
    if (loose !== undefined && /[^\p{ASCII}\ufffd]/u.test(loose)) return loose;
    return decodeAs(bytes, 'windows-1252') ?? bytes.toString('latin1');
  }
  return (
    decodeAs(bytes, label) ?? decodeStrictUtf8(bytes) ?? decodeAs(bytes, 'windows-1252') ?? bytes.toString('latin1')
  );
}

function byteOrderMark(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function decodeStrictUtf8(bytes: Buffer): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeAs(bytes: Buffer, label: string): string | undefined {
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return undefined;
  }
}
