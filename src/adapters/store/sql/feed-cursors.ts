import type { FeedCursor, ItineraryRepo } from '../../../ports/store/itineraries.ts';
import type { Db } from './schema.ts';

/** Epochs read for one page: no more than it may have rows, since one that no row was given in goes with the next start. */
const EPOCHS_MAX = 10_000;

interface Epoch {
  readonly epoch: string;
  readonly after: number;
}

/** Cursors of the change stream: number and epoch, `57.1f3a9c04`; a bare number for those from before there were epochs. */
export function cursorOf(seq: number, epoch: string | undefined): FeedCursor {
  return epoch === undefined ? `${seq}` : `${seq}.${epoch}`;
}

/** For rows with these numbers, ascending or descending. */
export async function epochsOf(db: Db, seqs: readonly number[]): Promise<(seq: number) => string | undefined> {
  if (seqs.length === 0) return () => undefined;
  const [lowest, highest] = [Math.min(...seqs), Math.max(...seqs)];
  const found: Epoch[] = [];
  const newest = await epochsBefore(db, highest, 1);
  found.push(...newest);
  // Nearly always one epoch covers the page.
  if (newest[0] !== undefined && newest[0].after >= lowest)
    found.splice(0, 1, ...(await epochsBefore(db, highest, EPOCHS_MAX)));
  return (seq) => found.find(({ after }) => after < seq)?.epoch;
}

async function epochsBefore(db: Db, seq: number, limit: number): Promise<readonly Epoch[]> {
  const rows = await db
    .selectFrom('feed_epoch')
    .select(['epoch', 'after_seq'])
    .where('after_seq', '<', seq)
    .orderBy('after_seq', 'desc')
    .orderBy('epoch', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ epoch, after_seq }) => ({ epoch, after: Number(after_seq) }));
}

export async function beginEpoch(db: Db, epoch: string, now: number): Promise<void> {
  const newest = await db
    .selectFrom('feed')
    .select((eb) => eb.fn.max('seq').as('seq'))
    .executeTakeFirst();
  const last = Number(newest?.seq ?? 0);
  // One that no number was given in here may have been a life that was lost: its cursors must not be taken for ours.
  await db.deleteFrom('feed_epoch').where('after_seq', '>=', last).execute();
  await db.insertInto('feed_epoch').values({ epoch, after_seq: last, begun_at: now }).execute();
}

export async function resumeAt(
  db: Db,
  bounds: { readonly first: number; readonly last: number },
  cursor: FeedCursor | undefined,
): ReturnType<ItineraryRepo['resume']> {
  const last = cursorOf(bounds.last, (await epochsOf(db, [bounds.last]))(bounds.last));
  if (cursor === undefined) return { after: bounds.last, reset: false, last };
  const [number, epoch] = cursor.split('.');
  const after = Number(number);
  // 0 asks for all that is kept.
  if (after === 0) return { after, reset: false, last };
  const behind = after < bounds.first - 1;
  const ahead = after > bounds.last;
  const foreign = epoch !== undefined && (await epochsOf(db, [after]))(after) !== epoch;
  const reset = behind || ahead || foreign;
  return { after: reset ? bounds.last : after, reset, last };
}
