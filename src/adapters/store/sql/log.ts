import type { AnyEvent } from '../../../contracts/event.ts';
import { epochMsOf } from '../../../ports/clock.ts';
import type { AttemptRecord, LogEntry, LogRepo } from '../../../ports/store/log.ts';
import { type LogInsert, type SqlHooks, shardOf } from './hooks.ts';
import { parseJson, statement } from './rows.ts';
import type { Db } from './schema.ts';

/** Rows read at most where the caller gives no bound: consumers of one event, which are few. */
const PARKED_MAX = 100;

/**
 * Events and processed marks. An event that was set aside is claimed for its consumer too, so that a repeat of its
 * delivery does nothing; a replay takes that mark away again.
 */
export function openLog(db: Db, hooks: SqlHooks): LogRepo {
  return {
    claim: async (consumer, eventId, now, failed = []) => {
      const attempts = failed.length === 0 ? null : JSON.stringify(failed);
      return (await insertMark(db, [eventId, consumer, now, attempts])).numAffectedRows === 1n;
    },
    append: (events) => hooks.appendLog(events.map((event) => rowOf(event, hooks.shards))),
    get: async (eventId) => {
      const [, row] = await Promise.all([
        // Who asks in order to append it is alone in that.
        hooks.lock(`event/${eventId}`, 'log'),
        db.selectFrom('log').select(['seq', 'body']).where('id', '=', eventId).executeTakeFirst(),
      ]);
      return row && entryOf(row);
    },
    byCorrelation: async (tenant, correlation, limit) => {
      const rows = await db
        .selectFrom('log')
        .select(['seq', 'body'])
        .where('tenant', '=', tenant)
        .where('correlation', '=', correlation)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(entryOf);
    },
    bySubject: async (tenant, subject, limit) => {
      const rows = await db
        .selectFrom('log')
        .select(['seq', 'body'])
        .where('tenant', '=', tenant)
        .where('subject', '=', subject)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(entryOf);
    },
    processedBy: async (eventId) => {
      const rows = await db
        .selectFrom('processed')
        .select(['consumer', 'at', 'attempts'])
        .where('event_id', '=', eventId)
        .orderBy('at')
        .orderBy('consumer')
        .execute();
      return rows.map(({ consumer, at, attempts }) => ({
        consumer,
        at,
        failed: attempts === null ? [] : parseJson<readonly AttemptRecord[]>(attempts),
      }));
    },
    backlog: async (consumers) => {
      const found = [];
      for (const { consumer, topic } of consumers) {
        // Behind the cursor what is open has a row in `delivery`; beyond it, what is done has a mark.
        const row = await db
          .selectFrom('log')
          .select(({ fn }) => [fn.countAll<number>().as('waiting'), fn.min<number | null>('at').as('oldest')])
          .where('topic', '=', topic)
          .where(({ or, eb, not, exists, selectFrom }) =>
            or([
              exists(
                selectFrom('delivery')
                  .select('delivery.seq')
                  .where('delivery.consumer', '=', consumer)
                  .whereRef('delivery.seq', '=', 'log.seq'),
              ),
              eb(
                'log.seq',
                '>',
                eb.fn.coalesce(
                  selectFrom('consumer_cursor')
                    .select('consumer_cursor.seq')
                    .where('consumer_cursor.consumer', '=', consumer)
                    .whereRef('consumer_cursor.shard', '=', 'log.shard'),
                  eb.lit(0),
                ),
              ).and(
                not(
                  exists(
                    selectFrom('processed')
                      .select('processed.event_id')
                      .where('processed.consumer', '=', consumer)
                      .whereRef('processed.event_id', '=', 'log.id'),
                  ),
                ),
              ),
            ]),
          )
          .executeTakeFirstOrThrow();
        found.push({ consumer, waiting: Number(row.waiting), oldestAt: row.oldest ?? undefined });
      }
      return found;
    },
    parked: async (eventId) => {
      const rows = await db
        .selectFrom('delivery')
        .select(['consumer', 'next_at', 'history'])
        .where('event_id', '=', eventId)
        .where('state', 'in', ['parked', 'replay'])
        .orderBy('consumer')
        .limit(PARKED_MAX)
        .execute();
      return rows.map((row) => ({
        consumer: row.consumer,
        nextAt: row.next_at,
        attempts: parseJson<readonly AttemptRecord[]>(row.history),
      }));
    },
  };
}

const insertMark = statement((db) =>
  db
    .insertInto('processed')
    .values({ event_id: '', consumer: '', at: 0, attempts: null })
    .onConflict((conflict) => conflict.columns(['event_id', 'consumer']).doNothing()),
);

function rowOf(event: AnyEvent, shards: number): LogInsert {
  return {
    id: event.id,
    tenant: event.tenantid,
    topic: event.topic,
    key: event.partitionkey,
    correlation: event.correlationid,
    subject: event.subject ?? '',
    at: epochMsOf(event.time),
    shard: shardOf(event.partitionkey, shards),
    body: JSON.stringify(event),
  };
}

function entryOf(row: { seq: number; body: string }): LogEntry {
  return { seq: row.seq, event: parseJson<AnyEvent>(row.body) };
}
