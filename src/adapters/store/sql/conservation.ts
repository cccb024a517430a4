import { sql } from 'kysely';
import type { TenantId } from '../../../domain/ids.ts';
import type { ConservationRepo, Tally } from '../../../ports/store/conservation.ts';
import {
  countFailed,
  countOverdue,
  countRows,
  EMPTY,
  lostBetween,
  markOf,
  NOTHING,
  readCursor,
  readMark,
  readReopened,
  walkUnsettled,
} from './conservation-look.ts';
import { forget, moveMark, putBack, remember, rememberOpen } from './conservation-settle.ts';
import type { SqlHooks } from './hooks.ts';
import { statement } from './rows.ts';
import type { Db } from './schema.ts';

/** Undecided mails that are looked at, the oldest first. */
const MAILS_MAX = 1000;

/** The books of the law of conservation; see src/ports/store/conservation.ts. */
export function openConservation(db: Db, hooks: SqlHooks): ConservationRepo {
  return {
    look: async (place, { eventsMax, aheadMax, overdueBefore }) => {
      const { consumer, shard } = place;
      const mark = await readMark(db, place);
      const cursor = await readCursor(db, place);
      const passed = await countRows(db, place, { after: mark.seq, upTo: cursor, limit: eventsMax });
      const more = passed.rows === eventsMax;
      const to = more ? passed.lastSeq : Math.max(mark.seq, cursor);
      const opened = passed.settled < passed.rows;
      const ahead = more ? NOTHING : await countRows(db, place, { after: to, limit: aheadMax });
      const aheadMore = ahead.rows === aheadMax;
      const walk = await walkUnsettled(db, place, mark.turn);
      const lost = opened ? [...walk.lost, ...(await lostBetween(db, place, mark.seq, to))] : walk.lost;
      const failedTo = aheadMore ? ahead.lastSeq : more ? to : Number.MAX_SAFE_INTEGER;
      const failed = await countFailed(db, place, failedTo);
      const overdue = overdueBefore === undefined ? [] : await countOverdue(db, { consumer, shard }, overdueBefore);
      const tallies = new Map<TenantId, Tally>();
      const add = (tenant: string, change: Partial<Tally>): void => {
        tallies.set(tenant as TenantId, { ...(tallies.get(tenant as TenantId) ?? EMPTY), ...change });
      };
      for (const one of passed.tenants) add(one.tenant, { passed: one.count, passedSettled: one.settled });
      for (const one of ahead.tenants) add(one.tenant, { ahead: one.count, aheadSettled: one.settled });
      for (const { tenant, count } of failed) add(tenant, { failed: count });
      for (const { tenant, count } of overdue) add(tenant, { overdue: count });
      return {
        ...place,
        ...{ from: mark.seq, to, more, aheadMore, aheadSince: ahead.since, tallies, opened, lost },
        ...{ closed: walk.closed, turn: walk.turn, reopened: await readReopened(db, place, mark) },
      };
    },

    settle: async (look, now) => {
      if (!(await moveMark(db, look, now))) return undefined;
      const { consumer, shard, topic } = look;
      const books = new Map<TenantId, { settled: number; passed: number; recovered: number; lost: number }>();
      const of = (tenant: TenantId) => {
        let found = books.get(tenant);
        if (found === undefined) {
          found = { settled: 0, passed: 0, recovered: 0, lost: 0 };
          books.set(tenant, found);
        }
        return found;
      };
      const open = look.opened ? await rememberOpen(db, look) : new Map<string, number>();
      for (const [tenant, { passed }] of look.tallies) {
        if (passed > 0) Object.assign(of(tenant), { passed, settled: passed - (open.get(tenant) ?? 0) });
        else of(tenant);
      }
      for (const one of await forget(db, look)) {
        if (one.gone) of(one.tenant).passed--;
        else of(one.tenant).settled++;
      }
      for (const one of await remember(db, look)) of(one.tenant).settled--;
      const recovered = await putBack(db, look, now);
      for (const { tenant } of look.lost) of(tenant).lost++;
      for (const { tenant } of recovered) of(tenant).recovered++;
      if (recovered.length > 0) hooks.touch(topic, shard);
      await db
        .updateTable('balance')
        .set({ ahead: 0, ahead_settled: 0, failed: 0, overdue: 0, lost: 0 })
        .where('consumer', '=', consumer)
        .where('shard', '=', shard)
        .where(({ or, eb }) =>
          or([eb('ahead', '<>', 0), eb('failed', '<>', 0), eb('overdue', '<>', 0), eb('lost', '<>', 0)]),
        )
        .execute();
      for (const [tenant, { passed, settled, lost, recovered: back }] of books) {
        const { ahead, aheadSettled, failed, overdue } = look.tallies.get(tenant) ?? EMPTY;
        const now = [ahead, aheadSettled, failed, overdue, lost];
        if ([passed, settled, back, ...now].some((value) => value !== 0))
          await upsertBalance(db, [consumer, shard, tenant, passed, settled, ...now, back]);
      }
      return { recovered };
    },

    balances: async (tenant) => {
      let sums = db
        .selectFrom('balance')
        .innerJoin('audited', (join) =>
          join.onRef('audited.consumer', '=', 'balance.consumer').onRef('audited.shard', '=', 'balance.shard'),
        )
        .select(({ fn }) => [
          'balance.tenant',
          fn.sum<number>('passed').as('passed'),
          fn.sum<number>('settled').as('settled'),
          fn.sum<number>('ahead').as('ahead'),
          fn.sum<number>('ahead_settled').as('ahead_settled'),
          fn.sum<number>('failed').as('failed'),
          fn.sum<number>('overdue').as('overdue'),
          fn.sum<number>('lost').as('lost'),
          fn.sum<number>('recovered').as('recovered'),
          fn.min<number>('audited.checked_at').as('checked_at'),
        ]);
      let open = db.selectFrom('unsettled').select(({ fn }) => ['tenant', fn.countAll<number>().as('count')]);
      if (tenant !== undefined) {
        sums = sums.where('balance.tenant', '=', tenant);
        open = open.where('tenant', '=', tenant);
      }
      const unsettled = new Map(
        (await open.groupBy('tenant').execute()).map((row) => [row.tenant, Number(row.count)] as const),
      );
      const rows = await sums.groupBy('balance.tenant').orderBy('balance.tenant').execute();
      return rows.map((row) => {
        const ahead = Number(row.ahead);
        const aheadSettled = Number(row.ahead_settled);
        const failed = Number(row.failed);
        const open = unsettled.get(row.tenant) ?? 0;
        return {
          tenant: row.tenant as TenantId,
          accepted: Number(row.passed) + ahead,
          done: Number(row.settled) + aheadSettled - failed,
          failed,
          // Counted, not worked out from the others: so that the sum says something.
          inProgress: open + ahead - aheadSettled,
          overdue: Number(row.overdue),
          lost: Number(row.lost),
          recovered: Number(row.recovered),
          marked: { passed: Number(row.passed), settled: Number(row.settled), unsettled: open },
          checkedAt: Number(row.checked_at),
        };
      });
    },

    waiting: async (place, now, limit) => {
      const cursor = await readCursor(db, place);
      const ahead = await countRows(db, place, { after: cursor, limit });
      const row = await db
        .selectFrom('delivery')
        .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min<number | null>('next_at').as('oldest')])
        .where('consumer', '=', place.consumer)
        .where('shard', '=', place.shard)
        .where('next_at', '<=', now)
        .executeTakeFirstOrThrow();
      const due = Number(row.count);
      const times = [ahead.since, due === 0 ? undefined : Number(row.oldest)].filter((at) => at !== undefined);
      return {
        waiting: ahead.rows - ahead.settled + due,
        oldestAt: times.length === 0 ? undefined : Math.min(...times),
      };
    },

    notifications: async (overdueBefore) => {
      const rows = await db
        .selectFrom('notification')
        .select(({ fn }) => ['tenant', fn.countAll<number>().as('pending')])
        .select(sql<number>`sum(CASE WHEN next_at < ${overdueBefore} THEN 1 ELSE 0 END)`.as('overdue'))
        .where('state', '=', sql.lit('pending'))
        .groupBy('tenant')
        .orderBy('tenant')
        .execute();
      return rows.map(({ tenant, pending, overdue }) => ({
        tenant: tenant as TenantId,
        pending: Number(pending),
        overdue: Number(overdue),
      }));
    },

    subjects: async () => {
      const rows = await db
        .selectFrom('subject')
        .select(({ fn }) => ['account', fn.countAll<number>().as('active')])
        .where('state', '=', 'active')
        .groupBy('account')
        .orderBy('account')
        .execute();
      return rows.map(({ account, active }) => ({ account, active: Number(active) }));
    },

    stuckMails: async (readers, since, limit) => {
      if (readers.length === 0) return [];
      const oldest = sql<{ tenant: string; id: string; disposition: string }>`
        SELECT tenant, id, disposition, updated_at FROM mail
        WHERE disposition IN ('seen', 'collected') AND updated_at < ${since} ORDER BY updated_at LIMIT ${MAILS_MAX}`;
      const open = readers.map(
        ({ consumer, topic }) => sql`(log.topic = ${topic} AND ${markOf(consumer, 'log.id')} IS NULL)`,
      );
      const { rows } = await sql<{ tenant: string; id: string; disposition: string }>`
        SELECT oldest.tenant, oldest.id, oldest.disposition FROM (${oldest}) AS oldest
        WHERE NOT EXISTS (
          SELECT 1 FROM log WHERE log.tenant = oldest.tenant AND log.correlation = oldest.id
          AND (${sql.join(open, sql` OR `)}))
        ORDER BY oldest.updated_at LIMIT ${limit}`.execute(db);
      return rows.map(({ tenant, id, disposition }) => ({ tenant: tenant as TenantId, mail: id, disposition }));
    },
  };
}

const upsertBalance = statement((db) =>
  db
    .insertInto('balance')
    .values({
      ...{ consumer: '', shard: 0, tenant: '', passed: 0, settled: 0, ahead: 0, ahead_settled: 0 },
      ...{ failed: 0, overdue: 0, lost: 0, recovered: 0 },
    })
    .onConflict((conflict) =>
      conflict.columns(['consumer', 'shard', 'tenant']).doUpdateSet((eb) => ({
        passed: eb('balance.passed', '+', eb.ref('excluded.passed')),
        settled: eb('balance.settled', '+', eb.ref('excluded.settled')),
        recovered: eb('balance.recovered', '+', eb.ref('excluded.recovered')),
        ahead: eb.ref('excluded.ahead'),
        ahead_settled: eb.ref('excluded.ahead_settled'),
        failed: eb.ref('excluded.failed'),
        overdue: eb.ref('excluded.overdue'),
        lost: eb.ref('excluded.lost'),
      })),
    ),
);
