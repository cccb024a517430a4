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
  await db
    .insertInto('consumer_cursor')
    .values({ consumer, shard, topic, seq: 0 })
    .onConflict((conflict) => conflict.columns(['consumer', 'shard']).doNothing())
    .execute();
  // Finished, but its life ended before the row could go.
  await db
    .deleteFrom('delivery')
    .where('consumer', '=', consumer)
    .where('shard', '=', shard)
    .where('state', '!=', 'replay')
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('processed')
          .select('processed.event_id')
          .where('processed.consumer', '=', consumer)
          .whereRef('processed.event_id', '=', 'delivery.event_id'),
      ),
    )
    .execute();
  const heads = await db
    .selectFrom('delivery')
    .select('key')
    .select((eb) => eb.fn.min('seq').as('seq'))
    .where('consumer', '=', consumer)
    .where('shard', '=', shard)
    .where('state', 'in', ['parked', 'out'])
    .groupBy('key')
    .execute();
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
  const cursor = await db
    .selectFrom('consumer_cursor')
    .select('seq')
    .where('consumer', '=', consumer)
    .where('shard', '=', shard)
    .executeTakeFirstOrThrow();
  const last = await db
    .selectFrom('log')
    .select((eb) => eb.fn.max('seq').as('seq'))
    .executeTakeFirst();
  const rows = db.selectFrom('delivery').where('consumer', '=', consumer).where('shard', '=', shard);
  const heads = await rows.selectAll().where('state', 'in', ['parked', 'out']).orderBy('seq').execute();
  const waiting = await rows
    .select('key')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', 'waiting')
    .groupBy('key')
    .execute();
  return {
    cursor: Number(cursor.seq),
    doubtTo: Number(last?.seq ?? 0),
    heads,
    waiting: waiting.map(({ key, count }) => ({ key, count: Number(count) })),
  };
}
