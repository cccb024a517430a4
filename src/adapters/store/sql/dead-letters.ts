import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Topic } from '../../../contracts/topics.ts';
import type { ErrorKind } from '../../../domain/errors.ts';
import type { EventId, TenantId } from '../../../domain/ids.ts';
import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterId,
  DeadLetterRepo,
  DeadLetterState,
  Decision,
  ReplayOutcome,
} from '../../../ports/store/dead-letters.ts';
import type { AttemptRecord } from '../../../ports/store/log.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, slices } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** Different codes and providers looked at to find what a mistyped one was meant to be. */
const KNOWN_MAX = 500;

/** Events set aside. Who decides first is settled by one UPDATE that finds the letter open, on either database. */
export function openDeadLetters(db: Db, hooks: SqlHooks): DeadLetterRepo {
  return {
    add: async (letter) => {
      const { id, tenant, eventId, consumer, topic, key, correlation, kind, code, message } = letter;
      const what = { attempts: JSON.stringify(letter.attempts), kind, code, message, created_at: letter.createdAt };
      const open = { state: 'open', decided_at: null, decided_by: null, decision: null, edited_event: null };
      await db
        .insertInto('dead_letter')
        .values(({ selectFrom, fn, lit }) => ({
          ...{ tenant, id, consumer, topic, event_id: eventId, key, correlation, provider: letter.provider ?? null },
          ...what,
          ...open,
          event_seq: fn.coalesce(selectFrom('log').select('seq').where('log.id', '=', eventId), lit(0)),
        }))
        // Set aside, replayed and set aside again within one millisecond: the same letter, open again.
        .onConflict((conflict) =>
          conflict
            .columns(['tenant', 'id'])
            .doUpdateSet({ ...what, ...open })
            .where('dead_letter.state', '!=', 'open'),
        )
        .execute();
    },
    get: (tenant, id) => get(db, tenant, id),
    list: async (tenant, filter, { before, limit }) => {
      const cursor = before === undefined ? undefined : parseCursor(before);
      let select = db
        .selectFrom('dead_letter')
        .selectAll()
        .where((eb) => fits(eb, tenant, filter));
      if (cursor !== undefined)
        select = select.where((eb) =>
          eb.and([
            eb('created_at', '<=', cursor.at),
            eb.or([eb('created_at', '<', cursor.at), eb('id', '<', cursor.id)]),
          ]),
        );
      const rows = await select
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      const letters = rows.slice(0, limit).map(letterOf);
      const last = rows[limit - 1];
      return rows.length > limit && last ? { letters, nextBefore: `${last.created_at}.${last.id}` } : { letters };
    },
    inOrder: async (tenant, { from, to, ...filter }, { after, limit }) => {
      const cursor = after === undefined ? undefined : parseCursor(after);
      let select = db
        .selectFrom('dead_letter')
        .selectAll()
        .where((eb) => fits(eb, tenant, filter));
      // Computed, so that no index of times is taken for that of the order: each page would sort all that fit.
      if (from !== undefined) select = select.where(sql<number>`created_at + 0`, '>=', from);
      if (to !== undefined) select = select.where(sql<number>`created_at + 0`, '<', to);
      if (cursor !== undefined)
        select = select.where((eb) =>
          eb.and([
            eb('event_seq', '>=', cursor.at),
            eb.or([eb('event_seq', '>', cursor.at), eb('id', '>', cursor.id)]),
          ]),
        );
      const rows = await select
        .orderBy('event_seq')
        .orderBy('id')
        .limit(limit + 1)
        .execute();
      const letters = rows.slice(0, limit).map(letterOf);
      const last = rows[limit - 1];
      return rows.length > limit && last ? { letters, nextAfter: `${last.event_seq}.${last.id}` } : { letters };
    },
    count: async (tenant, filter) => {
      const row = await db
        .selectFrom('dead_letter')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where((eb) => fits(eb, tenant, filter))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
    groups: async (tenant, filter, limit) => {
      const rows = await db
        .selectFrom('dead_letter')
        .select(({ fn }) => [
          'consumer',
          'code',
          fn.countAll<number>().as('count'),
          fn.min<number>('created_at').as('oldest'),
          fn.max<number>('created_at').as('newest'),
        ])
        .where((eb) => fits(eb, tenant, filter))
        .groupBy(['consumer', 'code'])
        .orderBy('count', 'desc')
        .orderBy('consumer')
        .orderBy('code')
        .limit(limit)
        .execute();
      const groups = [];
      for (const { consumer, code, count, oldest, newest } of rows) {
        const example = await db
          .selectFrom('dead_letter')
          .selectAll()
          .where((eb) => fits(eb, tenant, { ...filter, consumer, code }))
          .where('created_at', '=', Number(newest))
          .orderBy('id', 'desc')
          .limit(1)
          .executeTakeFirstOrThrow();
        const times = { oldestAt: Number(oldest), newestAt: Number(newest) };
        groups.push({ consumer, code, count: Number(count), ...times, example: letterOf(example) });
      }
      return groups;
    },
    known: async (tenant) => {
      const all = db.selectFrom('dead_letter').where('tenant', '=', tenant).distinct().limit(KNOWN_MAX);
      const codes = await all.select('code').execute();
      const providers = await all.select('provider').where('provider', 'is not', null).execute();
      return { codes: codes.map((row) => row.code), providers: providers.flatMap((row) => row.provider ?? []) };
    },
    replay: async (tenant, id, decision) => {
      const letter = await get(db, tenant, id);
      if (letter === undefined) return 'unknown';
      if (letter.state !== 'open') return 'not-open';
      const logged = await db
        .selectFrom('log')
        .select(['seq', 'shard'])
        .where('id', '=', letter.eventId)
        .executeTakeFirst();
      if (logged === undefined) return 'event-gone';
      if (!(await decide(db, tenant, id, { state: 'replayed' }, decision))) return 'not-open';
      await db
        .deleteFrom('processed')
        .where('event_id', '=', letter.eventId)
        .where('consumer', '=', letter.consumer)
        .execute();
      // A state of its own: the broker must see that the row is new, also where it had one for this event before.
      const due = { state: 'replay', attempts: 0, next_at: decision.now, history: '[]', first_at: decision.now };
      await db
        .insertInto('delivery')
        .values({
          ...due,
          consumer: letter.consumer,
          seq: logged.seq,
          shard: logged.shard,
          topic: letter.topic,
          key: letter.key,
          event_id: letter.eventId,
        })
        .onConflict((conflict) => conflict.columns(['consumer', 'seq']).doUpdateSet(due))
        .execute();
      hooks.touch(letter.topic, logged.shard);
      return 'done';
    },
    replace: (tenant, id, editedEvent, decision) =>
      decide(db, tenant, id, { state: 'replayed', edited_event: editedEvent }, decision),
    discard: (tenant, id, decision) => decide(db, tenant, id, { state: 'discarded' }, decision),
    outcomes: async (tenant, replays) => {
      const dead = new Map<string, { at: number; code: string; id: string }[]>();
      const done = new Set<string>();
      for (const ids of slices(replays.map((one) => one.eventId))) {
        const letters = await db
          .selectFrom('dead_letter')
          .select(['id', 'consumer', 'event_id', 'code', 'created_at', 'state'])
          .where('tenant', '=', tenant)
          .where('event_id', 'in', ids)
          .execute();
        for (const { id, consumer, event_id, code, created_at, state } of letters) {
          const place = `${consumer} ${event_id}`;
          dead.set(place, [...(dead.get(place) ?? []), { at: created_at, code, id: state === 'open' ? '' : id }]);
        }
        const marks = await db
          .selectFrom('processed')
          .select(['consumer', 'event_id'])
          .where('event_id', 'in', ids)
          .execute();
        for (const { consumer, event_id } of marks) done.add(`${consumer} ${event_id}`);
      }
      return replays.map(({ id, consumer, eventId, since }): ReplayOutcome => {
        const place = `${consumer} ${eventId}`;
        const again = dead.get(place)?.find((one) => one.at >= since && one.id !== id);
        if (again !== undefined) return { state: 'dead', code: again.code };
        return { state: done.has(place) ? 'done' : 'under-way' };
      });
    },
  };
}

/** The one place where a filter becomes a condition. */
function fits(
  eb: ExpressionBuilder<Schema, 'dead_letter'>,
  tenant: TenantId,
  filter: DeadLetterFilter,
): Expression<SqlBool> {
  const all = [eb('tenant', '=', tenant)];
  if (filter.state !== undefined) all.push(eb('state', '=', filter.state));
  if (filter.consumer !== undefined) all.push(eb('consumer', '=', filter.consumer));
  if (filter.topic !== undefined) all.push(eb('topic', '=', filter.topic));
  if (filter.code !== undefined) all.push(eb('code', '=', filter.code));
  // Codes hold no sign that LIKE knows.
  if (filter.codePrefix !== undefined) all.push(eb('code', 'like', `${filter.codePrefix.replace(/[%_\\]/g, '')}%`));
  if (filter.kind !== undefined) all.push(eb('kind', '=', filter.kind));
  if (filter.provider !== undefined) all.push(eb('provider', '=', filter.provider));
  if (filter.key !== undefined) all.push(eb('key', '=', filter.key));
  if (filter.correlation !== undefined) all.push(eb('correlation', '=', filter.correlation));
  if (filter.eventId !== undefined) all.push(eb('event_id', '=', filter.eventId));
  if (filter.from !== undefined) all.push(eb('created_at', '>=', filter.from));
  if (filter.to !== undefined) all.push(eb('created_at', '<', filter.to));
  return eb.and(all);
}

/** `<number>.<letter id>`; a text that is no cursor of ours begins at the first page. */
function parseCursor(cursor: string): { readonly at: number; readonly id: string } | undefined {
  const parts = /^(\d{1,15})\.(\w{1,80})$/.exec(cursor);
  return parts ? { at: Number(parts[1]), id: parts[2]! } : undefined;
}

async function get(db: Db, tenant: TenantId, id: DeadLetterId): Promise<DeadLetter | undefined> {
  const row = await db
    .selectFrom('dead_letter')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && letterOf(row);
}

/** Settles an open letter; false when it was settled before. */
async function decide(
  db: Db,
  tenant: TenantId,
  id: DeadLetterId,
  change: { readonly state: 'replayed' | 'discarded'; readonly edited_event?: string },
  { by, now, reason }: Decision,
): Promise<boolean> {
  const result = await db
    .updateTable('dead_letter')
    .set({ ...change, decided_by: by, decided_at: now, decision: reason ?? null })
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
    provider: row.provider ?? undefined,
    attempts: parseJson<readonly AttemptRecord[]>(row.attempts),
    kind: row.kind as ErrorKind,
    code: row.code,
    message: row.message,
    state: row.state as DeadLetterState,
    createdAt: row.created_at,
    decidedAt: row.decided_at ?? undefined,
    decidedBy: row.decided_by ?? undefined,
    decision: row.decision ?? undefined,
    editedEvent: (row.edited_event ?? undefined) as EventId | undefined,
  };
}
