import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../tests/contract/broker/manual-clock.ts';
import {
  cleanups,
  countEffect,
  counting,
  failing,
  stage,
  untilIdle,
  world,
} from '../../tests/contract/broker/one-stage.ts';
import { newEvent, type Rig, seededRandom, sqliteRig } from '../../tests/contract/broker/rig.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { TripwatchError } from '../domain/errors.ts';
import { DEFAULT_TENANT, type EventId } from '../domain/ids.ts';
import type { Handler } from '../ports/handler.ts';
import type { DeadLetter } from '../ports/store/dead-letters.ts';

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
    const [event] = await w.rig.append([newEvent('a', 1)]);
    await untilIdle(w);
    const [mark] = await w.rig.store.read((tx) => tx.log.processedBy(event as EventId));
    if (expected.effect === 1 && kind === 'transient') {
      assert.deepEqual(
        mark?.failed.map((one) => one.code),
        Array.from({ length: times }, () => 'test-failure'),
        'its story tells the attempts that failed',
      );
    }
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

test('a damaged row in the log becomes a dead letter, and the events after it are worked on', async () => {
  const w = await world(counting);
  await w.runtime.stop();
  await w.rig.append([newEvent('a', 1), newEvent('a', 2)]);
  await w.rig.store.transact(({ db }) =>
    db.updateTable('log').set({ body: '{"cut' }).where('subject', '=', '1').execute(),
  );
  await w.rig.restart();
  const v = await world(counting, { rig: w.rig });
  await untilIdle(v);
  assert.deepEqual(await v.effects(), { 2: 1 });
  assert.equal((await v.letters())[0]?.code, 'event-invalid');
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
    w.rig.store.transact((tx) => tx.deadLetters.replay(DEFAULT_TENANT, id, { by: 'test', now: w.rig.clock.now() }));
  const [letter] = await w.letters();
  // Still broken: it dies again, as a letter of its own.
  await w.rig.clock.advance(1);
  assert.equal(await replay(letter!.id), 'done');
  await untilIdle(w);
  assert.deepEqual((await w.letters()).map(({ state }) => state).sort(), ['open', 'replayed']);
  broken = false;
  const open = (await w.letters()).find(({ state }) => state === 'open')!;
  assert.equal(await replay(open.id), 'done');
  assert.equal(await replay(open.id), 'not-open', 'it is not open any more');
  await untilIdle(w);
  assert.deepEqual(await w.effects(), { 1: 1, 2: 1 });
  assert.deepEqual(attempts, [1, 1, 1, 1]);
  assert.ok((await w.letters()).every(({ state }) => state === 'replayed'));
});

test('a replay asked for while nothing runs is done at the next start', async () => {
  const rig = (await sqliteRig()) as Rig & { store: SqlStore };
  cleanups.push(() => rig.dispose());
  const w = await world(failing('poison', 99).handler, { rig });
  await rig.append([newEvent('a', 1)]);
  await untilIdle(w);
  await w.runtime.stop();
  const [letter] = await w.letters();
  await rig.store.transact((tx) =>
    tx.deadLetters.replay(DEFAULT_TENANT, letter!.id, { by: 'test', now: rig.clock.now() }),
  );
  await rig.restart();
  const v = await world(counting, { rig });
  await untilIdle(v);
  assert.deepEqual(await v.effects(), { 1: 1 });
});

test('an event whose work takes the process down is set aside after its attempts', async () => {
  const rig = (await sqliteRig()) as Rig & { store: SqlStore };
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

test('two runtimes on one file by mistake, failures and replays: every effect happens once', async () => {
  const rig = (await sqliteRig()) as Rig & { store: SqlStore };
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
    await rig.store.transact((tx) =>
      tx.deadLetters.replay(DEFAULT_TENANT, letter.id, { by: 'test', now: rig.clock.now() }),
    );
  await untilIdle(second);
  const effects = await second.effects();
  assert.deepEqual(effects, Object.fromEntries(Array.from({ length: 300 }, (_, i) => [i, 1])));
  assert.ok(first.events.length > 0);
});
