import { decoderOf } from '../mail/charset.ts';

/** Charsets, never failing: what cannot be decoded is taken as it stands. */

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
  return decoderOf(label)?.decode(bytes);
}
