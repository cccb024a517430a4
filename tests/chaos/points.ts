import { writeSync } from 'node:fs';
import type { SqlStore, SqlTx } from '../../src/adapters/store/sql/sql-store.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { Broker, Delivery } from '../../src/ports/broker.ts';
import type { Lease } from '../../src/ports/store/leases.ts';
import type { TransactOptions } from '../../src/ports/store.ts';
import { dutiesOf } from '../contract/broker/rig.ts';

/**
 * Places in the way of an event at which a process may be told to kill itself, in wrappers around store and broker: the
 * product knows nothing of them. `before X`: X is written and not committed; `after X`: it is committed, and nobody has
 * heard.
 */
export const POINTS = [
  'after fetch',
  'in handler',
  ...around('effect'),
  ...around('append'),
  ...around('cursor'),
  ...around('attempt'),
  ...around('dead letter'),
  ...around('beat'),
  ...around('take'),
  'before ack',
] as const;

/** Where several processes share the work. */
export const SHARED_POINTS = ['hand-over begun', 'hand-over stored', ...around('release')] as const;
/** Where a relay carries the log to NATS. */
export const RELAY_POINTS = around('relay');

export type PointName = (typeof POINTS)[number] | (typeof SHARED_POINTS)[number] | (typeof RELAY_POINTS)[number];

function around<T extends string>(what: T) {
  return [`before ${what}`, `after ${what}`] as const;
}

export interface Point {
  readonly name: PointName;
  /** The process dies when it comes by for this many-th time. */
  readonly passes: number;
}

export class Points {
  readonly #armed: Point | undefined;
  #left: number;

  constructor(armed: Point | undefined) {
    this.#armed = armed;
    this.#left = armed?.passes ?? 0;
  }

  pass(name: PointName): void {
    if (name !== this.#armed?.name || --this.#left > 0) return;
    writeSync(1, `point ${name}\n`);
    process.kill(process.pid, 'SIGKILL');
    // The signal comes when this thread next enters the kernel; nothing may happen until then.
    for (;;) writeSync(1, '');
  }
}

export interface Counts {
  /** Writes that were refused because another has the lease: of effects, and of what the broker keeps. */
  lateEffects: number;
  lateWrites: number;
}

/** What is written in a transaction, by what it means. */
const TABLES: Readonly<Record<string, 'cursor' | 'attempt' | 'relay'>> = {
  consumer_cursor: 'cursor',
  delivery: 'attempt',
  relay: 'relay',
};
type What = 'effect' | 'append' | 'cursor' | 'attempt' | 'dead letter' | 'beat' | 'take' | 'release' | 'relay';

/** `broken`: without a guarantee, to see that the checks find out. */
export function storeWithPoints(
  store: SqlStore,
  points: Points,
  counts: Counts,
  broken: 'unmarked' | 'unfenced' | undefined,
): SqlStore {
  const kept = (options: TransactOptions | undefined) => (broken === 'unfenced' ? {} : options);
  const guarded = async <T>(effect: boolean, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (error instanceof TripwatchError && error.code === 'lease-lost')
        counts[effect ? 'lateEffects' : 'lateWrites']++;
      throw error;
    }
  };
  const watching =
    <T>(done: Set<What>, work: (tx: SqlTx) => Promise<T>, fence: Lease | undefined) =>
    async (tx: SqlTx): Promise<T> => {
      const value = await work({ ...watched(tx, done), ...{ fence } });
      for (const what of done) points.pass(`before ${what}`);
      return value;
    };
  const after = (done: Set<What>): void => {
    for (const what of done) points.pass(`after ${what}`);
  };
  return {
    ...store,
    transact: async (work, options) => {
      const done = new Set<What>();
      const run = watching(done, work, options?.fence);
      const value = await guarded(false, () => store.transact(run, kept(options)));
      after(done);
      return value;
    },
    effect: async (mark, work, options) => {
      const done = new Set<What>(['effect']);
      const run = watching(done, work, options?.fence);
      const result =
        broken === 'unmarked'
          ? { repeat: false as const, value: await store.transact(run, options) }
          : await guarded(true, () => store.effect(mark, run, kept(options)));
      if (!result.repeat) after(done);
      return result;
    },
  };
}

function watched(tx: SqlTx, done: Set<What>): SqlTx {
  const { db, leases, deadLetters, append } = tx;
  const leasesSeen = {
    ...leases,
    beat: (...all: Parameters<typeof leases.beat>) => seen('beat', () => leases.beat(...all)),
    take: (...all: Parameters<typeof leases.take>) => seen('take', () => leases.take(...all)),
    release: (...all: Parameters<typeof leases.release>) => seen('release', () => leases.release(...all)),
  };
  const seen = <T>(what: What, work: () => T): T => {
    done.add(what);
    return work();
  };
  return {
    ...tx,
    leases: leasesSeen,
    deadLetters: { ...deadLetters, add: (letter) => seen('dead letter', () => deadLetters.add(letter)) },
    append: (events, origin) => seen('append', () => append(events, origin)),
    db: new Proxy(db, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'updateTable' && name !== 'insertInto' && name !== 'deleteFrom') return value.bind(target);
        return (table: string) => {
          const what = TABLES[table];
          if (what !== undefined) done.add(what);
          return value.call(target, table);
        };
      },
    }),
  };
}

export function brokerWithPoints(broker: Broker, points: Points): Broker {
  return {
    ...dutiesOf(broker),
    fetch: async (consumer, max, signal) => {
      const deliveries = await broker.fetch(consumer, max, signal);
      if (deliveries.length > 0) points.pass('after fetch');
      return deliveries.map((delivery) => deliveryWithPoints(delivery, points));
    },
    leave: async (consumer, shard, how) => {
      if (how === 'hand-over') points.pass('hand-over begun');
      await broker.leave(consumer, shard, how);
      if (how === 'hand-over') points.pass('hand-over stored');
    },
  };
}

function deliveryWithPoints(delivery: Delivery, points: Points): Delivery {
  return {
    ...delivery,
    ack: async () => {
      points.pass('before ack');
      await delivery.ack();
    },
  };
}
