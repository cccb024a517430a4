import { createHash } from 'node:crypto';

/**
 * What happened, in order. Every line goes into one digest: two runs of a seed are the same run exactly when their
 * digests are equal. The lines themselves are kept only for a run that is looked at.
 */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #kept: string[] | undefined;
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
    this.#hash.update(`${sinceStartMs} ${text}\n`);
    if (!quiet) this.#kept?.push(`${timeOf(sinceStartMs)}  ${text}`);
  }

  /** Of everything so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}

/** `01:02:03.004` */
function timeOf(ms: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const seconds = Math.floor(ms / 1000);
  const rest = String(Math.floor(ms % 1000)).padStart(3, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${rest}`;
}
