import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TripwatchError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import { letter, settle, WatchRig } from './watch.testing.ts';

/** Nobody can make us try a refused login again and again, nor a server that has enough of us. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const REF = { tenant: DEFAULT_TENANT, mailbox: 'mbx_a' } as const;

async function begin(t: TestContext, rig: WatchRig) {
  const process = await rig.begin();
  t.after(async () => {
    await process.stop();
    await rig.store.close();
  });
  return process;
}

test('pushes and impatient owners do not offer refused credentials again; other ones are tried at once', async (t) => {
  const rig = new WatchRig({
    push: 'request',
    subscribe: async () => ({ state: 's', renewAt: rig.clock.now() + 60 * MINUTE, name: 'me@a.example' }),
  });
  const server = await rig.connect('a');
  const { watcher } = await begin(t, rig);
  const stateIs = (state: string) => rig.until(async () => (await rig.watch('a')).state === state, MINUTE);
  assert.ok(await stateIs('watching'));
  rig.passwords.set('mbx_a', 'wrong');
  server.drop();
  await watcher.wake([REF]);
  assert.ok(await stateIs('needs-you'));
  const before = server.signIns;
  for (let n = 0; n < 10; n++) {
    assert.equal(await watcher.pushed('imap', { accounts: ['me@a.example'], mailboxes: ['mbx_a'] }), 0);
    await rig.clock.advance(SECOND);
  }
  assert.equal(server.signIns, before, 'what is pushed tries nothing');
  for (let n = 0; n < 30; n++) {
    await watcher.wake([REF]);
    await rig.store.transact((tx) => tx.watches.wake([REF]));
    await rig.clock.advance(3 * SECOND);
    await settle(5);
  }
  assert.ok(server.signIns - before <= 3, `${server.signIns - before} tries in a minute and a half of "check now"`);
  assert.ok(server.signIns - before >= 1, 'but it is tried');
  rig.passwords.set('mbx_a', 'right');
  await rig.store.transact((tx) => tx.watches.change(REF.tenant, REF.mailbox, { sealedCredentials: 'anew' }));
  assert.ok(await rig.until(async () => (await rig.watch('a')).state === 'watching', 3 * SECOND), 'at once');
});

test('a server that allows no more connections is not asked before its time, however many mails wait for it', async (t) => {
  const rig = new WatchRig();
  let full = false;
  let asked = 0;
  const server = await rig.connect('a', {
    before: async (what) => {
      if (what !== 'open' || !full) return;
      asked++;
      const retryAt = rig.clock.now() + MINUTE;
      throw new TripwatchError('rate-limited', 'mailbox-limited', 'Too many connections.', { retryAt });
    },
  });
  const process = await begin(t, rig);
  await rig.until(async () => (await rig.watch('a')).state === 'watching');
  for (let n = 0; n < 20; n++) server.deliver(letter(n), rig.clock.now());
  assert.ok(await rig.until(async () => (await rig.receipts()).length === 20, 5 * SECOND, 0));
  full = true;
  server.drop();
  for (let n = 0; n < 3; n++) await rig.collect(process);
  await rig.until(() => false, 40 * SECOND, 10 * SECOND);
  for (let n = 0; n < 3; n++) await rig.collect(process);
  assert.equal(asked, 1, 'once in a minute, with 20 mails to fetch');
  full = false;
  await rig.until(() => false, 2 * MINUTE, 10 * SECOND);
  await rig.collect(process);
  const receipts = await rig.receipts();
  assert.ok(receipts.every(({ disposition }) => disposition === 'collected'));
  assert.equal((await rig.watch('a')).state, 'watching', 'it is no fault');
});
