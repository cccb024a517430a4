/** Dead letters worked with by their commands, while stages run: on time that stands until it is moved. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import type { Caller } from '../../src/api/auth.ts';
import { type BulkOptions, discardDeadLetters, replayDeadLetters } from '../../src/api/commands/dead-letter-bulk.ts';
import { editDeadLetter } from '../../src/api/commands/dead-letter-edit.ts';
import { replayDeadLetter } from '../../src/api/commands/dead-letters.ts';
import type { CommandDeps } from '../../src/api/deps.ts';
import { configSchema } from '../../src/contracts/config.ts';
import type { AnyEvent } from '../../src/contracts/event.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT, type TenantId } from '../../src/domain/ids.ts';
import { ack, type Handler, type StageSpec } from '../../src/ports/handler.ts';
import type { DeadLetter, DeadLetterFilter } from '../../src/ports/store/dead-letters.ts';
import type { Store } from '../../src/ports/store.ts';
import { createRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { newEvent, type Rig, seededRandom, silent, sqliteRig } from '../contract/broker/rig.ts';

const STAGE: Omit<StageSpec, 'name'> = {
  reads: 'notification.sent',
  key: 'traveller',
  writes: [],
  does: 'notes what it sees',
  concurrency: 8,
  deadlineMs: 10_000,
  retry: { attemptsMax: 3, firstDelayMs: 100, factor: 2, delayMsMax: 1000, ageMsMax: 100_000 },
};
const CALLER: Caller = { tenant: DEFAULT_TENANT, traveller: undefined, scopes: ['operate'], ref: 'tok_ada' };

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface World {
  readonly rig: Rig & { readonly store: SqlStore };
  readonly runtime: Runtime;
  readonly deps: CommandDeps;
  /** Effects in the order of their commits: `stage subject attempts-in-data`. */
  readonly effects: string[];
  /** What the handlers throw, by subject. */
  readonly broken: Map<string, string>;
  letters(filter?: DeadLetterFilter): Promise<readonly DeadLetter[]>;
  idle(): Promise<void>;
  /** Runs a command while time goes on. */
  meanwhile<T>(work: Promise<T>): Promise<T>;
}

async function world(): Promise<World> {
  const rig = (await sqliteRig()) as World['rig'];
  cleanups.push(() => rig.dispose());
  const effects: string[] = [];
  const broken = new Map<string, string>();
  const handler =
    (stage: string): Handler =>
    async (event) => {
      const { subject, data } = event as AnyEvent & { data: { attempts: number } };
      const fault = broken.get(`${stage} ${subject}`) ?? broken.get(String(subject));
      if (fault !== undefined && data.attempts < 1000) throw new TripwatchError('poison', fault, `broken: ${fault}`);
      return ack(async () => {
        effects.push(`${stage} ${subject} ${data.attempts}`);
        return [];
      });
    };
  const runtime = createRuntime({
    store: rig.store,
    broker: rig.broker,
    clock: rig.clock,
    random: seededRandom(3),
    logger: silent,
    stages: [
      { ...STAGE, name: 'one' },
      { ...STAGE, name: 'two' },
    ],
    handlers: { one: handler('one'), two: handler('two') },
  });
  await runtime.start();
  cleanups.push(async () => {
    const stopped = runtime.stop();
    await rig.clock.advance(1000);
    await stopped;
  });
  const meanwhile = async <T>(work: Promise<T>): Promise<T> => {
    let ended = false;
    const end = () => {
      ended = true;
    };
    work.then(end, end);
    for (let spent = 0; !ended; spent += 50) {
      assert.ok(spent < 3_600_000, 'it never ended');
      await rig.clock.advance(50);
    }
    return work;
  };
  return {
    rig,
    runtime,
    effects,
    broken,
    meanwhile,
    deps: {
      store: rig.store,
      clock: rig.clock,
      random: seededRandom(4),
      secrets: undefined as never,
      config: configSchema.parse({ providers: [] }),
      stages: ['one', 'two'],
    },
    letters: async (filter = {}) =>
      (await rig.store.read((tx) => tx.deadLetters.inOrder(DEFAULT_TENANT, filter, { limit: 1000 }))).letters,
    idle: () => meanwhile(runtime.idle()),
  };
}

/** Events 1…n of key `k`, all of which fail in stage `one` alone. */
async function failed(w: World, n: number, code = 'bad-data', keys = 1): Promise<readonly DeadLetter[]> {
  for (let i = 1; i <= n; i++) w.broken.set(`one ${i}`, code);
  await w.rig.append(Array.from({ length: n }, (_, i) => newEvent(`k${i % keys}`, i + 1)));
  await w.idle();
  const letters = await w.letters({ state: 'open' });
  assert.equal(letters.length, n);
  w.effects.length = 0;
  return letters;
}

const eventOf = async (w: World, letter: DeadLetter) =>
  structuredClone((await w.rig.store.read((tx) => tx.log.get(letter.eventId)))!.event) as unknown as Record<
    string,
    unknown
  > & { data: Record<string, unknown> };
const audit = async (w: World) =>
  (await w.rig.store.read((tx) => tx.audit.list(DEFAULT_TENANT, { limit: 100 }))).entries.toReversed();
const bulk = (change: Partial<BulkOptions> = {}): BulkOptions => ({
  dryRun: false,
  limit: 1000,
  ratePerSecond: 20,
  failuresMax: 10,
  signal: new AbortController().signal,
  ...change,
});

test('an edited event is a new one, caused by the old one, for that stage alone, once', async () => {
  const w = await world();
  const [letter, other] = await failed(w, 2);
  const event = await eventOf(w, letter!);
  event.data.attempts = 4000;
  const edited = await w.meanwhile(editDeadLetter(w.deps, CALLER, letter!.id, event, 'number was cut off'));
  await w.idle();
  assert.deepEqual(w.effects, ['one 1 4000'], 'stage two has done the old one and never hears of this');
  const { event: made } = (await w.rig.store.read((tx) => tx.log.get(edited.event)))!;
  assert.notEqual(made.id, letter!.eventId);
  const { causationid, correlationid, partitionkey, recipient, topic, tenantid, subject } = made;
  assert.deepEqual(
    { causationid, correlationid, partitionkey, recipient, topic, tenantid, subject },
    {
      causationid: letter!.eventId,
      correlationid: letter!.correlation,
      partitionkey: 'k0',
      recipient: 'one',
      topic: 'notification.sent',
      tenantid: DEFAULT_TENANT,
      subject: '1',
    },
  );
  assert.equal((await eventOf(w, letter!)).data.attempts, 1, 'not rewritten');
  const { state, editedEvent, decidedBy, decision } = edited.letter;
  assert.deepEqual(
    { state, editedEvent, decidedBy, decision },
    { state: 'replayed', editedEvent: edited.event, decidedBy: 'tok_ada', decision: 'number was cut off' },
  );
  // For conservation every reader of the topic has a mark, also the one that it was not for.
  const marks = await w.rig.store.read((tx) => tx.log.processedBy(edited.event));
  assert.deepEqual(marks.map((one) => one.consumer).sort(), ['one', 'two']);

  await assert.rejects(editDeadLetter(w.deps, CALLER, letter!.id, event), { code: 'conflict', message: /tok_ada/ });
  await assert.rejects(replayDeadLetter(w.deps, CALLER, letter!.id), { code: 'conflict' });
  const [entry] = await audit(w);
  assert.deepEqual([entry!.action, entry!.target, entry!.by], ['dead-letter.edit', letter!.id, 'tok_ada']);
  assert.deepEqual(entry!.details.changed, ['attempts']);
  assert.doesNotMatch(JSON.stringify(entry), /4000/, 'values stay out of the audit trail');
  assert.equal((await w.letters({ state: 'open' }))[0]?.id, other!.id);
});

test('two operators edit and replay one letter at once: one is told that the other was first', async () => {
  const w = await world();
  const [letter] = await failed(w, 1);
  const edits = await Promise.all(
    [5000, 6000].map(async (attempts) => {
      const event = await eventOf(w, letter!);
      event.data.attempts = attempts;
      return event;
    }),
  );
  w.broken.clear();
  const results = await w.meanwhile(
    Promise.allSettled([
      editDeadLetter(w.deps, CALLER, letter!.id, edits[0]!),
      replayDeadLetter(w.deps, CALLER, letter!.id),
      editDeadLetter(w.deps, CALLER, letter!.id, edits[1]!),
    ]),
  );
  assert.equal(results.filter((one) => one.status === 'fulfilled').length, 1);
  for (const one of results) if (one.status === 'rejected') assert.equal(one.reason.code, 'conflict');
  await w.idle();
  assert.equal(w.effects.length, 1);
  assert.equal((await audit(w)).length, 1, 'what was refused is not on record as done');
});

test('an edited event that fails again is a letter of its own, and can be replayed and edited in turn', async () => {
  const w = await world();
  const [letter] = await failed(w, 1);
  const event = await eventOf(w, letter!);
  event.data.attempts = 2;
  const { event: second } = await editDeadLetter(w.deps, CALLER, letter!.id, event);
  await w.idle();
  const [again] = await w.letters({ state: 'open' });
  assert.equal(again!.eventId, second);
  await w.meanwhile(replayDeadLetter(w.deps, CALLER, again!.id));
  await w.idle();
  const [third] = await w.letters({ state: 'open' });
  const next = await eventOf(w, third!);
  assert.equal(next.recipient, 'one');
  next.data.attempts = 7000;
  await editDeadLetter(w.deps, CALLER, third!.id, next);
  await w.idle();
  assert.deepEqual(w.effects, ['one 1 7000']);
  assert.deepEqual(await w.letters({ state: 'open' }), []);
});

test('an edit must be the same event of the same owner, with data that fits: every fault is named', async () => {
  const w = await world();
  const [letter] = await failed(w, 1);
  const refused = async (change: (event: Record<string, unknown> & { data: Record<string, unknown> }) => void) => {
    const event = await eventOf(w, letter!);
    change(event);
    const error = await editDeadLetter(w.deps, CALLER, letter!.id, event).then(
      () => assert.fail('it was taken'),
      (fault) => fault,
    );
    assert.equal(error.code, 'body-invalid');
    return [error.message, ...error.errors.map((one: { path: string }) => one.path)];
  };
  for (const field of [
    'id',
    'topic',
    'tenantid',
    'partitionkey',
    'correlationid',
    'subject',
    'time',
    'source',
    'extra',
  ]) {
    const [message, ...paths] = await refused((event) => {
      event[field] = 'other';
    });
    assert.deepEqual(paths, [field]);
    assert.match(message, new RegExp(`${field}: must stay .*; got "other"`));
  }
  assert.deepEqual((await refused((event) => delete event.tenantid)).slice(1), ['tenantid']);
  const several = await refused((event) => {
    event.data.attempts = 'many';
    delete event.data.state;
  });
  assert.deepEqual(several.slice(1).sort(), ['data.attempts', 'data.state']);
  assert.deepEqual((await refused((event) => (event.data.atempts = 3))).slice(1), ['data.atempts']);
  assert.match((await refused(() => {}))[0], /nothing is changed/);
  assert.deepEqual((await refused((event) => (event.data.attempts = { tenant: 'tnt_two' }))).slice(1), [
    'data.attempts',
  ]);
  const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
  assert.match((await refused((event) => (event.data.reason = deep)))[0], /nested more than/);
  assert.equal((await w.letters({ state: 'open' })).length, 1);
  assert.deepEqual(await audit(w), []);
});

test('an edit cannot hand an event to another tenant or traveller', async () => {
  const w = await world();
  const { store } = w.rig;
  const observation = {
    id: 'obs_1',
    tenant: DEFAULT_TENANT,
    traveller: 'trv_ada',
    source: { kind: 'mail', ref: 'mail_1', label: 'mail' },
    authority: 'mail',
    assertedAt: '2026-12-01T00:00:00Z',
    observedAt: '2026-12-01T00:00:00Z',
    bookingKeys: [],
    facts: {},
    legs: [],
  };
  const [event] = await store.transact((tx) =>
    tx.append(
      [
        {
          topic: 'observation.recorded',
          tenant: DEFAULT_TENANT,
          traveller: 'trv_ada',
          key: 'trv_ada',
          subject: 'obs_1',
          data: { observation } as never,
        },
      ],
      { source: 'test', seed: 'x' },
    ),
  );
  await store.transact((tx) =>
    tx.deadLetters.add({
      id: 'dead_x',
      tenant: DEFAULT_TENANT,
      consumer: 'reconcile',
      topic: 'observation.recorded',
      eventId: event!.id,
      key: 'trv_ada',
      correlation: event!.correlationid,
      provider: undefined,
      attempts: [],
      kind: 'poison',
      code: 'x',
      message: 'x',
      createdAt: w.rig.clock.now(),
    }),
  );
  for (const change of [{ tenant: 'tnt_two' }, { traveller: 'trv_ben' }]) {
    const edited = { ...event!, data: { observation: { ...observation, ...change } } };
    const [name] = Object.keys(change);
    await assert.rejects(editDeadLetter(w.deps, CALLER, 'dead_x', edited), {
      code: 'body-invalid',
      message: new RegExp(`data\\.observation\\.${name}: an edit cannot hand the event to another owner`),
    });
  }
  const fine = { ...event!, data: { observation: { ...observation, bookingKeys: ['ref:X'] } } };
  assert.equal((await editDeadLetter(w.deps, CALLER, 'dead_x', fine)).letter.state, 'replayed');
});

test('many are replayed in the order of their keys, at the rate asked for, each once', async () => {
  const w = await world();
  await failed(w, 40, 'bad-data', 4);
  w.broken.clear();
  const before = w.rig.clock.now();
  const would = await replayDeadLetters(w.deps, CALLER, { stage: 'one' }, bulk({ dryRun: true }));
  assert.equal(would.matched, 40);
  assert.equal(would.summary?.groups[0]?.count, 40);
  assert.equal((await w.letters({ state: 'open' })).length, 40, 'a dry run does nothing');
  assert.deepEqual(await audit(w), []);
  const result = await w.meanwhile(replayDeadLetters(w.deps, CALLER, { stage: 'one' }, bulk({ reason: 'mended' })));
  assert.equal(result.done, 40);
  assert.equal(result.next, undefined);
  const took = w.rig.clock.now() - before;
  assert.ok(took >= 1950 && took < 3000, `${took} ms for 40 letters at 20 a second`);
  await w.idle();
  for (const key of [0, 1, 2, 3]) {
    const ofKey = w.effects.map((one) => Number(one.split(' ')[1])).filter((n) => (n - 1) % 4 === key);
    assert.deepEqual(
      ofKey,
      ofKey.toSorted((a, b) => a - b),
      'in the order of the log',
    );
    assert.equal(ofKey.length, 10);
  }
  const letters = await w.letters();
  assert.ok(letters.every((one) => one.decidedBy === 'tok_ada' && one.decision === `bulk ${result.run}: mended`));
  const [begin, end] = await audit(w);
  assert.deepEqual([begin!.action, begin!.target, begin!.id], ['dead-letter.bulk-replay', 'stage=one', result.run]);
  assert.equal(begin!.details.matched, 40);
  assert.deepEqual([end!.action, end!.target], ['dead-letter.bulk-replay-end', result.run]);
  assert.deepEqual(end!.details, { done: 40, skipped: 0, failedAgain: {} });
});

test('a mass replay of poison ends by itself, and never takes up what it has just failed again', async () => {
  const w = await world();
  await failed(w, 100);
  const result = await w.meanwhile(replayDeadLetters(w.deps, CALLER, {}, bulk({ failuresMax: 10 })));
  assert.match(result.stopped ?? '', /\d+ replays in a row failed again with bad-data: mend the cause first/);
  assert.ok(result.done >= 10 && result.done <= 45, `${result.done} were tried`);
  assert.ok((result.failedAgain['bad-data'] ?? 0) >= 10);
  await w.idle();
  assert.equal((await w.letters({ state: 'open' })).length, 100, 'as many as before: nothing is lost');
  // Without that bound each is tried once, and the new letters are left for another run.
  const all = await w.meanwhile(replayDeadLetters(w.deps, CALLER, {}, bulk({ failuresMax: 0, ratePerSecond: 1000 })));
  assert.equal(all.done, 100);
  await w.idle();
  assert.equal((await w.letters({ state: 'open' })).length, 100);
  assert.equal((await w.letters({ state: 'replayed' })).length, 100 + result.done);
});

test('a replay that works ends the row of failures', async () => {
  const w = await world();
  await failed(w, 60);
  for (let i = 1; i <= 60; i += 5) w.broken.delete(`one ${i}`);
  const result = await w.meanwhile(replayDeadLetters(w.deps, CALLER, {}, bulk({ failuresMax: 10 })));
  assert.equal(result.stopped, undefined);
  assert.equal(result.done, 60);
});

test('page by page by a caller that asks again; what is called off stays open', async () => {
  const w = await world();
  await failed(w, 25);
  w.broken.clear();
  const first = await w.meanwhile(replayDeadLetters(w.deps, CALLER, {}, bulk({ limit: 10 })));
  assert.deepEqual([first.done, first.matched, first.stopped], [10, 25, undefined]);
  const second = await w.meanwhile(replayDeadLetters(w.deps, CALLER, {}, bulk({ limit: 10, after: first.next })));
  assert.deepEqual([second.done, second.matched], [10, 15]);
  const controller = new AbortController();
  const cut = replayDeadLetters(w.deps, CALLER, {}, bulk({ after: second.next, signal: controller.signal }));
  await w.rig.clock.advance(120);
  controller.abort();
  const third = await w.meanwhile(cut);
  assert.equal(third.stopped, 'called off');
  assert.ok(third.done < 5);
  const rest = await w.meanwhile(replayDeadLetters(w.deps, CALLER, {}, bulk({ after: third.next })));
  assert.equal(third.done + rest.done, 5);
  assert.equal(rest.next, undefined);
  await w.idle();
  assert.equal(w.effects.length, 25);
  assert.equal(new Set(w.effects).size, 25);
  await assert.rejects(replayDeadLetters(w.deps, CALLER, {}, bulk({ after: 'nonsense' })), { code: 'query-invalid' });
});

test('two operators replay the same letters at once: each is delivered once, and both are told what they did', async () => {
  const w = await world();
  await failed(w, 30);
  w.broken.clear();
  const options = bulk({ ratePerSecond: 1000 });
  const ben = { ...CALLER, ref: 'tok_ben' };
  const [one, two] = await w.meanwhile(
    Promise.all([replayDeadLetters(w.deps, CALLER, {}, options), replayDeadLetters(w.deps, ben, {}, options)]),
  );
  assert.equal(one.done + two.done, 30);
  assert.ok([...one.skipped, ...two.skipped].every((skipped) => skipped.why === 'somebody else decided on it'));
  await w.idle();
  assert.equal(new Set(w.effects).size, 30);
  assert.equal(w.effects.length, 30);
});

test('the store fails in the middle: what is done is on record, the rest is open, the next run takes it', async () => {
  const w = await world();
  await failed(w, 12);
  w.broken.clear();
  let calls = 0;
  const shaky: Store = {
    ...w.rig.store,
    transact: (work, options) => {
      if (++calls === 6) return Promise.reject(new TripwatchError('transient', 'store-busy', 'busy'));
      return w.rig.store.transact(work, options);
    },
  };
  const run = replayDeadLetters({ ...w.deps, store: shaky }, CALLER, {}, bulk({ ratePerSecond: 1000 }));
  await assert.rejects(w.meanwhile(run), { code: 'store-busy' });
  assert.equal((await w.letters({ state: 'open' })).length, 8);
  assert.equal((await audit(w)).at(-1)?.details.done, 4);
  assert.equal((await w.meanwhile(replayDeadLetters(w.deps, CALLER, {}, bulk()))).done, 8);
  await w.idle();
  assert.equal(new Set(w.effects).size, 12);
});

test('discarded by query: with the reason on every letter, and nothing delivered', async () => {
  const w = await world();
  await failed(w, 7);
  const result = await w.meanwhile(
    discardDeadLetters(w.deps, CALLER, { code: 'bad-*' }, { ...bulk(), reason: 'test data' }),
  );
  assert.equal(result.done, 7);
  await w.idle();
  assert.deepEqual(w.effects, []);
  const letters = await w.letters({ state: 'discarded' });
  assert.equal(letters.length, 7);
  assert.ok(letters.every((one) => one.decision === `bulk ${result.run}: test data`));
  assert.equal((await w.meanwhile(replayDeadLetters(w.deps, CALLER, {}, bulk()))).matched, 0);
});

test('letters of another tenant are not there: not to replay, not to edit, not in bulk', async () => {
  const w = await world();
  const [letter] = await failed(w, 1);
  const stranger: Caller = { ...CALLER, tenant: 'tnt_other' as TenantId };
  const event = await eventOf(w, letter!);
  await assert.rejects(replayDeadLetter(w.deps, stranger, letter!.id), { code: 'not-found' });
  await assert.rejects(editDeadLetter(w.deps, stranger, letter!.id, event), { code: 'not-found' });
  assert.equal((await w.meanwhile(replayDeadLetters(w.deps, stranger, {}, bulk()))).matched, 0);
  assert.equal((await w.letters({ state: 'open' })).length, 1);
});

test('replayed while its delivery is still out: the effect happens once', async () => {
  const w = await world();
  w.broken.set('one 1', 'bad-data');
  await w.rig.append([newEvent('k', 1), newEvent('k', 2)]);
  // Set aside, but not acked yet: the broker is told in the next turn of the loop.
  let letter: DeadLetter | undefined;
  for (let i = 0; letter === undefined && i < 1000; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    [letter] = await w.letters({ state: 'open' });
  }
  w.broken.clear();
  await w.meanwhile(replayDeadLetter(w.deps, CALLER, letter!.id));
  await w.idle();
  assert.deepEqual(w.effects.toSorted(), ['one 1 1', 'one 2 2', 'two 1 1', 'two 2 2']);
});

test('damaged in the log: shown as unreadable; a whole event of the same identity can take its place', async () => {
  const w = await world();
  const [letter] = await failed(w, 1);
  const event = await eventOf(w, letter!);
  await w.rig.store.transact(({ db }) =>
    db.updateTable('log').set({ body: '{"cut' }).where('id', '=', letter!.eventId).execute(),
  );
  event.data.attempts = 8000;
  await assert.rejects(editDeadLetter(w.deps, CALLER, letter!.id, { ...event, partitionkey: 'k7' }), {
    code: 'body-invalid',
  });
  await editDeadLetter(w.deps, CALLER, letter!.id, event);
  await w.idle();
  assert.deepEqual(w.effects, ['one 1 8000']);
});
