import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TripwatchError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../../src/domain/ids.ts';
import { askToRead } from '../../src/stages/collect/ask.ts';
import type { WatcherOptions } from '../../src/stages/watch/watcher.ts';
import { letter, settle, WatchRig } from './watch.testing.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

async function begin(t: TestContext, rig: WatchRig, options: Partial<WatcherOptions> = {}) {
  const process = await rig.begin(options);
  t.after(async () => {
    await process.stop();
    await rig.store.close();
  });
  return process;
}
const seen = async (rig: WatchRig): Promise<string[]> => (await rig.receipts()).map(({ subject }) => subject).sort();
const stateOf = async (rig: WatchRig, name: string): Promise<string> => (await rig.watch(name)).state;

test('a mail that is told of is on the ledger at once, and the mailbox is watched', async (t) => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  server.deliver(letter('before'), rig.clock.now() - HOUR);
  await begin(t, rig);
  assert.ok(await rig.until(async () => (await stateOf(rig, 'a')) === 'watching'));
  server.deliver(letter(1), rig.clock.now());
  const at = rig.clock.now();
  assert.ok(await rig.until(async () => (await seen(rig)).length === 1, 5 * SECOND, 0));
  assert.equal(rig.clock.now(), at, 'no waiting');
  const [receipt] = await rig.receipts();
  assert.equal(receipt?.disposition, 'seen');
  assert.equal(receipt?.via, 'imap');
  assert.equal(receipt?.folder, 'INBOX');
  assert.equal(receipt?.raw, undefined);
  const watch = await rig.watch('a');
  assert.equal(watch.seen, 1);
});

test('what nobody tells is found by looking: within ten minutes, within four where nobody could', async (t) => {
  for (const [push, most] of [
    ['live', 10 * MINUTE],
    ['none', 4 * MINUTE],
  ] as const) {
    const rig = new WatchRig({ push });
    const server = await rig.connect('a', { pushLoss: 1 });
    await begin(t, rig);
    await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
    for (let n = 0; n < 3; n++) {
      server.deliver(letter(n), rig.clock.now());
      assert.ok(await rig.until(async () => (await seen(rig)).length === n + 1, most + 2 * SECOND, SECOND), push);
    }
  }
});

test('a server that offers to tell and does not is looked at like one that cannot, in one session', async (t) => {
  const rig = new WatchRig({ push: 'live' });
  const server = await rig.connect('a', { tellsNothing: true });
  await begin(t, rig);
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  for (let n = 0; n < 3; n++) {
    server.deliver(letter(n), rig.clock.now());
    assert.ok(await rig.until(async () => (await seen(rig)).length === n + 1, 4 * MINUTE + 2 * SECOND, SECOND));
  }
  assert.equal(server.signIns, 1);
});

test('refused credentials are offered twice in hours, said once, and tried anew when they change', async (t) => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  rig.passwords.set('mbx_a', 'wrong');
  await begin(t, rig);
  assert.ok(await rig.until(async () => (await stateOf(rig, 'a')) === 'needs-you'));
  assert.equal((await rig.watch('a')).reasonCode, 'password-refused');
  for (let n = 0; n < 8 * 6; n++) await rig.clock.advance(10 * MINUTE);
  assert.ok(server.signIns <= 3, `${server.signIns} sign-ins in eight hours`);
  assert.ok(server.signIns >= 2, 'what was mended elsewhere is found out');
  assert.equal(rig.said.filter(({ level }) => level === 'warn').length, 1);
  rig.passwords.set('mbx_a', 'right');
  server.deliver(letter(1), rig.clock.now());
  const change = { sealedCredentials: 'sealed anew' };
  await rig.store.transact((tx) => tx.watches.change(DEFAULT_TENANT, 'mbx_a', change));
  assert.ok(await rig.until(async () => (await stateOf(rig, 'a')) === 'watching', 3 * SECOND));
});

test('a server that is away is tried again with growing waits, and called unreachable meanwhile', async (t) => {
  const rig = new WatchRig();
  let tries = 0;
  const server = await rig.connect('a', {
    before: async (what) => {
      if (what === 'open') tries++;
    },
  });
  await begin(t, rig);
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  server.away = true;
  server.drop();
  assert.ok(await rig.until(async () => (await stateOf(rig, 'a')) === 'unreachable', MINUTE));
  tries = 0;
  await rig.until(() => false, HOUR, 30 * SECOND);
  assert.ok(tries >= 6 && tries <= 60, `${tries} tries in an hour`);
  server.away = false;
  server.deliver(letter(1), rig.clock.now());
  assert.ok(await rig.until(async () => (await seen(rig)).length === 1, 6 * MINUTE, SECOND));
  assert.equal(await stateOf(rig, 'a'), 'watching');
});

test('how a mailbox stands is said again when nobody knows what the store has of it', async (t) => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  await begin(t, rig);
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  rig.losesAnswers = true;
  server.away = true;
  server.drop();
  assert.ok(await rig.until(async () => (await stateOf(rig, 'a')) === 'unreachable', MINUTE));
  rig.losesAnswers = false;
  server.away = false;
  assert.ok(await rig.until(async () => (await stateOf(rig, 'a')) === 'watching', 6 * MINUTE, SECOND));
});

test('who says when is not asked before', async (t) => {
  const rig = new WatchRig({ push: 'none' });
  let until = 0;
  let early = 0;
  await rig.connect('a', {
    before: async () => {
      if (until === 0) return;
      if (rig.clock.now() < until) early++;
      throw new TripwatchError('rate-limited', 'mailbox-limited', 'later', { retryAt: rig.clock.now() + 20 * MINUTE });
    },
  });
  const process = await begin(t, rig);
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  until = rig.clock.now() + 1;
  await rig.clock.advance(1);
  await process.watcher.wake([{ tenant: DEFAULT_TENANT, mailbox: 'mbx_a' }]);
  await settle(50);
  until = rig.clock.now() + 20 * MINUTE;
  await rig.until(() => false, 19 * MINUTE, 10 * SECOND);
  assert.equal(early, 0);
  assert.equal(await stateOf(rig, 'a'), 'watching', 'it is no fault');
});

test('two thousand mailboxes that nothing happens in cost one waiting timer', async (t) => {
  const rig = new WatchRig({ shards: 16 });
  for (let n = 0; n < 2000; n++) await rig.connect(`m${n}`);
  const process = await begin(t, rig);
  assert.ok(await rig.until(() => process.watcher.status().listening === 2000, 5 * MINUTE, SECOND));
  await rig.until(() => process.watcher.status().looking === 0, MINUTE, SECOND);
  await rig.clock.advance(10 * SECOND);
  await rig.until(() => process.watcher.status().looking === 0, MINUTE, SECOND);
  assert.ok(rig.clock.sleeping <= 3, `${rig.clock.sleeping} waiting`);
  assert.equal(process.watcher.status().sessions, 2000);
  for (const server of rig.servers.values()) assert.equal(server.signIns, 1);
});

test('servers that hang hold up nobody else', async (t) => {
  const rig = new WatchRig({ push: 'none' });
  const hang = async (_: string, signal: AbortSignal): Promise<void> => rig.clock.sleep(1e9, signal);
  for (let n = 0; n < 300; n++) await rig.connect(`hung${n}`, { before: hang });
  const changed = { settings: { host: 'hung.example' } };
  for (let n = 0; n < 300; n++)
    await rig.store.transact((tx) => tx.watches.change(DEFAULT_TENANT, `mbx_hung${n}`, changed));
  const server = await rig.connect('well');
  await begin(t, rig);
  assert.ok(await rig.until(async () => (await stateOf(rig, 'well')) === 'watching', 2 * SECOND));
  server.deliver(letter(1), rig.clock.now());
  assert.ok(await rig.until(async () => (await seen(rig)).length === 1, 4 * MINUTE + SECOND, SECOND));
});

test('"check now" looks now, here or in whatever process watches it; hints wake whom they mean', async (t) => {
  const rig = new WatchRig({ push: 'none' });
  const server = await rig.connect('a');
  const process = await begin(t, rig);
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  server.deliver(letter(1), rig.clock.now());
  await process.watcher.wake([{ tenant: DEFAULT_TENANT, mailbox: 'mbx_a' }]);
  assert.ok(await rig.until(async () => (await seen(rig)).length === 1, 0, 1));
  server.deliver(letter(2), rig.clock.now());
  await rig.store.transact((tx) => tx.watches.wake([{ tenant: DEFAULT_TENANT, mailbox: 'mbx_a' }]));
  assert.ok(await rig.until(async () => (await seen(rig)).length === 2, 3 * SECOND));
  const named = { state: 's', renewAt: rig.clock.now() + HOUR, pushName: 'me@a.example' };
  await rig.store.transact((tx) => tx.watches.subscribed({ tenant: DEFAULT_TENANT, mailbox: 'mbx_a' }, named));
  server.deliver(letter(3), rig.clock.now());
  assert.equal(await process.watcher.pushed('imap', { accounts: ['me@a.example', 'nobody'] }), 1);
  assert.equal(await process.watcher.pushed('gmail', { accounts: ['me@a.example'] }), 0);
  assert.ok(await rig.until(async () => (await seen(rig)).length === 3, 0, 1));
});

test('a mailbox rests while its owner or an operator says so, and goes on without a gap', async (t) => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  let paused = false;
  let tell = (): void => {};
  const process = await begin(t, rig, {
    paused: {
      mailbox: () => (paused ? { reason: 'too many complaints' } : undefined),
      onChange: (listener) => {
        tell = listener;
        return () => {};
      },
    },
  });
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  for (const [rest, resume] of [
    [
      () => rig.store.transact((tx) => tx.accounts.setMailboxState(DEFAULT_TENANT, 'mbx_a', 'paused')),
      () => rig.store.transact((tx) => tx.accounts.setMailboxState(DEFAULT_TENANT, 'mbx_a', 'active')),
    ],
    [
      async () => {
        paused = true;
        tell();
      },
      async () => {
        paused = false;
        tell();
      },
    ],
  ] as const) {
    await rest();
    assert.ok(await rig.until(async () => (await stateOf(rig, 'a')) === 'paused', 3 * SECOND));
    const before = (await seen(rig)).length;
    server.deliver(letter(`while resting ${before}`), rig.clock.now());
    await rig.until(() => false, 15 * MINUTE, MINUTE);
    assert.equal((await seen(rig)).length, before);
    assert.equal(process.watcher.status().sessions, 0);
    await resume();
    assert.ok(await rig.until(async () => (await seen(rig)).length === before + 1, 5 * SECOND));
    assert.ok(await rig.until(async () => (await stateOf(rig, 'a')) === 'watching', 5 * SECOND));
  }
  await rig.store.transact((tx) => tx.accounts.setMailboxState(DEFAULT_TENANT, 'mbx_a', 'removed'));
  assert.ok(await rig.until(() => process.watcher.status().mailboxes === 0, 3 * SECOND));
  assert.equal(process.watcher.status().sessions, 0);
});

test('a mailbox that is connected while the service runs is watched within seconds', async (t) => {
  const rig = new WatchRig();
  await begin(t, rig);
  await rig.clock.advance(5 * SECOND);
  await rig.connect('late');
  assert.ok(await rig.until(async () => (await stateOf(rig, 'late')) === 'watching', 3 * SECOND));
});

test('older mails come newest first behind the new ones, few at a time, from all mailboxes in turn', async (t) => {
  const rig = new WatchRig();
  const now = rig.clock.now();
  const big = await rig.connect('big', { back: 30 * 24 * HOUR });
  const small = await rig.connect('small', { back: 30 * 24 * HOUR });
  for (let n = 0; n < 1500; n++) big.deliver(letter(`big ${n}`, 'other'), now - HOUR + n);
  for (let n = 0; n < 250; n++) small.deliver(letter(`small ${n}`, 'other'), now - HOUR + n);
  big.deliver(letter('ancient'), now - 40 * 24 * HOUR);
  const process = await begin(t, rig);
  assert.ok(await rig.until(async () => (await rig.watch('big')).seen > 0));
  assert.equal(await stateOf(rig, 'big'), 'backfilling');
  // Nobody reads: it stops listing.
  await rig.until(() => false, 20 * SECOND, 500);
  const waiting = (await rig.receipts()).filter(({ mailbox }) => mailbox === 'mbx_big');
  assert.ok(waiting.length <= 300, `${waiting.length} wait`);
  assert.ok(
    waiting.every(({ subject }) => Number(subject.match(/\d+/)![0]) >= 1200),
    'newest first',
  );
  big.deliver(letter('now'), rig.clock.now());
  assert.ok(await rig.until(async () => (await seen(rig)).some((one) => one.endsWith('now')), 0, 1), 'new before old');
  await rig.until(async () => {
    await rig.collect(process);
    return (await rig.watch('small')).backfillDone;
  }, MINUTE);
  const meanwhile = await rig.watch('big');
  assert.equal(meanwhile.backfillDone, false, 'the small one does not wait for the big one');
  assert.ok((meanwhile.backfillLeft ?? 0) > 0, 'progress is told');
  await rig.until(async () => {
    await rig.collect(process);
    return (await rig.watch('big')).backfillDone;
  }, 5 * MINUTE);
  assert.equal((await rig.watch('big')).seen, 1501, 'all, and nothing from before the time chosen');
  assert.ok(await rig.until(async () => (await stateOf(rig, 'big')) === 'watching'));
  // Its owner goes further back.
  await rig.store.transact((tx) => tx.watches.change(DEFAULT_TENANT, 'mbx_big', { since: now - 50 * 24 * HOUR }));
  assert.ok(
    await rig.until(async () => {
      await rig.collect(process);
      return (await rig.watch('big')).seen === 1502;
    }, 5 * MINUTE),
  );
  const backfilled = await rig.store.read((tx) => tx.log.bySubject(DEFAULT_TENANT, waiting[0]!.id, 1));
  assert.equal((backfilled[0]!.event.data as { backfill?: boolean }).backfill, true);
});

test('only what is to be read is fetched; what its owner asks for is read after all', async (t) => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  const process = await begin(t, rig);
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  for (let n = 0; n < 97; n++) server.deliver(letter(n, 'other', 'x'.repeat(3000)), rig.clock.now());
  for (let n = 0; n < 3; n++) server.deliver(letter(`trip ${n}`, 'travel', 'x'.repeat(3000)), rig.clock.now());
  assert.ok(await rig.until(async () => (await seen(rig)).length === 100));
  await rig.collect(process);
  const all = server.delivered.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  assert.ok(server.bytesFetched <= 0.04 * all, `${server.bytesFetched} of ${all} bytes fetched`);
  const counts = await rig.store.read((tx) => tx.mails.countOf(DEFAULT_TENANT, 'mbx_a'));
  assert.deepEqual([counts.collected, counts.skipped], [3, 97]);
  const skipped = (await rig.receipts()).find(({ disposition }) => disposition === 'skipped')!;
  assert.match(skipped.reason, /^Not opened: .*To have it read, ask for it/);
  const ask = () =>
    rig.store.transact(async (tx) => {
      const receipt = await tx.mails.get(DEFAULT_TENANT, skipped.id);
      return askToRead(tx, receipt!, 'cli', rig.clock.now());
    });
  assert.equal(await ask(), true);
  assert.equal(await ask(), false, 'once');
  await rig.collect(process);
  const read = await rig.store.read((tx) => tx.mails.get(DEFAULT_TENANT, skipped.id));
  assert.deepEqual([read?.disposition, read?.reasonCode], ['collected', 'asked']);
  assert.notEqual(read?.raw, undefined);
});

test('a mail that is gone, comes back, or is too large says so', async (t) => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  const process = await begin(t, rig);
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  const moved = letter('moved');
  server.deliver(moved, rig.clock.now());
  server.deliver(letter('large', 'travel', 'x'.repeat(200_000)), rig.clock.now());
  assert.ok(await rig.until(async () => (await seen(rig)).length === 2));
  server.remove(({ bytes }) => bytes === moved);
  await rig.collect(process);
  const of = async (word: string) => (await rig.receipts()).find(({ subject }) => subject.endsWith(word))!;
  assert.equal((await of('moved')).disposition, 'vanished');
  assert.equal((await of('large')).disposition, 'too-large');
  assert.equal(server.bytesFetched, 0, 'its size was known');
  server.deliver(moved, rig.clock.now());
  assert.ok(await rig.until(async () => (await of('moved')).disposition === 'seen'));
  await rig.collect(process);
  assert.equal((await of('moved')).disposition, 'collected');
  assert.equal((await rig.receipts()).length, 2);
  assert.equal((await rig.watch('a')).seen, 2);
});

test('a mail is fetched from where it lies now, after its numbers have changed', async (t) => {
  const rig = new WatchRig();
  const server = await rig.connect('a');
  const process = await begin(t, rig);
  await rig.until(async () => (await stateOf(rig, 'a')) === 'watching');
  server.deliver(letter('other', 'other'), rig.clock.now());
  server.deliver(letter('trip'), rig.clock.now());
  assert.ok(await rig.until(async () => (await seen(rig)).length === 2));
  server.remove(({ uid }) => uid === 1);
  server.renumber();
  server.drop();
  const trip = async () => (await rig.receipts()).find(({ subject }) => subject.endsWith('trip'))!;
  assert.ok(await rig.until(async () => (await trip()).timesSeen === 2, 20 * MINUTE, SECOND));
  await rig.collect(process);
  assert.equal((await trip()).disposition, 'collected');
  const bytes = Buffer.from(rig.blobs.kept.get((await trip()).raw!)!).toString();
  assert.match(bytes, /trip@test/);
});
