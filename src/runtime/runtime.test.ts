import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { settle } from '../../tests/contract/broker/manual-clock.ts';
import { newEvent, type Rig, seededRandom, silent, sqliteRig } from '../../tests/contract/broker/rig.ts';
import { MemoryBroker } from '../adapters/broker/memory/memory-broker.ts';
import { openSqliteStore, type SqliteStore, type SqlTx } from '../adapters/store/sqlite/store.ts';
import type { AnyEvent } from '../contracts/event.ts';
import { type ErrorKind, TripwatchError } from '../domain/errors.ts';
import { DEFAULT_TENANT } from '../domain/ids.ts';
import { STALL_MS } from '../domain/limits.ts';
import type { Broker } from '../ports/broker.ts';
import { ack, type Handler, type StageSpec } from '../ports/handler.ts';
import type { LogFields, Logger } from '../ports/logger.ts';
import type { DeadLetter } from '../ports/store/log.ts';
import type { Store, Tx } from '../ports/store.ts';
import type { DeadLetterHook } from './attempt.ts';
import type { RuntimeEvent } from './events.ts';
import { createRuntime, type Runtime } from './runtime.ts';

const stage: StageSpec = {
  name: 'count',
  reads: 'notification.sent',
  key: 'traveller',
  writes: [],
  does: 'counts',
  concurrency: 4,
  deadlineMs: 10_000,
  retry: { attemptsMax: 3, firstDelayMs: 100, factor: 2, delayMsMax: 1000, ageMsMax: 100_000 },
};

let cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  cleanups = [];
});

interface World {
  readonly rig: Rig & { readonly store: SqliteStore };
  readonly runtime: Runtime;
  readonly events: RuntimeEvent[];
  readonly logs: { readonly level: string; readonly fields: LogFields; readonly message: string }[];
  effects(): Promise<Record<string, number>>;
  letters(): Promise<readonly DeadLetter[]>;
}

/** An effect that shows how often it happened: not a set, a count. */
async function countEffect(tx: Tx, event: AnyEvent): Promise<void> {
  const { db } = tx as SqlTx;
  await db
    .insertInto('consumer_cursor')
    .values({ consumer: `effect:${event.subject}`, topic: event.subject ?? '', seq: 1 })
    .onConflict((conflict) =>
      conflict.column('consumer').doUpdateSet((eb) => ({ seq: eb('consumer_cursor.seq', '+', 1) })),
    )
    .execute();
}
const counting: Handler = async (event) =>
  ack(async (tx) => {
    await countEffect(tx, event as AnyEvent);
    return [];
  });

async function world(
  handler: Handler,
  options: {
    readonly stage?: Partial<StageSpec>;
    readonly hook?: DeadLetterHook;
    readonly store?: (store: SqliteStore) => Store;
    readonly broker?: (broker: Broker) => Broker;
    readonly rig?: Rig;
  } = {},
): Promise<World> {
  const rig = (options.rig ?? (await sqliteRig())) as Rig & { store: SqliteStore };
  if (options.rig === undefined) cleanups.push(() => rig.dispose());
  const logs: World['logs'] = [];
  const write = (level: string) => (fields: LogFields, message: string) => void logs.push({ level, fields, message });
  const logger: Logger = {
    debug: () => {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  };
  const runtime = createRuntime({
    store: options.store?.(rig.store) ?? rig.store,
    broker: options.broker?.(rig.broker) ?? rig.broker,
    clock: rig.clock,
    random: seededRandom(7),
    logger,
    stages: [{ ...stage, ...options.stage }],
    handlers: { count: handler },
    ...(options.hook === undefined ? {} : { onDeadLetter: { count: options.hook } }),
  });
  const events: RuntimeEvent[] = [];
  runtime.on((event) => events.push(event));
  await runtime.start();
  cleanups.push(async () => {
    const stopped = runtime.stop();
    await rig.clock.advance(1000);
    await stopped;
  });
  return {
    rig,
    runtime,
    events,
    logs,
    effects: async () => {
      const rows = await rig.store.read(({ db }) =>
        db.selectFrom('consumer_cursor').selectAll().where('consumer', 'like', 'effect:%').execute(),
      );
      return Object.fromEntries(rows.map((row) => [row.topic, row.seq]));
    },
    letters: () => rig.store.read((tx) => tx.log.listDeadLetters(DEFAULT_TENANT, { limit: 100 })),
  };
}

/** Moves time until nothing waits; fails when that takes too long. */
async function untilIdle({ rig, runtime }: World, ms = 600_000): Promise<void> {
  let idle = false;
  const waiting = runtime.idle().then(() => {
    idle = true;
  });
  for (let spent = 0; !idle; spent += 100) {
    assert.ok(spent < ms, 'it never became idle');
    await rig.clock.advance(100);
  }
  await waiting;
}

const failing = (kind: ErrorKind, times: number, retryAt?: () => number): { handler: Handler; calls: () => number } => {
  let calls = 0;
  return {
    calls: () => calls,
    handler: async (event, context) => {
      if (++calls <= times)
        throw new TripwatchError(kind, 'test-failure', 'it failed', retryAt ? { retryAt: retryAt() } : {});
      return counting(event as never, context);
    },
  };
};

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

for (const [kind, times, expected] of [
  ['transient', 2, { effect: 1, calls: 3, dead: 0 }],
  ['transient', 9, { effect: 0, calls: 3, dead: 1 }],
  ['cancelled', 9, { effect: 0, calls: 3, dead: 1 }],
  ['rate-limited', 8, { effect: 1, calls: 9, dead: 0 }],
  ['permanent', 9, { effect: 0, calls: 1, dead: 1 }],
  ['poison', 9, { effect: 0, calls: 1, dead: 1 }],
  ['defect', 1, { effect: 1, calls: 2, dead: 0 }],
  ['defect', 9, { effect: 0, calls: 2, dead: 1 }],
  ['stale', 3, { effect: 1, calls: 4, dead: 0 }],
  ['stale', 99, { effect: 0, calls: 12, dead: 1 }],
] as const) {
  test(`${kind} ${times} times: ${JSON.stringify(expected)}`, async () => {
    const { handler, calls } = failing(kind, times);
    const w = await world(handler);
    await w.rig.append([newEvent('a', 1)]);
    await untilIdle(w);
    const dead = await w.letters();
    assert.deepEqual({ effect: (await w.effects())[1] ?? 0, calls: calls(), dead: dead.length }, expected);
    if (dead[0]) {
      assert.equal(dead[0].code, 'test-failure');
      assert.equal(dead[0].attempts.at(-1)!.kind, kind);
      assert.equal(w.events.filter((event) => event.type === 'dead').length, 1);
    }
  });
}

test('an error that is not ours is tried again, then set aside', async () => {
  const w = await world(async () => {
    throw new RangeError('what is this');
  });
  await w.rig.append([newEvent('a', 1)]);
  await untilIdle(w);
  const [letter] = await w.letters();
  assert.equal(letter?.code, 'unexpected');
  assert.equal(letter?.attempts.length, 3);
});

test('rate limits end at the age limit; missing consent waits long and warns', async () => {
  const w = await world(failing('rate-limited', 99, () => w.rig.clock.now() + 40_000).handler);
  await w.rig.append([newEvent('a', 1)]);
  await untilIdle(w);
  assert.equal((await w.letters()).length, 1);
  const v = await world(failing('unauthorised', 1).handler, { stage: { retry: { ...stage.retry, ageMsMax: 1e9 } } });
  await v.rig.append([newEvent('a', 1)]);
  await v.rig.clock.advance(60_000);
  assert.deepEqual(await v.effects(), {});
  assert.ok(v.logs.some(({ level, message }) => level === 'warn' && message.includes('consent')));
  await v.rig.clock.jump(15 * 60_000);
  await untilIdle(v);
  assert.deepEqual(await v.effects(), { 1: 1 });
});

test('outcomes say retry and reject without throwing', async () => {
  let calls = 0;
  const oops = new TripwatchError('transient', 'later', 'not yet');
  const w = await world(async (_, { clock }) =>
    ++calls === 1
      ? { kind: 'retry', at: clock.now() + 30_000, error: oops }
      : { kind: 'reject', error: new TripwatchError('transient', 'no', 'never') },
  );
  await w.rig.append([newEvent('a', 1)]);
  await w.rig.clock.advance(29_000);
  assert.equal(calls, 1);
  await untilIdle(w);
  assert.equal(calls, 2);
  assert.equal((await w.letters())[0]?.code, 'no');
});

test('an event that does not fit its schema is poison, and its values stay out of the message', async () => {
  const w = await world(counting);
  const bad = { ...newEvent('a', 1), data: { endpointId: 'whe_1', state: 'sent', attempts: 'SECRET' } } as never;
  await w.rig.append([bad]);
  await untilIdle(w);
  const [letter] = await w.letters();
  assert.equal(letter?.code, 'event-invalid');
  assert.match(letter!.message, /attempts/);
  assert.doesNotMatch(letter!.message, /SECRET/);
});

test('the dead letter hook writes in the same transaction; a broken one does not keep the event alive', async () => {
  const w = await world(failing('poison', 99).handler, { hook: (tx, event) => countEffect(tx, event) });
  await w.rig.append([newEvent('a', 1)]);
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 1: 1 });
  const v = await world(failing('poison', 99).handler, {
    hook: async (tx, event) => {
      await countEffect(tx, event);
      throw new Error('hook is broken');
    },
  });
  await v.rig.append([newEvent('a', 1)]);
  await untilIdle(v);
  assert.equal((await v.letters()).length, 1);
  assert.deepEqual(await v.effects(), {}, 'what the broken hook wrote is undone');
  assert.ok(v.logs.some(({ level, message }) => level === 'error' && message.includes('hook')));
});

test('a replayed dead letter is delivered once more, attempts from zero, and has its effect once', async () => {
  let broken = true;
  const attempts: number[] = [];
  const w = await world(async (event, context) => {
    attempts.push(context.attempt);
    if (broken && event.subject === '1') throw new TripwatchError('permanent', 'broken', 'broken');
    return counting(event as never, context);
  });
  await w.rig.append([newEvent('a', 1), newEvent('a', 2)]);
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 2: 1 });
  const replay = (id: DeadLetter['id']) =>
    w.rig.store.transact((tx) => tx.log.replay(DEFAULT_TENANT, id, 'test', w.rig.clock.now()));
  const [letter] = await w.letters();
  // Still broken: it dies again, as a letter of its own.
  await w.rig.clock.advance(1);
  assert.equal(await replay(letter!.id), true);
  await untilIdle(w);
  assert.deepEqual((await w.letters()).map(({ state }) => state).sort(), ['open', 'replayed']);
  broken = false;
  const open = (await w.letters()).find(({ state }) => state === 'open')!;
  assert.equal(await replay(open.id), true);
  assert.equal(await replay(open.id), false, 'it is not open any more');
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 1: 1, 2: 1 });
  assert.deepEqual(attempts, [1, 1, 1, 1]);
  assert.ok((await w.letters()).every(({ state }) => state === 'replayed'));
});

test('a replay asked for while nothing runs is done at the next start', async () => {
  const rig = (await sqliteRig()) as Rig & { store: SqliteStore };
  cleanups.push(() => rig.dispose());
  const w = await world(failing('poison', 99).handler, { rig });
  await rig.append([newEvent('a', 1)]);
  await untilIdle(w);
  await w.runtime.stop();
  const [letter] = await w.letters();
  await rig.store.transact((tx) => tx.log.replay(DEFAULT_TENANT, letter!.id, 'test', rig.clock.now()));
  await rig.restart();
  const v = await world(counting, { rig });
  await untilIdle(v);
  assert.deepEqual(await v.effects(), { 1: 1 });
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
  const rig = (await sqliteRig()) as Rig & { store: SqliteStore };
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
  let refusals = 20;
  let calls = 0;
  const w = await world(
    async (event, context) => {
      calls++;
      assert.equal(context.attempt, 1);
      return counting(event as never, context);
    },
    {
      store: (store) => ({
        ...store,
        transact: (work) =>
          refusals-- > 0
            ? Promise.reject(new TripwatchError('transient', 'store-disk-full', 'full'))
            : store.transact(work),
      }),
    },
  );
  await w.rig.append([newEvent('a', 1), newEvent('b', 2)]);
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 1: 1, 2: 1 });
  assert.deepEqual(await w.letters(), []);
  assert.equal(calls, 22);
});

test('a wake-up that was lost is noticed: an error is logged and the events are fetched anew', async () => {
  let deaf = true;
  const w = await world(counting, {
    broker: (broker) => ({
      register: (spec) => broker.register(spec),
      lag: (name) => broker.lag(name),
      close: () => broker.close(),
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

test('too much waiting is told to intake, and then no more', async () => {
  let waiting = 1_000_000;
  const w = await world(counting, {
    broker: (broker) => ({
      register: (spec) => broker.register(spec),
      close: () => broker.close(),
      fetch: (name, max, signal) => broker.fetch(name, max, signal),
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
      register: (spec) => broker.register(spec),
      close: () => broker.close(),
      fetch: (name, max, signal) => broker.fetch(name, max, signal),
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

test('an event whose work takes the process down is set aside after its attempts', async () => {
  const rig = (await sqliteRig()) as Rig & { store: SqliteStore };
  cleanups.push(() => rig.dispose());
  await rig.append([newEvent('a', 1), newEvent('a', 2)]);
  for (let life = 0; life < 3; life++) {
    await world(() => new Promise(() => {}), { rig, stage: { countsFirst: true } });
    await settle();
    await rig.crash();
    cleanups.pop();
  }
  const w = await world(counting, { rig, stage: { countsFirst: true } });
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 2: 1 });
  assert.equal((await w.letters())[0]?.code, 'attempts-exhausted');
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

test('two runtimes on one file by mistake, failures and replays: every effect happens once', async () => {
  const rig = (await sqliteRig()) as Rig & { store: SqliteStore };
  cleanups.push(() => rig.dispose());
  const random = seededRandom(11);
  let broken = true;
  const shaky: Handler = async (event, context) => {
    const n = Number(event.subject);
    await settle(Math.floor(random.number() * 3));
    if (broken && n % 10 === 3) throw new TripwatchError('poison', 'test-failure', 'not now');
    if (context.attempt === 1 && n % 7 === 1) throw new TripwatchError('transient', 'test-failure', 'not now');
    return counting(event as never, context);
  };
  const first = await world(shaky, { rig });
  await rig.append(Array.from({ length: 150 }, (_, i) => newEvent(`k${i % 8}`, i)));
  await settle(2);
  // The first goes on with its own connection: its clock stands, but its handlers run.
  await rig.crash();
  const second = await world(shaky, { rig });
  await rig.append(Array.from({ length: 150 }, (_, i) => newEvent(`k${i % 8}`, 150 + i)));
  await untilIdle(second);
  broken = false;
  for (const letter of await second.letters())
    await rig.store.transact((tx) => tx.log.replay(DEFAULT_TENANT, letter.id, 'test', rig.clock.now()));
  await untilIdle(second);
  const effects = await second.effects();
  assert.deepEqual(effects, Object.fromEntries(Array.from({ length: 300 }, (_, i) => [i, 1])));
  assert.ok(first.events.length > 0);
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
