import type { SubjectId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Store } from '../../ports/store.ts';

/**
 * Freshness marks of answers that said nothing new, and of wakes that were followed, written in batches: the only thing
 * that polling writes while nothing changes. What a crash loses is one batch, and costs one early question each.
 */
export interface Marks {
  add(mark: FreshnessMark): void;
  /** The wake of that instant, by the store's clock, was followed. */
  heard(id: SubjectId, at: number): void;
  /** What waits for this subject is overtaken. */
  forget(id: SubjectId): void;
  flush(): Promise<void>;
  /** Flushes until the signal aborts, then once more. */
  run(signal: AbortSignal): Promise<void>;
}

export interface FreshnessMark {
  readonly id: SubjectId;
  readonly at: number;
  readonly failure?: string;
}

/** Real time: how much freshness a crash may forget. */
const FLUSH_MS = 1000;
const BATCH_MAX = 500;
/** Beyond it the oldest are forgotten: the store refuses us, and marks are not worth the memory. */
const KEPT_MAX = 100_000;

export function createMarks(store: Store, clock: Clock, logger: Logger): Marks {
  /** The newest mark of each subject counts. */
  let waiting = new Map<SubjectId, FreshnessMark>();
  const heard = new Map<SubjectId, number>();
  let flushing: Promise<void> = Promise.resolve();
  let full = false;
  let arrived: (() => void) | undefined;

  async function writeHeard(): Promise<void> {
    while (heard.size > 0) {
      const batch = [...heard].slice(0, BATCH_MAX).map(([id, at]) => ({ id, at }));
      await store.transact((tx) => tx.subjects.heard(batch));
      for (const { id, at } of batch) if (heard.get(id) === at) heard.delete(id);
    }
  }

  async function write(): Promise<void> {
    await writeHeard().catch((error: unknown) =>
      logger.warn({ waiting: heard.size, error: String(error) }, 'followed wakes could not be noted; tried again'),
    );
    while (waiting.size > 0) {
      const batch = [...waiting.values()].slice(0, BATCH_MAX);
      for (const mark of batch) waiting.delete(mark.id);
      try {
        await store.transact((tx) => tx.subjects.markChecked(batch));
      } catch (error) {
        // Kept for the next time, behind what came since.
        const since = waiting;
        waiting = new Map(batch.map((mark) => [mark.id, mark]));
        for (const [id, mark] of since) waiting.set(id, mark);
        for (const id of waiting.keys()) {
          if (waiting.size <= KEPT_MAX) break;
          waiting.delete(id);
        }
        logger.warn({ waiting: waiting.size, error: String(error) }, 'freshness marks could not be stored');
        return;
      }
    }
  }

  const nextMark = (): Promise<void> =>
    new Promise((resolve) => {
      arrived = resolve;
    });

  const flush = (): Promise<void> => {
    flushing = flushing.then(write);
    return flushing;
  };

  return {
    add: (mark) => {
      waiting.delete(mark.id);
      waiting.set(mark.id, mark);
      arrived?.();
      if (waiting.size >= BATCH_MAX && !full) {
        full = true;
        void flush().finally(() => {
          full = false;
        });
      }
    },
    heard: (id, at) => {
      heard.set(id, at);
      arrived?.();
    },
    forget: (id) => {
      waiting.delete(id);
    },
    flush,
    run: async (signal) => {
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      while (!signal.aborted) {
        // Nothing is written, and nothing wakes, while nothing is asked.
        if (waiting.size + heard.size === 0) {
          await Promise.race([stopped, nextMark()]);
          arrived = undefined;
        }
        await clock.sleep(FLUSH_MS * clock.speed, signal).catch(() => {});
        await flush();
      }
    },
  };
}
