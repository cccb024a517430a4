import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SubjectId } from '../../../src/domain/ids.ts';
import type { WakeReason } from '../../../src/ports/store/subjects.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { OpenStore } from './harness.ts';

const spec = { id: 's', label: 'S', query: {}, fromAt: 0, startAt: 1, endAt: 2 };
const A = 'sub_a' as SubjectId;
const B = 'sub_b' as SubjectId;

/** What providers push: stored once, and with its reason until somebody has asked. */
export function noticesContract(open: OpenStore): void {
  const contract = (what: string, run: (store: Store, again: () => Promise<Store>) => Promise<void>) =>
    test(what, async () => {
      const opened = await open();
      let { store } = opened;
      await store.transact(async (tx) => {
        await tx.subjects.put(A, 'air', spec);
        await tx.subjects.put(B, 'air', spec);
      });
      try {
        await run(store, async () => {
          if (opened.reopen !== undefined) store = await opened.reopen();
          return store;
        });
      } finally {
        await opened.dispose();
      }
    });
  const wakeOf = (store: Store, id: SubjectId) => store.read(async (tx) => (await tx.subjects.some([id]))[0]!.wake);
  const wake = (store: Store, why: WakeReason) => store.transact((tx) => tx.subjects.wake([A], why));

  contract('a notice is taken once an account, however many take it at once', async (store, again) => {
    const take = (id: string, account = 'air') => store.transact((tx) => tx.notices.take(account, id, true, 5));
    const taken = await Promise.all([take('n1'), take('n1'), take('n1')]);
    assert.equal(taken.filter(Boolean).length, 1);
    assert.equal(await take('n1', 'hotel'), true);
    const reopened = await again();
    assert.equal(await reopened.transact((tx) => tx.notices.take('air', 'n1', true, 6)), false);
    assert.equal(await reopened.transact((tx) => tx.notices.take('air', 'n2', true, 6)), true);
  });

  contract('one whose transaction fails was not taken', async (store) => {
    const failing = store.transact(async (tx) => {
      assert.equal(await tx.notices.take('air', 'n1', false, 5), true);
      throw new Error('undone');
    });
    await assert.rejects(failing, /undone/);
    assert.equal(await store.transact((tx) => tx.notices.take('air', 'n1', false, 6)), true);
  });

  contract('old ones go; when the newest signed one came is known', async (store) => {
    await store.transact(async (tx) => {
      for (const [id, signed, at] of [
        ['n1', true, 5],
        ['n2', true, 7],
        ['n3', false, 9],
      ] as const)
        await tx.notices.take('air', id, signed, at);
    });
    const last = (account: string) => store.read((tx) => tx.notices.lastSignedAt(account));
    assert.deepEqual([await last('air'), await last('hotel')], [7, undefined]);
    await store.transact((tx) => tx.notices.forget('air', 8));
    assert.equal(await last('air'), undefined);
    assert.equal(await store.transact((tx) => tx.notices.take('air', 'n3', false, 10)), false);
  });

  contract('a wake stands with its reason, the strongest, until it was followed', async (store, again) => {
    assert.equal(await wakeOf(store, A), undefined);
    for (const [why, stands] of [
      ['related', 'related'],
      ['hint', 'hint'],
      ['push', 'push'],
      ['doubt', 'push'],
    ] as const) {
      const before = (await wakeOf(store, A))?.at ?? 0;
      await wake(store, why);
      const after = (await wakeOf(store, A))!;
      assert.equal(after.why, stands);
      assert.ok(after.at > before, 'each is another one, within one ms too');
    }
    assert.equal(await wakeOf(store, B), undefined);
    const reopened = await again();
    const { at, why } = (await wakeOf(reopened, A))!;
    assert.equal(why, 'push');
    const heard = (id: SubjectId, upTo: number) => reopened.transact((tx) => tx.subjects.heard([{ id, at: upTo }]));
    await wake(reopened, 'hint');
    await heard(A, at);
    assert.equal((await wakeOf(reopened, A))!.why, 'push', 'one that came since was not followed');
    await heard(A, (await wakeOf(reopened, A))!.at);
    assert.equal(await wakeOf(reopened, A), undefined);
    await heard(A, at);
    assert.equal(await wakeOf(reopened, A), undefined, 'an older word changes nothing');
    await wake(reopened, 'hint');
    assert.equal((await wakeOf(reopened, A))!.why, 'hint', 'the reason of a wake that was followed is over');
  });

  contract('what has ended is neither woken nor wakes when it begins again', async (store) => {
    await wake(store, 'push');
    await store.transact((tx) => tx.subjects.end(A));
    await wake(store, 'push');
    await store.transact((tx) => tx.subjects.put(A, 'air', spec));
    assert.equal(await wakeOf(store, A), undefined);
  });
}
