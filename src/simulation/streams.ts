import type { Random } from '../ports/clock.ts';
import { type Rng, rng } from '../sandbox/random.ts';

/** A stream of chance for each name: a draw added in one place does not shift the draws of any other. */
export type Streams = (...name: readonly (string | number)[]) => Rng;

export function streamsOf(seed: number): Streams {
  return (...name) => rng('simulation', seed, ...name);
}

/** The port Random on a stream. */
export function randomOf(draw: Rng): Random {
  return {
    number: draw.number,
    bytes: (length) => Uint8Array.from({ length }, () => draw.int(0, 255)),
  };
}
