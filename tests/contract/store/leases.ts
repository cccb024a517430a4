import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Worker } from '../../../src/ports/store/leases.ts';
import { appendOne, type OpenStore, type StoreUnderTest } from './harness.ts';

const worker = (id: string): Worker => ({ id, groups: ['extract'], label: id, startedAt: 1, load: { extract: 3 } });
const TTL_MS = 60_000;

/** Who works on what. */
export function leasesContract(open: OpenStore): void {
  const contract = (title: string, body: (under: StoreUnderTest) => Promise<void>) =>
    test(title, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.dispose();
      }
    });

  contract('one takes what is free, another does not get it, and each take gives a higher token', async ({ store }) => {
    const take = (owner: string, others?: 'ignore') =>
      store.transact((tx) => tx.leases.take(owner, ['extract/1', 'extract/0'], TTL_MS, others));
    const first = await take('a');
    assert.deepEqual(
      first.map(({ resource, token }) => [resource, token]),
      [
        ['extract/0', 1],
        ['extract/1', 1],
      ],
    );
    assert.deepEqual(await take('b'), []);
    // Its own, after a restart: at once, and what its earlier life still writes is refused.
    assert.deepEqual(
      (await take('a')).map(({ token }) => token),
      [2, 2],
    );
    assert.deepEqual(
      (await take('b', 'ignore')).map(({ owner, token }) => [owner, token]),
      [
        ['b', 3],
        ['b', 3],
      ],
    );
  });

  contract('what is given back or has run out is free; the tokens go on', async ({ store }) => {
    const [lease] = await store.transact((tx) => tx.leases.take('a', ['x'], TTL_MS));
    await store.transact((tx) =>
      tx.leases.release([
        { ...lease!, token: 99 },
        { ...lease!, owner: 'b' },
      ]),
    );
    assert.deepEqual(await store.transact((tx) => tx.leases.take('b', ['x'], TTL_MS)), [], 'only its own is released');
    await store.transact((tx) => tx.leases.release([lease!]));
    const [next] = await store.transact((tx) => tx.leases.take('b', ['x'], 0));
    assert.equal(next?.token, 2);
    const [last] = await store.transact((tx) => tx.leases.take('c', ['x'], TTL_MS));
    assert.deepEqual([last?.owner, last?.token], ['c', 3]);
  });

  contract('a beat prolongs what is still its own, and tells what is', async ({ store }) => {
    const [x, y] = await store.transact((tx) => tx.leases.take('a', ['x', 'y'], 0));
    const [stolen] = await store.transact((tx) => tx.leases.take('b', ['y'], TTL_MS));
    assert.equal(stolen?.token, 2);
    const mine = await store.transact((tx) => tx.leases.beat(worker('a'), [x!, y!], TTL_MS));
    assert.deepEqual(mine, [x]);
    assert.deepEqual(await store.transact((tx) => tx.leases.take('b', ['x'], TTL_MS)), [], 'it was prolonged in time');
    const { leases, workers } = await store.read((tx) => tx.leases.survey());
    assert.deepEqual(
      leases.map(({ resource, owner, leftMs }) => [resource, owner, leftMs > TTL_MS - 10_000]),
      [
        ['x', 'a', true],
        ['y', 'b', true],
      ],
    );
    assert.deepEqual(
      workers.map(({ seenAgoMs, ...rest }) => [rest, seenAgoMs < 10_000]),
      [[worker('a'), true]],
    );
    await store.transact((tx) => tx.leases.forget('a'));
    assert.deepEqual((await store.read((tx) => tx.leases.survey())).workers, []);
  });

  contract('a write under a lease that another has taken is refused as a whole', async ({ store }) => {
    const [old] = await store.transact((tx) => tx.leases.take('a', ['x'], 0));
    const write = (id: string) => store.transact((tx) => tx.accounts.ensureTenant(id as never, id, 1), { fence: old });
    await write('tnt_before');
    const [now] = await store.transact((tx) => tx.leases.take('b', ['x'], TTL_MS));
    await assert.rejects(write('tnt_after'), { kind: 'stale', code: 'lease-lost' });
    const event = await appendOne(store, 'one');
    const mark = { consumer: 'extract', eventId: event.id, now: 1 };
    await assert.rejects(
      store.effect(mark, async () => 1, { fence: old }),
      { code: 'lease-lost' },
    );
    assert.deepEqual(await store.effect(mark, async () => 2, { fence: now }), { repeat: false, value: 2 });
    assert.deepEqual(await store.effect(mark, async () => 3, { fence: now }), { repeat: true });
  });

  contract('an effect that fails leaves no mark, and those beside it are done', async ({ store }) => {
    const events = await Promise.all(['a', 'b', 'c'].map((seed) => appendOne(store, seed)));
    const run = (fails: boolean) =>
      Promise.allSettled(
        events.map((event, i) =>
          store.effect({ consumer: 'extract', eventId: event.id, now: 1 }, async () => {
            if (fails && i === 1) throw new Error('no');
            return i;
          }),
        ),
      );
    const first = await run(true);
    assert.deepEqual(
      first.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    const again = await run(false);
    assert.deepEqual(
      again.map((one) => one.status === 'fulfilled' && one.value.repeat),
      [true, false, true],
    );
  });

  contract('the same effect many times at once happens once', async ({ store }) => {
    const event = await appendOne(store, 'a');
    let ran = 0;
    const all = await Promise.all(
      Array.from({ length: 40 }, () =>
        store.effect({ consumer: 'extract', eventId: event.id, now: 1 }, async (tx) => {
          await tx.accounts.ensureTenant(`tnt_${ran}` as never, 'x', 1);
          return ++ran;
        }),
      ),
    );
    assert.equal(all.filter((one) => !one.repeat).length, 1);
  });

  contract('what was touched since is found, and who is woken', async ({ store }) => {
    const spec = { id: 's', label: 'S', query: {}, fromAt: 0, startAt: 1, endAt: 2 };
    await store.transact((tx) => tx.subjects.put('sub_a' as never, 'flights', spec));
    const before = await store.read((tx) => tx.subjects.touchedSince('flights', 0));
    assert.deepEqual(
      before.subjects.map(({ id, wake }) => [id, wake]),
      [['sub_a', undefined]],
    );
    await store.transact((tx) => tx.subjects.wake(['sub_a', 'sub_none'] as never, 'doubt'));
    const after = await store.read((tx) => tx.subjects.touchedSince('flights', before.now));
    assert.ok(after.subjects[0]!.wake!.at >= before.now);
    assert.deepEqual((await store.read((tx) => tx.subjects.touchedSince('hotels', 0))).subjects, []);
    assert.deepEqual((await store.read((tx) => tx.subjects.touchedSince('flights', after.now + 60_000))).subjects, []);
  });
}
