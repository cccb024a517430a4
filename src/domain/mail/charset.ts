/**
 * Bytes to text by a charset label that a mail claims. Never throws: an unknown or wrong label falls back to UTF-8 where
 * the bytes are valid, else to windows-1252, which gives every byte a character.
 */
export function decodeCharset(bytes: Uint8Array, label: string): string {
  const decoder = decoderOf(label);
  return decoder === undefined ? decodeUnlabelled(bytes) : decoder.decode(bytes);
}

/** Bytes without a label: UTF-8 (RFC 6532) when valid, else windows-1252. */
export function decodeUnlabelled(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return windows1252.decode(bytes);
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const windows1252 = new TextDecoder('windows-1252');

/** Names that mail programs write and the WHATWG table lacks. */
const ALIASES: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  'windows-31j': 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  ms949: 'euc-kr',
  cp950: 'big5',
  'utf-8mb4': 'utf-8',
  'iso-2022-jp-2': 'iso-2022-jp',
  'iso-2022-jp-ms': 'iso-2022-jp',
  ansi: 'windows-1252',
};

/** A forged label must not fill the memory, so only labels that exist are kept, and there are few of these. */
const decoders = new Map<string, TextDecoder>([['utf-8', new TextDecoder('utf-8')]]);

/** A decoder for a label; undefined for one that nobody knows. */
export function decoderOf(label: string): TextDecoder | undefined {
  const name = label.trim().toLowerCase();
  const known = decoders.get(name);
  if (known !== undefined) return known;
  if (name === '' || name.length > 40) return undefined;
  try {
    const decoder = new TextDecoder(ALIASES[name] ?? name);
    if (decoders.size < 300) decoders.set(name, decoder);
    return decoder;
  } catch {
    return undefined;
  }
}
