import type { WalkedMail } from './walk.ts';

/** A multipart whose end has not been met. */
export interface OpenMultipart {
  /** `--boundary`. */
  readonly mark: Buffer;
  /** Where its body begins. */
  readonly from: number;
  readonly depth: number;
  readonly level: number;
  readonly mail: WalkedMail;
  /** Type of its parts that name none (RFC 2046 section 5.1.5). */
  readonly defaultType: string;
}

export interface BoundaryLine {
  /** Which of the open multiparts it belongs to. */
  readonly index: number;
  readonly closes: boolean;
  /** Start of the next line. */
  readonly next: number;
}

const DASH = 0x2d;
const LF = 0x0a;
const CR = 0x0d;

/**
 * The boundary line that begins at `at`, if it is one: of the innermost multipart that has this boundary, but of the outer
 * mail's before those of a mail inside it, which cannot know what it was put into. Nothing but blanks may follow.
 */
export function readBoundaryLine(bytes: Buffer, at: number, open: readonly OpenMultipart[]): BoundaryLine | undefined {
  let found: BoundaryLine | undefined;
  for (let index = open.length - 1; index >= 0; index--) {
    const { mark, level } = open[index]!;
    if (found !== undefined && level >= open[found.index]!.level) continue;
    if (!startsWith(bytes, at, mark)) continue;
    const after = at + mark.length;
    const closing = bytes[after] === DASH && bytes[after + 1] === DASH;
    const next = closing ? blankLineEnd(bytes, after + 2) : blankLineEnd(bytes, after);
    if (next !== -1) found = { index, closes: closing, next };
  }
  return found;
}

function startsWith(bytes: Buffer, at: number, mark: Buffer): boolean {
  if (at + mark.length > bytes.length) return false;
  // The two dashes are there already.
  for (let i = 2; i < mark.length; i++) if (bytes[at + i] !== mark[i]) return false;
  return true;
}

/** Start of the line after blanks; -1 where something else follows. */
function blankLineEnd(bytes: Buffer, from: number): number {
  const max = Math.min(bytes.length, from + LINE_BYTES_MAX);
  for (let at = from; at < max; at++) {
    const byte = bytes[at]!;
    if (byte === LF) return at + 1;
    if (byte !== 0x20 && byte !== 0x09 && byte !== CR) return -1;
  }
  return max === bytes.length ? max : -1;
}

/** RFC 5322 section 2.1.1: no line is longer than 998. */
const LINE_BYTES_MAX = 1000;
