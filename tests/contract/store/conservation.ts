import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import type { AnyEvent } from '../../../src/contracts/event.ts';
import type { EndpointId } from '../../../src/domain/ids.ts';
import type { LookOptions, ShardLook, TenantBalance } from '../../../src/ports/store/conservation.ts';
import type { Notification } from '../../../src/ports/store/notifications.ts';
import type { Store } from '../../../src/ports/store.ts';
import { ana, appendOne, mail, newEvent, type OpenStore, origin, other } from './harness.ts';

const NOW = 1_000_000_000_000;
const LIMITS = { now: NOW, eventsMax: 1000, aheadMax: 1000, overdueBefore: NOW - 60_000 };
const CONSUMER = 'count';

/** The one key of all events is in one shard, whichever that is. */
async function placeOf(store: Store) {
  const { db } = await raw(store);
  const row = await db((db) => db.selectFrom('log').select('shard').limit(1).executeTakeFirst());
  return { consumer: CONSUMER, topic: 'notification.sent', shard: Number(row?.shard ?? 0) } as const;
}

/** Rows as a broker writes them, and as faults leave them. */
async function raw(store: Store) {
  const sql = store as SqlStore;
  const db: <T>(work: (db: Parameters<Parameters<SqlStore['transact']>[0]>[0]['db']) => Promise<T>) => Promise<T> = (
    work,
  ) => sql.transact((tx) => work(tx.db));
  const seqOf = async (event: AnyEvent) => (await store.read((tx) => tx.log.get(event.id)))!.seq;
  return {
    db,
    seqOf,
    cursorTo: async (seq: number) => {
      const { consumer, shard, topic } = await placeOf(store);
      await db((db) =>
        db
          .insertInto('consumer_cursor')
          .values({ consumer, shard, topic, seq })
          .onConflict((conflict) => conflict.columns(['consumer', 'shard']).doUpdateSet({ seq }))
          .execute(),
      );
    },
    park: async (event: AnyEvent, nextAt = NOW) => {
      const { consumer, shard, topic } = await placeOf(store);
      const what = { state: 'parked', attempts: 1, first_at: NOW, next_at: nextAt, history: '[]' };
      const seq = await seqOf(event);
      await db((db) =>
        db
          .insertInto('delivery')
          .values({ consumer, shard, topic, seq, key: event.partitionkey, event_id: event.id, ...what })
          .execute(),
      );
    },
    unpark: async (event: AnyEvent) => {
      const seq = await seqOf(event);
      await db((db) => db.deleteFrom('delivery').where('seq', '=', seq).execute());
    },
    deliveries: async () => {
      const rows = await db((db) => db.selectFrom('delivery').select(['event_id', 'state']).orderBy('seq').execute());
      return rows.map(({ event_id, state }) => ({ event_id, state }));
    },
  };
}

const done = (store: Store, ...events: readonly AnyEvent[]) =>
  store.transact(async (tx) => {
    for (const event of events) await tx.log.claim(CONSUMER, event.id, NOW);
  });
async function fail(store: Store, event: AnyEvent): Promise<void> {
  await store.transact(async (tx) => {
    await tx.log.claim(CONSUMER, event.id, NOW);
    await tx.deadLetters.add({
      ...{ id: `dead_${event.id}`, tenant: ana.tenant, consumer: CONSUMER, topic: event.topic, eventId: event.id },
      ...{ key: event.partitionkey, correlation: event.correlationid, provider: undefined, attempts: [] },
      ...{ kind: 'poison', code: 'bad', message: 'no', createdAt: NOW },
    });
  });
}

async function check(store: Store, change: Partial<LookOptions> = {}) {
  const place = await placeOf(store);
  const look = await store.read((tx) => tx.conservation.look(place, { ...LIMITS, ...change }));
  const settled = await store.transact((tx) => tx.conservation.settle(look, NOW));
  return { look, recovered: settled?.recovered.map((one) => one.eventId) };
}
async function balance(store: Store, tenant = ana.tenant): Promise<Partial<TenantBalance>> {
  const [found] = await store.read((tx) => tx.conservation.balances(tenant));
  if (found === undefined) return {};
  const { accepted, done, failed, inProgress } = found;
  return { accepted, done, failed, inProgress };
}

export function conservationContract(open: OpenStore): void {
  test('every event is done, failed visibly, put off or ahead of the cursor, and counted once', async () => {
    const { store, dispose } = await open();
    const events = [];
    for (let i = 0; i < 6; i++) events.push(await appendOne(store, `s${i}`));
    const [a, b, c, d, e] = events as [AnyEvent, AnyEvent, AnyEvent, AnyEvent, AnyEvent, AnyEvent];
    const { cursorTo, park, seqOf } = await raw(store);
    await done(store, a, b);
    await fail(store, c);
    await park(d);
    await cursorTo(await seqOf(d));
    // Ahead of the stored cursor, done already.
    await done(store, e);
    const first = await check(store);
    assert.deepEqual(first.look.lost, []);
    const expected = { accepted: 6, done: 3, failed: 1, inProgress: 2 };
    assert.deepEqual(await balance(store), expected);
    await check(store);
    assert.deepEqual(await balance(store), expected, 'looking again counts nothing twice');
    await dispose();
  });

  test('what was in progress is counted as done once it is, and a replayed dead letter as in progress again', async () => {
    const { store, dispose } = await open();
    const a = await appendOne(store, 'a');
    const b = await appendOne(store, 'b');
    const { cursorTo, park, unpark, seqOf } = await raw(store);
    await park(a);
    await fail(store, b);
    await cursorTo(await seqOf(b));
    await check(store);
    assert.deepEqual(await balance(store), { accepted: 2, done: 0, failed: 1, inProgress: 1 });
    await done(store, a);
    await unpark(a);
    await check(store);
    assert.deepEqual(await balance(store), { accepted: 2, done: 1, failed: 1, inProgress: 0 });
    const decision = { by: 'cli', now: NOW };
    await store.transact((tx) => tx.deadLetters.replay(ana.tenant, `dead_${b.id}`, decision));
    await check(store);
    assert.deepEqual(await balance(store), { accepted: 2, done: 1, failed: 0, inProgress: 1 });
    await check(store);
    assert.deepEqual(await balance(store), { accepted: 2, done: 1, failed: 0, inProgress: 1 });
    await done(store, b);
    await unpark(b);
    await check(store);
    assert.deepEqual(await balance(store), { accepted: 2, done: 2, failed: 0, inProgress: 0 });
    await dispose();
  });

  test('an event behind the cursor with neither mark nor row is lost: found at once, and put back once', async () => {
    const { store, dispose } = await open();
    const a = await appendOne(store, 'a');
    const b = await appendOne(store, 'b');
    const { cursorTo, seqOf, deliveries } = await raw(store);
    await done(store, a);
    // A cursor that was moved too far.
    await cursorTo(await seqOf(b));
    const first = await check(store);
    assert.deepEqual(
      first.look.lost.map((one) => one.eventId),
      [b.id],
    );
    assert.deepEqual(first.recovered, [b.id]);
    assert.deepEqual(await deliveries(), [{ event_id: b.id, state: 'replay' }]);
    const [found] = await store.read((tx) => tx.conservation.balances(ana.tenant));
    assert.equal(found?.lost, 1);
    assert.equal(found?.inProgress, 1, 'it is in progress again');
    const second = await check(store);
    assert.deepEqual(second.recovered, []);
    const [later] = await store.read((tx) => tx.conservation.balances(ana.tenant));
    assert.equal(later?.lost, 0);
    assert.equal(later?.recovered, 1);
    await dispose();
  });

  test('a row that goes away long after the mark has passed its event is missed as well', async () => {
    const { store, dispose } = await open();
    const a = await appendOne(store, 'a');
    const b = await appendOne(store, 'b');
    const { cursorTo, park, unpark, seqOf, deliveries } = await raw(store);
    await park(a);
    await fail(store, b);
    await cursorTo(await seqOf(b));
    await check(store);
    await store.transact((tx) => tx.deadLetters.replay(ana.tenant, `dead_${b.id}`, { by: 'cli', now: NOW }));
    await unpark(a);
    // A replay that is lost before anybody looked.
    await unpark(b);
    await check(store);
    const { recovered } = await check(store);
    assert.deepEqual(recovered, [b.id]);
    assert.deepEqual(
      (await deliveries()).map((row) => row.event_id),
      [a.id, b.id],
    );
    assert.deepEqual(await balance(store), { accepted: 2, done: 0, failed: 0, inProgress: 2 });
    await dispose();
  });

  test('what was done between look and settle is not put back', async () => {
    const { store, dispose } = await open();
    const a = await appendOne(store, 'a');
    const { cursorTo, seqOf, deliveries } = await raw(store);
    await cursorTo(await seqOf(a));
    const place = await placeOf(store);
    const look = await store.read((tx) => tx.conservation.look(place, LIMITS));
    assert.equal(look.lost.length, 1);
    await done(store, a);
    const settled = await store.transact((tx) => tx.conservation.settle(look, NOW));
    assert.deepEqual(settled?.recovered, []);
    assert.deepEqual(await deliveries(), []);
    await check(store);
    assert.deepEqual(await balance(store), { accepted: 1, done: 1, failed: 0, inProgress: 0 });
    await dispose();
  });

  test('of two who looked at the same, one settles', async () => {
    const { store, dispose } = await open();
    const a = await appendOne(store, 'a');
    const { cursorTo, seqOf } = await raw(store);
    await done(store, a);
    await cursorTo(await seqOf(a));
    const place = await placeOf(store);
    const look = await store.read((tx) => tx.conservation.look(place, LIMITS));
    const settle = (one: ShardLook) => store.transact((tx) => tx.conservation.settle(one, NOW));
    assert.notEqual(await settle(look), undefined);
    assert.equal(await settle(look), undefined);
    assert.deepEqual(await balance(store), { accepted: 1, done: 1, failed: 0, inProgress: 0 });
    await dispose();
  });

  test('a long log is gone through in pieces, to the same end; tenants are told apart', async () => {
    const { store, dispose } = await open();
    const events = [];
    for (let i = 0; i < 25; i++)
      events.push(await appendOne(store, `n${i}`, i % 5 === 0 ? { tenant: other.tenant } : {}));
    const { cursorTo, seqOf } = await raw(store);
    await done(store, ...events.slice(0, 20));
    await cursorTo(await seqOf(events[19]!));
    let rounds = 0;
    for (let more = true; more; rounds++) more = (await check(store, { eventsMax: 7 })).look.more;
    assert.equal(rounds, 3);
    assert.deepEqual(await balance(store), { accepted: 20, done: 16, failed: 0, inProgress: 4 });
    assert.deepEqual(await balance(store, other.tenant), { accepted: 5, done: 4, failed: 0, inProgress: 1 });
    assert.equal((await store.read((tx) => tx.conservation.balances())).length, 2);
    const few = await check(store, { aheadMax: 3 });
    assert.equal(few.look.aheadMore, true);
    await dispose();
  });

  test('put off until a time long past is overdue; an event that is gone from the log is no longer accepted', async () => {
    const { store, dispose } = await open();
    const a = await appendOne(store, 'a');
    const b = await appendOne(store, 'b');
    const { cursorTo, park, unpark, seqOf, db } = await raw(store);
    await park(a, NOW - 120_000);
    await park(b, NOW - 30_000);
    await cursorTo(await seqOf(b));
    await check(store);
    const overdue = async () => (await store.read((tx) => tx.conservation.balances(ana.tenant)))[0]?.overdue;
    assert.equal(await overdue(), 1);
    await check(store, { overdueBefore: undefined });
    assert.equal(await overdue(), 0, 'while its stage is paused nothing is');
    await unpark(a);
    await db((db) => db.deleteFrom('log').where('id', '=', a.id).execute());
    const { recovered } = await check(store);
    assert.deepEqual(recovered, []);
    assert.deepEqual(await balance(store), { accepted: 1, done: 0, failed: 0, inProgress: 1 });
    await dispose();
  });

  test('what waits where nobody works', async () => {
    const { store, dispose } = await open();
    const a = await appendOne(store, 'a');
    await appendOne(store, 'b');
    const { park } = await raw(store);
    const place = await placeOf(store);
    const waiting = () => store.read((tx) => tx.conservation.waiting(place, NOW, 100));
    assert.deepEqual(await waiting(), { waiting: 2, oldestAt: Date.parse(a.time) });
    await park(a, NOW - 1);
    await done(store, a);
    assert.equal((await waiting()).waiting, 2);
    await dispose();
  });

  test('pending notifications, active subjects, and mails that nobody would ever decide', async () => {
    const { store, dispose } = await open();
    const readers = [{ consumer: CONSUMER, topic: 'notification.sent' }] as const;
    const notification: Notification = {
      ...{ id: 'ntf_1', tenant: ana.tenant, endpoint: 'whe_1' as EndpointId, eventId: 'evt_1', body: '{}' },
      ...{ state: 'pending', attempts: 0, nextAt: 5, lastStatus: undefined, lastError: undefined, createdAt: 1 },
      ...{ settledAt: undefined, correlation: 'x' },
    };
    await store.transact(async (tx) => {
      await tx.notifications.add(notification);
      await tx.notifications.add({ ...notification, id: 'ntf_2', eventId: 'evt_2', nextAt: 50 });
      await tx.mails.add(mail('stuck'), 10);
      await tx.mails.add(mail('waiting'), 10);
      await tx.mails.add(mail('fresh'), 40);
    });
    const append = (id: string) =>
      store.transact((tx) => tx.append([newEvent(id)], origin(id, { correlation: `mail_${id}` })));
    const [first] = await append('stuck');
    await append('waiting');
    await done(store, first!);
    assert.deepEqual(await store.read((tx) => tx.conservation.notifications(30)), [
      { tenant: ana.tenant, pending: 2, overdue: 1 },
    ]);
    assert.deepEqual(await store.read((tx) => tx.conservation.stuckMails(readers, 30, 10)), [
      { tenant: ana.tenant, mail: 'mail_stuck', disposition: 'seen' },
    ]);
    assert.deepEqual(await store.read((tx) => tx.conservation.subjects()), []);
    await dispose();
  });
}
