import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports/clock.ts';

export const systemRandom: Random = {
  number: () => Math.random(),
  bytes: (length) => randomBytes(length),
};
