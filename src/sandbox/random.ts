import { createHash } from 'node:crypto';

/**
 * A seeded stream of numbers: the same words give the same stream, whatever else was drawn elsewhere. Each part of the
 * scenario draws from a stream of its own name, so that adding a draw in one place does not shift all the others.
 */
export interface Rng {
  /** In [0, 1). */
  number(): number;
  /** Whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** `count` different items, in drawn order; all of them when there are fewer. */
  sample<T>(from: readonly T[], count: number): T[];
  /** Text of `length` characters of `alphabet`. */
  text(length: number, alphabet: string): string;
}

/** The stream named by these words (small fast counter generator, 32 bits, seeded by SHA-256). */
export function rng(...words: readonly (string | number)[]): Rng {
  const seed = createHash('sha256').update(JSON.stringify(words)).digest();
  let a = seed.readUInt32LE(0);
  let b = seed.readUInt32LE(4);
  let c = seed.readUInt32LE(8);
  let counter = 1;
  const next = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  const pick = <T>(from: readonly T[]): T => {
    if (from.length === 0) throw new RangeError('pick from an empty list');
    return from[int(0, from.length - 1)]!;
  };
  return {
    number: next,
    int,
    chance: (probability) => next() < probability,
    pick,
    sample: (from, count) => {
      const rest = [...from];
      const out = [];
      while (out.length < count && rest.length > 0) out.push(rest.splice(int(0, rest.length - 1), 1)[0]!);
      return out;
    },
    text: (length, alphabet) => Array.from({ length }, () => pick([...alphabet])).join(''),
  };
}

export const LOCATOR_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
export const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
