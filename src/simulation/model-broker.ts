import type { MemoryBroker } from '../adapters/broker/memory/broker.ts';
import { statement } from '../adapters/store/sql/rows.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import type { AnyEvent } from '../contracts/event.ts';
import { POLL_MS_MAX } from '../domain/limits.ts';
import type { Broker, Delivery } from '../ports/broker.ts';
import type { Lease } from '../ports/store/leases.ts';
import { type Life, never } from './life.ts';

/** Rows that a relay hands over at once. */
const RELAY_EVENTS_MAX = 200;
/** Rows handed over again by each new life, because what was noted last is never quite what was done last. */
const RELAY_AGAIN = 10;

/** How far the outbox was handed over, as noted outside of any life. */
export interface RelayMark {
  seq: number;
}

/** What a life holds of a consumer. */
interface Held {
  readonly lease: Lease;
  /** Delivered and not settled. */
  out: number;
  /** Aborts when nothing new is to come. */
  readonly leaving: AbortController;
  settled: (() => void)[];
  lost: boolean;
  /** The signal of the last fetch, and what ends it besides. */
  asked?: { readonly signal: AbortSignal; readonly until: AbortSignal };
}

/**
 * A broker outside of all processes (the in-memory one, which survives crashes here as a server would) as one life sees
 * it: its deliveries and acks end with the life, or when another has taken the consumer. A relay hands over what the
 * store's outbox holds; every process has one, so that it goes on whoever dies.
 */
export function modelBroker(
  broker: MemoryBroker,
  store: SqlStore,
  life: Life,
  mark: RelayMark,
): { readonly broker: Broker; readonly stop: () => void } {
  const stopped = new AbortController();
  const done = AbortSignal.any([stopped.signal, life.ended]);
  const held = new Map<string, Held>();
  let changed: (() => void)[] = [];
  const tell = (): void => {
    const waiting = changed;
    changed = [];
    for (const wake of waiting) wake();
  };
  relay(broker, store, life, mark, done);

  /** Resolves when what is held has changed, or with the signal. */
  const change = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      changed.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });

  function deliveryOf(one: Delivery, mine: Held): Delivery {
    mine.out++;
    let open = true;
    const settle = (): boolean => {
      if (!life.alive || !open) return false;
      open = false;
      if (--mine.out === 0) for (const resolve of mine.settled.splice(0)) resolve();
      return !mine.lost;
    };
    return {
      ...one,
      fence: mine.lease,
      ack: async () => {
        await life.point('broker: before ack');
        if (settle()) await one.ack();
        await life.point('broker: after ack');
      },
      retry: async (at, error, counts) => {
        await life.point('broker: before retry');
        if (settle()) await one.retry(at, error, counts);
      },
      release: () => {
        if (settle()) one.release();
      },
    };
  }

  return {
    stop: () => stopped.abort(),
    broker: {
      shards: broker.shards,
      register: (consumer) => broker.register(consumer),
      take: async (consumer, shard, lease) => {
        await life.point('broker: take');
        await life.reach(broker.take(consumer, shard, lease));
        held.set(consumer, { lease, out: 0, leaving: new AbortController(), settled: [], lost: false });
        tell();
      },
      leave: async (consumer, _shard, how) => {
        const mine = held.get(consumer);
        if (mine === undefined) return;
        if (how === 'lost') mine.lost = true;
        mine.leaving.abort(GONE);
        if (how === 'hand-over' && mine.out > 0) await new Promise<void>((resolve) => mine.settled.push(resolve));
        for (const resolve of mine.settled.splice(0)) resolve();
        if (held.get(consumer) === mine) held.delete(consumer);
        if (life.alive && broker.holder(consumer)?.token === mine.lease.token) await broker.leave(consumer);
      },
      fetch: async (consumer, max, signal) => {
        while (!signal.aborted && life.alive) {
          const mine = held.get(consumer);
          if (mine === undefined || mine.leaving.signal.aborted) {
            await change(signal);
            continue;
          }
          // One for all fetches with one signal: making them is dear.
          if (mine.asked?.signal !== signal)
            mine.asked = { signal, until: AbortSignal.any([signal, life.ended, mine.leaving.signal]) };
          const found = await life.reach(broker.fetch(consumer, max, mine.asked.until, mine.lease));
          if (!mine.leaving.signal.aborted) {
            if (found.length > 0) return found.map((one) => deliveryOf(one, mine));
          } else if (!mine.lost) for (const one of found) one.release();
        }
        // An answer to the dead would be asked for again at once, for ever.
        return life.alive ? [] : never();
      },
      lag: async (consumer) => (held.has(consumer) ? life.reach(broker.lag(consumer)) : { waiting: 0, parked: 0 }),
      close: async () => {
        if (!life.alive) await never();
        for (const [consumer, mine] of held) {
          mine.lost = true;
          mine.leaving.abort(GONE);
          if (broker.holder(consumer)?.token === mine.lease.token) await broker.leave(consumer);
        }
        held.clear();
      },
    },
  };
}

const GONE = Object.assign(new Error('no longer held'), { stack: undefined });

function relay(broker: MemoryBroker, store: SqlStore, life: Life, mark: RelayMark, done: AbortSignal): void {
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
        const nap = new AbortController();
        await Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
          // What another process appended, when nobody told us.
          life.clock.sleep(POLL_MS_MAX * life.clock.speed, nap.signal).catch(() => undefined),
        ]);
        nap.abort(GONE);
        if (!more) more = await store.changedElsewhere();
        continue;
      }
      more = false;
      try {
        const { rows } = await store.read(({ db }) => selectLog(db, [seq, RELAY_EVENTS_MAX]));
        await life.point('relay: before publish');
        broker.publish(rows.map((row) => JSON.parse(row.body) as AnyEvent));
        await life.point('relay: after publish');
        seq = rows.at(-1)?.seq ?? seq;
        mark.seq = Math.max(mark.seq, seq);
        more ||= rows.length > 0;
      } catch {
        more = true;
        await life.wait(POLL_MS_MAX);
      }
    }
  };
  void run();
}

const selectLog = statement((db) =>
  db.selectFrom('log').select(['seq', 'body']).where('seq', '>', 0).orderBy('seq').limit(0),
);
