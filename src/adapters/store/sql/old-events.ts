import { sql } from 'kysely';
import { epochMsOf } from '../../../ports/clock.ts';
import type { LogPlace, OldEventsRepo } from '../../../ports/store/old-events.ts';
import { parseJson, slices } from './rows.ts';
import type { Db } from './schema.ts';

/** Letting old events go; see src/ports/store/old-events.ts. */
export function openOldEvents(db: Db): OldEventsRepo {
  return {
    due: async (place, { before, after, limit }) => {
      const floor = await slowest(db, place);
      if (floor <= after) return { seqs: [], next: undefined };
      const rows = await db
        .selectFrom('log')
        .select(['seq', 'at'])
        .where('topic', '=', place.topic)
        .where('shard', '=', place.shard)
        .where('seq', '>', after)
        .where('seq', '<=', floor)
        .orderBy('seq')
        .limit(limit)
        .execute();
      const last = rows.at(-1);
      const seqs = rows.filter(({ at }) => at < before).map(({ seq }) => Number(seq));
      // A page that ends with a younger one is the last that can hold older ones, but for clocks that differ a little.
      const more = last !== undefined && rows.length === limit && last.at < before;
      return { seqs, next: more ? Number(last.seq) : undefined };
    },

    cut: async (place, seqs) => {
      // Asked again: a relay may have been set back since.
      const floor = await slowest(db, place);
      let removed = 0;
      for (const some of slices(seqs.filter((seq) => seq <= floor))) {
        let cut = db
          .deleteFrom('log')
          .where('seq', 'in', some)
          .where('topic', '=', place.topic)
          .where('shard', '=', place.shard)
          .where(sql<boolean>`NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event_id = log.id)`)
          .where(
            sql<boolean>`NOT EXISTS (SELECT 1 FROM dead_letter
              WHERE dead_letter.tenant = log.tenant AND dead_letter.event_id = log.id AND dead_letter.state = 'open')`,
          );
        for (const reader of place.readers)
          cut = cut
            .where(
              sql<boolean>`EXISTS (SELECT 1 FROM processed
                WHERE processed.event_id = log.id AND processed.consumer = ${reader})`,
            )
            .where(
              sql<boolean>`NOT EXISTS (SELECT 1 FROM unsettled
                WHERE unsettled.consumer = ${reader} AND unsettled.shard = ${place.shard} AND unsettled.seq = log.seq)`,
            );
        removed += Number((await cut.executeTakeFirst()).numDeletedRows);
      }
      return removed;
    },

    dueFeed: async ({ before, after, limit }) => {
      const rows = await db
        .selectFrom('feed')
        .select(['seq', 'event'])
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(limit)
        .execute();
      const seqs = [];
      for (const { seq, event } of rows) {
        if (epochMsOf(parseJson<{ time: string }>(event).time) >= before) return { seqs, next: undefined };
        seqs.push(Number(seq));
      }
      return { seqs, next: rows.length === limit ? seqs.at(-1) : undefined };
    },

    cutFeed: async (seqs) => {
      let removed = 0;
      for (const some of slices(seqs)) {
        const cut = db
          .deleteFrom('feed')
          .where('seq', 'in', some)
          .where(
            sql<boolean>`EXISTS (SELECT 1 FROM feed AS newer WHERE newer.tenant = feed.tenant AND newer.seq > feed.seq)`,
          );
        removed += Number((await cut.executeTakeFirst()).numDeletedRows);
      }
      return removed;
    },
  };
}

/** The lowest place that anybody holds in the shard; 0 where a reader has none yet. */
async function slowest(db: Db, { topic, shard, readers }: LogPlace): Promise<number> {
  const cursors = await db
    .selectFrom('consumer_cursor')
    .select(['consumer', 'seq'])
    .where('topic', '=', topic)
    .where('shard', '=', shard)
    .execute();
  const marks =
    readers.length === 0
      ? []
      : await db
          .selectFrom('audited')
          .select(['consumer', 'seq'])
          .where('consumer', 'in', readers)
          .where('shard', '=', shard)
          .execute();
  for (const held of [cursors, marks])
    if (readers.some((reader) => !held.some(({ consumer }) => consumer === reader))) return 0;
  // Also of a relay that rests: what is put back later goes on from where it was.
  const relays = await db.selectFrom('relay').select(['seq', 'audited_seq']).execute();
  return Math.min(
    Number.MAX_SAFE_INTEGER,
    ...[...cursors, ...marks].map(({ seq }) => Number(seq)),
    ...relays.map((relay) => Math.min(Number(relay.seq), Number(relay.audited_seq))),
  );
}
