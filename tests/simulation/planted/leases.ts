import { sql } from 'kysely';
import type { SqlTx } from '../../../src/adapters/store/sql/sql-store.ts';
import type { Lease } from '../../../src/ports/store/leases.ts';
import { around } from '../../contract/broker/rig.ts';
import { changed, crashing, pausing } from './plans.ts';
import type { PlantedBug } from './planted.ts';

const HOUR = 3_600_000;

/** Bugs of those who share work. */
export const LEASE_BUGS: readonly PlantedBug[] = [
  {
    name: 'no fence: effects are written whoever holds the lease',
    breaks: ['I5'],
    plan: pausing,
    planted: () => ({
      database: (store) => around(store, (work, options) => store.transact(work, { ...options, fence: undefined })),
    }),
  },
  {
    name: 'a lease is renewed after it was lost',
    breaks: ['I5'],
    plan: pausing,
    planted: () => ({ database: (store) => changed(store, (tx) => ({ ...tx, leases: renewing(tx) })) }),
  },
  {
    name: 'the token does not grow when a lease is taken',
    breaks: ['I5'],
    plan: crashing,
    planted: () => ({ database: (store) => changed(store, (tx) => ({ ...tx, leases: sameToken(tx) })) }),
  },
  {
    name: 'whether a lease has run out is read from the clock of the worker',
    breaks: ['I5'],
    plan: (plan) => ({ ...crashing(plan), speed: 240 }),
    planted: () => ({
      storeClock: (clock, life) => ({ ...clock, now: () => clock.now() + life.node * HOUR }),
    }),
  },
  {
    name: 'a worker takes what others hold',
    breaks: ['I5'],
    planted: () => ({
      database: (store) =>
        changed(store, (tx) => ({
          ...tx,
          leases: {
            ...tx.leases,
            take: (owner, resources, ttlMs) => tx.leases.take(owner, resources, ttlMs, 'ignore'),
          },
        })),
    }),
  },
  {
    name: 'leases of those who died are never free',
    breaks: ['I16'],
    plan: (plan) => ({ ...crashing(plan), newName: 1 }),
    planted: () => ({
      database: (store) =>
        changed(store, (tx) => ({
          ...tx,
          leases: {
            ...tx.leases,
            take: (owner, resources, ttlMs, others) => tx.leases.take(owner, resources, 1000 * ttlMs, others),
            beat: (worker, held, ttlMs) => tx.leases.beat(worker, held, 1000 * ttlMs),
          },
        })),
    }),
  },
  {
    name: 'every process sends webhooks, without a lease for it',
    breaks: ['I5'],
    planted: () => ({
      groups: (groups, life) =>
        groups.map((one) =>
          one.name === 'sender' ? { ...one, name: `sender-${life.number}`, resources: [`sender-${life.number}`] } : one,
        ),
    }),
  },
  {
    name: 'a sender that lost its lease goes on sending',
    breaks: ['I5'],
    plan: (plan) => ({ ...pausing(plan), receiver: { ...plan.receiver, fail: 0.4 } }),
    planted: () => ({
      groups: (groups) => groups.map((one) => (one.name === 'sender' ? { ...one, leave: async () => {} } : one)),
      database: (store) => around(store, (work, options) => store.transact(work, { ...options, fence: undefined })),
    }),
  },
];

/** What is held is renewed without a look at who has it. */
function renewing({ leases, db }: SqlTx): SqlTx['leases'] {
  return {
    ...leases,
    beat: async (worker, held, ttlMs) => {
      for (const { resource, owner, token } of held)
        await db.updateTable('lease').set({ owner, token }).where('resource', '=', resource).execute();
      return leases.beat(worker, held, ttlMs);
    },
  };
}

function sameToken({ leases, db }: SqlTx): SqlTx['leases'] {
  return {
    ...leases,
    take: async (...given) => {
      const taken: Lease[] = [];
      for (const lease of await leases.take(...given)) {
        await db.updateTable('lease').set({ token: sql<number>`1` }).where('resource', '=', lease.resource).execute();
        taken.push({ ...lease, token: 1 });
      }
      return taken;
    },
  };
}
