import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import { createMailboxPushDesk } from '../../src/stages/watch/push.ts';
import { MailboxSessions } from '../../src/stages/watch/sessions.ts';
import { createWatcher } from '../../src/stages/watch/watcher.ts';
import { letter, WatchRig } from './watch.testing.ts';

/** Mailboxes whose provider calls us, on a clock moved by hand: subscriptions in their time, hints across processes. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const LIFE = 12 * MINUTE;

async function watched(t: TestContext) {
  const asked: { readonly at: number; readonly state: string | undefined }[] = [];
  const provider = { refuses: false, life: LIFE };
  const rig = new WatchRig({
    push: 'request',
    subscribe: async (state) => {
      asked.push({ at: rig.clock.now(), state });
      if (provider.refuses) throw new TripwatchError('permanent', 'mailbox-push-refused', 'No.');
      return { state: `made ${asked.length}`, renewAt: rig.clock.now() + provider.life / 2, name: 'Sub-1' };
    },
  });
  const server = await rig.connect('a');
  const process = await rig.begin();
  t.after(async () => {
    await process.stop();
    await rig.store.close();
  });
  assert.ok(await rig.until(async () => (await rig.watch('a')).state === 'watching'));
  const seen = async () => (await rig.receipts()).length;
  return { rig, server, asked, provider, process, seen };
}

test('a subscription is prolonged at half of its life, as often as it takes', async (t) => {
  const { rig, asked } = await watched(t);
  const first = asked[0]!.at;
  await rig.until(() => asked.length >= 3, LIFE + 4 * MINUTE, 30 * SECOND);
  assert.deepEqual(
    asked.map(({ state }) => state),
    [undefined, 'made 1', 'made 2'],
  );
  for (const [index, { at }] of asked.entries()) {
    const late = at - first - (index * LIFE) / 2;
    assert.ok(late >= 0 && late < 3 * MINUTE, `${index}: ${late} ms after half of its life`);
  }
});

test('where it is refused the mailbox is looked at as one that nobody tells of; it is tried again, ever more seldom', async (t) => {
  const { rig, server, asked, provider, process, seen } = await watched(t);
  provider.refuses = true;
  await process.watcher.pushed('imap', { accounts: [], mailboxes: ['mbx_a'], renew: ['mbx_a'] });
  assert.ok(await rig.until(async () => (await rig.watch('a')).pushFault === 'mailbox-push-refused', MINUTE));
  const before = asked.length;
  server.deliver(letter(1), rig.clock.now());
  assert.ok(await rig.until(async () => (await seen()) === 1, 4 * MINUTE + SECOND, SECOND), 'without any push');
  await rig.until(() => false, 2 * MINUTE, 30 * SECOND);
  const tries = asked.length - before;
  assert.ok(tries >= 2 && tries <= 15, `${tries} tries in some minutes`);
  provider.refuses = false;
  assert.ok(await rig.until(async () => (await rig.watch('a')).pushFault === undefined, 20 * MINUTE, 30 * SECOND));
});

test('a hint reaches whoever watches the mailbox, by name or by id; so does the word that a subscription ends', async (t) => {
  const { rig, server, asked, process, seen } = await watched(t);
  const { access, store, clock, random } = rig;
  // Another process, which watches nothing and has the public address.
  const sessions = new MailboxSessions({ access, store, clock, logger: silentLogger });
  const front = createWatcher({ store, clock, random, logger: silentLogger, sessions });
  t.after(() => front.stop());
  server.deliver(letter(1), clock.now());
  assert.equal(await front.pushed('imap', { accounts: ['Sub-1', 'unknown'] }), 1);
  assert.ok(await rig.until(async () => (await seen()) === 1, 3 * SECOND));
  server.deliver(letter(2), clock.now());
  assert.equal(await front.pushed('imap', { accounts: ['sub of before'], mailboxes: ['mbx_a'] }), 1);
  assert.ok(await rig.until(async () => (await seen()) === 2, 3 * SECOND));
  assert.equal(await front.pushed('imap', { accounts: [], mailboxes: ['mbx_nobody'], renew: ['mbx_nobody'] }), 0);
  assert.equal(asked.length, 1);
  for (const watcher of [front, process.watcher]) {
    const before: number = asked.length;
    await rig.clock.advance(MINUTE);
    await watcher.pushed('imap', { accounts: [], mailboxes: ['mbx_a'], renew: ['mbx_a'] });
    assert.ok(await rig.until(() => asked.length === before + 1, 3 * SECOND), 'at once');
    // Said once more while it is fresh: nothing hot.
    for (let n = 0; n < 20; n++) {
      await watcher.pushed('imap', { accounts: [], mailboxes: ['mbx_a'], renew: ['mbx_a'] });
      await rig.until(() => false, 300);
    }
    await rig.until(() => false, 20 * SECOND);
    assert.ok(asked.length <= before + 3, `${asked.length - before} subscriptions`);
  }
  assert.ok((await rig.watch('a')).renewAt! > clock.now());
});

test('many pushes at once are looked up in few goes, and those that fail leave the next alone', async () => {
  const goes: number[] = [];
  let fails = true;
  const desk = createMailboxPushDesk({
    connectors: [
      { kind: 'gmail', receivePush: async ({ query }) => ({ kind: 'hint', accounts: [query.of!] }) },
      { kind: 'imap' },
    ],
    watcher: {
      pushed: async (_kind, { accounts }) => {
        goes.push(accounts.length);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (fails) throw new TripwatchError('transient', 'store-busy', 'busy');
        return accounts.length;
      },
    },
    logger: silentLogger,
  });
  const push = (of: string) => desk('gmail', { headers: {}, query: { of }, body: new Uint8Array(), receivedAt: 0 });
  const idle = () => new Promise((resolve) => setTimeout(resolve, 100));
  await Promise.all(Array.from({ length: 500 }, (_, n) => push(`${n % 100}@a.example`)));
  await idle();
  assert.ok(goes.length <= 3, `${goes.length} goes`);
  fails = false;
  goes.length = 0;
  assert.equal((await push('one@a.example'))?.kind, 'hint');
  await idle();
  assert.deepEqual(goes, [1]);
  const nothing = { headers: {}, query: {}, body: new Uint8Array(), receivedAt: 0 };
  assert.equal(await desk('imap', nothing), undefined);
  assert.equal(await desk('else', nothing), undefined);
});
