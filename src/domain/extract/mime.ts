import { TripwatchError } from '../errors.ts';
import type { ExtractLimits } from './limits.ts';

/**
 * A walk over the MIME structure (RFC 2045, 2046, 5322) that reads headers and remembers where bodies lie, decoding
 * nothing: most mails are no travel, and of the others only text parts are wanted. It is tolerant (a missing end
 * boundary, bare line feeds, a forgotten blank line) and counts against the limits before it works.
 */
export interface MimePart {
  /** `text/html`, in lower case; `text/plain` where there is none. */
  readonly type: string;
  readonly charset: string | undefined;
  /** Content-Transfer-Encoding in lower case; '' where there is none. */
  readonly encoding: string;
  readonly fileName: string | undefined;
  /** Where the body lies in the mail's bytes. */
  readonly body: Buffer;
  /** Position among the mail's leaves, from 1. */
  readonly index: number;
  /** The mail it belongs to: the outer one or a forwarded one inside it. */
  readonly mail: MailHead;
}

export interface MailHead {
  readonly from: string | undefined;
  readonly subject: string | undefined;
  readonly date: string | undefined;
  readonly messageId: string | undefined;
  /** 0 for the mail itself, 1 for a mail attached to it, … */
  readonly level: number;
}

export interface MimeMail {
  readonly head: MailHead;
  readonly parts: readonly MimePart[];
  /** The mails attached to this one (not those attached to them), each with its headers, as its sender sent it. */
  readonly attached: readonly Buffer[];
}

interface Entity {
  readonly bytes: Buffer;
  readonly depth: number;
  readonly mail: MailHead | undefined;
  readonly level: number;
  readonly defaultType: string;
}

/**
 * Errors: poison `mail-too-large`, `mime-too-deep`, `mime-too-many-parts`, `mime-headers-too-large`.
 */
export function walkMime(bytes: Buffer, limits: ExtractLimits): MimeMail {
  if (bytes.length > limits.bytesMax) {
    throw new TripwatchError(
      'poison',
      'mail-too-large',
      `the mail has ${bytes.length} bytes; at most ${limits.bytesMax} are read`,
    );
  }
  const parts: MimePart[] = [];
  const attached: Buffer[] = [];
  let head: MailHead | undefined;
  let entities = 0;
  let headerBytes = 0;
  // A stack instead of recursion: the depth is the sender's choice.
  const stack: Entity[] = [{ bytes, depth: 0, mail: undefined, level: 0, defaultType: 'text/plain' }];
  for (let entity = stack.pop(); entity !== undefined; entity = stack.pop()) {
    if (entity.depth > limits.mimeDepthMax) {
      throw new TripwatchError('poison', 'mime-too-deep', `parts are nested more than ${limits.mimeDepthMax} deep`);
    }
    if (++entities > limits.mimePartsMax) {
      throw new TripwatchError('poison', 'mime-too-many-parts', `the mail has more than ${limits.mimePartsMax} parts`);
    }
    const headEnd = endOfHeaders(entity.bytes, limits.headerBytesMax - headerBytes);
    if (headEnd === undefined) {
      throw new TripwatchError('poison', 'mime-headers-too-large', `the headers exceed ${limits.headerBytesMax} bytes`);
    }
    headerBytes += headEnd.body;
    const headers = readHeaders(entity.bytes.toString('latin1', 0, headEnd.headers));
    const body = entity.bytes.subarray(headEnd.body);
    const mail = entity.mail ?? mailHead(headers, entity.level);
    head ??= mail;
    const declared = headers.get('content-type');
    const type =
      declared === undefined ? { value: entity.defaultType, params: new Map<string, string>() } : parameters(declared);
    const encoding = (headers.get('content-transfer-encoding') ?? '').trim().toLowerCase();
    const boundary = type.value.startsWith('multipart/') ? type.params.get('boundary') : undefined;
    if (boundary !== undefined && boundary !== '') {
      const defaultType = type.value === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
      const children = splitMultipart(body, boundary, limits.mimePartsMax - entities + 1);
      // Reversed, because the stack gives the last one first.
      for (const child of children.reverse()) {
        stack.push({ bytes: child, depth: entity.depth + 1, mail, level: entity.level, defaultType });
      }
      continue;
    }
    if (type.value === 'message/rfc822' || type.value === 'message/global') {
      const inner = encoding === 'base64' ? Buffer.from(body.toString('latin1'), 'base64') : body;
      if (entity.level === 0) attached.push(inner);
      stack.push({
        bytes: inner,
        depth: entity.depth + 1,
        mail: undefined,
        level: entity.level + 1,
        defaultType: 'text/plain',
      });
      continue;
    }
    parts.push({
      type: type.value,
      charset: type.params.get('charset'),
      encoding,
      fileName: parameters(headers.get('content-disposition') ?? '').params.get('filename') ?? type.params.get('name'),
      body,
      index: parts.length + 1,
      mail,
    });
  }
  return {
    head: head ?? { from: undefined, subject: undefined, date: undefined, messageId: undefined, level: 0 },
    parts,
    attached,
  };
}

/** Head of the mail alone, for the steps that decide without opening it. */
export function readMailHead(bytes: Buffer, limits: ExtractLimits): MailHead {
  const end = endOfHeaders(bytes, limits.headerBytesMax);
  return mailHead(readHeaders(bytes.toString('latin1', 0, end?.headers ?? limits.headerBytesMax)), 0);
}

function mailHead(headers: ReadonlyMap<string, string>, level: number): MailHead {
  return {
    from: headers.get('from'),
    subject: headers.get('subject'),
    date: headers.get('date'),
    messageId: headers.get('message-id'),
    level,
  };
}

/** End of the header block and start of the body; undefined where the headers are longer than allowed. */
function endOfHeaders(bytes: Buffer, max: number): { readonly headers: number; readonly body: number } | undefined {
  // A part may begin with the blank line: no headers at all.
  if (bytes[0] === 0x0a) return { headers: 0, body: 1 };
  if (bytes[0] === 0x0d && bytes[1] === 0x0a) return { headers: 0, body: 2 };
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    if (at > max) return undefined;
    const next = bytes[at + 1];
    if (next === 0x0a) return { headers: at + 1, body: at + 2 };
    if (next === 0x0d && bytes[at + 2] === 0x0a) return { headers: at + 1, body: at + 3 };
  }
  return bytes.length > max ? undefined : { headers: bytes.length, body: bytes.length };
}

const WANTED = new Set([
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'from',
  'subject',
  'date',
  'message-id',
]);

/** The wanted headers, unfolded; of repeated ones the first, as most readers do. */
function readHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon < 1 || colon > 40) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (WANTED.has(name) && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

/** `text/html; charset="utf-8"` with its parameters; RFC 2231 continuations are joined, their charset mark dropped. */
function parameters(header: string): { readonly value: string; readonly params: ReadonlyMap<string, string> } {
  const params = new Map<string, string>();
  const semicolon = header.indexOf(';');
  const value = (semicolon === -1 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  if (semicolon !== -1) {
    const pattern = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g;
    for (const m of header.slice(semicolon).matchAll(pattern)) {
      const name = (m[1] ?? '').toLowerCase();
      const text = m[2] !== undefined ? m[2].replace(/\\(.)/g, '$1') : (m[3] ?? '').trim();
      const base = name.replace(/\*\d*\*?$/, '');
      if (base === name) params.set(name, text);
      else params.set(base, (params.get(base) ?? '') + text.replace(/^[\w-]*'[\w-]*'/, ''));
    }
  }
  return { value, params };
}

/** Bodies between the boundary lines. What stands before the first and after the last is no part. */
function splitMultipart(body: Buffer, boundary: string, max: number): Buffer[] {
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Buffer[] = [];
  let start = -1;
  let at = body.indexOf(mark);
  while (at !== -1 && parts.length <= max) {
    const after = at + mark.length;
    const atLineStart = at === 0 || body[at - 1] === 0x0a;
    const closes = body[after] === 0x2d && body[after + 1] === 0x2d;
    const follower = body[after];
    // Another boundary may start with this one; then a letter follows, not the end of the line.
    const endsHere =
      closes ||
      follower === undefined ||
      follower === 0x0d ||
      follower === 0x0a ||
      follower === 0x20 ||
      follower === 0x09;
    if (!atLineStart || !endsHere) {
      at = body.indexOf(mark, after);
      continue;
    }
    if (start !== -1) parts.push(body.subarray(start, endBeforeBreak(body, start, at)));
    start = -1;
    if (closes) break;
    const lineEnd = body.indexOf(0x0a, after);
    if (lineEnd === -1) break;
    start = lineEnd + 1;
    at = body.indexOf(mark, lineEnd);
  }
  if (start !== -1 && parts.length <= max) parts.push(body.subarray(start));
  return parts;
}

/** The line break before a boundary belongs to the boundary (RFC 2046, section 5.1.1). */
function endBeforeBreak(body: Buffer, start: number, at: number): number {
  let end = at;
  if (end > start && body[end - 1] === 0x0a) end--;
  if (end > start && body[end - 1] === 0x0d) end--;
  return end;
}
