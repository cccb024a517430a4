import type { SqlTx } from '../../../src/adapters/store/sql/sql-store.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { around } from '../../contract/broker/rig.ts';
import { crashing, failingStore, powerFailing, repeating, steady, withTx } from './plans.ts';
import type { PlantedBug } from './planted.ts';

const HOUR = 3_600_000;

/** Bugs of a store, or of those who use its transactions. */
export const STORE_BUGS: readonly PlantedBug[] = [
  {
    name: 'no dedupe: every claim is granted',
    breaks: ['I3'],
    plan: repeating,
    planted: () =>
      withTx((tx) => ({
        ...tx,
        log: {
          ...tx.log,
          claim: async (...given) => {
            await tx.log.claim(...given);
            return true;
          },
        },
      })),
  },
  {
    name: 'old events go before everybody is done with them',
    breaks: ['I10'],
    plan: (plan) => ({ ...crashing(plan), broker: 'sql', keepMs: 0 }),
    planted: () =>
      withTx((tx) => ({
        ...tx,
        oldEvents: {
          ...tx.oldEvents,
          cut: async ({ topic, shard }, seqs) => {
            await tx.db.deleteFrom('log').where('topic', '=', topic).where('shard', '=', shard).execute();
            return seqs.length;
          },
        },
      })),
  },
  {
    name: 'window dedupe: marks are forgotten after an hour',
    breaks: ['I10'],
    planted: () =>
      withTx((tx) => ({
        ...tx,
        log: {
          ...tx.log,
          claim: async (consumer, eventId, now, failed) => {
            await tx.db
              .deleteFrom('processed')
              .where('at', '<', now - HOUR)
              .execute();
            return tx.log.claim(consumer, eventId, now, failed);
          },
        },
      })),
  },
  {
    name: 'the dedupe mark is committed before the effect, not with it',
    breaks: ['I10', 'I16'],
    plan: (plan) => crashing(failingStore(plan)),
    planted: () => ({
      store: (store) => ({
        ...store,
        effect: async ({ consumer, eventId, now, failed }, work, options) => {
          const granted = await store.transact((tx) => tx.log.claim(consumer, eventId, now, failed), options);
          if (!granted) return { repeat: true };
          return { repeat: false, value: await store.transact(work, options) };
        },
      }),
    }),
  },
  {
    name: 'events are appended after the transaction, not in it',
    breaks: ['I8', 'I10'],
    plan: (plan) => crashing(failingStore(plan)),
    planted: () => ({
      store: (store) =>
        around(store, async (work, options) => {
          let later: Parameters<SqlTx['append']>[] = [];
          const value = await store.transact((tx) => {
            later = [];
            return work({
              ...tx,
              append: async (...given) => {
                // Those who use what they append (project, intake) keep theirs.
                if (given[1].source !== 'reconcile' && given[1].source !== 'extract') return tx.append(...given);
                later.push(given);
                return [];
              },
            });
          }, options);
          for (const given of later) await store.transact((tx) => tx.append(...given)).catch(() => []);
          return value;
        }),
    }),
  },
  {
    name: 'receipts are updated after the transaction, not in it',
    breaks: ['I10'],
    plan: (plan) => crashing(failingStore(plan)),
    planted: () => ({
      store: (store) =>
        around(store, async (work, options) => {
          let later: Parameters<SqlTx['mails']['update']>[] = [];
          const value = await store.transact((tx) => {
            later = [];
            const update: SqlTx['mails']['update'] = async (...given) => {
              later.push(given);
              return true;
            };
            return work({ ...tx, mails: { ...tx.mails, update } });
          }, options);
          for (const given of later)
            await store.transact((tx) => tx.mails.update(...given), options).catch(() => undefined);
          return value;
        }),
    }),
  },
  {
    name: 'a broken connection is taken for a commit',
    breaks: ['I10', 'I16', 'I1', 'I22'],
    plan: failingStore,
    planted: () => ({
      store: (store) =>
        around(store, async <T>(work: (tx: SqlTx) => Promise<T>, options?: Parameters<typeof store.transact>[1]) => {
          let made: T | undefined;
          try {
            return await store.transact(async (tx) => {
              made = await work(tx);
              return made;
            }, options);
          } catch (error) {
            if (error instanceof TripwatchError && error.code === 'store-lost') return made as T;
            throw error;
          }
        }),
    }),
  },
  {
    name: 'numbers are given before the commit: an event shows up behind one that was read',
    breaks: ['I10', 'I16'],
    // It takes another's event between the two moments: one shard, and traffic.
    plan: (plan) => ({ ...steady(plan), broker: 'sql', shards: 1, travellers: 3, flights: 3 }),
    planted: () => {
      let count = 0;
      return {
        database: (store, life) =>
          around(store, async (work, options) => {
            let hidden: { readonly id: string; readonly row: Record<string, unknown> }[] = [];
            const value = await store.transact(async (tx) => {
              hidden = [];
              return work({
                ...tx,
                append: async (events, origin) => {
                  const made = await tx.append(events, origin);
                  for (const { id, topic } of made) {
                    if (topic !== 'reservation.changed' || ++count % 4 !== 0) continue;
                    const row = await tx.db.selectFrom('log').selectAll().where('id', '=', id).executeTakeFirst();
                    if (row === undefined) continue;
                    await tx.db.deleteFrom('log').where('id', '=', id).execute();
                    hidden.push({ id, row });
                  }
                  return made;
                },
              });
            }, options);
            for (const { row } of hidden)
              void life.wait(10 * 60_000).then(() =>
                store.transact(async (tx) => {
                  await tx.db
                    .insertInto('log')
                    .values(row as never)
                    .execute();
                  tx.touch('reservation.changed', Number(row.shard));
                }),
              );
            return value;
          }),
      };
    },
  },
  {
    name: 'synchronous=OFF: a commit is on the disk minutes later',
    breaks: ['I1'],
    plan: powerFailing,
    planted: () => ({ syncEveryMs: HOUR }),
  },
  {
    name: 'the bytes of mails are never synced',
    breaks: ['I1'],
    plan: powerFailing,
    planted: () => ({ blobs: { sync: false } }),
  },
  {
    name: 'last word wins: reconcile forgets what was said before',
    breaks: ['I6'],
    planted: () =>
      withTx((tx) => ({
        ...tx,
        reservations: {
          ...tx.reservations,
          closure: async (...given) => (await tx.reservations.closure(...given)).slice(-1),
        },
      })),
  },
];
