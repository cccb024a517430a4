import type { AnyEvent } from '../../../contracts/event.ts';
import type { Topic } from '../../../contracts/topics.ts';
import type { EventId, TenantId } from '../../../domain/ids.ts';
import type { AttemptRecord, DeadLetter, DeadLetterId, LogEntry, LogRepo } from '../../../ports/store/log.ts';
import { compiledOnce, parseJson } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** Rows read at most where the caller gives no bound: consumers of one event, which are few. */
const PARKED_MAX = 100;

/**
 * Events, processed marks and dead letters. A dead-lettered event is claimed for its consumer, so that a repeat of its
 * delivery does nothing; a replay takes that mark away again.
 */
export function openLog(db: Db, touch: (topic: Topic) => void): LogRepo {
  const insertMark = compiledOnce(db, () =>
    db
      .insertInto('processed')
      .values({ event_id: '', consumer: '', at: 0, attempts: null })
      .onConflict((conflict) => conflict.columns(['event_id', 'consumer']).doNothing()),
  );
  const insertEvent = compiledOnce(db, () =>
    db
      .insertInto('log')
      .values({ id: '', tenant: '', topic: '', key: '', correlation: '', subject: '', at: 0, body: '' })
      .onConflict((conflict) => conflict.column('id').doNothing()),
  );
  return {
    claim: async (consumer, eventId, now, failed = []) => {
      const attempts = failed.length === 0 ? null : JSON.stringify(failed);
      return (await insertMark([eventId, consumer, now, attempts])).numAffectedRows === 1n;
    },
    append: async (events) => {
      for (const event of events) {
        const result = await insertEvent([
          event.id,
          event.tenantid,
          event.topic,
          event.partitionkey,
          event.correlationid,
          event.subject ?? '',
          Temporal.Instant.from(event.time).epochMilliseconds,
          JSON.stringify(event),
        ]);
        if (result.numAffectedRows === 1n) touch(event.topic);
      }
    },
    get: async (eventId) => {
      const row = await db.selectFrom('log').select(['seq', 'body']).where('id', '=', eventId).executeTakeFirst();
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
        const cursor = await db
          .selectFrom('consumer_cursor')
          .select('seq')
          .where('consumer', '=', consumer)
          .executeTakeFirst();
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
              eb('log.seq', '>', cursor?.seq ?? 0).and(
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
    addDeadLetter: async (letter) => {
      await db
        .insertInto('dead_letter')
        .values({
          tenant: letter.tenant,
          id: letter.id,
          consumer: letter.consumer,
          topic: letter.topic,
          event_id: letter.eventId,
          key: letter.key,
          correlation: letter.correlation,
          attempts: JSON.stringify(letter.attempts),
          code: letter.code,
          message: letter.message,
          state: letter.state,
          created_at: letter.createdAt,
          decided_at: letter.decidedAt ?? null,
          decision: letter.decision ?? null,
        })
        .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
        .execute();
    },
    getDeadLetter: (tenant, id) => getDeadLetter(db, tenant, id),
    listDeadLetters: async (tenant, query) => {
      let select = db.selectFrom('dead_letter').selectAll().where('tenant', '=', tenant);
      if (query.state !== undefined) select = select.where('state', '=', query.state);
      if (query.consumer !== undefined) select = select.where('consumer', '=', query.consumer);
      if (query.code !== undefined) select = select.where('code', '=', query.code);
      if (query.eventId !== undefined) select = select.where('event_id', '=', query.eventId);
      const rows = await select.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(query.limit).execute();
      return rows.map(letterOf);
    },
    replay: async (tenant, id, by, now) => {
      const letter = await getDeadLetter(db, tenant, id);
      if (letter === undefined) return false;
      const logged = await db.selectFrom('log').select('seq').where('id', '=', letter.eventId).executeTakeFirst();
      if (logged === undefined || !(await decide(db, tenant, id, 'replayed', by, now))) return false;
      await db
        .deleteFrom('processed')
        .where('event_id', '=', letter.eventId)
        .where('consumer', '=', letter.consumer)
        .execute();
      // A state of its own: the broker must see that the row is new, also where it had one for this event before.
      const due = { state: 'replay', attempts: 0, next_at: now, history: '[]' };
      await db
        .insertInto('delivery')
        .values({
          ...due,
          consumer: letter.consumer,
          seq: logged.seq,
          topic: letter.topic,
          key: letter.key,
          event_id: letter.eventId,
          first_at: now,
        })
        .onConflict((conflict) => conflict.columns(['consumer', 'seq']).doUpdateSet({ ...due, first_at: now }))
        .execute();
      touch(letter.topic);
      return true;
    },
    discard: (tenant, id, reason, now) => decide(db, tenant, id, 'discarded', reason, now),
  };
}

function entryOf(row: { seq: number; body: string }): LogEntry {
  return { seq: row.seq, event: parseJson<AnyEvent>(row.body) };
}

async function getDeadLetter(db: Db, tenant: TenantId, id: DeadLetterId): Promise<DeadLetter | undefined> {
  const row = await db
    .selectFrom('dead_letter')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && letterOf(row);
}

/** Settles an open dead letter; false when it was settled before. */
async function decide(
  db: Db,
  tenant: TenantId,
  id: DeadLetterId,
  state: 'replayed' | 'discarded',
  decision: string,
  now: number,
): Promise<boolean> {
  const result = await db
    .updateTable('dead_letter')
    .set({ state, decision, decided_at: now })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('state', '=', 'open')
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

function letterOf(row: Schema['dead_letter']): DeadLetter {
  return {
    id: row.id as DeadLetterId,
    tenant: row.tenant as TenantId,
    consumer: row.consumer,
    topic: row.topic as Topic,
    eventId: row.event_id as EventId,
    key: row.key,
    correlation: row.correlation,
    attempts: parseJson<readonly AttemptRecord[]>(row.attempts),
    code: row.code,
    message: row.message,
    state: row.state as DeadLetter['state'],
    createdAt: row.created_at,
    decidedAt: row.decided_at ?? undefined,
    decision: row.decision ?? undefined,
  };
}
