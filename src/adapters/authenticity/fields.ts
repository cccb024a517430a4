/** A header field as it stands in the mail. */
export interface Field {
  /** Lower case. */
  readonly name: string;
  /** Unfolded, one character per byte. */
  readonly value: string;
}

/**
 * All header fields of a mail, the topmost first, as a strict reader splits them: the section ends at the first empty line,
 * and a line that opens no field belongs to the one above it. `undefined`: the section is longer than `bytesMax`.
 */
export function readFields(bytes: Buffer, bytesMax: number): { readonly fields: readonly Field[] } | undefined {
  const end = endOfHeaders(bytes, bytesMax);
  if (end === undefined) return undefined;
  const fields: { name: string; lines: string[] }[] = [];
  for (const line of bytes.toString('latin1', 0, end).split(/\r?\n/)) {
    const opening = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/.exec(line);
    if (opening !== null) fields.push({ name: opening[1]!.toLowerCase(), lines: [line.slice(opening[0].length)] });
    else fields.at(-1)?.lines.push(line);
  }
  return { fields: fields.map(({ name, lines }) => ({ name, value: lines.join(' ').trim() })) };
}

function endOfHeaders(bytes: Buffer, max: number): number | undefined {
  for (let at = 0; at < bytes.length; ) {
    if (at > max) return undefined;
    const newline = bytes.indexOf(0x0a, at);
    const empty = newline === at || (newline === at + 1 && bytes[at] === 0x0d);
    if (empty) return at;
    if (newline === -1) break;
    at = newline + 1;
  }
  return bytes.length > max ? undefined : bytes.length;
}
