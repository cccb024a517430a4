import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryBroker } from '../../../src/adapters/broker/memory/broker.ts';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import { effectBy, type SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import type { AnyNewEvent } from '../../../src/contracts/event.ts';
import { completeEvents } from '../../../src/contracts/event.ts';
import type { Topic } from '../../../src/contracts/topics.ts';
import type { Broker, ConsumerSpec } from '../../../src/ports/broker.ts';
import { isoInstant, type Random } from '../../../src/ports/clock.ts';
import type { Logger } from '../../../src/ports/logger.ts';
import { ManualClock, settle } from './manual-clock.ts';

export const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};

/** Always the same numbers for a seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { number, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(number() * 256)) };
}

/** A small valid event: its number is in `subject` and `data.attempts`. */
export function newEvent(key: string, n: number, padding = ''): AnyNewEvent {
  return {
    topic: 'notification.sent',
    tenant: 'tnt_default',
    key,
    subject: String(n),
    data: { endpointId: 'whe_1', eventId: `evt_${n}${padding}`, state: 'sent', attempts: n },
  };
}

export const TOPIC: Topic = 'notification.sent';

export interface Rig {
  clock: ManualClock;
  broker: Broker;
  /** Present where the broker lives in a store. */
  store?: SqlStore;
  append(events: readonly AnyNewEvent[], seed?: string): Promise<readonly string[]>;
  /** Resolves when nothing happens any more that needs no time. */
  settle(): Promise<void>;
  /** As if killed and started again: nothing is closed, nothing in memory survives. */
  crash(): Promise<void>;
  /** Closed and opened again. */
  restart(): Promise<void>;
  dispose(): Promise<void>;
}

export const RIGS: Readonly<Record<string, () => Promise<Rig>>> = { memory: memoryRig, sqlite: sqliteRig };

let seeds = 0;

async function memoryRig(): Promise<Rig> {
  const clock = new ManualClock();
  const broker = new MemoryBroker({ clock, random: seededRandom(1) });
  return {
    clock,
    broker,
    append: async (events, seed = `seed${seeds++}`) => {
      const complete = completeEvents(events, { source: 'test', seed }, isoInstant(clock.now()));
      broker.publish(complete);
      return complete.map(({ id }) => id);
    },
    settle,
    crash: async () => broker.crash(),
    restart: async () => broker.crash(),
    dispose: async () => {},
  };
}

export async function sqliteRig(): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-broker-'));
  const old: SqlStore[] = [];
  const open = (clock: ManualClock) => {
    const store = openSqliteStore({ file: join(folder, 'tripwatch.db'), clock, logger: silent });
    return { clock, store, broker: new SqlBroker({ store, clock, logger: silent }) };
  };
  let life = open(new ManualClock());
  const rig: Rig & { store: SqlStore } = {
    ...life,
    append: async (events, seed = `seed${seeds++}`) => {
      const complete = await life.store.transact((tx) => tx.append(events, { source: 'test', seed }));
      return complete.map(({ id }) => id);
    },
    settle,
    crash: async () => {
      old.push(life.store);
      // A clock of its own, so that the old life never wakes again.
      life = open(new ManualClock(life.clock.now()));
      Object.assign(rig, life);
    },
    restart: async () => {
      await life.broker.close();
      await life.store.close();
      life = open(life.clock);
      Object.assign(rig, life);
    },
    dispose: async () => {
      await life.broker.close();
      for (const store of [...old, life.store]) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

/** The store with another `transact`, and `effect` by it. */
export function around(store: SqlStore, transact: SqlStore['transact']): SqlStore {
  return { ...store, transact, effect: effectBy(transact) };
}

/** Registers a consumer and takes all its shards. */
export async function begin({ broker, store }: Pick<Rig, 'broker' | 'store'>, spec: ConsumerSpec): Promise<void> {
  await broker.register(spec);
  const resources = Array.from({ length: broker.shards }, (_, shard) => `${spec.name}/${shard}`);
  const leases =
    (await store?.transact((tx) => tx.leases.take('test', resources, 3_600_000, 'ignore'))) ??
    resources.map((resource) => ({ resource, owner: 'test', token: 1 }));
  for (const lease of leases) await broker.take(spec.name, Number(lease.resource.split('/')[1]), lease);
}

/** A broker as a plain object, for wrappers that change one duty and keep the others. */
export function dutiesOf(broker: Broker): Broker {
  return {
    shards: broker.shards,
    register: (spec) => broker.register(spec),
    take: (consumer, shard, lease) => broker.take(consumer, shard, lease),
    leave: (consumer, shard, how) => broker.leave(consumer, shard, how),
    fetch: (consumer, max, signal) => broker.fetch(consumer, max, signal),
    lag: (consumer, rough) => broker.lag(consumer, rough),
    close: () => broker.close(),
  };
}
