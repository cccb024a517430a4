import type { Event } from '../../../contracts/event.ts';
import type { Topic } from '../../../contracts/topics.ts';
import type { ReservationId, TenantId, TravellerId } from '../../../domain/ids.ts';
import type { FeedItem, ItineraryItem, ItineraryRepo } from '../../../ports/store/itineraries.ts';
import { beginEpoch, cursorOf, epochsOf, resumeAt } from './feed-cursors.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, statement } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** Rows of one answer where the caller gives no bound. */
const LIST_MAX = 10_000;

/** The read side, and the public change stream. */
export function openItineraries(db: Db, hooks: Pick<SqlHooks, 'appendFeed'>): ItineraryRepo {
  const itemsOf = async (rows: readonly FeedRow[]): Promise<readonly FeedItem[]> => {
    const epoch = await epochsOf(
      db,
      rows.map(({ seq }) => seq),
    );
    return rows.map((row) => feedItemOf(row, epoch(row.seq)));
  };
  const feedBounds: ItineraryRepo['feedBounds'] = async (tenant) => {
    const of = (direction: 'asc' | 'desc') =>
      db
        .selectFrom('feed')
        .select('seq')
        .where('tenant', '=', tenant)
        .orderBy('seq', direction)
        .limit(1)
        .executeTakeFirst();
    return { first: (await of('asc'))?.seq ?? 0, last: (await of('desc'))?.seq ?? 0 };
  };
  return {
    put: async (item) => {
      const { tenant, reservation, traveller, version, startsAt, endsAt, updatedAt } = item;
      const { numAffectedRows } = await upsertItinerary(db, [
        ...[tenant, reservation, traveller, version, startsAt ?? null, endsAt ?? null],
        ...[item.cancelled ? 1 : 0, item.removed ? 1 : 0, 0, updatedAt],
      ]);
      return { newest: numAffectedRows === 1n };
    },
    remove: async (tenant, reservation) => {
      await db
        .updateTable('itinerary')
        .set({ gone: 1 })
        .where('tenant', '=', tenant)
        .where('reservation', '=', reservation)
        .execute();
    },
    list: async (tenant, { traveller, fromAt, toAt, limit }) => {
      let select = db.selectFrom('itinerary').selectAll().where('tenant', '=', tenant).where('gone', '=', 0);
      if (traveller !== undefined) select = select.where('traveller', '=', traveller);
      // What has no known time cannot be said to be outside the window, so it is shown.
      if (fromAt !== undefined) {
        select = select.where((eb) =>
          eb.or([eb(eb.fn.coalesce('ends_at', 'starts_at'), '>=', fromAt), eb('starts_at', 'is', null)]),
        );
      }
      if (toAt !== undefined) {
        select = select.where((eb) => eb.or([eb('starts_at', '<', toAt), eb('starts_at', 'is', null)]));
      }
      const rows = await select
        .orderBy((eb) => eb.fn.coalesce('starts_at', eb.val(Number.MAX_SAFE_INTEGER)))
        .orderBy('reservation')
        .limit(limit ?? LIST_MAX)
        .execute();
      return rows.map(itemOf);
    },
    appendFeed: (tenant, traveller, event) =>
      hooks.appendFeed({ tenant, traveller, event_id: event.id, event: JSON.stringify(event) }),
    feed: async (tenant, after, limit, traveller) => {
      let select = db.selectFrom('feed').selectAll().where('tenant', '=', tenant).where('seq', '>', after);
      if (traveller !== undefined) select = select.where('traveller', '=', traveller);
      return itemsOf(await select.orderBy('seq').limit(limit).execute());
    },
    feedBack: async (tenant, { before, limit, traveller }) => {
      let select = db.selectFrom('feed').selectAll().where('tenant', '=', tenant);
      if (before !== undefined) select = select.where('seq', '<', before);
      if (traveller !== undefined) select = select.where('traveller', '=', traveller);
      return itemsOf(await select.orderBy('seq', 'desc').limit(limit).execute());
    },
    resume: async (tenant, cursor) => resumeAt(db, await feedBounds(tenant), cursor),
    beginEpoch: (epoch, now) => beginEpoch(db, epoch, now),
    feedBounds,
  };
}

const upsertItinerary = statement((db) =>
  db
    .insertInto('itinerary')
    .values({
      ...{ tenant: '', reservation: '', traveller: '', version: 0, starts_at: 0, ends_at: 0 },
      ...{ cancelled: 0, removed: 0, gone: 0, updated_at: 0 },
    })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'reservation'])
        .doUpdateSet((eb) => ({
          traveller: eb.ref('excluded.traveller'),
          version: eb.ref('excluded.version'),
          starts_at: eb.ref('excluded.starts_at'),
          ends_at: eb.ref('excluded.ends_at'),
          cancelled: eb.ref('excluded.cancelled'),
          removed: eb.ref('excluded.removed'),
          gone: eb.ref('excluded.gone'),
          updated_at: eb.ref('excluded.updated_at'),
        }))
        .where((eb) =>
          eb.or([
            eb('itinerary.version', '<', eb.ref('excluded.version')),
            eb.and([
              eb('itinerary.version', '=', eb.ref('excluded.version')),
              eb('itinerary.gone', '=', eb.ref('excluded.gone')),
            ]),
          ]),
        ),
    ),
);

type FeedRow = Pick<Schema['feed'], 'tenant' | 'traveller' | 'event'> & { readonly seq: number };

function feedItemOf(row: FeedRow, epoch: string | undefined): FeedItem {
  return {
    seq: row.seq,
    cursor: cursorOf(row.seq, epoch),
    tenant: row.tenant as TenantId,
    traveller: row.traveller as TravellerId,
    event: parseJson<Event<Topic>>(row.event),
  };
}

function itemOf(row: Schema['itinerary']): ItineraryItem {
  return {
    tenant: row.tenant as TenantId,
    traveller: row.traveller as TravellerId,
    reservation: row.reservation as ReservationId,
    version: row.version,
    startsAt: row.starts_at ?? undefined,
    endsAt: row.ends_at ?? undefined,
    cancelled: row.cancelled === 1,
    removed: row.removed === 1,
    updatedAt: row.updated_at,
  };
}
