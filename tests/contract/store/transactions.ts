import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { ana, appendOne, eventId, mail, newEvent, type OpenStore, origin } from './harness.ts';

export function transactionsContract(open: OpenStore): void {
  test('works that share a commit do not share their failures', async () => {
    const { store, dispose } = await open();
    const boom = new Error('boom');
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        store.transact(async (tx) => {
          await tx.mails.add(mail(`m${n}`), 1);
          await tx.append([newEvent(`s${n}`)], origin(`e${n}`));
          if (n % 3 === 0) throw boom;
          return n;
        }),
      ),
    );
    for (const [n, result] of results.entries()) {
      if (n % 3 === 0) assert.equal(result.status === 'rejected' && result.reason, boom);
      else assert.equal(result.status === 'fulfilled' && result.value, n);
      const there = await store.read(async (tx) => [
        await tx.mails.get(ana.tenant, `mail_m${n}`),
        (await tx.log.bySubject(ana.tenant, `s${n}`, 10))[0],
      ]);
      assert.deepEqual(
        there.map((value) => value !== undefined),
        [n % 3 !== 0, n % 3 !== 0],
      );
    }
    await dispose();
  });

  test('a refused statement takes only its own work with it', async () => {
    const { store, dispose } = await open();
    const twice = { ...mail('same'), raw: 'sha256:else' as const };
    const [good, bad, late] = await Promise.allSettled([
      store.transact((tx) => tx.mails.add(mail('same'), 1)),
      store.transact(async (tx) => {
        await tx.mails.add(mail('gone'), 1);
        // The same id with other bytes: the caller made ids that are not derived from the bytes.
        await tx.mails.add(twice, 1);
      }),
      store.transact((tx) => tx.mails.add(mail('late'), 1)),
    ]);
    assert.equal(good.status, 'fulfilled');
    assert.equal(late.status, 'fulfilled');
    assert.ok(bad.status === 'rejected' && bad.reason instanceof TripwatchError && bad.reason.kind === 'defect');
    assert.equal((await store.read((tx) => tx.mails.count(ana.tenant))).seen, 2);
    await dispose();
  });

  test('more works than one batch takes all run, on one writer in the order they came', async () => {
    const { store, dispose, inOrder = true } = await open();
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 1000 }, (_, n) =>
        store.transact(async (tx) => {
          await tx.log.claim('c', eventId(String(n)), n);
          order.push(n);
        }),
      ),
    );
    if (!inOrder) order.sort((a, b) => a - b);
    assert.deepEqual(
      order,
      Array.from({ length: 1000 }, (_, n) => n),
    );
    await dispose();
  });

  test('a read sees what was acknowledged, and cannot write', async () => {
    const { store, dispose } = await open();
    await store.transact((tx) => tx.mails.add(mail('a'), 1));
    assert.ok(await store.read((tx) => tx.mails.get(ana.tenant, 'mail_a')));
    await assert.rejects(
      store.read((tx) => tx.mails.add(mail('b'), 1)),
      (error) => error instanceof TripwatchError && error.kind === 'defect' && error.code === 'read-only',
    );
    await store.transact((tx) => tx.mails.add(mail('c'), 1));
    assert.equal(await store.read((tx) => tx.mails.get(ana.tenant, 'mail_b')), undefined);
    await dispose();
  });

  test('a read is one snapshot', async () => {
    const { store, dispose } = await open();
    const counts = await Promise.all([
      store.read(async (tx) => [(await tx.mails.count(ana.tenant)).seen, (await tx.mails.count(ana.tenant)).seen]),
      ...Array.from({ length: 30 }, (_, n) => store.transact((tx) => tx.mails.add(mail(`m${n}`), 1))),
      ...Array.from({ length: 10 }, () =>
        store.read(async (tx) => [(await tx.mails.count(ana.tenant)).seen, (await tx.mails.count(ana.tenant)).seen]),
      ),
    ]);
    for (const pair of counts) if (Array.isArray(pair)) assert.equal(pair[0], pair[1]);
    await dispose();
  });

  test('appending again changes nothing and gives the same ids', async () => {
    const { store, dispose } = await open();
    const first = await appendOne(store, 'x');
    const again = await appendOne(store, 'x');
    assert.equal(again.id, first.id);
    assert.equal((await store.read((tx) => tx.log.bySubject(ana.tenant, 'thing-x', 10))).length, 1);
    await dispose();
  });

  test('after close nothing is taken, and what was handed in before is finished', async () => {
    const { store, dispose } = await open();
    const before = store.transact((tx) => tx.mails.add(mail('a'), 1));
    const closed = store.close();
    const isClosed = (error: unknown) => error instanceof TripwatchError && error.code === 'store-closed';
    await assert.rejects(
      store.transact((tx) => tx.mails.add(mail('b'), 1)),
      isClosed,
    );
    await assert.rejects(
      store.read((tx) => tx.mails.count(ana.tenant)),
      isClosed,
    );
    assert.equal((await before).id, 'mail_a');
    await closed;
    await store.close();
    await dispose();
  });

  test('what was written is there after opening again', async (t) => {
    const opened = await open();
    if (opened.reopen === undefined) {
      t.skip('this back end keeps nothing');
      return opened.dispose();
    }
    const event = await appendOne(opened.store, 'x');
    const again = await opened.reopen();
    assert.deepEqual((await again.read((tx) => tx.log.get(event.id)))?.event, event);
    await opened.dispose();
  });
}
