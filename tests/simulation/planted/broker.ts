import type { LoggedRow, RecentRows } from '../../../src/adapters/store/sql/recent.ts';
import type { SqlTx } from '../../../src/adapters/store/sql/sql-store.ts';
import type { Delivery } from '../../../src/ports/broker.ts';
import { around, dutiesOf } from '../../contract/broker/rig.ts';
import { crashing, failingExtractor, failingStore, slowStore, steady } from './plans.ts';
import type { PlantedBug } from './planted.ts';

/** Bugs of a broker, or of those who settle what it delivers. */
export const BROKER_BUGS: readonly PlantedBug[] = [
  {
    name: 'ack before commit',
    breaks: ['I10', 'I16'],
    plan: failingStore,
    planted: () => ({
      broker: (broker) => ({
        ...dutiesOf(broker),
        fetch: async (consumer, max, signal) => {
          const deliveries = await broker.fetch(consumer, max, signal);
          for (const one of deliveries) await one.ack();
          return deliveries;
        },
      }),
    }),
  },
  {
    name: 'a failed attempt is dropped instead of parked',
    breaks: ['I10', 'I16'],
    plan: failingExtractor,
    planted: () => ({
      broker: (broker) => ({
        ...dutiesOf(broker),
        fetch: async (consumer, max, signal) =>
          (await broker.fetch(consumer, max, signal)).map((one) => ({ ...one, retry: () => one.ack() })),
      }),
    }),
  },
  {
    name: 'the ack of another delivery',
    breaks: ['I10', 'I16'],
    plan: (plan) => crashing(failingExtractor(plan)),
    planted: () => ({
      broker: (broker) => {
        let before: Delivery | undefined;
        return {
          ...dutiesOf(broker),
          fetch: async (consumer, max, signal) =>
            (await broker.fetch(consumer, max, signal)).map((one) => {
              const mistaken = before ?? one;
              before = one;
              return { ...one, ack: () => mistaken.ack() };
            }),
        };
      },
    }),
  },
  {
    name: 'a parked event lets later ones of its key pass',
    breaks: ['I4'],
    plan: (plan) => ({ ...steady(failingExtractor(plan)), broker: 'sql', store: { ...plan.store, busy: 0.1 } }),
    planted: () => ({
      handlers: (handlers) => {
        // Something to park in a stage whose keys have many events.
        let count = 0;
        const real = handlers.reconcile as unknown as (...given: readonly unknown[]) => Promise<unknown>;
        const failing = async (...given: readonly unknown[]): Promise<unknown> => {
          if (++count % 3 === 0) throw new Error('made by the test');
          return real(...given);
        };
        return { ...handlers, reconcile: failing as never };
      },
      broker: (broker, life) => {
        const later: { readonly at: number; readonly one: Delivery }[] = [];
        return {
          ...dutiesOf(broker),
          fetch: async (consumer, max, signal) => {
            if (consumer !== 'reconcile') return broker.fetch(consumer, max, signal);
            const due = later.findIndex(({ at }) => at <= life.clock.now());
            const again = due < 0 ? [] : later.splice(due, 1).map(({ one }) => one);
            const found = again.length > 0 ? again : await broker.fetch(consumer, max, signal);
            return found.map((one) => ({
              ...one,
              retry: async (at) => {
                later.push({ at, one: { ...one, attempt: one.attempt + 1, ack: async () => {} } });
                await one.ack();
              },
            }));
          },
        };
      },
    }),
  },
  {
    name: 'work is kept by who lost it: two have the same key at a time',
    breaks: ['I4', 'I5'],
    plan: (plan) => slowStore({ ...plan, broker: 'sql', shards: 4 }),
    planted: () => ({
      // Every process believes that it holds what it ever took.
      broker: (broker) => ({ ...dutiesOf(broker), leave: async () => {} }),
      database: (store) => around(store, (work, options) => store.transact(work, { ...options, fence: undefined })),
    }),
  },
  {
    name: 'the cursor is stored ahead of the effects',
    breaks: ['I10', 'I16'],
    plan: (plan) => ({ ...slowStore(crashing(plan)), broker: 'sql' }),
    planted: () => ({
      store: (store) =>
        around(store, (work, options) =>
          store.transact(async (tx) => {
            const value = await work(tx);
            if (options?.fence !== undefined) await runAhead(tx, options.fence.resource);
            return value;
          }, options),
        ),
    }),
  },
  {
    name: 'attempts are counted after the work: a mail that kills its reader is read for ever',
    breaks: ['I16', 'I10'],
    plan: (plan) => ({ ...steady(plan), speed: 240, extractor: { busy: 0, hang: 0, poison: 0, killer: 0.3 } }),
    planted: () => ({
      broker: (broker) => ({
        ...dutiesOf(broker),
        fetch: async (consumer, max, signal) =>
          (await broker.fetch(consumer, max, signal)).map((one) => ({ ...one, attempt: 1, history: [] })),
      }),
    }),
  },
  {
    name: 'lost wake-up: some appends are told to nobody',
    breaks: ['I16'],
    plan: (plan) => ({ ...steady(plan), broker: 'sql', notice: { lost: 0, msMax: 100 } }),
    planted: () => ({
      store: (store) => {
        let count = 0;
        return {
          ...store,
          changedElsewhere: async () => false,
          onAppended: (listener) =>
            store.onAppended((topics, ours) => {
              if (++count % 3 !== 0) listener(topics, ours);
            }),
        };
      },
    }),
  },
  {
    name: 'what a process has appended itself is taken for all there is',
    breaks: ['I10', 'I16'],
    plan: (plan) => ({ ...steady(plan), broker: 'sql', shards: 1, notice: { lost: 0.9, msMax: 100 } }),
    planted: () => ({ database: (store) => ({ ...store, recent: careless(store.recent) }) }),
  },
  {
    name: 'nobody looks for what other processes appended when the notice of it was lost',
    breaks: ['I16'],
    plan: (plan) => ({ ...steady(plan), broker: 'sql', shards: 4, notice: { lost: 0.9, msMax: 100 } }),
    planted: () => ({ store: (store) => ({ ...store, changedElsewhere: async () => false }) }),
  },
];

/** Gives out what was added whatever stands between, as if nobody else appended. */
function careless(real: RecentRows): RecentRows {
  const added: LoggedRow[] = [];
  const add = real.add.bind(real);
  real.add = (rows) => {
    added.push(...rows);
    add(rows);
  };
  const follow: RecentRows['follow'] = (place) => {
    const reader = real.follow(place);
    const mine = (row: LoggedRow) => place === undefined || (row.topic === place.topic && row.shard === place.shard);
    return {
      stop: () => reader.stop(),
      after: (after, limit) => {
        const rows = added.filter((row) => row.seq > after && mine(row)).slice(0, limit);
        return rows.length > 0 ? rows : reader.after(after, limit);
      },
    };
  };
  return Object.assign(Object.create(real) as RecentRows, { follow });
}

/** The cursor of a consumer's shard is set to the end of the log, whatever has been done. */
async function runAhead({ db }: SqlTx, resource: string): Promise<void> {
  const [consumer = '', shard] = resource.split('/');
  if (shard === undefined || !/^\d+$/.test(shard)) return;
  const last = await db
    .selectFrom('log')
    .select((eb) => eb.fn.max('seq').as('seq'))
    .executeTakeFirst();
  await db
    .updateTable('consumer_cursor')
    .set({ seq: Number(last?.seq ?? 0) })
    .where('consumer', '=', consumer)
    .where('shard', '=', Number(shard))
    .execute();
}
