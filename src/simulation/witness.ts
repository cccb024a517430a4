import { effectBy, type SqlStore, type SqlTx } from '../adapters/store/sql/sql-store.ts';
import type { Broker } from '../ports/broker.ts';
import type { Lease } from '../ports/store/leases.ts';
import type { TransactOptions } from '../ports/store.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';

/**
 * Stands between a life and its store and broker and writes down what was committed, in the order of commits: leases
 * given out, writes under a lease, effects. What a transaction did that was undone is not written down.
 */
export interface Witness {
  readonly store: (store: SqlStore) => SqlStore;
  readonly broker: (broker: Broker) => Broker;
}

interface Seen {
  taken: Lease[];
  /** Until when these are its own, by the true time; 0: given back. */
  held: { readonly lease: Lease; readonly until: number }[];
  claimed: { readonly consumer: string; readonly eventId: string }[];
}

export function witnessOf(life: Life, history: History): Witness {
  /** When an event was last handed to this life, by consumer and id. */
  const delivered = new Map<string, number>();
  const now = (): number => life.scheduler.now;

  function record(seen: Seen, fence: Lease | undefined): void {
    const at = now();
    for (const lease of seen.taken) {
      const before = history.leases.get(lease.resource);
      history.taken.push({ at, life: life.number, ...lease, before });
    }
    for (const { lease, until } of seen.held) history.leases.set(lease.resource, { owner: lease.owner, until });
    if (fence !== undefined) history.fenced.push({ at, life: life.number, ...fence });
    for (const { consumer, eventId } of seen.claimed)
      history.effects.push({
        at,
        life: life.number,
        consumer,
        eventId,
        deliveredAt: delivered.get(`${consumer} ${eventId}`),
      });
  }

  return {
    store: (store) => {
      let seen: Seen = { taken: [], held: [], claimed: [] };
      const hold = (leases: readonly Lease[], until: number): void => {
        for (const lease of leases) seen.held.push({ lease, until });
      };
      let given: SqlTx | undefined;
      let watched: SqlTx | undefined;
      // The store hands out one and the same, so it is wrapped once.
      const watch = (tx: SqlTx): SqlTx => {
        if (watched !== undefined && given === tx) return watched;
        given = tx;
        watched = {
          ...tx,
          leases: {
            ...tx.leases,
            take: async (owner, resources, ttlMs, others) => {
              const leases = await tx.leases.take(owner, resources, ttlMs, others);
              seen.taken.push(...leases);
              hold(leases, now() + ttlMs * life.clock.speed);
              return leases;
            },
            beat: async (worker, held, ttlMs) => {
              const mine = await tx.leases.beat(worker, held, ttlMs);
              hold(mine, now() + ttlMs * life.clock.speed);
              return mine;
            },
            release: async (leases) => {
              await tx.leases.release(leases);
              const mine = leases.filter(({ resource, owner }) => history.leases.get(resource)?.owner === owner);
              hold(mine, 0);
            },
          },
          log: {
            ...tx.log,
            claim: async (consumer, eventId, ...rest) => {
              const granted = await tx.log.claim(consumer, eventId, ...rest);
              if (granted) seen.claimed.push({ consumer, eventId });
              return granted;
            },
          },
        };
        return watched;
      };
      const transact = async <T>(work: (tx: SqlTx) => Promise<T>, options?: TransactOptions): Promise<T> => {
        let mine: Seen | undefined;
        const made = await store.transact(async (tx) => {
          // Works run one after the other, so what is seen now is this one's.
          mine = { taken: [], held: [], claimed: [] };
          seen = mine;
          return work(watch(tx));
        }, options);
        if (mine !== undefined) record(mine, options?.fence);
        return made;
      };
      return { ...store, transact, effect: effectBy(transact) };
    },
    broker: (broker) => ({
      shards: broker.shards,
      register: (consumer) => broker.register(consumer),
      take: (...given) => broker.take(...given),
      leave: (...given) => broker.leave(...given),
      fetch: async (consumer, max, signal) => {
        const deliveries = await broker.fetch(consumer, max, signal);
        for (const { event } of deliveries) delivered.set(`${consumer} ${event.id}`, now());
        return deliveries;
      },
      lag: (...given) => broker.lag(...given),
      close: () => broker.close(),
    }),
  };
}
