import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointId, ReservationId } from '../../../src/domain/ids.ts';
import type { ItineraryItem } from '../../../src/ports/store/itineraries.ts';
import type { Notification } from '../../../src/ports/store/notifications.ts';
import { ana, appendOne, ben, eventId, hook, newEvent, type OpenStore, origin, other } from './harness.ts';

export function logContract(open: OpenStore): void {
  test('a claim succeeds once for each consumer', async () => {
    const { store, dispose } = await open();
    const failed = [{ at: 1, kind: 'transient', code: 'store-busy', message: 'busy' }];
    const claim = (consumer: string, now: number) =>
      store.transact((tx) => tx.log.claim(consumer, eventId('1'), now, consumer === 'b' ? failed : []));
    const together = await Promise.all([claim('a', 1), claim('a', 2), claim('b', 3), claim('a', 4)]);
    assert.deepEqual(together, [true, false, true, false]);
    assert.equal(await claim('a', 5), false);
    assert.deepEqual(await store.read((tx) => tx.log.processedBy(eventId('1'))), [
      { consumer: 'a', at: 1, failed: [] },
      { consumer: 'b', at: 3, failed },
    ]);
    assert.deepEqual(await store.read((tx) => tx.log.processedBy(eventId('2'))), []);
    await dispose();
  });

  test('a claim that is rolled back was none', async () => {
    const { store, dispose } = await open();
    const first = store.transact(async (tx) => {
      await tx.log.claim('a', eventId('1'), 1);
      throw new Error('later');
    });
    const second = store.transact((tx) => tx.log.claim('a', eventId('1'), 2));
    await assert.rejects(first, /later/);
    assert.equal(await second, true);
    await dispose();
  });

  test('the story of one mail is found in order, within its tenant', async () => {
    const { store, dispose } = await open();
    const root = await appendOne(store, 'root');
    await store.transact((tx) => tx.append([newEvent('s1'), newEvent('s2')], { ...origin('child'), cause: root }));
    await store.transact((tx) =>
      tx.append([newEvent('s1', { tenant: other.tenant })], { ...origin('o'), cause: root }),
    );
    const story = await store.read((tx) => tx.log.byCorrelation(ana.tenant, root.correlationid, 10));
    assert.deepEqual(
      story.map((entry) => entry.event.subject),
      ['thing-root', 's1', 's2'],
    );
    assert.deepEqual(
      story.map((entry) => entry.seq),
      story.map((entry) => entry.seq).toSorted((a, b) => a - b),
    );
    assert.equal((await store.read((tx) => tx.log.byCorrelation(ana.tenant, root.correlationid, 2))).length, 2);
    assert.equal((await store.read((tx) => tx.log.bySubject(ana.tenant, 's1', 10))).length, 1);
    assert.deepEqual((await store.read((tx) => tx.log.get(root.id)))?.event, root);
    assert.equal(await store.read((tx) => tx.log.get(eventId('none'))), undefined);
    await dispose();
  });
}

function item(name: string, version: number, change: Partial<ItineraryItem> = {}): ItineraryItem {
  return {
    ...ana,
    reservation: `rsv_${name}` as ReservationId,
    version,
    startsAt: 100,
    endsAt: 200,
    cancelled: false,
    removed: false,
    updatedAt: version,
    ...change,
  };
}

export function itinerariesContract(open: OpenStore): void {
  test('the newest version stays, whatever the order', async () => {
    const { store, dispose } = await open();
    const put = (value: ItineraryItem) => store.transact((tx) => tx.itineraries.put(value));
    const list = () => store.read((tx) => tx.itineraries.list(ana.tenant, {}));
    assert.deepEqual(await put(item('a', 2, { cancelled: true })), { newest: true });
    assert.deepEqual(await put(item('a', 1)), { newest: false });
    assert.deepEqual(await list(), [item('a', 2, { cancelled: true })]);
    assert.deepEqual(await put(item('a', 3, { startsAt: undefined, endsAt: undefined })), { newest: true });
    assert.deepEqual(await list(), [item('a', 3, { startsAt: undefined, endsAt: undefined })]);
    await store.transact((tx) => tx.itineraries.remove(other.tenant, 'rsv_a'));
    assert.equal((await list()).length, 1);
    await store.transact((tx) => tx.itineraries.remove(ana.tenant, 'rsv_a'));
    assert.deepEqual(await list(), []);
    assert.deepEqual(await put(item('a', 3)), { newest: false });
    assert.deepEqual(await list(), []);
    assert.deepEqual(await put(item('a', 4)), { newest: true });
    assert.equal((await list()).length, 1);
    await dispose();
  });

  test('a window shows what touches it, and what has no time', async () => {
    const { store, dispose } = await open();
    await store.transact(async ({ itineraries }) => {
      await itineraries.put(item('early', 1, { startsAt: 10, endsAt: 20 }));
      await itineraries.put(item('across', 1, { startsAt: 10, endsAt: 150 }));
      await itineraries.put(item('late', 1, { startsAt: 300, endsAt: undefined }));
      await itineraries.put(item('unknown', 1, { startsAt: undefined, endsAt: undefined }));
      await itineraries.put(item('ben', 1, { ...ben }));
      await itineraries.put(item('other', 1, { ...other }));
    });
    const list = async (query: object) =>
      (await store.read((tx) => tx.itineraries.list(ana.tenant, { traveller: ana.traveller, ...query }))).map((one) =>
        one.reservation.slice(4),
      );
    assert.deepEqual(await list({}), ['across', 'early', 'late', 'unknown']);
    assert.deepEqual(await list({ fromAt: 100, toAt: 200 }), ['across', 'unknown']);
    assert.deepEqual(await list({ fromAt: 300 }), ['late', 'unknown']);
    assert.deepEqual(await list({ toAt: 11, limit: 1 }), ['across']);
    await dispose();
  });

  test('the change stream has one line an event, and a cursor that only grows', async () => {
    const { store, dispose } = await open();
    const events = await store.transact((tx) =>
      tx.append(
        Array.from({ length: 6 }, (_, n) => newEvent(`s${n}`)),
        origin('feed'),
      ),
    );
    assert.deepEqual(await store.read((tx) => tx.itineraries.feedBounds(ana.tenant)), { first: 0, last: 0 });
    await store.transact(async ({ itineraries }) => {
      for (const [n, event] of events.entries()) {
        const owner = n === 2 ? other : n === 3 ? ben : ana;
        await itineraries.appendFeed(owner.tenant, owner.traveller, event);
        await itineraries.appendFeed(owner.tenant, owner.traveller, event);
      }
    });
    const feed = (after: number, limit: number, traveller?: typeof ana.traveller) =>
      store.read((tx) => tx.itineraries.feed(ana.tenant, after, limit, traveller));
    const all = await feed(0, 100);
    assert.deepEqual(
      all.map((line) => line.event.subject),
      ['s0', 's1', 's3', 's4', 's5'],
    );
    assert.deepEqual(all[0]?.event, events[0]);
    assert.deepEqual(await feed(all[1]!.seq, 2), all.slice(2, 4));
    assert.equal((await feed(0, 100, ana.traveller)).length, 4);
    const back = (query: { before?: number; limit: number; traveller?: typeof ana.traveller }) =>
      store.read((tx) => tx.itineraries.feedBack(ana.tenant, query));
    assert.deepEqual(await back({ limit: 2 }), all.slice(-2).reverse());
    assert.deepEqual(await back({ limit: 9, before: all[2]!.seq }), all.slice(0, 2).reverse());
    assert.equal((await back({ limit: 9, traveller: ana.traveller })).length, 4);
    assert.deepEqual(await store.read((tx) => tx.itineraries.feedBounds(ana.tenant)), {
      first: all[0]!.seq,
      last: all.at(-1)!.seq,
    });
    await dispose();
  });

  test('a reader of the feed that comes back is told when what it has seen is not what is here', async () => {
    const { store, dispose } = await open();
    let name = 0;
    const publish = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const event = await appendOne(store, `f${name++}`);
        await store.transact((tx) => tx.itineraries.appendFeed(ana.tenant, ana.traveller, event));
      }
    };
    const begin = (epoch: string) => store.transact((tx) => tx.itineraries.beginEpoch(epoch, 1));
    const resume = (cursor?: string) => store.read((tx) => tx.itineraries.resume(ana.tenant, cursor));
    const items = () => store.read((tx) => tx.itineraries.feed(ana.tenant, 0, 100));
    const cursors = async () => (await items()).map(({ cursor }) => cursor);

    assert.deepEqual(await resume(), { after: 0, reset: false, last: '0' });
    await publish(2);
    const [first, second] = (await items()).map(({ seq }) => seq) as [number, number];
    assert.deepEqual(await cursors(), [`${first}`, `${second}`], 'from before there were epochs');
    await begin('aaa');
    // An epoch in which no number was given leaves nothing behind: it may be that of a life that was lost.
    await begin('bbb');
    await publish(2);
    await begin('ccc');
    await publish(2);
    const [, , third, fourth, fifth, sixth] = (await items()).map(({ seq }) => seq) as number[];
    assert.deepEqual((await cursors()).slice(2), [`${third}.bbb`, `${fourth}.bbb`, `${fifth}.ccc`, `${sixth}.ccc`]);
    assert.deepEqual(
      (await store.read((tx) => tx.itineraries.feedBack(ana.tenant, { limit: 3 }))).map(({ cursor }) => cursor),
      [`${sixth}.ccc`, `${fifth}.ccc`, `${fourth}.bbb`],
    );

    const last = `${sixth}.ccc`;
    const on = (after: number | undefined) => ({ after, reset: false, last });
    const reset = { after: sixth, reset: true, last };
    assert.deepEqual(await resume(), on(sixth), 'without a cursor at the end');
    assert.deepEqual(await resume('0'), on(0), 'all that is kept');
    for (const cursor of await cursors())
      assert.deepEqual(await resume(cursor), on(Number.parseInt(cursor, 10)), cursor);
    assert.deepEqual(await resume(`${fourth}`), on(fourth), 'a bare number is taken as it is');
    assert.deepEqual(await resume(`${third}.zzz`), reset, 'a life that this store knows nothing of');
    assert.deepEqual(await resume(`${third}.aaa`), reset, 'one in which nothing was given here');
    assert.deepEqual(await resume(`${fifth}.bbb`), reset, 'one that went on elsewhere, after what is here was copied');
    assert.deepEqual(await resume(`${sixth! + 1}.ccc`), reset, 'ahead of what there is');
    await store.transact((tx) => tx.oldEvents.cutFeed([first, second, third!]));
    assert.deepEqual(await resume(`${first}`), reset, 'behind what is kept');
    assert.deepEqual(await resume(`${third}.bbb`), on(third), 'just before what is kept: nothing was missed');
    await dispose();
  });
}

function notification(name: string, change: Partial<Notification> = {}): Notification {
  return {
    id: `ntf_${name}`,
    tenant: ana.tenant,
    endpoint: hook,
    eventId: eventId(name),
    body: '{"a":1}',
    state: 'pending',
    attempts: 0,
    nextAt: 10,
    lastStatus: undefined,
    lastError: undefined,
    createdAt: 1,
    settledAt: undefined,
    correlation: 'c',
    ...change,
  };
}

export function notificationsContract(open: OpenStore): void {
  test('an event goes to an endpoint once', async () => {
    const { store, dispose } = await open();
    const add = (value: Notification) => store.transact((tx) => tx.notifications.add(value));
    assert.deepEqual(await add(notification('a')), { new: true });
    assert.deepEqual(await add(notification('again', { eventId: eventId('a') })), { new: false });
    assert.deepEqual(await add(notification('b', { eventId: eventId('a'), endpoint: 'whe_2' })), { new: true });
    await dispose();
  });

  test('due ones come oldest first, a slow endpoint cannot crowd out the others', async () => {
    const { store, dispose } = await open();
    assert.equal(await store.read((tx) => tx.notifications.nextDueAt()), undefined);
    await store.transact(async ({ notifications }) => {
      for (let n = 0; n < 9; n++) await notifications.add(notification(`s${n}`, { nextAt: n + 1 }));
      await notifications.add(notification('quick', { endpoint: 'whe_2' as EndpointId, nextAt: 50 }));
      await notifications.add(notification('later', { endpoint: 'whe_2' as EndpointId, nextAt: 101 }));
    });
    const due = async (now: number, limit: number, per: number) =>
      (await store.read((tx) => tx.notifications.due(now, limit, per))).map((one) => one.id.slice(4));
    assert.deepEqual(await due(100, 10, 2), ['s0', 's1', 'quick']);
    assert.deepEqual(await due(100, 2, 9), ['s0', 's1']);
    assert.deepEqual(await due(0, 10, 2), []);
    assert.equal(await store.read((tx) => tx.notifications.nextDueAt()), 1);
    await dispose();
  });

  test('attempts are counted until it is sent or dead', async () => {
    const { store, dispose } = await open();
    await store.transact(async ({ notifications }) => {
      await notifications.add(notification('a'));
      await notifications.recordAttempt('ntf_a', { state: 'pending', nextAt: 20, status: 503, error: 'busy', at: 11 });
      await notifications.recordAttempt('ntf_a', { state: 'sent', nextAt: 20, status: 204, at: 21 });
      await notifications.add(notification('b', { createdAt: 2 }));
    });
    const list = (query: object, tenant = ana.tenant) =>
      store.read((tx) => tx.notifications.list(tenant, { limit: 10, ...query }));
    assert.deepEqual(await list({ state: 'sent' }), [
      notification('a', { state: 'sent', attempts: 2, nextAt: 20, lastStatus: 204, settledAt: 21 }),
    ]);
    assert.deepEqual(
      (await list({})).map((one) => one.id),
      ['ntf_b', 'ntf_a'],
    );
    assert.equal((await list({ eventId: eventId('b') })).length, 1);
    assert.equal((await list({ endpoint: 'whe_2' })).length, 0);
    assert.equal((await list({}, other.tenant)).length, 0);
    assert.deepEqual(await store.read((tx) => tx.notifications.due(1000, 9, 9)), [notification('b', { createdAt: 2 })]);
    await dispose();
  });
}
