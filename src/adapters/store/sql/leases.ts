import { sql } from 'kysely';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Lease, LeaseRepo, Worker } from '../../../ports/store/leases.ts';
import type { SqlHooks } from './hooks.ts';
import { parseJson, type StoreNow, slices, statement, statementOfLength } from './rows.ts';
import type { Db, Schema } from './schema.ts';

/** Free since ever: what nobody holds. */
const FREE = 0;

/** Leases and workers. A row of a lease stays for ever, so that its token only grows. */
export function openLeases(db: Db, hooks: SqlHooks): LeaseRepo {
  /** The values of "now and so much longer". */
  const until = (ttlMs: number) => [...hooks.nowValues(), Math.trunc(ttlMs * hooks.speed)];
  return {
    beat: async (worker, held, ttlMs) => {
      const said = [JSON.stringify(worker.groups), worker.label, worker.startedAt, JSON.stringify(worker.load)];
      await putWorker(db, [worker.id, ...said, ...hooks.nowValues(), ...said, ...hooks.nowValues()], hooks.now);
      const mine = new Map<string, number>();
      for (const resources of slices(held.map((lease) => lease.resource))) {
        const values = [...until(ttlMs), ...resources, worker.id];
        const { rows } = await prolong(resources.length)(db, values, hooks.now);
        for (const row of rows) mine.set(row.resource, Number(row.token));
      }
      return held.filter((lease) => mine.get(lease.resource) === lease.token);
    },
    survey: async () => {
      const { rows: leases } = await listLeases(db, hooks.nowValues(), hooks.now);
      const { rows: workers } = await listWorkers(db, hooks.nowValues(), hooks.now);
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
        const values = [resource, owner, ...until(ttlMs), owner, ...until(ttlMs)];
        const { rows } =
          others === 'ignore'
            ? await takeAny(db, values, hooks.now)
            : await takeFree(db, [...values, ...hooks.nowValues(), owner], hooks.now);
        const [row] = rows;
        if (row !== undefined) taken.push({ resource, owner, token: Number(row.token) });
      }
      return taken;
    },
    release: async (leases) => {
      for (const { resource, owner, token } of [...leases].sort((a, b) => (a.resource < b.resource ? -1 : 1)))
        await free(db, [resource, owner, token]);
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

const later = (now: StoreNow) => sql<number>`${now()} + ${0}`;
const SAID = { groups: '', label: '', started_at: 0, load: '' };

const putWorker = statement((db, now) =>
  db
    .insertInto('worker')
    .values({ id: '', ...SAID, seen_at: now() })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...SAID, seen_at: now() })),
);

const prolong = statementOfLength((db, resources, now) =>
  db
    .updateTable('lease')
    .set({ expires_at: later(now) })
    .where('resource', 'in', resources)
    .where('owner', '=', '')
    .where('expires_at', '>', sql.lit(FREE))
    .returning(['resource', 'token']),
);

const listLeases = statement((db, now) =>
  db
    .selectFrom('lease')
    .select(['resource', 'owner', 'token'])
    .select(sql<number>`expires_at - ${now()}`.as('left_ms'))
    .orderBy('resource'),
);

const listWorkers = statement((db, now) =>
  db
    .selectFrom('worker')
    .select(['id', 'groups', 'label', 'started_at', 'load'])
    .select(sql<number>`${now()} - seen_at`.as('seen_ago'))
    .orderBy('id'),
);

const insertLease = (db: Db, now: StoreNow) =>
  db.insertInto('lease').values({ resource: '', owner: '', token: sql.lit(1), expires_at: later(now) });

const taken = (now: StoreNow) => ({ owner: '', token: sql<number>`lease.token + 1`, expires_at: later(now) });

const takeAny = statement((db, now) =>
  insertLease(db, now)
    .onConflict((conflict) => conflict.column('resource').doUpdateSet(taken(now)))
    .returning('token'),
);

const takeFree = statement((db, now) =>
  insertLease(db, now)
    .onConflict((conflict) =>
      conflict
        .column('resource')
        .doUpdateSet(taken(now))
        .where(({ or, eb }) => or([eb('lease.expires_at', '<=', now()), eb('lease.owner', '=', '')])),
    )
    .returning('token'),
);

const free = statement((db) =>
  db
    .updateTable('lease')
    .set({ expires_at: sql.lit(FREE) })
    .where('resource', '=', '')
    .where('owner', '=', '')
    .where('token', '=', 0),
);

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
