import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createClock } from '../../src/adapters/clock/system.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import type { Store } from '../../src/ports/store.ts';
import { createPushDesk } from '../../src/stages/track/push.ts';
import { subjectIdOf } from '../../src/stages/track/subject.ts';
import { createTracker } from '../../src/stages/track/tracker.ts';
import { ManualClock } from '../contract/broker/manual-clock.ts';
import { quiet } from '../contract/store/harness.ts';
import { freshSchema, openStore, serverForFile } from '../contract/store/postgres.testing.ts';
import { freshFolder } from './cli.testing.ts';
import { FakeProvider, HOUR, MINUTE, openTrackRig, type TrackRig } from './track.testing.ts';

/** Pushed messages: taken by any process, stored before they are answered, followed by the one that asks. */

const random = { number: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const server = await serverForFile();

/** Two stores on the same data, as two processes have them. */
const BACK_ENDS: Readonly<Record<string, () => Promise<{ stores: [Store, Store]; end: () => Promise<void> }>>> = {
  SQLite: async () => {
    const folder = freshFolder();
    const open = () => openSqliteStore({ file: `${folder.data}.db`, clock: createClock(), logger: quiet });
    return { stores: [open(), open()], end: async () => void folder.forget() };
  },
  ...(server === undefined
    ? {}
    : {
        PostgreSQL: async () => {
          const schema = freshSchema();
          const open = () => openStore(server, schema, { clock: createClock() });
          return { stores: [await open(), await open()], end: async () => {} };
        },
      }),
};

for (const [name, open] of Object.entries(BACK_ENDS)) {
  test(`${name}: a message that reaches another process, twice, is asked about once, also after a restart`, async () => {
    const { stores, end } = await open();
    const [here, there] = stores;
    const clock = createClock();
    const provider = new FakeProvider(new ManualClock(clock.now()));
    const startAt = clock.now() + 3 * HOUR;
    const spec = { id: 'b1', label: 'B1', query: { id: 'b1' }, fromAt: 0, startAt, endAt: startAt + HOUR };
    const accounts = [
      { account: 'fake', connector: provider, limits: [{ max: 100, perSeconds: 1 }], freshSeconds: 300 },
    ];
    const id = subjectIdOf('fake', 'b1');
    const follower = { tenant: 'tnt_default', traveller: 'trv_1', reservation: 'rsv_1' } as const;
    await here.transact(async (tx) => {
      await tx.subjects.put(id, 'fake', spec);
      await tx.subjects.follow(id, follower);
    });
    const holder = () => createTracker({ store: here, clock, random, logger: quiet, accounts, shared: true });
    const deskAt = (store: Store) => createPushDesk({ store, clock, logger: quiet, accounts, onWoken: () => {} });
    const desks = [deskAt(there), deskAt(here), deskAt(there)];
    const push = (text: string) =>
      Promise.all(desks.map((desk) => desk('fake', { headers: {}, body: Buffer.from(text), receivedAt: clock.now() })));
    const wake = () => here.read(async (tx) => (await tx.subjects.some([id]))[0]!.wake);
    const until = async (what: string, is: () => boolean | Promise<boolean>) => {
      for (let i = 0; !(await is()); i++) {
        assert.ok(i < 600, what);
        await delay(50);
      }
    };
    let tracker = holder();
    try {
      await tracker.start();
      await until('asked when it begins', () => provider.calls.length === 1);
      await delay(100);
      provider.says = () => 'B2';
      for (const answer of await push('e1 b1')) assert.deepEqual(answer, { kind: 'accepted' });
      await until('asked for the message', () => provider.calls.length === 2);
      await until('and followed', async () => (await wake()) === undefined);
      await tracker.stop();
      await push('e1 b1');
      assert.equal(await wake(), undefined, 'a repeat wakes nothing');
      // Nobody asks at the moment; whoever does next knows why.
      await push('e2 b1');
      assert.equal((await wake())!.why, 'push');
      provider.says = () => 'C3';
      tracker = holder();
      await tracker.start();
      await until('asked after the restart', () => provider.calls.length === 3);
      await until('and followed', async () => (await wake()) === undefined);
    } finally {
      await tracker.stop();
      await Promise.all(stores.map((store) => store.close()));
      await end();
    }
  });
}

async function withRig(run: (rig: TrackRig, second: FakeProvider) => Promise<void>): Promise<void> {
  let second: FakeProvider | undefined;
  const rig = await openTrackRig({}, {}, undefined, (clock) => {
    second = new FakeProvider(clock);
    return [{ account: 'status', connector: second, limits: [{ max: 100, perSeconds: 1 }], freshSeconds: 300 }];
  });
  try {
    await run(rig, second!);
  } finally {
    await rig.close();
  }
}

test('a message about a booking also wakes what its reservations follow elsewhere, and nobody else', async () => {
  await withRig(async (rig, second) => {
    await rig.changed('ana', ['order-1', 'lh400']);
    await rig.changed('ben', ['lh401']);
    await rig.advance(2 * MINUTE);
    const asked = () =>
      ['order-1', 'lh400', 'lh401'].map((id) => [rig.provider.callsFor(id).length, second.callsFor(id).length]);
    const before = asked();
    await rig.push('e1 order-1');
    await rig.advance(2000);
    const grown = asked().map((counts, i) => counts.map((count, j) => count - before[i]![j]!));
    assert.deepEqual(grown, [
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
    await rig.push('e2 order-1');
    await rig.advance(2000);
    assert.equal(second.callsFor('lh400').length, before[1]![1]! + 1, 'not again within half a minute');
    await rig.advance(MINUTE);
    assert.equal(second.callsFor('lh400').length, before[1]![1]! + 2);
  });
});

test('a message that the store does not take is not accepted, within a second', async () => {
  const clock = new ManualClock();
  const store = { transact: () => new Promise(() => {}) } as unknown as Store;
  const accounts = [{ account: 'fake', connector: new FakeProvider(clock) }];
  const desk = createPushDesk({ store, clock, logger: quiet, accounts, onWoken: () => {} });
  const answer = desk('fake', { headers: {}, body: Buffer.from('e1 b1'), receivedAt: 0 });
  const refused = assert.rejects(answer, { kind: 'transient', code: 'store-busy' });
  await clock.advance(1000);
  await refused;
});
