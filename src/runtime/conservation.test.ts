import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cleanups,
  counting,
  failing,
  stage,
  untilIdle,
  type World,
  world,
} from '../../tests/contract/broker/one-stage.ts';
import { newEvent, type Rig, silent, sqliteRig } from '../../tests/contract/broker/rig.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { DEFAULT_TENANT, type TenantId } from '../domain/ids.ts';
import { CONSERVATION_MS, UNATTENDED_MS } from '../domain/limits.ts';
import { ack } from '../ports/handler.ts';
import type { Lease } from '../ports/store/leases.ts';
import { Conservation } from './conservation.ts';

type StoreRig = Rig & { readonly store: SqlStore };

const consumers = [{ name: stage.name, reads: stage.reads, deadlineMs: stage.deadlineMs }];

function conservationOf(w: World, held: () => readonly Lease[] = () => w.runtime.work.held): Conservation {
  const { store, clock } = w.rig;
  return new Conservation({ store, clock, logger: silent, consumers, shards: store.shards, held });
}

async function balanceOf(store: SqlStore, tenant: TenantId = DEFAULT_TENANT) {
  const [found] = await store.read((tx) => tx.conservation.balances(tenant));
  if (found === undefined) return undefined;
  const { accepted, done, failed, inProgress, lost } = found;
  return { accepted, done, failed, inProgress, lost };
}

const events = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => newEvent(`k${(from + i) % 40}`, from + i));

test('a clean run of thousands of events: all of them done, none lost', async () => {
  const w = await world(async () => ack(), { stage: { concurrency: 32 } });
  const conservation = conservationOf(w);
  for (let i = 0; i < 6; i++) {
    await w.rig.append(events(1000, i * 1000));
    const { recovered } = await conservation.check();
    assert.equal(recovered, 0);
    const now = await balanceOf(w.rig.store);
    if (now !== undefined) assert.equal(now.accepted, now.done + now.failed + now.inProgress);
    await w.rig.clock.advance(300);
  }
  await untilIdle(w);
  const { alarms, recovered } = await conservation.check();
  assert.deepEqual(alarms, []);
  assert.equal(recovered, 0);
  assert.deepEqual(await balanceOf(w.rig.store), { accepted: 6000, done: 6000, failed: 0, inProgress: 0, lost: 0 });
});

test('it is checked once a minute, and not after the stop', async () => {
  const w = await world(counting);
  const conservation = conservationOf(w);
  const last = () => conservation.last;
  conservation.start();
  await w.rig.append(events(3));
  await w.rig.clock.advance(CONSERVATION_MS - 1000);
  assert.equal(last(), undefined);
  await w.rig.clock.advance(1001);
  assert.equal(last()?.recovered, 0);
  assert.equal((await balanceOf(w.rig.store))?.done, 3);
  const stopped = conservation.stop();
  await w.rig.clock.advance(1);
  await stopped;
  const at = last()?.at;
  await w.rig.clock.advance(CONSERVATION_MS);
  assert.equal(last()?.at, at);
});

test('a waiting row that is deleted behind the cursor is missed by the next check, and its event is done once', async () => {
  // The first of the key waits for its next attempt, so the second stands behind it as a row.
  const { handler } = failing('transient', 1, () => 1_800_000_000_000 + 50_000);
  const w = await world(handler);
  await w.rig.append([newEvent('k', 1), newEvent('k', 2)]);
  await w.rig.clock.advance(2000);
  const conservation = conservationOf(w);
  await conservation.check();
  assert.deepEqual(await balanceOf(w.rig.store), { accepted: 2, done: 0, failed: 0, inProgress: 2, lost: 0 });
  const gone = await w.rig.store.transact(({ db }) =>
    db.deleteFrom('delivery').where('state', '=', 'waiting').returning('seq').execute(),
  );
  assert.equal(gone.length, 1);
  assert.equal((await conservation.check()).recovered, 1);
  assert.equal((await balanceOf(w.rig.store))?.lost, 1);
  await untilIdle(w);
  await conservation.check();
  assert.deepEqual(await w.effects(), { 1: 1, 2: 1 });
  assert.deepEqual(await balanceOf(w.rig.store), { accepted: 2, done: 2, failed: 0, inProgress: 0, lost: 0 });
});

test('a cursor that was moved too far while nobody worked: every event it skipped is found by one check, and done once', async () => {
  const rig = (await sqliteRig()) as StoreRig;
  cleanups.push(() => rig.dispose());
  const first = await world(async () => new Promise(() => {}), { rig });
  await rig.append(events(300));
  await rig.clock.advance(10);
  await rig.crash();
  void first;
  const last = await rig.store.read(({ db }) =>
    db.selectFrom('log').select('seq').orderBy('seq', 'desc').limit(1).execute(),
  );
  await rig.store.transact(({ db }) =>
    db
      .updateTable('consumer_cursor')
      .set({ seq: Number(last[0]!.seq) })
      .execute(),
  );
  const w = await world(counting, { rig });
  await rig.clock.advance(5000);
  assert.deepEqual(await w.effects(), {}, 'the broker does not know of them');
  const conservation = conservationOf(w);
  assert.equal((await conservation.check()).recovered, 300);
  await untilIdle(w);
  assert.deepEqual(await w.effects(), Object.fromEntries(Array.from({ length: 300 }, (_, i) => [i, 1])));
  assert.equal((await conservation.check()).recovered, 300, 'once');
  assert.deepEqual(await balanceOf(rig.store), { accepted: 300, done: 300, failed: 0, inProgress: 0, lost: 0 });
});

test('counts stay exact whenever the process is killed, before or after a check', async () => {
  const rig = (await sqliteRig()) as StoreRig;
  cleanups.push(() => rig.dispose());
  let accepted = 0;
  for (let life = 0; life < 8; life++) {
    let n = 0;
    const w = await world(async () => (++n % 7 === 0 ? new Promise(() => {}) : ack()), { rig });
    const conservation = conservationOf(w);
    await rig.append(events(50, accepted));
    accepted += 50;
    await rig.clock.advance(life % 3 === 0 ? 10 : 700);
    await conservation.check();
    const now = await balanceOf(rig.store);
    assert.equal(now?.accepted, accepted);
    assert.equal(now.lost, 0);
    const marks = await rig.store.read(({ db }) => db.selectFrom('processed').select('event_id').execute());
    assert.equal(now.done, marks.length, `life ${life}`);
    assert.equal(now.inProgress, accepted - marks.length);
    await rig.clock.advance(life % 2 === 0 ? 0 : 700);
    await rig.crash();
  }
});

test('a dead letter is failed until it is replayed, then in progress, then done', async () => {
  const { handler } = failing('poison', 1);
  const w = await world(handler);
  await w.rig.append([newEvent('k', 1)]);
  await untilIdle(w);
  const conservation = conservationOf(w);
  await conservation.check();
  assert.deepEqual(await balanceOf(w.rig.store), { accepted: 1, done: 0, failed: 1, inProgress: 0, lost: 0 });
  const [letter] = await w.letters();
  await w.rig.store.transact((tx) =>
    tx.deadLetters.replay(DEFAULT_TENANT, letter!.id, { by: 'cli', now: w.rig.clock.now() }),
  );
  await conservation.check();
  assert.deepEqual(await balanceOf(w.rig.store), { accepted: 1, done: 0, failed: 0, inProgress: 1, lost: 0 });
  await untilIdle(w);
  await conservation.check();
  assert.deepEqual(await balanceOf(w.rig.store), { accepted: 1, done: 1, failed: 0, inProgress: 0, lost: 0 });
});

test('what waits where nobody works is an alarm after five minutes; so is what is overdue', async () => {
  const rig = (await sqliteRig()) as StoreRig;
  cleanups.push(() => rig.dispose());
  const w = await world(async () => ack(), { rig });
  const conservation = conservationOf(w, () => []);
  const drained = w.runtime.drain(0);
  await rig.clock.advance(100);
  await drained;
  await rig.append(events(2));
  assert.deepEqual((await conservation.check()).alarms, []);
  await rig.clock.advance(UNATTENDED_MS + 1);
  const { alarms } = await conservation.check();
  assert.deepEqual(
    alarms.map(({ kind, count }) => [kind, count]),
    [['nobody-works', 2]],
  );
  assert.match(alarms[0]!.what, /nobody works on stage count: 2 events wait, the oldest for 5 min/);
});

test('one who has lost the shard settles nothing', async () => {
  const w = await world(async () => ack());
  await w.rig.append(events(5));
  await untilIdle(w);
  const before = w.runtime.work.held;
  await w.rig.store.transact((tx) => tx.leases.take('other', ['count/0'], 60_000, 'ignore'));
  await conservationOf(w, () => before).check();
  assert.equal(await balanceOf(w.rig.store), undefined);
});
