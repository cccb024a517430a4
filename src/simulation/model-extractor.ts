import { TripwatchError } from '../domain/errors.ts';
import { extractDocument } from '../domain/extract/document.ts';
import type { Extractor } from '../ports/extractor.ts';
import type { Rng } from '../sandbox/random.ts';
import type { Life } from './life.ts';
import type { Plan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

/** In the bytes of a mail that the parser never survives. */
export const POISON = 'X-Simulated: poison';
/** In the bytes of a mail that takes the whole process with it, whenever it is read. */
export const KILLER = 'X-Simulated: killer';

/** The pure extraction, on a pool that is busy, hangs, or meets a mail it cannot survive. */
export function modelExtractor(options: {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly draw: Rng;
  readonly healed: () => boolean;
  readonly crash: (life: Life) => void;
}): (life: Life) => Extractor {
  const { plan, scheduler, draw } = options;
  return (life) => ({
    extract: async (input, signal) => {
      await life.point('extractor: before');
      await life.clock.sleep(1 + draw.number() * 50, signal);
      const bytes = Buffer.from(input.bytes);
      if (bytes.includes(KILLER)) {
        scheduler.note('extractor: the process dies of this mail');
        options.crash(life);
        await life.turn();
      }
      if (bytes.includes(POISON)) throw new TripwatchError('poison', 'parse-crashed', 'The parser stopped.');
      if (!options.healed() && draw.chance(plan.extractor.busy))
        throw new TripwatchError('transient', 'extractor-busy', 'No place in the pool.');
      if (!options.healed() && draw.chance(plan.extractor.hang)) {
        scheduler.note('extractor: hangs');
        await life.clock.sleep(24 * 3_600_000, signal);
      }
      const result = extractDocument(input);
      await life.point('extractor: after');
      return result;
    },
  });
}
