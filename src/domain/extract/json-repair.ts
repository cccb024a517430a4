/**
 * JSON as mail templates write it. Repaired where only one reading is possible: trailing and doubled commas, raw control
 * characters in strings, comments and CDATA marks around the block, HTML entities, several values one after another.
 * A text that breaks off is not completed: its last value may be cut in the middle and would be believed.
 */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export interface ParsedJson {
  readonly values: readonly JsonValue[];
  /** What had to be mended or is wrong; absent for clean JSON. */
  readonly problem?: 'repaired' | 'cut' | 'invalid';
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Never throws. `depthMax` bounds the nesting of what is repaired. */
export function parseJsonLeniently(text: string, depthMax: number): ParsedJson {
  const bare = unwrap(text);
  if (bare === '') return { values: [] };
  const clean = parseStrict(bare);
  if (clean !== undefined) return { values: [clean] };
  const first = new Reader(bare, depthMax).readAll();
  if (first.problem !== 'invalid') return first;
  if (/&(?:quot|#34|#x22|amp);/i.test(bare)) {
    const decoded = decodeBasicEntities(bare);
    const value = parseStrict(decoded);
    if (value !== undefined) return { values: [value], problem: 'repaired' };
    return new Reader(decoded, depthMax).readAll();
  }
  return first;
}

function parseStrict(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

const OPENING_MARK = /^(?:\/\/[ \t]*)?(?:<!--|<!\[CDATA\[)/;
const CLOSING_MARKS = ['//', '-->', ']]>', ';'];

/** Takes off a byte order mark and comment or CDATA marks around the block. Plain loops: the text may be hostile. */
function unwrap(text: string): string {
  let bare = text.replace(/^\uFEFF/, '').trim();
  for (;;) {
    const comment = bare.startsWith('/*') ? bare.indexOf('*/') : -1;
    const mark = OPENING_MARK.exec(bare)?.[0];
    if (comment !== -1) bare = bare.slice(comment + 2).trimStart();
    else if (mark !== undefined) bare = bare.slice(mark.length).trimStart();
    else break;
  }
  for (;;) {
    const comment = bare.endsWith('*/') ? bare.lastIndexOf('/*') : -1;
    const mark = CLOSING_MARKS.find((one) => bare.endsWith(one));
    if (comment > 0) bare = bare.slice(0, comment).trimEnd();
    else if (mark !== undefined) bare = bare.slice(0, -mark.length).trimEnd();
    else return bare;
  }
}

function decodeBasicEntities(text: string): string {
  return text
    .replace(/&(?:quot|#34|#x22);/gi, '"')
    .replace(/&(?:apos|#39|#x27);/gi, "'")
    .replace(/&lt;/gi, '<')
    .replace(/&gt;/gi, '>')
    .replace(/&nbsp;/gi, ' ')
    .replace(/&(?:amp|#38|#x26);/gi, '&');
}

const CUT = Symbol('cut');
const INVALID = Symbol('invalid');

/** A forgiving reader; recursion is bounded by depthMax. */
class Reader {
  private readonly text: string;
  private readonly depthMax: number;
  private at = 0;

  constructor(text: string, depthMax: number) {
    this.text = text;
    this.depthMax = depthMax;
  }

  readAll(): ParsedJson {
    const values: JsonValue[] = [];
    try {
      for (this.skip(true); this.at < this.text.length; this.skip(true)) values.push(this.value(0));
    } catch (error) {
      if (error === CUT) return { values, problem: 'cut' };
      if (error === INVALID) return { values, problem: 'invalid' };
      throw error;
    }
    return { values, problem: 'repaired' };
  }

  /** Skips space and comments, and commas where they mean nothing. */
  private skip(commas: boolean): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c <= 0x20 || c === 0xa0 || c === 0xfeff || (commas && (c === 0x2c || c === 0x3b))) this.at++;
      else if (c === 0x2f && this.text[this.at + 1] === '*') {
        const end = this.text.indexOf('*/', this.at + 2);
        if (end === -1) throw CUT;
        this.at = end + 2;
      } else if (c === 0x2f && this.text[this.at + 1] === '/') {
        const end = this.text.indexOf('\n', this.at);
        this.at = end === -1 ? this.text.length : end;
      } else return;
      if (this.at >= this.text.length) return;
    }
  }

  private value(depth: number): JsonValue {
    if (depth > this.depthMax) throw INVALID;
    this.skip(false);
    const c = this.text[this.at];
    if (c === undefined) throw CUT;
    if (c === '{') return this.object(depth);
    if (c === '[') return this.array(depth);
    if (c === '"') return this.string();
    const word = /^[A-Za-z0-9.+-]+/.exec(this.text.slice(this.at, this.at + 64))?.[0];
    if (word === undefined) throw INVALID;
    this.at += word.length;
    if (this.at >= this.text.length && depth > 0) throw CUT;
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (word === 'null' || word === 'undefined' || word === 'NaN') return null;
    const number = Number(word);
    if (!Number.isFinite(number)) throw INVALID;
    return number;
  }

  private object(depth: number): JsonValue {
    this.at++;
    const entries: [string, JsonValue][] = [];
    for (;;) {
      this.skip(true);
      const c = this.text[this.at];
      if (c === undefined) throw CUT;
      if (c === '}') {
        this.at++;
        return Object.fromEntries(entries);
      }
      if (c !== '"') throw INVALID;
      const key = this.string();
      this.skip(false);
      if (this.at >= this.text.length) throw CUT;
      if (this.text[this.at] !== ':') throw INVALID;
      this.at++;
      this.skip(false);
      // `"price": ,` is what a template leaves where it had no value.
      const next = this.text[this.at];
      if (next === ',' || next === '}') continue;
      entries.push([key, this.value(depth + 1)]);
    }
  }

  private array(depth: number): JsonValue {
    this.at++;
    const items: JsonValue[] = [];
    for (;;) {
      this.skip(true);
      const c = this.text[this.at];
      if (c === undefined) throw CUT;
      if (c === ']') {
        this.at++;
        return items;
      }
      items.push(this.value(depth + 1));
    }
  }

  private string(): string {
    let out = '';
    let from = ++this.at;
    for (; this.at < this.text.length; this.at++) {
      const c = this.text[this.at];
      if (c === '"') {
        out += this.text.slice(from, this.at++);
        return out;
      }
      if (c !== '\\') continue;
      out += this.text.slice(from, this.at);
      const escaped = this.text[++this.at];
      if (escaped === 'u' && /^[0-9a-fA-F]{4}$/.test(this.text.slice(this.at + 1, this.at + 5))) {
        out += String.fromCharCode(Number.parseInt(this.text.slice(this.at + 1, this.at + 5), 16));
        this.at += 4;
      } else out += ESCAPES[escaped ?? ''] ?? escaped ?? '';
      from = this.at + 1;
    }
    throw CUT;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
