import { statement } from '../../store/sql/rows.ts';
import type { Db } from '../../store/sql/schema.ts';
import { type DeliveryRow, NO_TIME } from './delivery-rows.ts';
import type { ShardRef } from './shard-ref.ts';

/** What replayed dead letters have put down for a consumer and it has not taken yet. */
export async function readReplays(db: Db, { consumer, shard }: ShardRef): Promise<readonly DeliveryRow[]> {
  return (await selectReplays(db, [consumer, shard, NO_TIME, 'replay'])).rows;
}

// For the index it asks for a time: rows that wait have none, and they are the many.
const selectReplays = statement((db) =>
  db
    .selectFrom('delivery')
    .selectAll()
    .where('consumer', '=', '')
    .where('shard', '=', 0)
    .where('next_at', '<', NO_TIME)
    .where('state', '=', 'replay')
    .orderBy('seq'),
);

/** From here on they are ordinary waiting rows. */
export async function takeReplays(db: Db, ref: ShardRef): Promise<readonly DeliveryRow[]> {
  const rows = await readReplays(db, ref);
  for (const row of rows)
    await db
      .updateTable('delivery')
      .set({ state: 'waiting', next_at: NO_TIME })
      .where('consumer', '=', ref.consumer)
      .where('seq', '=', row.seq)
      .execute();
  return rows;
}
