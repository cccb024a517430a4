import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyEvent } from '../../../src/contracts/event.ts';
import type { AuditEntry } from '../../../src/ports/store/audit.ts';
import type { DeadLetter, DeadLetterFilter, NewDeadLetter } from '../../../src/ports/store/dead-letters.ts';
import type { Store } from '../../../src/ports/store.ts';
import { ana, appendOne, eventId, type OpenStore, other } from './harness.ts';

type Name = `dead_${string}`;

function letter(
  id: Name,
  event: Pick<AnyEvent, 'id' | 'partitionkey'>,
  change: Partial<NewDeadLetter> = {},
): NewDeadLetter {
  return {
    id,
    tenant: ana.tenant,
    consumer: 'extract',
    topic: 'notification.sent',
    eventId: event.id,
    key: event.partitionkey,
    correlation: 'mail_1',
    provider: undefined,
    attempts: [{ at: 1, kind: 'poison', code: 'bad', message: 'no' }],
    kind: 'poison',
    code: 'bad',
    message: 'no',
    createdAt: 5,
    ...change,
  };
}

const opened = (made: NewDeadLetter): DeadLetter => ({
  ...made,
  state: 'open',
  decidedAt: undefined,
  decidedBy: undefined,
  decision: undefined,
  editedEvent: undefined,
});

const add = (store: Store, ...letters: readonly NewDeadLetter[]) =>
  store.transact(async (tx) => {
    for (const one of letters) {
      await tx.log.claim(one.consumer, one.eventId, one.createdAt);
      await tx.deadLetters.add(one);
    }
  });
const get = (store: Store, id: Name) => store.read((tx) => tx.deadLetters.get(ana.tenant, id));

export function deadLettersContract(open: OpenStore): void {
  test('a letter is kept as it was set aside, for its tenant', async () => {
    const { store, dispose } = await open();
    const event = await appendOne(store, 'x');
    const made = letter('dead_1', event, { provider: 'adb' });
    await add(store, made);
    await add(store, { ...made, code: 'changed' });
    assert.deepEqual(await get(store, 'dead_1'), opened(made), 'a repeat of an open one changes nothing');
    assert.equal(await store.read((tx) => tx.deadLetters.get(other.tenant, 'dead_1')), undefined);
    assert.equal(await get(store, 'dead_2'), undefined);
    await dispose();
  });

  test('replay delivers it again and takes the mark away; what is decided stays so', async () => {
    const { store, dispose } = await open();
    const event = await appendOne(store, 'x');
    await add(
      store,
      letter('dead_1', event),
      letter('dead_2', event, { consumer: 'project' }),
      letter('dead_3', { id: eventId('nowhere'), partitionkey: 'k' }),
    );
    const replay = (id: Name, tenant = ana.tenant) =>
      store.transact((tx) => tx.deadLetters.replay(tenant, id, { by: 'tok_1', now: 50, reason: 'mended' }));
    const discard = (id: Name) =>
      store.transact((tx) => tx.deadLetters.discard(ana.tenant, id, { by: 'tok_2', now: 51, reason: 'old' }));
    assert.equal(await replay('dead_1', other.tenant), 'unknown');
    assert.equal(await replay('dead_3'), 'event-gone');
    assert.equal((await get(store, 'dead_3'))?.state, 'open');
    assert.equal(await replay('dead_1'), 'done');
    assert.equal(await replay('dead_1'), 'not-open');
    assert.equal(await discard('dead_1'), false);
    assert.equal(await discard('dead_2'), true);
    assert.equal(await discard('dead_2'), false);
    assert.equal(await replay('dead_2'), 'not-open');
    await store.read(async ({ log }) => {
      assert.deepEqual(await log.parked(event.id), [{ consumer: 'extract', nextAt: 50, attempts: [] }]);
      assert.deepEqual(
        (await log.processedBy(event.id)).map((one) => one.consumer),
        ['project'],
      );
    });
    const { state, decidedAt, decidedBy, decision } = (await get(store, 'dead_1'))!;
    assert.deepEqual(
      { state, decidedAt, decidedBy, decision },
      {
        state: 'replayed',
        decidedAt: 50,
        decidedBy: 'tok_1',
        decision: 'mended',
      },
    );
    const gone = (await get(store, 'dead_2'))!;
    assert.deepEqual([gone.state, gone.decidedBy, gone.decision], ['discarded', 'tok_2', 'old']);
    await dispose();
  });

  test('of many who decide on one letter at once, one does', async () => {
    const { store, dispose } = await open();
    const event = await appendOne(store, 'x');
    await add(store, letter('dead_1', event));
    const at = (n: number) => ({ by: `tok_${n}`, now: 50 + n, reason: 'race' });
    const results = await Promise.all([
      ...[1, 2, 3].map((n) => store.transact((tx) => tx.deadLetters.replay(ana.tenant, 'dead_1', at(n)))),
      ...[4, 5].map((n) => store.transact((tx) => tx.deadLetters.discard(ana.tenant, 'dead_1', at(n)))),
      ...[6, 7].map((n) => store.transact((tx) => tx.deadLetters.replace(ana.tenant, 'dead_1', eventId('e'), at(n)))),
    ]);
    assert.equal(results.filter((one) => one === 'done' || one === true).length, 1, String(results));
    const winner = results.findIndex((one) => one === 'done' || one === true) + 1;
    assert.equal((await get(store, 'dead_1'))?.decidedBy, `tok_${winner}`);
    await dispose();
  });

  test('an edited event takes the place of the old one, which stays set aside', async () => {
    const { store, dispose } = await open();
    const event = await appendOne(store, 'x');
    await add(store, letter('dead_1', event));
    const replace = () =>
      store.transact((tx) => tx.deadLetters.replace(ana.tenant, 'dead_1', eventId('new'), { by: 'cli', now: 9 }));
    assert.equal(await replace(), true);
    assert.equal(await replace(), false);
    const closed = (await get(store, 'dead_1'))!;
    assert.deepEqual([closed.state, closed.editedEvent, closed.decision], ['replayed', eventId('new'), undefined]);
    await store.read(async ({ log }) => {
      assert.deepEqual(await log.parked(event.id), []);
      assert.equal((await log.processedBy(event.id)).length, 1, 'it must not run again');
    });
    await dispose();
  });

  test('set aside, replayed and set aside again within one millisecond: open again, not lost', async () => {
    const { store, dispose } = await open();
    const event = await appendOne(store, 'x');
    await add(store, letter('dead_1', event));
    await store.transact((tx) => tx.deadLetters.replay(ana.tenant, 'dead_1', { by: 'cli', now: 5 }));
    await add(store, letter('dead_1', event, { code: 'worse' }));
    assert.deepEqual(await get(store, 'dead_1'), opened(letter('dead_1', event, { code: 'worse' })));
    const outcome = await store.read((tx) =>
      tx.deadLetters.outcomes(ana.tenant, [{ id: 'dead_1', consumer: 'extract', eventId: event.id, since: 5 }]),
    );
    assert.deepEqual(outcome, [{ state: 'dead', code: 'worse' }]);
    await dispose();
  });

  test('one query for lists, counts and groups', async () => {
    const { store, dispose } = await open();
    const [one, two, three] = [await appendOne(store, '1'), await appendOne(store, '2'), await appendOne(store, '3')];
    await add(
      store,
      letter('dead_a', one),
      letter('dead_b', two, { code: 'provider-timeout', kind: 'transient', provider: 'adb', createdAt: 6 }),
      letter('dead_c', three, { consumer: 'fan-out', code: 'provider-failed', provider: 'duffel', createdAt: 7 }),
      letter('dead_d', one, {
        consumer: 'fan-out',
        code: 'provider-failed',
        key: 'k9',
        correlation: 'sub_1',
        createdAt: 8,
      }),
      letter('dead_e', two, { consumer: 'track', topic: 'reservation.changed', createdAt: 8 }),
      letter('dead_f', two, { tenant: other.tenant, consumer: 'project', code: 'provider-x', provider: 'foreign' }),
    );
    await store.transact((tx) => tx.deadLetters.discard(ana.tenant, 'dead_e', { by: 'cli', now: 9, reason: 'old' }));
    const expected: readonly (readonly [DeadLetterFilter, string])[] = [
      [{}, 'edcba'],
      [{ state: 'open' }, 'dcba'],
      [{ state: 'discarded' }, 'e'],
      [{ consumer: 'fan-out' }, 'dc'],
      [{ code: 'provider-failed' }, 'dc'],
      [{ code: 'provider' }, ''],
      [{ codePrefix: 'provider-' }, 'dcb'],
      [{ codePrefix: 'bad' }, 'ea'],
      [{ kind: 'transient' }, 'b'],
      [{ provider: 'adb' }, 'b'],
      [{ provider: 'foreign' }, ''],
      [{ topic: 'reservation.changed' }, 'e'],
      [{ key: 'k9' }, 'd'],
      [{ correlation: 'sub_1' }, 'd'],
      [{ eventId: two.id }, 'eb'],
      [{ from: 7 }, 'edc'],
      [{ to: 7 }, 'ba'],
      [{ from: 6, to: 7 }, 'b'],
      [{ state: 'open', codePrefix: 'provider-', from: 7 }, 'dc'],
    ];
    await store.read(async ({ deadLetters }) => {
      for (const [filter, ids] of expected) {
        const told = JSON.stringify(filter);
        const { letters } = await deadLetters.list(ana.tenant, filter, { limit: 10 });
        assert.equal(letters.map((found) => found.id.slice(-1)).join(''), ids, told);
        assert.equal(await deadLetters.count(ana.tenant, filter), ids.length, told);
        const groups = await deadLetters.groups(ana.tenant, filter, 10);
        assert.equal(
          groups.reduce((sum, group) => sum + group.count, 0),
          ids.length,
          told,
        );
      }
      const groups = await deadLetters.groups(ana.tenant, { state: 'open' }, 10);
      assert.deepEqual(
        groups.map(({ consumer, code, count, oldestAt, newestAt, example }) => [
          consumer,
          code,
          count,
          oldestAt,
          newestAt,
          example.id,
        ]),
        [
          ['fan-out', 'provider-failed', 2, 7, 8, 'dead_d'],
          ['extract', 'bad', 1, 5, 5, 'dead_a'],
          ['extract', 'provider-timeout', 1, 6, 6, 'dead_b'],
        ],
      );
      assert.equal((await deadLetters.groups(ana.tenant, {}, 2)).length, 2);
      const known = await deadLetters.known(ana.tenant);
      assert.deepEqual(known.codes.toSorted(), ['bad', 'provider-failed', 'provider-timeout']);
      assert.deepEqual(known.providers.toSorted(), ['adb', 'duffel']);
      assert.equal((await deadLetters.list(other.tenant, {}, { limit: 10 })).letters.length, 1);
    });
    await dispose();
  });

  test('pages stay where they are while letters come', async () => {
    const { store, dispose } = await open();
    const events = [];
    for (let i = 0; i < 7; i++) events.push(await appendOne(store, String(i)));
    // Three of them in the same millisecond.
    for (const [i, event] of events.entries())
      await add(store, letter(`dead_${i}`, event, { createdAt: Math.min(i, 4) }));
    const page = (before?: string) =>
      store.read((tx) =>
        tx.deadLetters.list(ana.tenant, {}, { limit: 3, ...(before === undefined ? {} : { before }) }),
      );
    const first = await page();
    await add(store, letter('dead_new', await appendOne(store, 'new'), { createdAt: 100 }));
    const second = await page(first.nextBefore);
    const third = await page(second.nextBefore);
    const ids = [first, second, third].map(({ letters }) => letters.map((one) => one.id.slice(5)).join(''));
    assert.deepEqual(ids, ['654', '321', '0']);
    assert.equal(third.nextBefore, undefined);
    assert.equal((await page('nonsense')).letters[0]?.id, 'dead_new', 'what is no cursor begins at the newest');
    await dispose();
  });

  test('for working off they come in the order of the log, whenever they were set aside', async () => {
    const { store, dispose } = await open();
    const events = [];
    for (let i = 0; i < 5; i++) events.push(await appendOne(store, String(i)));
    for (const [i, event] of [...events.entries()].reverse())
      await add(store, letter(`dead_${i}`, event, { createdAt: 10 - i }));
    await add(store, letter('dead_x', events[1]!, { consumer: 'project', createdAt: 1 }));
    const page = (after?: string) =>
      store.read((tx) =>
        tx.deadLetters.inOrder(ana.tenant, { state: 'open' }, { limit: 4, ...(after === undefined ? {} : { after }) }),
      );
    const first = await page();
    const second = await page(first.nextAfter);
    assert.deepEqual(
      [...first.letters, ...second.letters].map((one) => one.id),
      ['dead_0', 'dead_1', 'dead_x', 'dead_2', 'dead_3', 'dead_4'],
    );
    assert.equal(second.nextAfter, undefined);
    await dispose();
  });

  test('what became of replays', async () => {
    const { store, dispose } = await open();
    const events = [await appendOne(store, '0'), await appendOne(store, '1'), await appendOne(store, '2')];
    for (const [i, event] of events.entries()) {
      await add(store, letter(`dead_${i}`, event));
      await store.transact((tx) => tx.deadLetters.replay(ana.tenant, `dead_${i}`, { by: 'cli', now: 20 }));
    }
    await store.transact((tx) => tx.log.claim('extract', events[0]!.id, 30));
    await add(store, letter('dead_again', events[1]!, { code: 'worse', createdAt: 30 }));
    const asked = events.map((event, i) => ({
      id: `dead_${i}` as const,
      consumer: 'extract',
      eventId: event.id,
      since: 20,
    }));
    assert.deepEqual(await store.read((tx) => tx.deadLetters.outcomes(ana.tenant, asked)), [
      { state: 'done' },
      { state: 'dead', code: 'worse' },
      { state: 'under-way' },
    ]);
    assert.deepEqual(await store.read((tx) => tx.deadLetters.outcomes(ana.tenant, [])), []);
    await dispose();
  });
}

export function auditContract(open: OpenStore): void {
  const entry = (n: number, change: Partial<AuditEntry> = {}): AuditEntry => ({
    id: `aud_${n}`,
    tenant: ana.tenant,
    at: n,
    by: 'tok_1',
    action: 'dead-letter.replay',
    target: `dead_${n}`,
    details: { stage: 'extract', n },
    ...change,
  });

  test('entries are added with what they belong to, or not at all, and never change', async () => {
    const { store, dispose } = await open();
    await store.transact((tx) => tx.audit.add(entry(1)));
    await store.transact((tx) => tx.audit.add(entry(1, { by: 'tok_evil', details: {} })));
    const undone = store.transact(async (tx) => {
      await tx.audit.add(entry(2));
      throw new Error('undone');
    });
    await assert.rejects(undone, /undone/);
    const { entries } = await store.read((tx) => tx.audit.list(ana.tenant, { limit: 10 }));
    assert.deepEqual(entries, [entry(1)]);
    await dispose();
  });

  test('newest first, by action, target, person and time, in pages, within the tenant', async () => {
    const { store, dispose } = await open();
    await store.transact(async ({ audit }) => {
      for (const n of [1, 2, 3, 4]) await audit.add(entry(n));
      await audit.add(entry(5, { action: 'dead-letter.discard', by: 'cli:ada', at: 4 }));
      await audit.add(entry(6, { action: 'dead-letters-of-others', at: 7 }));
      await audit.add(entry(7, { action: 'stage.pause', target: 'extract', at: 8 }));
      await audit.add(entry(8, { tenant: other.tenant }));
    });
    const ids = async (query: object) =>
      (await store.read((tx) => tx.audit.list(ana.tenant, { limit: 10, ...query }))).entries
        .map((one) => one.id.slice(4))
        .join('');
    assert.equal(await ids({}), '7654321');
    assert.equal(await ids({ action: 'dead-letter' }), '54321');
    assert.equal(await ids({ action: 'dead-letter.replay' }), '4321');
    assert.equal(await ids({ target: 'extract' }), '7');
    assert.equal(await ids({ by: 'cli:ada' }), '5');
    assert.equal(await ids({ from: 4 }), '7654');
    const page = (before?: string) => store.read((tx) => tx.audit.list(ana.tenant, { limit: 3, before }));
    const first = await page();
    const second = await page(first.nextBefore);
    const third = await page(second.nextBefore);
    const seen = [first, second, third].flatMap(({ entries }) => entries.map((one) => one.id.slice(4)));
    assert.equal(seen.join(''), '7654321');
    assert.equal(third.nextBefore, undefined);
    await dispose();
  });
}
