import { sql } from 'kysely';
import type { OpenEvent, ShardLook } from '../../../ports/store/conservation.ts';
import { markOf } from './conservation-look.ts';
import { slices } from './rows.ts';
import type { Db } from './schema.ts';

/** False: it stands elsewhere by now, so another has settled since. */
export async function moveMark(db: Db, { consumer, shard, from, to, turn }: ShardLook, now: number): Promise<boolean> {
  if (from === 0)
    await db
      .insertInto('audited')
      .values({ consumer, shard, seq: 0, turn: 0, checked_at: now })
      .onConflict((conflict) => conflict.columns(['consumer', 'shard']).doNothing())
      .execute();
  const result = await db
    .updateTable('audited')
    .set({ seq: to, turn, checked_at: now })
    .where('consumer', '=', consumer)
    .where('shard', '=', shard)
    .where('seq', '=', from)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** What the mark has just passed and is not done, as of now. Returns how many, by tenant. */
export async function rememberOpen(
  db: Db,
  { consumer, topic, shard, from, to }: ShardLook,
): Promise<ReadonlyMap<string, number>> {
  await sql`
    INSERT INTO unsettled (consumer, shard, seq, event_id, tenant)
    SELECT ${consumer}, log.shard, log.seq, log.id, log.tenant FROM log
    WHERE log.topic = ${topic} AND log.shard = ${shard} AND log.seq > ${from} AND log.seq <= ${to}
      AND ${markOf(consumer, 'log.id')} IS NULL
    ON CONFLICT (consumer, shard, seq) DO NOTHING`.execute(db);
  const rows = await db
    .selectFrom('unsettled')
    .select(({ fn }) => ['tenant', fn.countAll<number>().as('count')])
    .where('consumer', '=', consumer)
    .where('shard', '=', shard)
    .where('seq', '>', from)
    .where('seq', '<=', to)
    .groupBy('tenant')
    .execute();
  return new Map(rows.map((row) => [row.tenant, Number(row.count)]));
}

/** Takes out what is done; returns those that were still there. */
export async function forget(db: Db, { consumer, shard, closed }: ShardLook): Promise<ShardLook['closed']> {
  const deleted = new Set<number>();
  for (const seqs of slices(closed.map(({ seq }) => seq)))
    for (const { seq } of await db
      .deleteFrom('unsettled')
      .where('consumer', '=', consumer)
      .where('shard', '=', shard)
      .where('seq', 'in', seqs)
      .returning('seq')
      .execute())
      deleted.add(Number(seq));
  return closed.filter(({ seq }) => deleted.has(seq));
}

/** Puts what is open again among what is not done; returns those that are new there. */
export async function remember(db: Db, { consumer, shard, reopened }: ShardLook): Promise<readonly OpenEvent[]> {
  const added: OpenEvent[] = [];
  for (const one of reopened) {
    const result = await db
      .insertInto('unsettled')
      .values({ consumer, shard, seq: one.seq, event_id: one.eventId, tenant: one.tenant })
      .onConflict((conflict) => conflict.columns(['consumer', 'shard', 'seq']).doNothing())
      .executeTakeFirst();
    if (result.numInsertedOrUpdatedRows === 1n) added.push(one);
  }
  return added;
}

/** A delivery row for each that is still without one; the mark would stop an effect that was there after all. */
export async function putBack(
  db: Db,
  { consumer, topic, shard, lost }: ShardLook,
  now: number,
): Promise<readonly OpenEvent[]> {
  const back = new Set<number>();
  for (const seqs of slices(lost.map(({ seq }) => seq))) {
    const { rows } = await sql<{ seq: number }>`
      INSERT INTO delivery (consumer, shard, seq, topic, key, event_id, state, attempts, first_at, next_at, history)
      SELECT ${consumer}, log.shard, log.seq, log.topic, log.key, log.id, 'replay', 0, ${now}, ${now}, '[]' FROM log
      WHERE log.topic = ${topic} AND log.shard = ${shard} AND log.seq IN (${sql.join(seqs)})
        AND ${markOf(consumer, 'log.id')} IS NULL
      ON CONFLICT (consumer, seq) DO NOTHING RETURNING seq`.execute(db);
    for (const { seq } of rows) back.add(Number(seq));
  }
  return lost.filter(({ seq }) => back.has(seq));
}
