import { type MailHead, readHead } from '../head.ts';
import { type EntityHead, type RawEntityHead, readEntityHead, takeContentHeader } from './entity-head.ts';
import { WALK_LIMITS, type WalkLimits } from './limits.ts';
import { type OpenMultipart, readBoundaryLine } from './multipart.ts';
import { decodeTransfer } from './transfer.ts';

/**
 * A walk over a mail's structure (RFC 2045, 2046, 5322) that reads headers and remembers where bodies lie. It decodes and
 * copies nothing: most mails are no travel, and of the others only some parts are wanted. One pass over the bytes, each
 * bound (limits.ts) counted before the work is done. Tolerant of what senders do: missing end boundaries, bare line feeds, a
 * postmark or blank lines before the mail. Never throws; where a bound stops it, it says so and gives what it has.
 */
export function walkMail(bytes: Uint8Array, limits: WalkLimits = WALK_LIMITS): MailWalk {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const walk: Walk = {
    limits,
    parts: [],
    attached: [],
    attachedFrom: -1,
    entities: 0,
    headerBytes: 0,
    lines: 0,
    head: undefined,
    problem: undefined,
  };
  if (buffer.length > limits.bytesMax) walk.problem = 'too-large';
  else walkEntity(walk, buffer, 0, 0);
  return {
    head: walk.head ?? readHead(buffer),
    parts: walk.parts,
    attached: walk.attached,
    ...(walk.problem === undefined ? {} : { problem: walk.problem }),
  };
}

export interface MailWalk {
  readonly head: MailHead;
  /** The leaves, in the order they stand in. */
  readonly parts: readonly MailPart[];
  /** The mails attached to this one (not those attached to them), each with its headers, as its sender sent it. */
  readonly attached: readonly Buffer[];
  /** Which bound stopped the walk before the end. */
  readonly problem?: WalkProblem;
}

export type WalkProblem = 'too-large' | 'too-deep' | 'too-many-parts' | 'headers-too-large';

export interface MailPart extends Omit<EntityHead, 'boundary'> {
  /** Position among the leaves, from 1. */
  readonly index: number;
  /** As it lies in the mail, before `encoding` is undone (transfer.ts). */
  readonly body: Buffer;
  /** The mail that it belongs to: the outer one, or one that was attached to it. */
  readonly mail: WalkedMail;
}

export interface WalkedMail {
  /** 0 for the mail itself, 1 for a mail attached to it, … */
  readonly level: number;
  readonly head: MailHead;
}

interface Walk {
  readonly limits: WalkLimits;
  readonly parts: MailPart[];
  readonly attached: Buffer[];
  /** Where the attached mail begins that is being walked; -1 outside of one. */
  attachedFrom: number;
  entities: number;
  headerBytes: number;
  lines: number;
  head: MailHead | undefined;
  problem: WalkProblem | undefined;
}

/** Where an entity begins. */
interface Place {
  readonly at: number;
  readonly depth: number;
  readonly level: number;
  readonly mail: WalkedMail | undefined;
  readonly defaultType: string;
}

interface Leaf {
  readonly head: EntityHead;
  readonly from: number;
  readonly mail: WalkedMail;
  readonly depth: number;
}

/** The entities in `bytes`, which holds one mail: recursion only into mails that are encoded as a whole, within `depthMax`. */
function walkEntity(walk: Walk, bytes: Buffer, depth: number, level: number): void {
  const open: OpenMultipart[] = [];
  const start = { at: 0, depth, level, mail: undefined, defaultType: 'text/plain' };
  let leaf = openEntity(walk, bytes, open, start);
  // Where the next line begins that may be a boundary.
  let at = leaf?.from ?? walkedTo(open, bytes);
  while (open.length > 0 && walk.problem === undefined) {
    const line = nextDashes(bytes, at);
    if (line === -1) break;
    if (++walk.lines > walk.limits.boundaryLinesMax) walk.problem = 'too-many-parts';
    const found = readBoundaryLine(bytes, line, open);
    if (found === undefined) {
      at = line + 2;
      continue;
    }
    if (leaf !== undefined) closeLeaf(walk, bytes, leaf, endBeforeBreak(bytes, leaf.from, line));
    leaf = undefined;
    if (open[found.index]!.level === 0) closeAttached(walk, bytes, line);
    at = found.next;
    open.length = found.closes ? found.index : found.index + 1;
    if (found.closes || walk.problem !== undefined) continue;
    const { depth: parentDepth, level: parentLevel, mail, defaultType } = open[found.index]!;
    leaf = openEntity(walk, bytes, open, { at, depth: parentDepth + 1, level: parentLevel, mail, defaultType });
    at = leaf?.from ?? walkedTo(open, bytes);
  }
  if (leaf !== undefined) closeLeaf(walk, bytes, leaf, bytes.length);
  if (level === 0) closeAttached(walk, bytes, bytes.length);
}

function closeAttached(walk: Walk, bytes: Buffer, end: number): void {
  const from = walk.attachedFrom;
  if (from === -1) return;
  walk.attached.push(bytes.subarray(from, end === bytes.length ? end : endBeforeBreak(bytes, from, end)));
  walk.attachedFrom = -1;
}

function walkedTo(open: readonly OpenMultipart[], bytes: Buffer): number {
  return open.at(-1)?.from ?? bytes.length;
}

/** Reads headers from a place on: of a mail in a mail too, until a leaf is there, or a multipart was opened. */
function openEntity(walk: Walk, bytes: Buffer, open: OpenMultipart[], start: Place): Leaf | undefined {
  let place = start;
  for (;;) {
    if (place.depth > walk.limits.depthMax) return stop(walk, 'too-deep');
    if (++walk.entities > walk.limits.partsMax) return stop(walk, 'too-many-parts');
    const block = readBlock(walk, bytes, open, place.at, place.mail === undefined && place.level === 0);
    if (block === undefined) return stop(walk, 'headers-too-large');
    const mail = place.mail ?? { level: place.level, head: readHead(bytes.subarray(place.at, block.bodyAt)) };
    walk.head ??= mail.head;
    const head = readEntityHead(block.raw, place.defaultType);
    if (head.boundary !== undefined && head.type.startsWith('multipart/')) {
      open.push({
        mark: Buffer.from(`--${head.boundary}`, 'latin1'),
        from: block.bodyAt,
        depth: place.depth,
        level: place.level,
        mail,
        defaultType: head.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain',
      });
      return undefined;
    }
    if (!isMail(head.type) || isEncoded(head.encoding)) return { head, from: block.bodyAt, mail, depth: place.depth };
    if (place.level === 0) walk.attachedFrom = block.bodyAt;
    place = {
      at: block.bodyAt,
      depth: place.depth + 1,
      level: place.level + 1,
      mail: undefined,
      defaultType: 'text/plain',
    };
  }
}

function stop(walk: Walk, problem: WalkProblem): undefined {
  walk.problem = problem;
  return undefined;
}

function isMail(type: string): boolean {
  return type === 'message/rfc822' || type === 'message/global';
}

function isEncoded(encoding: string): boolean {
  return encoding === 'base64' || encoding === 'quoted-printable';
}

function closeLeaf(walk: Walk, bytes: Buffer, leaf: Leaf, end: number): void {
  const { type, charset, encoding, disposition, fileName } = leaf.head;
  const body = bytes.subarray(Math.min(leaf.from, end), end);
  if (isMail(type)) {
    if (walk.problem !== undefined) return;
    const inner = decodeTransfer(body, encoding);
    if (leaf.mail.level === 0) walk.attached.push(inner);
    walkEntity(walk, inner, leaf.depth + 1, leaf.mail.level + 1);
    return;
  }
  walk.parts.push({
    index: walk.parts.length + 1,
    type,
    charset,
    encoding,
    disposition,
    fileName,
    body,
    mail: leaf.mail,
  });
}

interface HeaderBlock {
  readonly raw: RawEntityHead;
  readonly bodyAt: number;
}

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;

/**
 * The header lines from a place on. They end at an empty line, at a boundary of a multipart that is open (the blank line was
 * forgotten) or at the end. Undefined when they are longer than what is left of the bound.
 */
function readBlock(
  walk: Walk,
  bytes: Buffer,
  open: readonly OpenMultipart[],
  from: number,
  outermost: boolean,
): HeaderBlock | undefined {
  const raw: RawEntityHead = { type: undefined, encoding: undefined, disposition: undefined };
  const max = from + walk.limits.headerBytesMax - walk.headerBytes;
  let at = outermost ? skipLeadingBreaks(bytes) : from;
  // The header that is being read: what is folded belongs to it.
  let header = at;
  let bodyAt = bytes.length;
  while (at < bytes.length) {
    if (at > max) return undefined;
    const first = bytes[at]!;
    const newline = first === LF ? at : bytes.indexOf(LF, at);
    const lineEnd = newline === -1 ? bytes.length : newline;
    if (first !== 0x20 && first !== 0x09 && at > header) {
      takeContentHeader(raw, bytes, header, at);
      header = at;
    }
    if (isEmptyLine(bytes, at, lineEnd)) {
      bodyAt = Math.min(lineEnd + 1, bytes.length);
      break;
    }
    if (first === DASH && open.length > 0 && readBoundaryLine(bytes, at, open) !== undefined) {
      bodyAt = at;
      break;
    }
    at = lineEnd + 1;
  }
  if (at >= bytes.length) takeContentHeader(raw, bytes, header, bytes.length);
  if (bodyAt > max) return undefined;
  walk.headerBytes += bodyAt - from;
  return { raw, bodyAt };
}

/** Before the first header of a mail: a byte order mark and blank lines, as in head.ts. */
function skipLeadingBreaks(bytes: Buffer): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (bytes[at] === LF || bytes[at] === CR) at++;
  return at;
}

function isEmptyLine(bytes: Buffer, at: number, lineEnd: number): boolean {
  if (at === lineEnd) return true;
  if (bytes[at] !== CR || lineEnd - at > 4) return false;
  for (let i = at; i < lineEnd; i++) if (bytes[i] !== CR) return false;
  return true;
}

const DASHES_AFTER_BREAK = Buffer.from('\n--');

/** The next line from here on that begins with two dashes; -1 when there is none. */
function nextDashes(bytes: Buffer, at: number): number {
  const atLineStart = at === 0 || bytes[at - 1] === LF;
  if (atLineStart && bytes[at] === DASH && bytes[at + 1] === DASH) return at;
  const found = bytes.indexOf(DASHES_AFTER_BREAK, Math.max(0, at - 1));
  return found === -1 ? -1 : found + 1;
}

/** The line break before a boundary belongs to the boundary (RFC 2046 section 5.1.1). */
function endBeforeBreak(bytes: Buffer, start: number, at: number): number {
  let end = at;
  if (end > start && bytes[end - 1] === LF) end--;
  if (end > start && bytes[end - 1] === CR) end--;
  return end;
}
