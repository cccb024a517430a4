import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../tests/contract/broker/manual-clock.ts';
import { cleanups, countEffect, counting, stage, untilIdle, world } from '../../tests/contract/broker/one-stage.ts';
import {
  around,
  dutiesOf,
  newEvent,
  type Rig,
  seededRandom,
  silent,
  sqliteRig,
} from '../../tests/contract/broker/rig.ts';
import { MemoryBroker } from '../adapters/broker/memory/broker.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../adapters/store/sqlite/store.ts';
import type { AnyEvent } from '../contracts/event.ts';
import { TripwatchError } from '../domain/errors.ts';
import { STALL_MS, STORE_PAUSE_MS_MIN } from '../domain/limits.ts';
import type { Broker } from '../ports/broker.ts';
import { ack, type Handler, type StageSpec } from '../ports/handler.ts';
import type { Store } from '../ports/store.ts';
import { createRuntime } from './runtime.ts';

test('events are worked on once each, and the runtime knows when there is nothing left', async () => {
  const w = await world(counting);
  await w.rig.append(Array.from({ length: 50 }, (_, i) => newEvent(`k${i % 5}`, i)));
  await untilIdle(w);
  assert.deepEqual(await w.effects(), Object.fromEntries(Array.from({ length: 50 }, (_, i) => [i, 1])));
  const status = await w.runtime.status();
  assert.equal(status.stages[0]!.processed, 50);
  assert.equal(status.stages[0]!.latency.count, 50);
  assert.equal(status.overloaded, false);
  assert.equal(w.events.filter((event) => event.type === 'processed').length, 50);
});

test('whoever is to be woken is woken once, when the effect can be seen', async () => {
  const seen: Promise<number>[] = [];
  const w = await world(async (event) =>
    ack(
      async (tx) => {
        await countEffect(tx, event as AnyEvent);
        return [];
      },
      () => void seen.push(w.effects().then((effects) => Object.keys(effects).length)),
    ),
  );
  await w.rig.append([newEvent('a', 1)]);
  await untilIdle(w);
  assert.deepEqual(await Promise.all(seen), [1]);
});

test('at most `concurrency` keys at a time', async () => {
  let running = 0;
  let most = 0;
  const w = await world(async () => {
    most = Math.max(most, ++running);
    await settle(2);
    running--;
    return ack();
  });
  await w.rig.append(Array.from({ length: 40 }, (_, i) => newEvent(`k${i}`, i)));
  await untilIdle(w);
  assert.equal(most, 4);
});

test('a handler that hangs is cut off at the deadline, and what it says later has no effect', async () => {
  const late: ((outcome: ReturnType<typeof ack>) => void)[] = [];
  let calls = 0;
  const w = await world((event, context) => {
    calls++;
    if (calls > 1) return counting(event as never, context);
    return new Promise((resolve) => late.push(resolve));
  });
  await w.rig.append([newEvent('a', 1)]);
  await w.rig.clock.advance(9000);
  assert.equal(calls, 1);
  await untilIdle(w);
  assert.equal(calls, 2);
  const retried = w.events.find((event) => event.type === 'retried');
  assert.equal(retried?.type === 'retried' && retried.code, 'stage-deadline');
  late[0]!(
    ack(async (tx) => {
      await countEffect(tx, { subject: '1' } as AnyEvent);
      return [];
    }),
  );
  await settle();
  assert.deepEqual(await w.effects(), { 1: 1 });
});

test('drain lets running work finish, and starts nothing new', async () => {
  const finish: (() => void)[] = [];
  const w = await world(
    async (event, context) => {
      await new Promise<void>((resolve) => finish.push(resolve));
      return counting(event as never, context);
    },
    { stage: { concurrency: 1 } },
  );
  await w.rig.append([newEvent('a', 1), newEvent('b', 2)]);
  await settle();
  const drained = w.runtime.drain(5000);
  await w.rig.clock.advance(1000);
  assert.equal(finish.length, 1);
  finish[0]!();
  await drained;
  assert.deepEqual(await w.effects(), { 1: 1 });
  assert.equal((await w.runtime.status()).state, 'stopped');
});

test('work that does not finish in time is given back, uncounted, and done by the next life', async () => {
  const rig = (await sqliteRig()) as Rig & { store: SqlStore };
  cleanups.push(() => rig.dispose());
  const w = await world(() => new Promise(() => {}), { rig });
  await rig.append([newEvent('a', 1)]);
  await settle();
  const drained = w.runtime.drain(2000);
  await rig.clock.advance(2001);
  await drained;
  assert.ok(w.events.some((event) => event.type === 'released' && event.reason === 'shutdown'));
  await rig.restart();
  let attempt = 0;
  const v = await world(
    async (event, context) => {
      attempt = context.attempt;
      return counting(event as never, context);
    },
    { rig },
  );
  await untilIdle(v);
  assert.equal(attempt, 1);
  assert.deepEqual(await v.effects(), { 1: 1 });
});

test('a store that refuses work costs no attempts and loses nothing', async () => {
  let refusals = 0;
  let calls = 0;
  const w = await world(
    async (event, context) => {
      calls++;
      assert.equal(context.attempt, 1);
      return counting(event as never, context);
    },
    {
      store: (store) =>
        around(store, (work, options) =>
          refusals-- > 0
            ? Promise.reject(new TripwatchError('transient', 'store-disk-full', 'full'))
            : store.transact(work, options),
        ),
    },
  );
  refusals = 20;
  await w.rig.append([newEvent('a', 1), newEvent('b', 2)]);
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 1: 1, 2: 1 });
  assert.deepEqual(await w.letters(), []);
  assert.equal(calls, 22);
});

test('many that fail together, by one lost connection, wait once and shortly', async () => {
  let away = false;
  const w = await world(counting, {
    stage: { concurrency: 16 },
    store: (store) =>
      around(store, (work, options) =>
        away ? Promise.reject(new TripwatchError('transient', 'store-lost', 'away')) : store.transact(work, options),
      ),
  });
  away = true;
  await w.rig.append(Array.from({ length: 16 }, (_, i) => newEvent(`k${i}`, i)));
  await w.rig.clock.advance(STORE_PAUSE_MS_MIN / 2);
  away = false;
  await w.rig.clock.advance(STORE_PAUSE_MS_MIN);
  assert.equal(Object.keys(await w.effects()).length, 16);
});

test('a wake-up that was lost is noticed: an error is logged and the events are fetched anew', async () => {
  let deaf = true;
  const w = await world(counting, {
    broker: (broker) => ({
      ...dutiesOf(broker),
      fetch: (name, max, signal) => {
        if (!deaf) return broker.fetch(name, max, signal);
        deaf = false;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve([])));
      },
    }),
  });
  await w.rig.append([newEvent('a', 1)]);
  await w.rig.clock.advance(STALL_MS - 1000);
  assert.deepEqual(await w.effects(), {});
  await w.rig.clock.advance(3000);
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 1: 1 });
  assert.equal(w.events.filter((event) => event.type === 'stalled').length, 1);
});

test('an event that comes while the watchdog looks is no lost wake-up', async () => {
  let looks = 0;
  let append = async (): Promise<unknown> => undefined;
  const w = await world(counting, {
    broker: (broker) => ({
      ...dutiesOf(broker),
      // It is on its way for a moment.
      fetch: async (name, max, signal) => {
        const found = await broker.fetch(name, max, signal);
        await new Promise((resolve) => setImmediate(resolve));
        return found;
      },
      lag: async (name, rough) => {
        if (rough !== true && looks++ === 0) await append();
        return broker.lag(name, rough);
      },
    }),
  });
  append = () => w.rig.append([newEvent('a', 1)]);
  await w.rig.clock.advance(STALL_MS + 1000);
  assert.equal(looks, 1);
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 1: 1 });
  assert.deepEqual(
    w.events.filter((event) => event.type === 'stalled'),
    [],
  );
});

test('what two looks far apart see waiting for a moment each, and one between them does not, is no lost wake-up', async () => {
  const seen = [1, 0, 1, 0];
  const w = await world(counting, {
    broker: (broker) => ({
      ...dutiesOf(broker),
      lag: async (name, rough) => {
        if (rough === true) return broker.lag(name, rough);
        return { waiting: seen.shift() ?? 0, parked: 0 };
      },
    }),
  });
  await w.rig.clock.advance(5 * STALL_MS);
  assert.deepEqual(seen, []);
  assert.deepEqual(
    w.events.filter((event) => event.type === 'stalled'),
    [],
  );
});

test('too much waiting is told to intake, and then no more', async () => {
  let waiting = 1_000_000;
  const w = await world(counting, {
    broker: (broker) => ({
      ...dutiesOf(broker),
      lag: async () => ({ waiting, parked: 0 }),
    }),
  });
  assert.equal(await w.runtime.overloaded(), true);
  waiting = 5;
  assert.equal(await w.runtime.overloaded(), true, 'the answer is kept for a moment');
  await w.rig.clock.advance(300);
  assert.equal(await w.runtime.overloaded(), false);
});

test('a lag that cannot be read leaves the last answer; waiting for idle ends when the runtime stops', async () => {
  let broken = false;
  const w = await world(() => new Promise(() => {}), {
    broker: (broker) => ({
      ...dutiesOf(broker),
      lag: async (name) => {
        if (broken) throw new TripwatchError('transient', 'store-busy', 'busy');
        return broker.lag(name);
      },
    }),
  });
  await w.rig.append([newEvent('a', 1)]);
  broken = true;
  assert.equal(await w.runtime.overloaded(), false);
  broken = false;
  const idle = assert.rejects(w.runtime.idle(), { code: 'shutdown' });
  const stopped = w.runtime.stop();
  await w.rig.clock.advance(100);
  await stopped;
  await idle;
});

test('a broker that repeats, loses acks and mixes keys changes nothing in the effects', async () => {
  const { clock, dispose } = await sqliteRig();
  cleanups.push(dispose);
  const random = seededRandom(3);
  const store = openSqliteStore({ file: ':memory:', clock, logger: silent });
  cleanups.push(() => store.close());
  const broker = new MemoryBroker({
    clock,
    random,
    adversity: { duplicate: 0.3, loseAck: 0.2, reorderKeys: true },
  });
  const rig: Rig = {
    clock,
    broker,
    store,
    append: async (events, seed = 'seed') => {
      const complete = await store.transact((tx) => tx.append(events, { source: 'test', seed }));
      broker.publish(complete);
      return complete.map(({ id }) => id);
    },
    settle,
    crash: async () => broker.crash(),
    restart: async () => broker.crash(),
    dispose: async () => {},
  };
  const w = await world(counting, { rig });
  await rig.append(Array.from({ length: 200 }, (_, i) => newEvent(`k${i % 9}`, i)));
  await untilIdle(w);
  assert.deepEqual(new Set(Object.values(await w.effects())), new Set([1]));
  assert.equal(Object.keys(await w.effects()).length, 200);
  assert.ok((await w.runtime.status()).stages[0]!.repeats > 20);
});

test('start refuses a stage without handler and a policy that cannot work', () => {
  const make = (patch: Partial<StageSpec>, handlers: Record<string, Handler>) => () =>
    createRuntime({
      store: {} as Store,
      broker: {} as Broker,
      clock: { monotonic: () => 0 } as never,
      random: seededRandom(1),
      logger: silent,
      stages: [{ ...stage, ...patch }],
      handlers,
    });
  assert.throws(make({}, {}), { code: 'stage-without-handler' });
  assert.throws(make({ retry: { ...stage.retry, attemptsMax: 0 } }, { count: counting }), {
    code: 'retry-policy-invalid',
  });
});

test('a listener that throws harms nobody', async () => {
  const w = await world(counting);
  w.runtime.on(() => {
    throw new Error('listener');
  });
  await w.rig.append([newEvent('a', 1)]);
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 1: 1 });
  assert.ok(w.logs.some(({ message }) => message.includes('listener')));
});
