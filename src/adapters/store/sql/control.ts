import type { TenantId } from '../../../domain/ids.ts';
import type { ControlRepo, Pause, PauseKind } from '../../../ports/store/control.ts';
import type { Db, Schema } from './schema.ts';

/** In the key of what belongs to no tenant. */
const NO_TENANT = '';

/** Pauses. A few rows at most. */
export function openControl(db: Db): ControlRepo {
  return {
    pause: async ({ kind, id, tenant, reason, by, at }) => {
      const result = await db
        .insertInto('pause')
        .values({ tenant: tenant ?? NO_TENANT, kind, id, reason, actor: by, at })
        .onConflict((conflict) => conflict.columns(['tenant', 'kind', 'id']).doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    resume: async ({ kind, id, tenant }) => {
      const row = await db
        .deleteFrom('pause')
        .where('tenant', '=', tenant ?? NO_TENANT)
        .where('kind', '=', kind)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return row && pauseOf(row);
    },
    pauses: async () => {
      const rows = await db.selectFrom('pause').selectAll().orderBy('at').orderBy('kind').orderBy('id').execute();
      return rows.map(pauseOf);
    },
    tenants: async () => {
      const rows = await db.selectFrom('tenant').select('id').orderBy('id').execute();
      return rows.map(({ id }) => id as TenantId);
    },
  };
}

function pauseOf(row: Schema['pause']): Pause {
  const { kind, id, tenant, reason, actor, at } = row;
  return {
    kind: kind as PauseKind,
    id,
    tenant: tenant === NO_TENANT ? undefined : (tenant as TenantId),
    reason,
    by: actor,
    at: Number(at),
  };
}
