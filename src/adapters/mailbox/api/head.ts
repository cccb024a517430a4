import { HEAD_BYTES_MAX } from '../../../ports/mailbox.ts';

/**
 * A header block out of the list of headers that an API gives, in one canonical form: the identity of a mail is its
 * digest, so the same list must give the same bytes whenever and by whatever call it came.
 *
 * `raw`: values stand as in the mail, with the space after the colon and their folding (JMAP); else they were unfolded
 * by the vendor. Lists come from outside: a name that is none is left out, and no value can begin another header. Cut
 * at whole headers, to HEAD_BYTES_MAX with the empty line.
 */
export function headOf(headers: readonly HeaderField[], form: 'raw' | 'unfolded' = 'unfolded'): Uint8Array {
  const lines: string[] = [];
  let left = HEAD_BYTES_MAX - 2;
  for (const { name, value } of headers) {
    if (!TOKEN.test(name)) continue;
    const line = form === 'raw' ? `${name}:${folded(value)}\r\n` : `${name}: ${unfolded(value)}\r\n`;
    const bytes = Buffer.byteLength(line);
    if (bytes > left) break;
    left -= bytes;
    lines.push(line);
  }
  return Buffer.from(`${lines.join('')}\r\n`, 'utf8');
}

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** RFC 5322, 3.6.8: printable ASCII but the colon. */
const TOKEN = /^[!-9;-~]{1,200}$/;

function unfolded(value: string): string {
  return value.replace(/[\r\n\0]+[ \t]*/g, ' ').trim();
}

/** Line breaks stay where a space follows them, as CRLF; others, and NUL, become spaces. */
function folded(value: string): string {
  return value
    .replace(/\r\n|\r|\n/g, '\n')
    .replace(/\n+$/, '')
    .replace(/\n(?![ \t])|\0/g, ' ')
    .replaceAll('\n', '\r\n');
}
