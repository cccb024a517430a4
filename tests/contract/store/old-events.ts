import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from '../../../src/adapters/store/sql/schema.ts';
import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import type { AnyEvent } from '../../../src/contracts/event.ts';
import type { Store } from '../../../src/ports/store.ts';
import { ana, appendOne, ben, type OpenStore, other } from './harness.ts';

const READERS = ['one', 'two'];
const LATER = Date.UTC(2030, 0, 1);
const NOW = 1_000_000_000_000;

/** Six events of one key, done by both readers, whose cursors and books are beyond them. */
async function sixDone(store: Store) {
  const events: AnyEvent[] = [];
  for (let i = 0; i < 6; i++) events.push(await appendOne(store, `s${i}`));
  const db = <T>(work: (db: Db) => Promise<T>): Promise<T> => (store as SqlStore).transact((tx) => work(tx.db));
  const rows = await db((db) => db.selectFrom('log').select(['seq', 'shard']).orderBy('seq').execute());
  const seqs = rows.map(({ seq }) => Number(seq));
  const place = { topic: 'notification.sent', shard: Number(rows[0]!.shard), readers: READERS } as const;
  const { topic, shard } = place;
  const cursor = (consumer: string, seq: number) =>
    db((db) =>
      db
        .insertInto('consumer_cursor')
        .values({ consumer, shard, topic, seq })
        .onConflict((conflict) => conflict.columns(['consumer', 'shard']).doUpdateSet({ seq }))
        .execute(),
    );
  const audited = (consumer: string, seq: number) =>
    db((db) =>
      db
        .insertInto('audited')
        .values({ consumer, shard, seq, turn: 0, checked_at: NOW })
        .onConflict((conflict) => conflict.columns(['consumer', 'shard']).doUpdateSet({ seq }))
        .execute(),
    );
  for (const consumer of READERS) {
    await cursor(consumer, seqs.at(-1)!);
    await audited(consumer, seqs.at(-1)!);
    await store.transact(async (tx) => {
      for (const event of events) await tx.log.claim(consumer, event.id, NOW);
    });
  }
  const due = (before = LATER, after = 0, limit = 100) =>
    store.read((tx) => tx.oldEvents.due(place, { before, after, limit }));
  return {
    ...{ db, events, seqs, place, cursor, audited, due },
    cut: async () => {
      const { seqs } = await due();
      return store.transact((tx) => tx.oldEvents.cut(place, seqs));
    },
    /** By their places in the six. */
    left: async () => {
      const found = [];
      for (const [at, event] of events.entries())
        if ((await store.read((tx) => tx.log.get(event.id))) !== undefined) found.push(at);
      return found;
    },
  };
}

export function oldEventsContract(open: OpenStore): void {
  test('what each reader has done goes, in pages; its marks stay, so a repeat of it is still none', async () => {
    const { store, dispose } = await open();
    const { seqs, due, cut, left, events } = await sixDone(store);
    assert.deepEqual(await due(0), { seqs: [], next: undefined }, 'nothing is older than the beginning of time');
    assert.deepEqual(await due(LATER, 0, 4), { seqs: seqs.slice(0, 4), next: seqs[3] });
    assert.deepEqual(await due(LATER, seqs[3], 4), { seqs: seqs.slice(4), next: undefined });
    assert.equal(await cut(), 6);
    assert.deepEqual(await left(), []);
    for (const { id } of events)
      assert.equal(await store.transact((tx) => tx.log.claim('one', id, NOW)), false, 'done before, for ever');
    const again = await appendOne(store, 's0');
    assert.equal(again.id, events[0]!.id);
    const { seq } = (await store.read((tx) => tx.log.get(again.id)))!;
    assert.ok(seq > seqs.at(-1)!, 'a number is never given twice');
    await dispose();
  });

  test('what is not done, put off, set aside and open, or not settled in the books stays', async () => {
    const { store, dispose } = await open();
    const { db, events, seqs, place, cut, left } = await sixDone(store);
    const { topic, shard } = place;
    const [, unmarked, parked, dead, open1] = events as [AnyEvent, AnyEvent, AnyEvent, AnyEvent, AnyEvent];
    await db((db) =>
      db.deleteFrom('processed').where('event_id', '=', unmarked.id).where('consumer', '=', 'two').execute(),
    );
    const row = { state: 'replay', attempts: 0, first_at: NOW, next_at: NOW, history: '[]' };
    await db((db) =>
      db
        .insertInto('delivery')
        .values({ consumer: 'one', shard, topic, seq: seqs[2]!, key: 'k', event_id: parked.id, ...row })
        .execute(),
    );
    await store.transact((tx) =>
      tx.deadLetters.add({
        ...{ id: 'dead_1', tenant: ana.tenant, consumer: 'one', topic, eventId: dead.id, key: 'k' },
        ...{ correlation: dead.correlationid, provider: undefined, attempts: [] },
        ...{ kind: 'poison', code: 'bad', message: 'no', createdAt: NOW },
      }),
    );
    await db((db) =>
      db
        .insertInto('unsettled')
        .values({ consumer: 'two', shard, seq: seqs[4]!, event_id: open1.id, tenant: ana.tenant })
        .execute(),
    );
    assert.equal(await cut(), 2);
    assert.deepEqual(await left(), [1, 2, 3, 4]);
    const decision = { by: 'cli', now: NOW, reason: 'hopeless' };
    assert.equal(await store.transact((tx) => tx.deadLetters.discard(ana.tenant, 'dead_1', decision)), true);
    assert.equal(await cut(), 1);
    assert.deepEqual(await left(), [1, 2, 4]);
    await dispose();
  });

  test('a dead letter that was replayed after its event was looked at keeps it', async () => {
    const { store, dispose } = await open();
    const { events, due, place, left } = await sixDone(store);
    const { seqs } = await due();
    const first = events[0]!;
    await store.transact(async (tx) => {
      await tx.deadLetters.add({
        ...{ id: 'dead_1', tenant: ana.tenant, consumer: 'one', topic: place.topic, eventId: first.id, key: 'k' },
        ...{ correlation: first.correlationid, provider: undefined, attempts: [] },
        ...{ kind: 'poison', code: 'bad', message: 'no', createdAt: NOW },
      });
    });
    const replay = () => store.transact((tx) => tx.deadLetters.replay(ana.tenant, 'dead_1', { by: 'cli', now: NOW }));
    assert.equal(await replay(), 'done');
    assert.equal(await store.transact((tx) => tx.oldEvents.cut(place, seqs)), 5);
    assert.deepEqual(await left(), [0]);
    await dispose();
  });

  test('nobody is overtaken: a slow consumer, one unknown here, the books, a relay, a reader that never began', async () => {
    const { store, dispose } = await open();
    const { db, seqs, due, place, cursor, audited } = await sixDone(store);
    const looks = async () => (await due()).seqs.length;
    await cursor('one', seqs[3]!);
    assert.equal(await looks(), 4);
    await cursor('of another version', seqs[2]!);
    assert.equal(await looks(), 3);
    await audited('two', seqs[1]!);
    assert.equal(await looks(), 2);
    const relay = { relay: 0, seq: seqs[5]!, stream_seq: 9, audited_seq: seqs[0]!, audited_stream_seq: 9, epoch: 'e' };
    await db((db) => db.insertInto('relay').values(relay).execute());
    assert.equal(await looks(), 1);
    // What was looked at before the relay was set back is not cut after it.
    assert.equal(await store.transact((tx) => tx.oldEvents.cut(place, seqs)), 1);
    const never = { ...place, readers: [...READERS, 'three'] };
    const options = { before: LATER, after: 0, limit: 100 };
    assert.deepEqual((await store.read((tx) => tx.oldEvents.due(never, options))).seqs, []);
    await dispose();
  });

  test('the change stream loses its oldest, but never the newest of a tenant', async () => {
    const { store, dispose } = await open();
    const publish = async (seed: string, who: typeof ana) => {
      const event = await appendOne(store, seed, { tenant: who.tenant, traveller: who.traveller });
      await store.transact((tx) => tx.itineraries.appendFeed(who.tenant, who.traveller, event));
    };
    for (const seed of ['1', '2', '3']) await publish(seed, ana);
    await publish('4', other);
    await publish('5', ben);
    const feed = (tenant = ana.tenant) => store.read((tx) => tx.itineraries.feed(tenant, 0, 100));
    const all = [...(await feed()), ...(await feed(other.tenant))].map(({ seq }) => seq).sort((a, b) => a - b);
    const due = (before: number, after = 0, limit = 100) =>
      store.read((tx) => tx.oldEvents.dueFeed({ before, after, limit }));
    assert.deepEqual(await due(0), { seqs: [], next: undefined });
    assert.deepEqual(await due(LATER, 0, 2), { seqs: all.slice(0, 2), next: all[1] });
    const { seqs } = await due(LATER);
    assert.deepEqual(seqs, all);
    assert.equal(await store.transact((tx) => tx.oldEvents.cutFeed(seqs)), 3);
    assert.deepEqual(
      (await feed()).map(({ seq }) => seq),
      [all[4]],
    );
    assert.equal((await feed(other.tenant)).length, 1);
    assert.deepEqual(await store.read((tx) => tx.itineraries.feedBounds(ana.tenant)), { first: all[4], last: all[4] });
    await dispose();
  });
}
