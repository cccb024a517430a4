import { sql } from 'kysely';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Lease, LeaseRepo, Worker } from '../../../ports/store/leases.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, slices, statement } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** Free since ever: what nobody holds. */
const FREE = 0;

/** Leases and workers. A row of a lease stays for ever, so that its token only grows. */
export function openLeases(db: Db, hooks: SqlHooks): LeaseRepo {
  const until = (ttlMs: number) => sql<number>`${hooks.now()} + ${Math.trunc(ttlMs * hooks.speed)}`;
  return {
    beat: async (worker, held, ttlMs) => {
      const values = {
        groups: JSON.stringify(worker.groups),
        label: worker.label,
        started_at: worker.startedAt,
        load: JSON.stringify(worker.load),
      };
      await db
        .insertInto('worker')
        .values({ id: worker.id, ...values, seen_at: hooks.now() })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...values, seen_at: hooks.now() }))
        .execute();
      const mine = new Map<string, number>();
      for (const resources of slices(held.map((lease) => lease.resource))) {
        const rows = await db
          .updateTable('lease')
          .set({ expires_at: until(ttlMs) })
          .where('resource', 'in', resources)
          .where('owner', '=', worker.id)
          .where('expires_at', '>', FREE)
          .returning(['resource', 'token'])
          .execute();
        for (const row of rows) mine.set(row.resource, Number(row.token));
      }
      return held.filter((lease) => mine.get(lease.resource) === lease.token);
    },
    survey: async () => {
      const leases = await db
        .selectFrom('lease')
        .select(['resource', 'owner', 'token'])
        .select(sql<number>`expires_at - ${hooks.now()}`.as('left_ms'))
        .orderBy('resource')
        .execute();
      const workers = await db
        .selectFrom('worker')
        .select(['id', 'groups', 'label', 'started_at', 'load'])
        .select(sql<number>`${hooks.now()} - seen_at`.as('seen_ago'))
        .orderBy('id')
        .execute();
      return {
        leases: leases.map(({ resource, owner, token, left_ms }) => ({
          resource,
          owner,
          token: Number(token),
          leftMs: Number(left_ms) / hooks.speed,
        })),
        workers: workers.map((row) => ({ ...workerOf(row), seenAgoMs: Number(row.seen_ago) / hooks.speed })),
      };
    },
    take: async (owner, resources, ttlMs, others = 'respect') => {
      const taken: Lease[] = [];
      await hooks.lock(resources.map(leaseLock));
      // In one order everywhere, so that two workers never wait for each other.
      for (const resource of [...resources].sort()) {
        const row = await db
          .insertInto('lease')
          .values({ resource, owner, token: 1, expires_at: until(ttlMs) })
          .onConflict((conflict) => {
            const update = conflict.column('resource').doUpdateSet({
              owner,
              token: sql<number>`lease.token + 1`,
              expires_at: until(ttlMs),
            });
            return others === 'ignore'
              ? update
              : update.where(({ or, eb }) =>
                  or([eb('lease.expires_at', '<=', hooks.now()), eb('lease.owner', '=', owner)]),
                );
          })
          .returning('token')
          .executeTakeFirst();
        if (row !== undefined) taken.push({ resource, owner, token: Number(row.token) });
      }
      return taken;
    },
    release: async (leases) => {
      for (const { resource, owner, token } of [...leases].sort((a, b) => (a.resource < b.resource ? -1 : 1)))
        await db
          .updateTable('lease')
          .set({ expires_at: FREE })
          .where('resource', '=', resource)
          .where('owner', '=', owner)
          .where('token', '=', token)
          .execute();
    },
    forget: async (worker) => {
      await db.deleteFrom('worker').where('id', '=', worker).execute();
    },
    check: async ({ resource, owner, token }) => {
      const [, { rows }] = await Promise.all([
        hooks.share(leaseLock(resource)),
        selectHeld(db, [resource, token, owner]),
      ]);
      if (rows.length === 0) throw leaseLost({ resource, token });
    },
  };
}

const selectHeld = statement((db) =>
  db.selectFrom('lease').select('token').where('resource', '=', '').where('token', '=', 0).where('owner', '=', ''),
);

/** Shared by those who write under the lease, so that nobody takes it before they have committed. */
export function leaseLock(resource: string): string {
  return `lease/${resource}`;
}

/** What a write under a lease hears that another worker has taken. */
export function leaseLost({ resource, token }: Pick<Lease, 'resource' | 'token'>): TripwatchError {
  return new TripwatchError('stale', 'lease-lost', `Another worker has taken ${resource}; this write is dropped.`, {
    details: { resource, token },
  });
}

function workerOf(row: Pick<Schema['worker'], 'id' | 'groups' | 'label' | 'started_at' | 'load'>): Worker {
  return {
    id: row.id,
    groups: parseJson<string[]>(row.groups),
    label: row.label,
    startedAt: Number(row.started_at),
    load: parseJson<Record<string, number>>(row.load),
  };
}
