/**
 * What happened, in order. Every line goes into one digest: two runs of a seed are the same run exactly when their
 * digests are equal. The lines themselves are kept only for a run that is looked at.
 *
 * The digest is two lanes of 32 bits, mixed as in MurmurHash: chance, not an enemy, is what must not make two runs look
 * alike, and there are tens of thousands of lines in a run.
 */
export class Trace {
  readonly #kept: string[] | undefined;
  readonly #number = new Float64Array(1);
  readonly #halves = new Int32Array(this.#number.buffer);
  /** Of the few texts that come all the time. */
  readonly #known = new Map<string, number>();
  #a = 0x2545f491;
  #b = 0x6c62272e;
  #count = 0;

  constructor(options: { readonly keep?: boolean } = {}) {
    this.#kept = options.keep ? [] : undefined;
  }

  get count(): number {
    return this.#count;
  }

  get lines(): readonly string[] {
    return this.#kept ?? [];
  }

  /** `quiet`: counts for the digest, but is not worth a line to a reader (a timer that fired). */
  add(sinceStartMs: number, text: string, quiet = false): void {
    this.#count++;
    this.#number[0] = sinceStartMs;
    this.#mix(this.#halves[0]!);
    this.#mix(this.#halves[1]!);
    if (quiet) {
      let known = this.#known.get(text);
      if (known === undefined) {
        known = hashOf(text);
        this.#known.set(text, known);
      }
      this.#mix(known);
    } else {
      this.#mix(hashOf(text));
      this.#kept?.push(`${timeOf(sinceStartMs)}  ${text}`);
    }
  }

  /** Of everything so far. */
  digest(): string {
    return hex(this.#a ^ this.#count) + hex(this.#b);
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x85ebca6b);
    this.#a ^= this.#a >>> 13;
    this.#b = Math.imul(this.#b + value, 0xc2b2ae35);
    this.#b = (this.#b ^ (this.#b >>> 16)) + this.#a;
    this.#b |= 0;
  }
}

/** FNV-1a over its UTF-16 code units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** `01:02:03.004` */
function timeOf(ms: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const seconds = Math.floor(ms / 1000);
  const rest = String(Math.floor(ms % 1000)).padStart(3, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${rest}`;
}
