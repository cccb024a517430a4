import type { TenantId } from '../../../domain/ids.ts';
import type { AuditEntry, AuditId, AuditRepo } from '../../../ports/store/audit.ts';
import { parseJson } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** What operators did. Rows are only ever added. */
export function openAudit(db: Db): AuditRepo {
  return {
    add: async ({ tenant, id, at, by, action, target, details }) => {
      await db
        .insertInto('audit')
        .values({ tenant, id, at, actor: by, action, target, details: JSON.stringify(details) })
        .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
        .execute();
    },
    list: async (tenant, { action, target, by, from, before, limit }) => {
      let select = db.selectFrom('audit').selectAll().where('tenant', '=', tenant);
      if (action !== undefined)
        select = select.where((eb) =>
          // Names of actions hold no sign that LIKE knows.
          eb.or([eb('action', '=', action), eb('action', 'like', `${action.replace(/[%_\\]/g, '')}.%`)]),
        );
      if (target !== undefined) select = select.where('target', '=', target);
      if (by !== undefined) select = select.where('actor', '=', by);
      if (from !== undefined) select = select.where('at', '>=', from);
      const cursor = before === undefined ? undefined : parseCursor(before);
      if (cursor !== undefined)
        select = select.where((eb) =>
          eb.and([eb('at', '<=', cursor.at), eb.or([eb('at', '<', cursor.at), eb('id', '<', cursor.id)])]),
        );
      const rows = await select
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      const entries = rows.slice(0, limit).map(entryOf);
      const last = rows[limit - 1];
      return rows.length > limit && last ? { entries, nextBefore: `${last.at}.${last.id}` } : { entries };
    },
  };
}

/** `<at>.<entry id>`; a text that is no cursor of ours begins at the newest. */
function parseCursor(cursor: string): { readonly at: number; readonly id: string } | undefined {
  const parts = /^(\d{1,15})\.(\w{1,80})$/.exec(cursor);
  return parts ? { at: Number(parts[1]), id: parts[2]! } : undefined;
}

function entryOf(row: Schema['audit']): AuditEntry {
  return {
    id: row.id as AuditId,
    tenant: row.tenant as TenantId,
    at: row.at,
    by: row.actor,
    action: row.action,
    target: row.target,
    details: parseJson<AuditEntry['details']>(row.details),
  };
}
