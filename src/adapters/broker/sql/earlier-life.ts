import { sql } from 'kysely';
import { statement } from '../../store/sql/rows.ts';
import type { Db } from '../../store/sql/schema.ts';
import { type DeliveryRow, NO_TIME } from './delivery-rows.ts';
import type { ShardRef } from './shard-ref.ts';

/** What an earlier owner of a consumer's shard, ended in good order or killed, has left behind. */
export interface EarlierLife {
  readonly cursor: number;
  /** Up to here the log may hold events that are processed, or have rows, beyond the cursor. */
  readonly doubtTo: number;
  /** Parked, or under way when it ended: at most one of a key. */
  readonly heads: readonly DeliveryRow[];
  readonly waiting: readonly { readonly key: string; readonly count: number }[];
}

/** Makes the cursor where there is none, and brings the rows into the order that `readEarlierLife` promises. */
export async function tidyEarlierLife(db: Db, { consumer, topic, shard }: ShardRef): Promise<void> {
  await insertCursor(db, [consumer, shard, topic]);
  // Finished, but its life ended before the row could go.
  await deleteFinished(db, [consumer, shard, consumer]);
  const { rows: heads } = await selectFirsts(db, [consumer, shard]);
  // Only the first of a key can be its head; another (the acks between them were not stored) waits behind it.
  for (const head of heads)
    await db
      .updateTable('delivery')
      .set({ state: 'waiting', next_at: NO_TIME })
      .where('consumer', '=', consumer)
      .where('shard', '=', shard)
      .where('key', '=', head.key)
      .where('state', 'in', ['parked', 'out'])
      .where('seq', '>', Number(head.seq))
      .execute();
}

export async function readEarlierLife(db: Db, { consumer, shard }: ShardRef): Promise<EarlierLife> {
  const of = [consumer, shard];
  const { rows: cursors } = await selectCursor(db, of);
  const { rows: last } = await selectLast(db, []);
  const { rows: heads } = await selectHeads(db, of);
  const { rows: waiting } = await countWaiting(db, of);
  return {
    cursor: Number(cursors[0]!.seq),
    doubtTo: Number(last[0]?.seq ?? 0),
    heads,
    waiting: waiting.map(({ key, count }) => ({ key, count: Number(count) })),
  };
}

/** `parked` or `out`: written into the text, since they are never values. */
const AT_WORK = [sql.lit('parked'), sql.lit('out')];

const insertCursor = statement((db) =>
  db
    .insertInto('consumer_cursor')
    .values({ consumer: '', shard: 0, topic: '', seq: sql.lit(0) })
    .onConflict((conflict) => conflict.columns(['consumer', 'shard']).doNothing()),
);

const deleteFinished = statement((db) =>
  db
    .deleteFrom('delivery')
    .where('consumer', '=', '')
    .where('shard', '=', 0)
    .where('state', '!=', sql.lit('replay'))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('processed')
          .select('processed.event_id')
          .where('processed.consumer', '=', '')
          .whereRef('processed.event_id', '=', 'delivery.event_id'),
      ),
    ),
);

const rowsOf = (db: Db) => db.selectFrom('delivery').where('consumer', '=', '').where('shard', '=', 0);

const selectFirsts = statement((db) =>
  rowsOf(db)
    .select('key')
    .select((eb) => eb.fn.min<number>('seq').as('seq'))
    .where('state', 'in', AT_WORK)
    .groupBy('key'),
);

const selectCursor = statement((db) =>
  db.selectFrom('consumer_cursor').select('seq').where('consumer', '=', '').where('shard', '=', 0),
);

const selectLast = statement((db) => db.selectFrom('log').select((eb) => eb.fn.max<number | null>('seq').as('seq')));

const selectHeads = statement((db) => rowsOf(db).selectAll().where('state', 'in', AT_WORK).orderBy('seq'));

const countWaiting = statement((db) =>
  rowsOf(db)
    .select('key')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', sql.lit('waiting'))
    .groupBy('key'),
);
