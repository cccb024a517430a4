import type { MemoryBroker } from '../adapters/broker/memory/memory-broker.ts';
import type { SqliteStore } from '../adapters/store/sqlite/store.ts';
import type { AnyEvent } from '../contracts/event.ts';
import { POLL_MS_MAX } from '../domain/limits.ts';
import type { Broker } from '../ports/broker.ts';
import { type Life, never } from './life.ts';

/** Rows that a relay hands over at once. */
const RELAY_EVENTS_MAX = 200;
/** Rows handed over again after a crash, because what was noted last is never quite what was done last. */
const RELAY_AGAIN = 10;

/** How far the outbox was handed over, as noted outside of any life. */
export interface RelayMark {
  seq: number;
}

/**
 * A broker outside of the process (the in-memory one, which survives crashes here as a server would) as one life sees
 * it: its deliveries and acks end with the life. A relay hands over what the store's outbox holds.
 */
export function modelBroker(
  broker: MemoryBroker,
  store: SqliteStore,
  life: Life,
  mark: RelayMark,
): { readonly broker: Broker; readonly stop: () => void } {
  const stopped = new AbortController();
  const done = AbortSignal.any([stopped.signal, life.ended]);
  relay(broker, store, life, mark, done);
  return {
    stop: () => stopped.abort(),
    broker: {
      register: (consumer) => broker.register(consumer),
      fetch: async (consumer, max, signal) => {
        const deliveries = await life.reach(broker.fetch(consumer, max, AbortSignal.any([signal, life.ended])));
        return deliveries.map((one) => ({
          ...one,
          ack: () => (life.alive ? one.ack() : never()),
          retry: (at, error, counts) => (life.alive ? one.retry(at, error, counts) : never()),
          release: () => {
            if (life.alive) one.release();
          },
        }));
      },
      lag: (consumer) => life.reach(broker.lag(consumer)),
      close: () => (life.alive ? broker.close() : never()),
    },
  };
}

function relay(broker: MemoryBroker, store: SqliteStore, life: Life, mark: RelayMark, done: AbortSignal): void {
  let seq = Math.max(0, mark.seq - RELAY_AGAIN);
  let more = true;
  let wake = (): void => {};
  const undo = store.onAppended(() => {
    more = true;
    wake();
  });
  done.addEventListener('abort', () => {
    undo();
    wake();
  });
  const run = async (): Promise<void> => {
    while (!done.aborted) {
      if (!more) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      more = false;
      try {
        const rows = await store.read(({ db }) =>
          db
            .selectFrom('log')
            .select(['seq', 'body'])
            .where('seq', '>', seq)
            .orderBy('seq')
            .limit(RELAY_EVENTS_MAX)
            .execute(),
        );
        broker.publish(rows.map((row) => JSON.parse(row.body) as AnyEvent));
        seq = rows.at(-1)?.seq ?? seq;
        mark.seq = Math.max(mark.seq, seq);
        more ||= rows.length > 0;
      } catch {
        more = true;
        await life.pause(POLL_MS_MAX);
      }
    }
  };
  void run();
}
