import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MailboxId } from '../../../src/domain/ids.ts';
import type { Watch, WatchRepo, WatchState } from '../../../src/ports/store/watches.ts';
import { ana, box, mail, type OpenStore, other } from './harness.ts';

const watch: Watch = {
  ...ana,
  mailbox: box,
  kind: 'imap',
  settings: { host: 'mail.example', folders: ['INBOX'] },
  sealedCredentials: 'sealed',
  since: 1000,
  liveCursor: undefined,
  backfillCursor: undefined,
  backfillDone: false,
  backfillLeft: undefined,
  state: 'connecting',
  reasonCode: 'connecting',
  reason: 'Being tried.',
  stateAt: 5,
  checkedAt: undefined,
  dueAt: undefined,
  seen: 0,
  subscription: undefined,
  renewAt: undefined,
  pushName: undefined,
  pushFault: undefined,
  needsSince: undefined,
  createdAt: 5,
};
const elsewhere: Watch = { ...watch, ...other };
const listed = (name: string, ref: string) => {
  const { raw: _, ...rest } = mail(name, { ref, folder: 'INBOX', headDigest: `digest-${name}`, via: 'imap' });
  return rest;
};

export function watchesContract(open: OpenStore): void {
  test('a watch is kept as it was added, for its tenant; a repeat changes nothing', async () => {
    const { store, dispose } = await open();
    await store.transact(async (tx) => {
      await tx.watches.add(watch);
      await tx.watches.add({ ...watch, kind: 'jmap', since: 7 });
      await tx.watches.add(elsewhere);
    });
    assert.deepEqual(await store.read((tx) => tx.watches.get(ana.tenant, box)), watch);
    assert.deepEqual(await store.read((tx) => tx.watches.list(ana.tenant)), [watch]);
    assert.deepEqual(await store.read((tx) => tx.watches.list(ana.tenant, 'trv_nobody')), []);
    assert.equal(await store.transact((tx) => tx.watches.remove(ana.tenant, box)), true);
    assert.equal(await store.transact((tx) => tx.watches.remove(ana.tenant, box)), false);
    assert.equal(await store.read((tx) => tx.watches.get(ana.tenant, box)), undefined);
    assert.deepEqual(await store.read((tx) => tx.watches.get(other.tenant, box)), elsewhere);
    await dispose();
  });

  test('progress, standing, marks and subscription are kept', async () => {
    const { store, dispose } = await open();
    await store.transact(async (tx) => {
      await tx.watches.add(watch);
      await tx.watches.progress(watch, { liveCursor: 'l1', seen: 3 });
      await tx.watches.progress(watch, {
        ...{ backfillCursor: 'b1', backfillDone: false, backfillLeft: 70, backfillSince: 1000, seen: 2 },
      });
      await tx.watches.stand(watch, { state: 'watching', reasonCode: 'watching', reason: 'Well.' }, 9);
      await tx.watches.mark([{ ...watch, checkedAt: 10, dueAt: 20 }]);
      await tx.watches.subscribed(watch, { state: 's', renewAt: 30, pushName: 'me@a.example' });
    });
    assert.deepEqual(await store.read((tx) => tx.watches.get(ana.tenant, box)), {
      ...{ ...watch, liveCursor: 'l1', backfillCursor: 'b1', backfillLeft: 70, seen: 5, state: 'watching' },
      ...{ reasonCode: 'watching', reason: 'Well.', stateAt: 9, checkedAt: 10, dueAt: 20, subscription: 's' },
      ...{ renewAt: 30, pushName: 'me@a.example' },
    });
    const find = (...hint: Parameters<WatchRepo['findPushed']>) => store.read((tx) => tx.watches.findPushed(...hint));
    const found = [{ tenant: ana.tenant, mailbox: box }];
    assert.deepEqual(await find('imap', { names: ['x', 'me@a.example'] }), found);
    assert.deepEqual(await find('imap', { mailboxes: [box] }), found);
    assert.deepEqual(await find('imap', { names: ['me@a.example'], mailboxes: [box] }), found, 'once');
    assert.deepEqual(await find('gmail', { names: ['me@a.example'], mailboxes: [box] }), []);
    assert.deepEqual(await find('imap', { names: ['x'], mailboxes: ['mbx_other'] }), []);
    const needs = { state: 'needs-you', reasonCode: 'consent-needed', reason: 'Sign in again.' } as const;
    await store.transact((tx) => tx.watches.stand(watch, needs, 10));
    assert.deepEqual(await find('imap', { names: ['me@a.example'], mailboxes: [box] }), [], 'it needs its owner first');
    await store.transact((tx) => tx.watches.subscribed(watch, { fault: 'graph-refused' }));
    const kept = await store.read((tx) => tx.watches.get(ana.tenant, box));
    assert.deepEqual([kept?.pushFault, kept?.subscription, kept?.renewAt], ['graph-refused', 's', 30]);
    await store.transact((tx) => tx.watches.subscribed(watch, { state: 't', renewAt: 40 }));
    const mended = await store.read((tx) => tx.watches.get(ana.tenant, box));
    assert.deepEqual([mended?.pushFault, mended?.subscription, mended?.pushName], [undefined, 't', 'me@a.example']);
    await dispose();
  });

  test('that it needs its owner is told once, until it works again, whatever comes between', async () => {
    const { store, dispose } = await open();
    const stand = (state: WatchState, now: number) =>
      store.transact((tx) => tx.watches.stand(watch, { state, reasonCode: state, reason: 'Why.' }, now));
    await store.transact((tx) => tx.watches.add(watch));
    const since = async () => (await store.read((tx) => tx.watches.get(ana.tenant, box)))?.needsSince;
    assert.equal(await stand('watching', 1), undefined, 'it did not need anyone');
    assert.equal(await stand('needs-you', 2), 'began');
    assert.equal(await stand('needs-you', 3), undefined);
    await store.transact((tx) => tx.watches.change(ana.tenant, box, { sealedCredentials: 'also wrong' }));
    assert.equal(await stand('unreachable', 4), undefined);
    assert.equal(await stand('needs-you', 5), undefined, 'it has not worked since');
    assert.equal(await since(), 2);
    assert.deepEqual(
      (await store.read((tx) => tx.watches.listNeeding(10))).map(({ mailbox }) => mailbox),
      [box],
    );
    assert.equal(await stand('backfilling', 6), 'ended');
    assert.equal(await stand('watching', 7), undefined);
    assert.equal(await since(), undefined);
    assert.equal(await stand('needs-you', 8), 'began');
    await store.transact((tx) => tx.watches.remove(ana.tenant, box));
    assert.deepEqual(await store.read((tx) => tx.watches.listNeeding(10)), [], 'a removed one needs nobody');
    assert.equal(await stand('needs-you', 9), undefined);
    await dispose();
  });

  test('going further back begins the older mails anew, whatever page of before is stored after it', async () => {
    const { store, dispose } = await open();
    const older = { backfillCursor: 'b', backfillDone: true, backfillSince: 1000 };
    const done = async () => {
      const now = await store.read((tx) => tx.watches.get(ana.tenant, box));
      return [now?.backfillDone, now?.backfillCursor];
    };
    await store.transact(async (tx) => {
      await tx.watches.add(watch);
      await tx.watches.progress(watch, older);
    });
    await store.transact((tx) => tx.watches.change(ana.tenant, box, { since: 2000 }));
    assert.deepEqual(await done(), [true, 'b'], 'a later beginning leaves what was done');
    await store.transact((tx) => tx.watches.change(ana.tenant, box, { since: 500 }));
    assert.deepEqual(await done(), [false, undefined]);
    await store.transact((tx) => tx.watches.progress(watch, older));
    assert.deepEqual(await done(), [false, undefined], 'a page that was asked with the old beginning');
    await store.transact((tx) => tx.watches.progress(watch, { ...older, backfillSince: 500 }));
    assert.deepEqual(await done(), [true, 'b']);
    await dispose();
  });

  test('credentials are changed for others only where those of before still stand', async () => {
    const { store, dispose } = await open();
    await store.transact((tx) => tx.watches.add(watch));
    const swap = (before: string | undefined, after: string) =>
      store.transact((tx) => tx.watches.swapCredentials(watch, before, after));
    assert.equal(await swap('sealed', 'second'), true);
    assert.equal(await swap('sealed', 'third'), false);
    assert.equal(await swap(undefined, 'third'), false);
    assert.equal((await store.read((tx) => tx.watches.get(ana.tenant, box)))?.sealedCredentials, 'second');
    await dispose();
  });

  test('whoever holds the shard hears what owners do, and not what holders write', async () => {
    const { store, dispose } = await open();
    await store.transact(async (tx) => {
      await tx.accounts.addMailbox(
        { ...ana, id: box, kind: 'imap', label: 'a', address: undefined, state: 'active', createdAt: 1 },
        undefined,
      );
      await tx.watches.add(watch);
    });
    const look = (since: number) => store.read((tx) => tx.watches.touchedSince(since));
    const { watches } = await look(0);
    const [first] = watches;
    assert.deepEqual([watches.length, first?.resting, first?.wakeAt], [1, false, 0]);
    const shard = await store.read((tx) => tx.watches.listShard(first!.shard));
    assert.deepEqual(
      shard.map(({ mailbox }) => mailbox),
      [box],
    );
    const touched = async () => (await look(0)).watches[0]!;
    await store.transact((tx) => tx.watches.progress(watch, { liveCursor: 'x' }));
    assert.equal((await touched()).touchedAt, first!.touchedAt);
    await store.transact((tx) => tx.watches.subscribed(watch, { state: 's', renewAt: 30 }));
    await store.transact((tx) => tx.watches.wake([watch]));
    assert.ok((await touched()).wakeAt > 0);
    assert.equal((await touched()).renewAt, 30);
    await store.transact((tx) => tx.watches.wake([watch], { renew: true }));
    assert.equal((await touched()).renewAt, 0);
    await store.transact((tx) => tx.accounts.setMailboxState(ana.tenant, box, 'paused'));
    assert.equal((await touched()).resting, true);
    const change = { sealedCredentials: 'anew', settings: { host: 'b.example' } };
    assert.equal(await store.transact((tx) => tx.watches.change(ana.tenant, box, change)), true);
    assert.equal(await store.transact((tx) => tx.watches.change(other.tenant, box, change)), false);
    assert.deepEqual(
      [(await touched()).sealedCredentials, (await touched()).settings],
      ['anew', { host: 'b.example' }],
    );
    await store.transact((tx) => tx.accounts.setMailboxState(ana.tenant, box, 'removed'));
    const end = await look(0);
    assert.deepEqual([end.watches, end.gone], [[], [{ tenant: ana.tenant, mailbox: box, shard: first!.shard }]]);
    assert.deepEqual(await store.read((tx) => tx.watches.listShard(first!.shard)), []);
    assert.deepEqual((await look(end.now + 1_000_000)).gone, []);
    await dispose();
  });

  test('a mail that is listed again is one mail, that lies where it was listed last', async () => {
    const { store, dispose } = await open();
    const add = (ref: string) => store.transact((tx) => tx.mails.add(listed('a', ref), 5));
    assert.deepEqual(await add('INBOX;1;7'), { new: true, id: 'mail_a', disposition: 'seen', timesSeen: 1 });
    assert.deepEqual(await add('INBOX;2;1'), { new: false, id: 'mail_a', disposition: 'seen', timesSeen: 2 });
    const gone = { disposition: 'vanished', reasonCode: 'mail-vanished', reason: 'Gone.' } as const;
    const update = (ifRef: string) =>
      store.transact((tx) => tx.mails.update(ana.tenant, 'mail_a', { ...gone, ifRef }, 6));
    assert.equal(await update('INBOX;1;7'), false, 'it lies elsewhere by now');
    assert.equal(await update('INBOX;2;1'), true);
    assert.equal((await add('INBOX;2;9')).disposition, 'vanished');
    const fetched = { ...gone, disposition: 'collected', raw: 'sha256:bytes' } as const;
    await store.transact((tx) => tx.mails.update(ana.tenant, 'mail_a', fetched, 7));
    const receipt = await store.read((tx) => tx.mails.get(ana.tenant, 'mail_a'));
    assert.deepEqual(
      [receipt?.ref, receipt?.folder, receipt?.headDigest, receipt?.raw],
      ['INBOX;2;9', 'INBOX', 'digest-a', 'sha256:bytes'],
    );
    assert.equal((await add('INBOX;3;1')).new, false, 'its bytes do not make it another');
    await store.transact((tx) => tx.mails.add(listed('b', 'INBOX;3;2'), 5));
    assert.equal(await store.read((tx) => tx.mails.undecided(ana.tenant, box)), 2);
    assert.equal(await store.read((tx) => tx.mails.undecided(ana.tenant, 'mbx_none' as MailboxId)), 0);
    const counts = await store.read((tx) => tx.mails.countOf(ana.tenant, box));
    assert.deepEqual([counts.seen, counts.collected], [1, 1]);
    await dispose();
  });
}
