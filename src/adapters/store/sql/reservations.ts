import { sql } from 'kysely';
import { TripwatchError } from '../../../domain/errors.ts';
import type { TenantId, TravellerId } from '../../../domain/ids.ts';
import type { Observation } from '../../../domain/observation.ts';
import { baseOf, indexKeys } from '../../../domain/reconcile/claims.ts';
import type { Change, Reservation } from '../../../domain/reservation.ts';
import type { ReservationRepo } from '../../../ports/store/reservations.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, slices, statement, statementOfLength } from './rows.ts';
import type { Db } from './schema.ts';

/** Merges followed at most: each hop joined two bookings of one traveller, so a longer chain is a fault of ours. */
const MERGE_HOPS_MAX = 100;

/** Observations with their keys, and the reservations decided from them. */
export function openReservations(db: Db, hooks: Pick<SqlHooks, 'lock'>): ReservationRepo {
  return {
    addObservation: async (observation, now) => {
      const { tenant, traveller, id } = observation;
      const [, result] = await Promise.all([
        // Two who add to one traveller's bookings at once would each decide without what the other has added.
        hooks.lock(`traveller/${tenant}/${traveller}`),
        insertObservation(db, [tenant, id, traveller, JSON.stringify(observation), now]),
      ]);
      if (result.numAffectedRows !== 1n) return { new: false };
      await Promise.all([...indexKeys(observation)].map((key) => insertKey(db, [tenant, traveller, key, id])));
      return { new: true };
    },
    closure: (tenant, traveller, keys) => closure(db, tenant, traveller, keys),
    retire: async (tenant, traveller, observations) => {
      for (const ids of slices(observations)) {
        await db
          .deleteFrom('observation_key')
          .where('tenant', '=', tenant)
          .where('traveller', '=', traveller)
          .where('observation', 'in', ids)
          .execute();
      }
    },
    getObservations: (tenant, ids) => getObservations(db, tenant, ids),
    restingOn: async (tenant, traveller, observations) => {
      const found = new Map<string, Reservation>();
      for (const ids of slices(observations)) {
        const rows = await db
          .selectFrom('reservation')
          .select(['id', 'body'])
          .where('tenant', '=', tenant)
          .where('traveller', '=', traveller)
          .where('merged_into', 'is', null)
          .where('id', 'in', (eb) =>
            eb
              .selectFrom('reservation_observation')
              .select('reservation')
              .where('tenant', '=', tenant)
              .where('observation', 'in', ids),
          )
          .execute();
        for (const row of rows) if (!found.has(row.id)) found.set(row.id, parseJson<Reservation>(row.body));
      }
      return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    putVersion: async (reservation, changes, now) => {
      await putVersion(db, reservation, changes, now);
      const { tenant, id } = reservation;
      await Promise.all(
        (await unlinked(db, reservation)).map((observation) => insertLink(db, [tenant, observation, id])),
      );
    },
    merge: async (tenant, id, into, now) => {
      await db
        .updateTable('reservation')
        .set({ merged_into: into, updated_at: now })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('id', '!=', into)
        .execute();
    },
    get: async (tenant, id) => {
      let next: string = id;
      for (let hop = 0; hop < MERGE_HOPS_MAX; hop++) {
        const [row] = (await selectReservation(db, [tenant, next])).rows;
        if (row === undefined) return undefined;
        if (row.merged_into === null) return parseJson<Reservation>(row.body);
        next = row.merged_into;
      }
      throw new TripwatchError('defect', 'merge-cycle', `Reservation ${id} leads to itself through its merges.`);
    },
    list: async (tenant, traveller, page) => {
      let select = db
        .selectFrom('reservation')
        .select('body')
        .where('tenant', '=', tenant)
        .where('merged_into', 'is', null);
      if (traveller !== undefined) select = select.where('traveller', '=', traveller);
      if (page?.after !== undefined) select = select.where('id', '>', page.after);
      if (page !== undefined) select = select.limit(page.limit);
      return (await select.orderBy('id').execute()).map((row) => parseJson<Reservation>(row.body));
    },
    history: async (tenant, id) => {
      const rows = await db
        .selectFrom('reservation_version')
        .select(['version', 'changes', 'at'])
        .where('tenant', '=', tenant)
        .where('reservation', '=', id)
        .orderBy('version')
        .execute();
      return rows.map(({ version, changes, at }) => ({
        reservation: id,
        version,
        changes: parseJson<readonly Change[]>(changes),
        at,
      }));
    },
  };
}

/**
 * Observations stand under the keys that `indexKeys` gives: timetable keys without their origin, because some sources
 * do not say it. So a question is asked without it too: `leg:flight:lh400:2026-12-01:` and `…:fra` find each other.
 */
function askedKeys(keys: readonly string[]): ReadonlySet<string> {
  return new Set(keys.flatMap((key) => [key, baseOf(key) ?? key]));
}

/** In waves: keys to observations, these to their other keys, until nothing new comes. */
async function closure(
  db: Db,
  tenant: TenantId,
  traveller: TravellerId,
  keys: readonly string[],
): Promise<readonly Observation[]> {
  const keysKnown = new Set(askedKeys(keys));
  const found = new Set<string>();
  let keysNew: readonly string[] = [...keysKnown];
  while (keysNew.length > 0) {
    const foundNew = new Set<string>();
    for (const slice of slices(keysNew)) {
      const { rows } = await selectWithKeys(slice.length)(db, [tenant, traveller, ...slice]);
      for (const row of rows) if (!found.has(row.observation)) foundNew.add(row.observation);
    }
    const keysNext = new Set<string>();
    for (const slice of slices(foundNew)) {
      const { rows } = await selectKeysOf(slice.length)(db, [tenant, traveller, ...slice]);
      for (const row of rows) if (!keysKnown.has(row.key)) keysNext.add(row.key);
    }
    for (const id of foundNew) found.add(id);
    for (const key of keysNext) keysKnown.add(key);
    keysNew = [...keysNext];
  }
  return getObservations(db, tenant, found);
}

/** In the order of their ids, so that the answer does not depend on the order of storing. */
async function getObservations(db: Db, tenant: TenantId, ids: Iterable<string>): Promise<readonly Observation[]> {
  const found: Observation[] = [];
  const seen = new Set<string>();
  for (const slice of slices(ids)) {
    const { rows } = await selectBodies(slice.length)(db, [tenant, ...slice]);
    for (const row of rows) {
      const observation = parseJson<Observation>(row.body);
      if (seen.has(observation.id)) continue;
      seen.add(observation.id);
      found.push(observation);
    }
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function putVersion(db: Db, reservation: Reservation, changes: readonly Change[], now: number): Promise<void> {
  const { tenant, id, traveller, version } = reservation;
  const body = JSON.stringify(reservation);
  const stored =
    version === 1
      ? await insertReservation(db, [tenant, id, traveller, version, body, now])
      : await updateReservation(db, [version, body, now, tenant, id, traveller, version - 1]);
  if (stored.numAffectedRows !== 1n) {
    throw new TripwatchError(
      'stale',
      'version-conflict',
      `Version ${version} of ${id} does not follow the stored one.`,
      {
        details: { version },
      },
    );
  }
  await insertVersion(db, [tenant, id, version, JSON.stringify(changes), now]);
}

/** Removes links to observations that the state no longer rests on; returns those that have no link yet. */
async function unlinked(db: Db, { tenant, id, observations }: Reservation): Promise<readonly string[]> {
  const { rows } = await selectLinks(db, [tenant, id]);
  const linked = new Set(rows.map((row) => row.observation));
  const missing = new Set<string>(observations).difference(linked);
  for (const gone of slices(linked.difference(new Set<string>(observations)))) {
    await db
      .deleteFrom('reservation_observation')
      .where('tenant', '=', tenant)
      .where('reservation', '=', id)
      .where('observation', 'in', gone)
      .execute();
  }
  return [...missing];
}

const selectReservation = statement((db) =>
  db.selectFrom('reservation').select(['body', 'merged_into']).where('tenant', '=', '').where('id', '=', ''),
);

const insertReservation = statement((db) =>
  db
    .insertInto('reservation')
    .values({ tenant: '', id: '', traveller: '', version: 0, body: '', merged_into: sql.lit(null), updated_at: 0 })
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing()),
);

const updateReservation = statement((db) =>
  db
    .updateTable('reservation')
    .set({ version: 0, body: '', updated_at: 0 })
    .where('tenant', '=', '')
    .where('id', '=', '')
    .where('traveller', '=', '')
    .where('version', '=', 0),
);

const insertVersion = statement((db) =>
  db.insertInto('reservation_version').values({ tenant: '', reservation: '', version: 0, changes: '', at: 0 }),
);

const selectLinks = statement((db) =>
  db.selectFrom('reservation_observation').select('observation').where('tenant', '=', '').where('reservation', '=', ''),
);

const selectBodies = statementOfLength((db, ids) =>
  db.selectFrom('observation').select('body').where('tenant', '=', '').where('id', 'in', ids),
);

const keysOf = (db: Db) => db.selectFrom('observation_key').where('tenant', '=', '').where('traveller', '=', '');

const selectWithKeys = statementOfLength((db, keys) => keysOf(db).select('observation').where('key', 'in', keys));

const selectKeysOf = statementOfLength((db, ids) => keysOf(db).select('key').where('observation', 'in', ids));

const insertObservation = statement((db) =>
  db
    .insertInto('observation')
    .values({ tenant: '', id: '', traveller: '', body: '', added_at: 0 })
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing()),
);

const insertKey = statement((db) =>
  db.insertInto('observation_key').values({ tenant: '', traveller: '', key: '', observation: '' }),
);

const insertLink = statement((db) =>
  db.insertInto('reservation_observation').values({ tenant: '', observation: '', reservation: '' }),
);
