import type { BlobKeeper } from '../ports/blobs.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { KeptMail } from '../ports/store/privacy.ts';
import type { Store } from '../ports/store.ts';
import type { Part } from './held.ts';
import { createRounds } from './rounds.ts';

/** Raw mails let go in one transaction. */
const BATCH_MAX = 200;
/** Between two looks, by the clock. */
const LOOK_MS = 3_600_000;
/** All stored bytes are compared with the receipts this often, by the clock. */
const WALK_MS = 24 * 3_600_000;
/** Bytes put so recently may not have their receipt yet; real time. */
const IDLE_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface RetentionOptions {
  readonly store: Pick<Store, 'read' | 'transact'>;
  readonly blobs: Pick<BlobKeeper, 'remove' | 'list'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Days after a mail was decided on. */
  readonly keepDays: number;
}

/** How much one look removed. */
export interface Swept {
  /** Receipts whose mail has gone. */
  readonly mails: number;
  /** Stored bytes. */
  readonly blobs: number;
}

/**
 * Raw mails go when they have been kept long enough; receipts and what was read stay. First the receipt says that the mail
 * is gone, then its bytes go: a crash in between leaves bytes that nothing rests on, and those are found by the walk
 * through all that is stored, once a day. The same walk finds what a crash of the intake left without a receipt.
 */
export function createRetention(options: RetentionOptions): Part & { sweep(): Promise<Swept> } {
  const { clock, logger } = options;
  let walkedAt = Number.NEGATIVE_INFINITY;
  const look = async (signal: AbortSignal): Promise<void> => {
    const swept = await letGo(options, signal);
    const walk = clock.now() - walkedAt >= WALK_MS;
    const orphans = walk ? await removeOrphans(options, signal) : 0;
    if (walk) walkedAt = clock.now();
    if (swept.mails + orphans > 0) logger.info({ ...swept, orphans }, 'raw mails removed');
  };
  const rounds = createRounds(clock, LOOK_MS, look, (error) =>
    logger.warn({ error: String(error) }, 'raw mails could not be removed; tried again'),
  );
  return {
    start: rounds.start,
    stop: rounds.stop,
    sweep: async () => {
      const swept = await letGo(options, rounds.signal);
      return { ...swept, blobs: swept.blobs + (await removeOrphans(options, rounds.signal)) };
    },
  };
}

async function letGo(options: RetentionOptions, signal: AbortSignal): Promise<Swept> {
  const { store, blobs, clock, keepDays } = options;
  let [mails, removed] = [0, 0];
  while (!signal.aborted) {
    const before = clock.now() - keepDays * DAY_MS;
    const due = await store.read((tx) => tx.privacy.keptSince(before, BATCH_MAX));
    if (due.length === 0) break;
    const day = Temporal.Instant.fromEpochMilliseconds(Math.trunc(clock.now())).toString().slice(0, 10);
    await store.transact((tx) => tx.privacy.letGo(due, goneNote(day, keepDays)));
    mails += due.length;
    for (const mail of due) removed += await removeUnneeded(store, blobs, mail);
  }
  return { mails, blobs: removed };
}

/** What the receipt says from then on. `day`: when, 2026-12-01. */
export function goneNote(day: string, keepDays: number): { readonly code: string; readonly message: string } {
  const kept = `${keepDays} ${keepDays === 1 ? 'day' : 'days'}`;
  return {
    code: 'raw-gone',
    message: `The mail itself was removed here on ${day}: it is kept for ${kept} after it was read (mails.keepDays).`,
  };
}

async function removeUnneeded(
  store: RetentionOptions['store'],
  blobs: RetentionOptions['blobs'],
  { tenant, raw }: Pick<KeptMail, 'tenant' | 'raw'>,
): Promise<number> {
  let removed = 0;
  for (const owner of [tenant, 'shared'] as const) {
    if (await store.read((tx) => tx.privacy.needed(raw, owner))) continue;
    if (await blobs.remove(raw, owner, IDLE_MS)) removed++;
  }
  return removed;
}

async function removeOrphans({ store, blobs }: RetentionOptions, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for await (const { ref, owner } of blobs.list()) {
    if (signal.aborted) break;
    if (await store.read((tx) => tx.privacy.needed(ref, owner))) continue;
    if (await blobs.remove(ref, owner, IDLE_MS)) removed++;
  }
  return removed;
}
