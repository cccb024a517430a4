import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TOPICS } from '../../src/contracts/topics.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import type { WatchProcess } from './watch.testing.ts';
import { WatchRig } from './watch.testing.ts';

/** A mailbox that needs its owner: one notice for each time, whatever is restarted and whoever watches. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;

async function started(t: TestContext) {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  const running: WatchProcess[] = [];
  const up = async (): Promise<WatchProcess> => {
    const process = await rig.begin();
    running.push(process);
    return process;
  };
  t.after(async () => {
    await Promise.all(running.map((one) => one.stop()));
    await rig.store.close();
  });
  await rig.store.transact(async (tx) => {
    for (const [id, traveller] of [
      ['whe_all', undefined],
      ['whe_ana', 'trv_ana'],
      ['whe_other', 'trv_other'],
    ] as const)
      await tx.accounts.addEndpoint({
        ...{ id, tenant: DEFAULT_TENANT, url: 'https://hook.example', sealedSecrets: [], state: 'active' },
        ...{ stateReason: undefined, traveller, createdAt: 1 },
      });
  });
  const stateIs = (state: string, ms = 5 * SECOND) => rig.until(async () => (await rig.watch('a')).state === state, ms);
  const notices = () => rig.store.read((tx) => tx.notifications.list(DEFAULT_TENANT, { limit: 100 }));
  const said = async () => {
    const rows = await rig.store.read(({ db }) =>
      db.selectFrom('log').select('body').where('topic', '=', 'mailbox.changed').orderBy('seq').execute(),
    );
    return rows.map(({ body }) => TOPICS['mailbox.changed'].parse(JSON.parse(body).data));
  };
  const refuse = async (password: string) => {
    rig.passwords.set('mbx_a', password);
    server.drop();
  };
  const enter = async (password: string) => {
    rig.passwords.set('mbx_a', password);
    const change = { sealedCredentials: `sealed ${password}` };
    await rig.store.transact((tx) => tx.watches.change(DEFAULT_TENANT, 'mbx_a', change));
  };
  return { rig, server, up, stateIs, notices, said, refuse, enter };
}

test('one notice goes out when it needs its owner, to whom it concerns; it ends when it works again', async (t) => {
  const { rig, up, stateIs, notices, said, refuse, enter } = await started(t);
  await up();
  assert.ok(await stateIs('watching'));
  assert.equal((await notices()).length, 0);
  await refuse('wrong');
  assert.ok(await stateIs('needs-you', 30 * SECOND));
  const [first] = await said();
  assert.deepEqual([first?.state, first?.reasonCode], ['needs-you', 'password-refused']);
  assert.match(first!.sentences[0]!, /^The mailbox a is not read until you do something: /);
  const told = await notices();
  assert.deepEqual(told.map(({ endpoint }) => endpoint).sort(), ['whe_all', 'whe_ana']);
  const body = JSON.parse(told[0]!.body);
  assert.deepEqual([body.type, body.data.mailboxId, body.data.traveller], ['mailbox.changed', 'mbx_a', 'trv_ana']);
  const feed = await rig.store.read((tx) => tx.itineraries.feed(DEFAULT_TENANT, 0, 10, 'trv_ana'));
  assert.deepEqual(
    feed.map(({ event }) => event.topic),
    ['mailbox.changed'],
  );

  await enter('wrong again');
  await rig.until(() => false, 10 * SECOND, SECOND);
  assert.ok(await stateIs('needs-you'), 'another wrong one');
  assert.equal((await notices()).length, 2, 'it has not worked since: nothing new');

  await enter('right');
  assert.ok(await stateIs('watching'));
  assert.equal((await rig.watch('a')).needsSince, undefined);
  assert.deepEqual(
    (await said()).map(({ state }) => state),
    ['needs-you', 'works-again'],
  );
  assert.equal((await notices()).length, 2);

  await refuse('wrong');
  assert.ok(await stateIs('needs-you', 30 * SECOND));
  assert.equal((await notices()).length, 4, 'that is another time');
});

test('a restart, and two processes that both believe to have it, tell nothing twice', async (t) => {
  const { rig, up, stateIs, notices, said, refuse, server } = await started(t);
  rig.passwords.set('mbx_a', 'wrong');
  const first = await up();
  assert.ok(await stateIs('needs-you'));
  // The second takes over while the first goes on: its writes are refused.
  const second = await up();
  await first.watcher.wake([{ tenant: DEFAULT_TENANT, mailbox: 'mbx_a' }]);
  await second.watcher.wake([{ tenant: DEFAULT_TENANT, mailbox: 'mbx_a' }]);
  await rig.until(() => false, MINUTE, 10 * SECOND);
  for (let restart = 0; restart < 3; restart++) {
    const next = await up();
    await next.watcher.wake([{ tenant: DEFAULT_TENANT, mailbox: 'mbx_a' }]);
    await rig.until(() => false, 5 * SECOND, SECOND);
    await next.stop();
  }
  assert.ok(server.signIns > 2, 'it was tried by others too');
  assert.equal((await said()).length, 1);
  assert.equal((await notices()).length, 2);
  await refuse('right');
  await up();
  assert.ok(await stateIs('watching'));
  assert.deepEqual(
    (await said()).map(({ state }) => state),
    ['needs-you', 'works-again'],
  );
});

test('a store that fails around the moment of telling neither swallows nor doubles it', async (t) => {
  const { rig, up, notices, said } = await started(t);
  rig.storeFaults = 0.4;
  /** Processes that die and come again, until one has said it. */
  const until = async (state: string): Promise<void> => {
    for (let lives = 0; lives < 20 && (await rig.watch('a')).state !== state; lives++) {
      const process = await up();
      await rig.until(async () => process.state.dead || (await rig.watch('a')).state === state, MINUTE, SECOND);
      await process.stop();
    }
    assert.equal((await rig.watch('a')).state, state);
  };
  for (let time = 1; time <= 5; time++) {
    rig.passwords.set('mbx_a', 'right');
    await until('watching');
    rig.passwords.set('mbx_a', 'wrong');
    await until('needs-you');
    assert.equal((await notices()).length, 2 * time);
  }
  const states = (await said()).map(({ state }) => state);
  assert.deepEqual(states.slice(0, 4), ['needs-you', 'works-again', 'needs-you', 'works-again']);
  assert.equal(states.length, 9);
});
