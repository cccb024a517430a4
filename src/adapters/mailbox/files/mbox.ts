import { LARGE_MAIL_KEPT_BYTES } from './file-mail.ts';

/**
 * Splits an mbox that streams in. Knows mboxo and mboxrd (`>From ` and `>>From ` lose one `>`), CRLF and LF, and files
 * whose separators lack the blank line before them. Memory is bounded by the size limit: of a mail over it, only the
 * beginning is kept. What a postmark is: see `isPostmark`.
 */
export interface MboxMail {
  /** Of the first byte after the postmark. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Set when the mail is over the limit: its real size; `bytes` is the beginning. */
  readonly fullSize: number | undefined;
}

export async function* splitMbox(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<MboxMail> {
  const splitter = new MboxSplitter(maxBytes);
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.end();
}

/**
 * Between mails (`inside` false) the next line is a postmark; inside of one, the next postmark is looked for from
 * `searchAt` on. Over the limit, what was searched is dropped from the window and only counted (`droppedBytes`).
 */
class MboxSplitter {
  readonly #window = new Window();
  readonly #maxBytes: number;
  #inside = false;
  #searchAt = 0;
  #droppedBytes = 0;
  #beginning: Uint8Array | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *push(chunk: Uint8Array): Generator<MboxMail> {
    this.#window.push(chunk);
    yield* this.#split(true);
  }

  *end(): Generator<MboxMail> {
    yield* this.#split(false);
    if (this.#inside) yield this.#take(this.#window.length);
  }

  *#split(more: boolean): Generator<MboxMail> {
    for (;;) {
      if (!this.#inside && !this.#skipPostmark(more)) return;
      const found = findPostmark(this.#window.view(), this.#searchAt, more);
      if ('searchAt' in found) {
        this.#searchAt = found.searchAt;
        if (this.#searchAt > this.#maxBytes || this.#beginning !== undefined) this.#dropSearched();
        return;
      }
      yield this.#take(found.at);
      this.#window.drop(found.at);
      this.#inside = false;
    }
  }

  /** False: not all of it is there yet. The file was told to be an mbox by its first line, so that needs no check. */
  #skipPostmark(more: boolean): boolean {
    const view = this.#window.view();
    if (view.length === 0) return false;
    const lineEnd = view.indexOf(LF, skipBlankLines(view));
    if (lineEnd === -1 && more && view.length < POSTMARK_BYTES_MAX) return false;
    this.#window.drop(lineEnd === -1 ? view.length : lineEnd + 1);
    this.#inside = true;
    this.#searchAt = 0;
    this.#droppedBytes = 0;
    this.#beginning = undefined;
    return true;
  }

  #take(length: number): MboxMail {
    const view = this.#window.view();
    const end = length - blankLineLength(view, length);
    const offset = this.#window.offset - this.#droppedBytes;
    const size = this.#droppedBytes + end;
    if (size <= this.#maxBytes) return { offset, bytes: unquote(view.subarray(0, end)), fullSize: undefined };
    const bytes = this.#beginning ?? new Uint8Array(view.subarray(0, Math.min(end, LARGE_MAIL_KEPT_BYTES)));
    return { offset, bytes, fullSize: size };
  }

  #dropSearched(): void {
    this.#beginning ??= new Uint8Array(this.#window.view().subarray(0, LARGE_MAIL_KEPT_BYTES));
    // Enough stays to see a blank line before a postmark.
    const droppable = Math.max(0, this.#searchAt - 4);
    this.#window.drop(droppable);
    this.#droppedBytes += droppable;
    this.#searchAt -= droppable;
  }
}

const LF = 0x0a;
const CR = 0x0d;
const GT = 0x3e;
const LINE_FROM = Buffer.from('\nFrom ');
/** A longer line is no postmark. */
const POSTMARK_BYTES_MAX = 512;
/** Postmark, and the start of the line after it. */
const LOOK_AHEAD_BYTES = POSTMARK_BYTES_MAX + 128;

/** The start of the next postmark line; or, where none is known yet, from where to go on when more bytes are there. */
function findPostmark(
  view: Buffer,
  from: number,
  more: boolean,
): { readonly at: number } | { readonly searchAt: number } {
  let search = from;
  for (;;) {
    const newline = view.indexOf(LINE_FROM, search);
    if (newline === -1) return { searchAt: Math.max(search, view.length - (LINE_FROM.length - 1)) };
    if (more && view.length < newline + LOOK_AHEAD_BYTES) return { searchAt: newline };
    if (isPostmark(view, newline + 1)) return { at: newline + 1 };
    search = newline + 1;
  }
}

/**
 * Not every line that begins with `From ` separates mails: in an unquoted mbox, "From Berlin at 10:00" may be text. It
 * separates when a header or the end of the file follows, and it either has a full date (weekday, month, time, year), or
 * comes after a blank line and names a sender (an address, `-`, `MAILER-DAEMON`).
 */
function isPostmark(view: Buffer, at: number): boolean {
  const newline = view.indexOf(LF, at);
  const lineEnd = newline === -1 ? view.length : newline;
  if (lineEnd - at > POSTMARK_BYTES_MAX) return false;
  const line = view.toString('latin1', at, lineEnd).trimEnd();
  const dated = WEEKDAY.test(line) && MONTH.test(line) && TIME.test(line) && YEAR.test(line);
  const next = view.toString('latin1', lineEnd + 1, lineEnd + 129);
  if (next === '') return dated;
  if (!NEXT_LINE.test(next)) return false;
  return dated || (blankLineLength(view, at) > 0 && SENDER.test(line));
}

const WEEKDAY = /\s(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b/;
const MONTH = /\s(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s/;
const TIME = /\s\d{1,2}:\d{2}(?::\d{2})?(?:\s|$)/;
const YEAR = /\s(?:19|20)\d{2}\b/;
const SENDER = /^From (?:\S+@\S+|-|MAILER-DAEMON)(?:\s|$)/;
/** A header, a quoted postmark, a blank line (a mail without headers), another postmark (an empty mail). */
const NEXT_LINE = /^(?:[!-9;-~]{1,100}[ \t]*:|>?From |\r?\n)/;

/** Length of a blank line that ends at `end`: it belongs to the file, not to the mail. */
function blankLineLength(view: Buffer, end: number): number {
  if (view[end - 1] !== LF) return 0;
  const crlf = view[end - 2] === CR ? 2 : 1;
  return end === crlf || view[end - crlf - 1] === LF ? crlf : 0;
}

function skipBlankLines(view: Buffer): number {
  let at = view[0] === 0xef && view[1] === 0xbb && view[2] === 0xbf ? 3 : 0;
  while (view[at] === LF || view[at] === CR) at++;
  return at;
}

/** One `>` off every line of `>From `, `>>From `, …; always a copy, because the window is written over. */
function unquote(view: Buffer): Uint8Array {
  if (!view.includes('>From ')) return new Uint8Array(view);
  const out = Buffer.allocUnsafe(view.length);
  let length = 0;
  let copied = 0;
  for (let hit = view.indexOf('>From '); hit !== -1; hit = view.indexOf('>From ', hit + 1)) {
    let start = hit;
    while (start > copied && view[start - 1] === GT) start--;
    if (start !== 0 && view[start - 1] !== LF) continue;
    length += view.copy(out, length, copied, hit);
    copied = hit + 1;
  }
  length += view.copy(out, length, copied, view.length);
  return new Uint8Array(out.subarray(0, length));
}

/** Bytes not dealt with yet, in one growing buffer. */
class Window {
  #buffer = Buffer.allocUnsafe(1024 * 1024);
  #from = 0;
  #to = 0;
  /** Of the first byte, in the file. */
  offset = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  view(): Buffer {
    return this.#buffer.subarray(this.#from, this.#to);
  }

  push(chunk: Uint8Array): void {
    if (this.#to + chunk.byteLength > this.#buffer.length) {
      const needed = this.length + chunk.byteLength;
      const target = needed > this.#buffer.length / 2 ? Buffer.allocUnsafe(needed * 2) : this.#buffer;
      this.#buffer.copy(target, 0, this.#from, this.#to);
      this.#buffer = target;
      this.#to -= this.#from;
      this.#from = 0;
    }
    this.#buffer.set(chunk, this.#to);
    this.#to += chunk.byteLength;
  }

  drop(bytes: number): void {
    this.#from += bytes;
    this.offset += bytes;
  }
}
