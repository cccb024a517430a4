import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanups, counting, failing, untilIdle, type World, world } from '../../tests/contract/broker/one-stage.ts';
import { newEvent, type Rig, silent, sqliteRig } from '../../tests/contract/broker/rig.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import type { AnyEvent } from '../contracts/event.ts';
import type { TenantId } from '../domain/ids.ts';
import { STALL_MS } from '../domain/limits.ts';
import type { Handler } from '../ports/handler.ts';
import type { Pause } from '../ports/store/control.ts';
import { Pauses } from './pauses.ts';

const stagePause: Pause = { kind: 'stage', id: 'count', tenant: undefined, reason: 'looking', by: 'cli:ada', at: 5 };
const tenantPause = (id: string): Pause => ({ ...stagePause, kind: 'tenant', id, tenant: id as TenantId });

type StoreRig = Rig & { readonly store: SqlStore };

async function paused(handler: Handler, before: readonly Pause[] = [], options: Parameters<typeof world>[1] = {}) {
  const rig = (await sqliteRig()) as StoreRig;
  cleanups.push(() => rig.dispose());
  const set = async (...pauses: readonly Pause[]) => {
    for (const pause of pauses) await rig.store.transact((tx) => tx.control.pause(pause));
  };
  await set(...before);
  const pauses = new Pauses({ store: rig.store, clock: rig.clock, logger: silent });
  await pauses.start();
  cleanups.push(() => pauses.stop());
  const w = await world(handler, { ...options, rig, paused: pauses });
  const resume = (pause: Pause) => rig.store.transact((tx) => tx.control.resume(pause));
  return { w, rig, set, resume, pauses };
}

const of = (tenant: string, key: string, n: number) => ({ ...newEvent(key, n), tenant });
const numbers = async (w: World) => Object.keys(await w.effects()).map(Number);

test('a paused stage takes up nothing, also after a restart, and goes on within two seconds of being resumed', async () => {
  const { w, rig, resume } = await paused(counting, [stagePause]);
  await rig.append([newEvent('a', 1), newEvent('b', 2)]);
  await rig.clock.advance(60_000);
  assert.deepEqual(await w.effects(), {});
  const [status] = (await w.runtime.status()).stages;
  assert.deepEqual(status?.paused, stagePause);
  assert.equal(status?.waiting, 2);
  await resume(stagePause);
  await rig.clock.advance(2000);
  assert.deepEqual(await w.effects(), { 1: 1, 2: 1 });
  assert.equal((await w.runtime.status()).stages[0]?.paused, undefined);
});

test('a pause takes effect within two seconds; what runs may finish', async () => {
  const finish: (() => void)[] = [];
  const { w, rig, set, resume } = await paused(async (event, context) => {
    await new Promise<void>((resolve) => finish.push(resolve));
    return counting(event as never, context);
  });
  await rig.append([newEvent('a', 1)]);
  await rig.clock.advance(10);
  assert.equal(finish.length, 1);
  await set(stagePause);
  await rig.clock.advance(2000);
  await rig.append([newEvent('b', 2)]);
  await rig.clock.advance(2000);
  assert.equal(finish.length, 1, 'nothing more is taken up');
  finish[0]!();
  await rig.clock.advance(10);
  assert.deepEqual(await w.effects(), { 1: 1 });
  await resume(stagePause);
  await rig.clock.advance(2000);
  assert.equal(finish.length, 2);
  finish[1]!();
  await untilIdle(w);
});

test('what waits for a paused stage is no stall, and is none right after it was resumed', async () => {
  const { w, rig, resume } = await paused(counting, [stagePause]);
  await rig.append([newEvent('a', 1)]);
  await rig.clock.advance(2 * STALL_MS);
  await resume(stagePause);
  await rig.clock.advance(STALL_MS);
  assert.equal(w.events.filter((event) => event.type === 'stalled').length, 0);
  assert.deepEqual(await w.effects(), { 1: 1 });
});

test('a paused stage can be stopped, and does not hold up who waits for the others', async () => {
  const { w, rig } = await paused(counting, [stagePause]);
  await rig.append([newEvent('a', 1)]);
  const idle = w.runtime.idle({ parked: 'ignore' });
  await rig.clock.advance(1000);
  await idle;
  const stopped = w.runtime.drain(1000);
  await rig.clock.advance(1100);
  await stopped;
});

test('events of a paused tenant wait, in their order and without an attempt; others flow', async () => {
  const seen: number[] = [];
  const { w, rig, resume } = await paused(
    async (event, context) => {
      assert.equal(context.attempt, 1);
      seen.push(Number((event as AnyEvent).subject));
      return counting(event as never, context);
    },
    [tenantPause('tnt_two')],
    { stage: { countsFirst: true } },
  );
  await rig.append([of('tnt_two', 'k', 1), of('tnt_two', 'k', 2), of('tnt_two', 'l', 3), of('tnt_one', 'm', 4)]);
  await rig.append([of('tnt_two', 'k', 5)]);
  // Far longer than any age at which something would be given up.
  await rig.clock.advance(150_000);
  assert.deepEqual(seen, [4]);
  assert.deepEqual(await w.letters(), []);
  const rows = await rig.store.read(({ db }) => db.selectFrom('delivery').selectAll().orderBy('seq').execute());
  assert.deepEqual(
    rows.filter((row) => row.state === 'parked').map((row) => [row.attempts, row.history]),
    [
      [0, '[]'],
      [0, '[]'],
    ],
  );
  await resume(tenantPause('tnt_two'));
  await rig.clock.advance(20_000);
  assert.deepEqual(
    seen.filter((n) => n !== 3),
    [4, 1, 2, 5],
  );
  assert.deepEqual(await numbers(w), [1, 2, 3, 4, 5]);
});

test('a pause does not make an event older: the age limit counts from its first attempt', async () => {
  const { handler } = failing('rate-limited', 2);
  const { w, rig, resume } = await paused(handler, [tenantPause('tnt_two')]);
  await rig.append([of('tnt_two', 'k', 1)]);
  await rig.clock.advance(200_000);
  await resume(tenantPause('tnt_two'));
  await rig.clock.advance(40_000);
  assert.deepEqual(await w.letters(), []);
  assert.deepEqual(await w.effects(), { 1: 1 });
});

test('of a paused mailbox its mails wait, and nothing else', () => {
  const pauses = new Pauses({
    store: { read: async () => [{ ...stagePause, kind: 'mailbox', id: 'mbx_1', tenant: 'tnt_one' }] as never },
    clock: { now: () => 0, monotonic: () => 0, sleep: async () => {}, speed: 1 },
    logger: silent,
  });
  const event = (topic: string, tenantid: string, data: unknown) => ({ topic, tenantid, data }) as unknown as AnyEvent;
  return pauses.look().then(() => {
    assert.equal(pauses.of(event('mail.seen', 'tnt_one', { mailboxId: 'mbx_1' }))?.id, 'mbx_1');
    assert.equal(pauses.of(event('mail.collected', 'tnt_one', { mailboxId: 'mbx_1' }))?.id, 'mbx_1');
    assert.equal(pauses.of(event('mail.seen', 'tnt_two', { mailboxId: 'mbx_1' })), undefined);
    assert.equal(pauses.of(event('mail.seen', 'tnt_one', { mailboxId: 'mbx_2' })), undefined);
    assert.equal(
      pauses.of(event('mail.seen', 'tnt_one', undefined)),
      undefined,
      'a damaged event is left to its stage',
    );
    assert.equal(pauses.of(event('reservation.changed', 'tnt_one', {})), undefined);
  });
});

test('an answer about a subject is shared by all tenants: it waits only where it is for one of them', async () => {
  const pauses = new Pauses({
    store: { read: async () => [tenantPause('tnt_default'), { ...stagePause, kind: 'provider', id: 'adb' }] as never },
    clock: { now: () => 0, monotonic: () => 0, sleep: async () => {}, speed: 1 },
    logger: silent,
  });
  await pauses.look();
  const observed = (data: unknown) =>
    ({ topic: 'subject.observed', tenantid: 'tnt_default', data }) as unknown as AnyEvent;
  assert.equal(pauses.of(observed({})), undefined);
  assert.equal(pauses.of(observed({ only: { tenant: 'tnt_default' } }))?.kind, 'tenant');
  assert.equal(pauses.account('adb')?.reason, 'looking');
  assert.equal(pauses.account('other'), undefined);
});
