import type { Db } from '../../store/sql/schema.ts';
import { type DeliveryRow, NO_TIME } from './delivery-rows.ts';
import type { ShardRef } from './shard-ref.ts';

/** What replayed dead letters have put down for a consumer and it has not taken yet. */
export function readReplays(db: Db, { consumer, shard }: ShardRef): Promise<readonly DeliveryRow[]> {
  return (
    db
      .selectFrom('delivery')
      .selectAll()
      .where('consumer', '=', consumer)
      .where('shard', '=', shard)
      // For the index: rows that wait have no time, and they are the many.
      .where('next_at', '<', NO_TIME)
      .where('state', '=', 'replay')
      .orderBy('seq')
      .execute()
  );
}

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
