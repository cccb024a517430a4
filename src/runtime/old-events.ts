import type { Topic } from '../contracts/topics.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { LogPlace, OldEvents } from '../ports/store/old-events.ts';
import type { Store, Tx } from '../ports/store.ts';
import type { Part } from './held.ts';
import { createRounds } from './rounds.ts';

/** Looked at in one go, and deleted in one transaction: a few milliseconds of the one who writes. */
const PAGE = 256;
/** Between two pages, real time: events on their way go first. */
const PAUSE_MS = 100;
/** Between two looks, by the clock. */
const LOOK_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What was read of a mail, and why, is asked of its `mail.collected` for as long as the receipt is there. */
export const KEPT_TOPICS: ReadonlySet<Topic> = new Set<Topic>(['mail.collected']);

export interface OldEventsOptions {
  readonly store: Pick<Store, 'read' | 'transact'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topics: readonly Topic[];
  /** All stages of the installation, wherever they run. */
  readonly stages: readonly { readonly name: string; readonly reads: Topic }[];
  readonly shards: number;
  readonly keepDays: number;
}

/** How many went with one look. */
export interface LetGo {
  readonly log: number;
  readonly feed: number;
}

/**
 * Lets events go that are older than `keepDays` and that everybody is done with, once an hour, in small pieces beside the
 * work. What is not done, set aside and open, or ahead of anybody's place stays however old it is.
 */
export function createOldEvents(options: OldEventsOptions): Part & { sweep(): Promise<LetGo> } {
  const { clock, logger } = options;
  const look = async (signal: AbortSignal): Promise<void> => {
    const gone = await sweep(options, signal);
    if (gone.log + gone.feed > 0) logger.info({ ...gone }, 'old events removed');
  };
  const rounds = createRounds(clock, LOOK_MS, look, (error) =>
    logger.warn({ error: String(error) }, 'old events could not be removed; tried again'),
  );
  return { start: rounds.start, stop: rounds.stop, sweep: () => sweep(options, rounds.signal) };
}

async function sweep(options: OldEventsOptions, signal: AbortSignal): Promise<LetGo> {
  const { topics, stages, shards, clock, keepDays } = options;
  const before = clock.now() - keepDays * DAY_MS;
  let log = 0;
  for (const topic of topics) {
    if (KEPT_TOPICS.has(topic)) continue;
    const readers = stages.filter(({ reads }) => reads === topic).map(({ name }) => name);
    for (let shard = 0; shard < shards; shard++) {
      const place: LogPlace = { topic, shard, readers };
      log += await inPieces(options, signal, {
        look: (tx, after) => tx.oldEvents.due(place, { before, after, limit: PAGE }),
        cut: (tx, seqs) => tx.oldEvents.cut(place, seqs),
      });
    }
  }
  const feed = await inPieces(options, signal, {
    look: (tx, after) => tx.oldEvents.dueFeed({ before, after, limit: PAGE }),
    cut: (tx, seqs) => tx.oldEvents.cutFeed(seqs),
  });
  return { log, feed };
}

async function inPieces(
  { store, clock }: OldEventsOptions,
  signal: AbortSignal,
  piece: {
    readonly look: (tx: Pick<Tx, 'oldEvents'>, after: number) => Promise<OldEvents>;
    readonly cut: (tx: Pick<Tx, 'oldEvents'>, seqs: readonly number[]) => Promise<number>;
  },
): Promise<number> {
  let removed = 0;
  for (let after: number | undefined = 0; after !== undefined && !signal.aborted; ) {
    const from: number = after;
    const { seqs, next } = await store.read((tx) => piece.look(tx, from));
    if (seqs.length > 0) {
      removed += await store.transact((tx) => piece.cut(tx, seqs));
      await clock.sleep(PAUSE_MS * clock.speed, signal).catch(() => undefined);
    }
    after = next;
  }
  return removed;
}
