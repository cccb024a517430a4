import { sql } from 'kysely';
import type { EndpointId, EventId, TenantId } from '../../../domain/ids.ts';
import type { Notification, NotificationId, NotificationRepo } from '../../../ports/store/notifications.ts';
import { statement } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** As text, not as a bound value: only so do the databases use the index that holds the pending ones alone. */
const PENDING = sql.lit<Notification['state']>('pending');

/** Deliveries to webhook endpoints. */
export function openNotifications(db: Db): NotificationRepo {
  return {
    add: async (notification) => {
      const { numAffectedRows } = await insertNotification(db, [
        notification.id,
        notification.tenant,
        notification.endpoint,
        notification.eventId,
        notification.body,
        notification.state,
        notification.attempts,
        notification.nextAt,
        notification.lastStatus ?? null,
        notification.lastError ?? null,
        notification.createdAt,
        notification.settledAt ?? null,
        notification.correlation,
      ]);
      return { new: numAffectedRows === 1n };
    },
    due: async (now, limit, perEndpointMax) => {
      const { rows } = await selectDue(db, [now, perEndpointMax, limit]);
      return rows.map(notificationOf);
    },
    nextDueAt: async () => {
      const { rows } = await selectNextDue(db, [1]);
      return rows[0]?.next_at;
    },
    recordAttempt: async (id, { state, nextAt, status, error, at }) => {
      const settledAt = state === 'pending' ? null : at;
      await updateAttempted(db, [state, nextAt, status ?? null, error ?? null, settledAt, id]);
    },
    list: async (tenant, { endpoint, eventId, state, limit }) => {
      let select = db.selectFrom('notification').selectAll().where('tenant', '=', tenant);
      if (endpoint !== undefined) select = select.where('endpoint', '=', endpoint);
      if (eventId !== undefined) select = select.where('event_id', '=', eventId);
      if (state !== undefined) select = select.where('state', '=', state);
      const rows = await select.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
      return rows.map(notificationOf);
    },
  };
}

// Steps from endpoint to endpoint and takes the first few of each, all by one index: what it costs depends on the
// number of endpoints that wait, never on how much waits for one of them. `+ 0`: SQLite plans a bare `LIMIT ?` anew
// with each value.
const selectDue = statement((db) => ({
  compile: () =>
    sql<Schema['notification']>`
      WITH RECURSIVE waiting(endpoint) AS (
        SELECT min(endpoint) FROM notification WHERE state = ${PENDING}
        UNION ALL
        SELECT (SELECT min(n.endpoint) FROM notification n WHERE n.state = ${PENDING} AND n.endpoint > waiting.endpoint)
        FROM waiting WHERE waiting.endpoint IS NOT NULL
      )
      SELECT n.* FROM waiting CROSS JOIN notification n
      WHERE waiting.endpoint IS NOT NULL AND n.id IN (
        SELECT m.id FROM notification m
        WHERE m.state = ${PENDING} AND m.endpoint = waiting.endpoint AND m.next_at <= ${0}
        ORDER BY m.next_at, m.created_at, m.id LIMIT ${0} + 0
      )
      ORDER BY n.next_at, n.created_at, n.id LIMIT ${0} + 0`.compile(db),
}));
const selectNextDue = statement((db) =>
  db.selectFrom('notification').select('next_at').where('state', '=', PENDING).orderBy('next_at').limit(1),
);

const insertNotification = statement((db) =>
  db
    .insertInto('notification')
    .values({
      ...{ id: '', tenant: '', endpoint: '', event_id: '', body: '', state: '', attempts: 0, next_at: 0 },
      ...{ last_status: 0, last_error: '', created_at: 0, settled_at: 0, correlation: '' },
    })
    .onConflict((conflict) => conflict.columns(['endpoint', 'event_id']).doNothing()),
);

const updateAttempted = statement((db) =>
  db
    .updateTable('notification')
    .set({
      ...{ state: '', attempts: sql<number>`attempts + 1`, next_at: 0 },
      ...{ last_status: 0, last_error: '', settled_at: 0 },
    })
    .where('id', '=', ''),
);

function notificationOf(row: Schema['notification']): Notification {
  return {
    id: row.id as NotificationId,
    tenant: row.tenant as TenantId,
    endpoint: row.endpoint as EndpointId,
    eventId: row.event_id as EventId,
    body: row.body,
    state: row.state as Notification['state'],
    attempts: row.attempts,
    nextAt: row.next_at,
    lastStatus: row.last_status ?? undefined,
    lastError: row.last_error ?? undefined,
    createdAt: row.created_at,
    settledAt: row.settled_at ?? undefined,
    correlation: row.correlation,
  };
}
