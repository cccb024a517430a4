import { cleanText, firstAddress } from './address.ts';
import { parseMailDate } from './date.ts';
import { decodeWords } from './encoded-words.ts';
import { HEAD_LIMITS } from './limits.ts';

/** What a mail's headers say, before it is opened. Claims of the sender: evidence, never identity. */
export interface MailHead {
  /** Lower case; empty when there is none. */
  readonly fromAddress: string;
  readonly fromName: string;
  readonly subject: string;
  /** `Date`, epoch ms. */
  readonly date: number | undefined;
  readonly messageId: string | undefined;
  /** Date of the topmost `Received` line, epoch ms: when the last server before us took it. */
  readonly receivedDate: number | undefined;
  /**
   * What the headers say about how many got it: `list` (List-Id, or Precedence of bulk, list or junk), `unsubscribe`
   * (only List-Unsubscribe, which many senders of bookings set too), else empty.
   */
  readonly bulk: MailBulk;
  /** Length of the header section with the blank line that ends it; all there is when none does. */
  readonly headerBytes: number;
  /** A bound cut the section: more headers may follow. */
  readonly cut: boolean;
}

export type MailBulk = '' | 'unsubscribe' | 'list';

/**
 * Reads the headers of a raw mail without opening it. Tolerates CRLF and LF, a byte order mark, blank lines or an mbox
 * postmark before the first header, raw 8-bit text in any charset, lines that are no headers. The first header of a
 * name counts. Bounded (`HEAD_LIMITS`) and never throws.
 */
export function readHead(bytes: Uint8Array): MailHead {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const raw: Partial<Record<Wanted, string>> = {};
  const limit = Math.min(buffer.length, HEAD_LIMITS.headerBytesMax);
  let at = skipPreamble(buffer, limit);
  let wanted: Wanted | undefined;
  let valueFrom = 0;
  let lines = 0;
  let ended = false;
  while (at < limit && lines < HEAD_LIMITS.headerLinesMax) {
    const newline = buffer.indexOf(LF, at);
    const lineEnd = newline === -1 || newline >= limit ? limit : newline;
    const first = buffer[at]!;
    lines++;
    if (first !== SPACE && first !== TAB) {
      if (wanted !== undefined) raw[wanted] = valueText(buffer, valueFrom, at);
      wanted = undefined;
      if (lineEnd === at || (first === CR && lineEnd === at + 1)) {
        at = Math.min(lineEnd + 1, limit);
        ended = true;
        break;
      }
      const name = wantedName(buffer, at, lineEnd, first);
      if (name !== undefined && raw[name.name] === undefined) {
        wanted = name.name;
        valueFrom = name.valueFrom;
      }
    }
    at = Math.min(lineEnd + 1, limit);
  }
  if (wanted !== undefined) raw[wanted] = valueText(buffer, valueFrom, at);
  return {
    ...headOf(raw),
    headerBytes: at,
    cut: !ended && at < buffer.length,
  };
}

function headOf(raw: Partial<Record<Wanted, string>>): Omit<MailHead, 'headerBytes' | 'cut'> {
  const from = firstAddress(raw.from ?? '');
  const received = raw.received;
  return {
    fromAddress: from.address,
    fromName: from.name,
    subject: cleanText(decodeWords(raw.subject ?? '')),
    date: raw.date === undefined ? undefined : parseMailDate(raw.date),
    messageId: cleanText(decodeWords(raw['message-id'] ?? '')) || undefined,
    receivedDate:
      received === undefined ? undefined : parseMailDate(received.slice(received.lastIndexOf(';') + 1).trim()),
    bulk: bulkOf(raw),
  };
}

function bulkOf(raw: Partial<Record<Wanted, string>>): MailBulk {
  if (raw['list-id'] !== undefined || /^\s*(?:bulk|list|junk)\b/i.test(raw.precedence ?? '')) return 'list';
  return raw['list-unsubscribe'] === undefined ? '' : 'unsubscribe';
}

type Wanted = 'from' | 'subject' | 'date' | 'message-id' | 'received' | 'list-id' | 'list-unsubscribe' | 'precedence';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const POSTMARK = Buffer.from('From ');

/** By first letter in lower case, so that most lines cost one comparison. */
const BY_LETTER: Readonly<Record<number, readonly Wanted[]>> = {
  102: ['from'],
  115: ['subject'],
  100: ['date'],
  109: ['message-id'],
  114: ['received'],
  108: ['list-id', 'list-unsubscribe'],
  112: ['precedence'],
};

function wantedName(
  buffer: Buffer,
  at: number,
  lineEnd: number,
  first: number,
): { name: Wanted; valueFrom: number } | undefined {
  for (const name of BY_LETTER[first | 0x20] ?? []) {
    if (lineEnd - at <= name.length) continue;
    if (buffer.toString('latin1', at, at + name.length).toLowerCase() !== name) continue;
    // Blanks before the colon are obsolete syntax (RFC 5322 section 4.5), but legal to read.
    let colon = at + name.length;
    while (colon < lineEnd && (buffer[colon] === SPACE || buffer[colon] === TAB)) colon++;
    if (colon < lineEnd && buffer[colon] === COLON) return { name, valueFrom: colon + 1 };
  }
  return undefined;
}

/** Unfolds (RFC 5322 section 2.2.3): the line breaks go, the white space after them stays. One character per byte. */
function valueText(buffer: Buffer, from: number, to: number): string {
  const text = buffer.toString('latin1', from, Math.min(to, from + HEAD_LIMITS.valueBytesMax));
  return text.replace(/[\r\n]+/g, '').trim();
}

function skipPreamble(buffer: Buffer, limit: number): number {
  let at = buffer.length >= 3 && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? 3 : 0;
  while (at < limit && (buffer[at] === LF || buffer[at] === CR)) at++;
  const quote = buffer[at] === 0x3e ? 1 : 0;
  if (buffer.subarray(at + quote, at + quote + POSTMARK.length).equals(POSTMARK)) {
    const newline = buffer.indexOf(LF, at);
    at = newline === -1 || newline >= limit ? limit : newline + 1;
  }
  return at;
}
