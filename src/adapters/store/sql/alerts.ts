import { sql } from 'kysely';
import { NOTHING_TOLD, type Told } from '../../../domain/alerts/alert.ts';
import type { AlertSettings } from '../../../domain/alerts/rules.ts';
import type { ReservationId, TenantId, TravellerId } from '../../../domain/ids.ts';
import type { AlertRepo } from '../../../ports/store/alerts.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, slices, statement } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** Records of what was told: one row a reservation, because each change of it reads and writes all of it. */
export function openAlerts(db: Db, hooks: Pick<SqlHooks, 'lock'>): AlertRepo {
  const rowsOf = async (tenant: TenantId, ids: readonly ReservationId[]): Promise<readonly Schema['told'][]> => {
    if (ids.length === 1) return (await selectOne(db, [tenant, ids[0]])).rows;
    const rows: Schema['told'][] = [];
    for (const some of slices(ids))
      rows.push(
        ...(await db
          .selectFrom('told')
          .selectAll()
          .where('tenant', '=', tenant)
          .where('reservation', 'in', some)
          .execute()),
      );
    return rows;
  };
  return {
    told: async (tenant, traveller, reservations) => {
      const [, rows] = await Promise.all([hooks.lock(`told/${tenant}/${traveller}`), rowsOf(tenant, reservations)]);
      return new Map(rows.map((row) => [row.reservation as ReservationId, toldOf(row.body)]));
    },
    put: async (tenant, traveller, reservation, told, dueAt) => {
      const write = dueAt === undefined ? keepDue : setDue;
      const due = typeof dueAt === 'number' ? Math.trunc(dueAt) : null;
      await write(db, [tenant, reservation, traveller, JSON.stringify(told), due]);
    },
    remove: async (tenant, reservation) => {
      await db.deleteFrom('told').where('tenant', '=', tenant).where('reservation', '=', reservation).execute();
    },
    due: async (now, limit) => {
      const { rows } = await selectDue(db, [Math.trunc(now), limit]);
      return rows.map(lookOf);
    },
    nextDueAt: async () => {
      const row = await db
        .selectFrom('told')
        .select('due_at')
        .where('due_at', 'is not', null)
        .orderBy('due_at')
        .limit(1)
        .executeTakeFirst();
      return row?.due_at ?? undefined;
    },
    unanswered: async ({ now, since, until, away, after }, limit) => {
      const nearTo = [Math.trunc(until), Math.trunc(now)];
      if (away.length === 0 && after === undefined) {
        // As it is nearly always asked.
        const { rows } = await selectFailing(db, [...nearTo, Math.trunc(since), limit]);
        return rows.map((row) => ({ ...lookOf(row), cursor: `${row.tenant}/${row.reservation}` }));
      }
      let select = followedNow(db, nearTo[0]!, nearTo[1]!).where((eb) => {
        const failing = eb('subject.failing_since', '<=', Math.trunc(since));
        if (away.length === 0) return failing;
        const silent = eb('subject.checked_at', '<=', Math.trunc(since));
        return eb.or([failing, eb.and([eb('subject.account', 'in', away), silent])]);
      });
      if (after !== undefined) {
        const [tenant, reservation] = after.split('/') as [string, string];
        select = select.where((eb) =>
          eb.or([
            eb('follower.tenant', '>', tenant),
            eb.and([eb('follower.tenant', '=', tenant), eb('follower.reservation', '>', reservation)]),
          ]),
        );
      }
      const rows = await select.orderBy('follower.tenant').orderBy('follower.reservation').limit(limit).execute();
      return rows.map((row) => ({ ...lookOf(row), cursor: `${row.tenant}/${row.reservation}` }));
    },
    preferences: async (tenant, traveller) => {
      const { rows } = await selectPreferences(db, [tenant, traveller]);
      const row = (rows as { locale: string; zone: string; body: string | null }[])[0];
      if (row === undefined) return undefined;
      const settings = row.body === null ? {} : parseJson<AlertSettings>(row.body);
      return { settings, locale: row.locale, zone: row.zone };
    },
    putSettings: async (tenant, traveller, settings, at) => {
      const values = { body: JSON.stringify(settings), updated_at: Math.trunc(at) };
      await db
        .insertInto('alert_setting')
        .values({ tenant, traveller, ...values })
        .onConflict((conflict) => conflict.columns(['tenant', 'traveller']).doUpdateSet(values))
        .execute();
    },
  };
}

function toldOf(body: string): Told {
  return { ...NOTHING_TOLD, ...parseJson<Partial<Told>>(body) };
}

const selectOne = statement((db) =>
  db.selectFrom('told').selectAll().where('tenant', '=', '').where('reservation', '=', ''),
);

const selectPreferences = statement((db) =>
  db
    .selectFrom('traveller')
    .leftJoin('alert_setting', (join) =>
      join.onRef('alert_setting.tenant', '=', 'traveller.tenant').onRef('alert_setting.traveller', '=', 'traveller.id'),
    )
    .select(['traveller.locale', 'traveller.zone', 'alert_setting.body'])
    .where('traveller.tenant', '=', '')
    .where('traveller.id', '=', ''),
);

const writer = (isDueSet: boolean) =>
  statement((db) =>
    db
      .insertInto('told')
      .values({ tenant: '', reservation: '', traveller: '', body: '', due_at: 0 })
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'reservation']).doUpdateSet((eb) => ({
          traveller: eb.ref('excluded.traveller'),
          body: eb.ref('excluded.body'),
          ...(isDueSet ? { due_at: eb.ref('excluded.due_at') } : {}),
        })),
      ),
  );
const [setDue, keepDue] = [writer(true), writer(false)];

const selectDue = statement((db) =>
  db
    .selectFrom('told')
    .select(['tenant', 'traveller', 'reservation'])
    .where('due_at', 'is not', null)
    .where('due_at', '<=', 0)
    .orderBy('due_at')
    .limit(0),
);

/** Who follows a subject with a reservation that begins until then, and has not ended. */
const followedNow = (db: Db, until: number, now: number) =>
  db
    .selectFrom('subject')
    .innerJoin('follower', 'follower.subject', 'subject.id')
    .innerJoin('itinerary', (join) =>
      join
        .onRef('itinerary.tenant', '=', 'follower.tenant')
        .onRef('itinerary.reservation', '=', 'follower.reservation'),
    )
    .select(['follower.tenant', 'follower.traveller', 'follower.reservation'])
    .distinct()
    .where('subject.state', '=', sql.lit('active'))
    .where('itinerary.gone', '=', sql.lit(0))
    .where('itinerary.cancelled', '=', sql.lit(0))
    .where('itinerary.removed', '=', sql.lit(0))
    .where('itinerary.starts_at', '<=', until)
    .where('itinerary.ends_at', '>=', now);

const selectFailing = statement((db) =>
  followedNow(db, 0, 0)
    .where('subject.failing_since', '<=', 0)
    .orderBy('follower.tenant')
    .orderBy('follower.reservation')
    .limit(0),
);

function lookOf(row: { readonly tenant: string; readonly traveller: string; readonly reservation: string }) {
  return {
    tenant: row.tenant as TenantId,
    traveller: row.traveller as TravellerId,
    reservation: row.reservation as ReservationId,
  };
}
