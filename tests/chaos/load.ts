import { setTimeout as delay } from 'node:timers/promises';
import { outstanding } from './check.ts';
import type { Run } from './supervisor.ts';
import { appendSeen } from './workload.ts';

/** Numbers from the supervisor itself, at an even rate: a sender that no fault of a worker touches. */
export interface Load {
  /** When an append was last known to be durable, epoch ms. */
  readonly ackedAt: number;
  /** No more; what is under way is finished, or given up after a while. */
  stop(): Promise<void>;
}

const PATIENCE_MS = 30_000;
/** Beyond this nothing is brought in for a while, so that a slow machine is not measured by its backlog. */
const WAITING_MAX = 600;

/** What is refused is tried again until it is in, as the same event. */
export function startLoad(run: Run, perSecond: number): Load {
  const atOnce = Math.max(1, Math.round(perSecond / 20));
  const ending = new AbortController();
  const under = new Set<Promise<void>>();
  let ackedAt = 0;
  let giveUpAt = Number.POSITIVE_INFINITY;
  let tooMuch = false;
  let n = run.freshNumber();
  const bring = async (numbers: readonly number[]): Promise<void> => {
    while (performance.now() < giveUpAt) {
      try {
        await appendSeen(run.store, numbers);
        for (const number of numbers) run.acked.add(number);
        ackedAt = Date.now();
        return;
      } catch {
        await delay(50);
      }
    }
  };
  const loop = (async () => {
    const startedAt = performance.now();
    for (let round = 1; !ending.signal.aborted; round++) {
      if (round % 10 === 0)
        tooMuch = await outstanding(run.store).then(
          (left) => left > WAITING_MAX,
          () => tooMuch,
        );
      // A sender who has much under way waits as well.
      if (!tooMuch && under.size < 100) {
        const bringing = bring(Array.from({ length: atOnce }, () => n++)).finally(() => under.delete(bringing));
        under.add(bringing);
      }
      const wait = startedAt + round * 50 - performance.now();
      await delay(Math.max(1, wait), undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return {
    get ackedAt() {
      return ackedAt;
    },
    stop: async () => {
      ending.abort();
      giveUpAt = performance.now() + PATIENCE_MS;
      await loop;
      await Promise.all(under);
    },
  };
}
