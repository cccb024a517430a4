import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Told } from '../../../src/domain/alerts/alert.ts';
import { ana, ben, type OpenStore, other } from './harness.ts';

const told = (version: number): Told => ({
  version,
  facts: { 'leg_a/start.gate': { value: 'B1', certain: true, at: 5 } },
  alerts: [],
});

export function alertsContract(open: OpenStore): void {
  test('what was told is kept by reservation, and only its tenant reads it', async () => {
    const opened = await open();
    let { store } = opened;
    await store.transact((tx) => tx.alerts.put(ana.tenant, ana.traveller, 'rsv_a', told(1), null));
    await store.transact((tx) => tx.alerts.put(ana.tenant, ana.traveller, 'rsv_a', told(2), undefined));
    await store.transact((tx) => tx.alerts.put(ana.tenant, ana.traveller, 'rsv_b', told(7), null));
    if (opened.reopen !== undefined) store = await opened.reopen();
    const ask = (owner: typeof ana | typeof other, ...ids: `rsv_${string}`[]) =>
      store.read((tx) => tx.alerts.told(owner.tenant, owner.traveller, ids));
    assert.deepEqual([...(await ask(ana, 'rsv_a'))], [['rsv_a', told(2)]]);
    assert.deepEqual([...(await ask(ana, 'rsv_a', 'rsv_b', 'rsv_c')).keys()].sort(), ['rsv_a', 'rsv_b']);
    assert.equal((await ask(other, 'rsv_a', 'rsv_b')).size, 0);
    await store.transact((tx) => tx.alerts.remove(ana.tenant, 'rsv_a'));
    assert.equal((await ask(ana, 'rsv_a')).size, 0);
    await opened.dispose();
  });

  test('what is due comes in order; a later record sets, keeps or ends it', async () => {
    const { store, dispose } = await open();
    const put = (id: `rsv_${string}`, dueAt: number | null | undefined) =>
      store.transact((tx) => tx.alerts.put(ana.tenant, ana.traveller, id, told(1), dueAt));
    const due = (now: number) => store.read((tx) => tx.alerts.due(now, 10));
    assert.equal(await store.read((tx) => tx.alerts.nextDueAt()), undefined);
    await put('rsv_late', 300.7);
    await put('rsv_soon', 100);
    await put('rsv_never', null);
    assert.equal(await store.read((tx) => tx.alerts.nextDueAt()), 100);
    assert.deepEqual(await due(99), []);
    assert.deepEqual(
      (await due(300)).map(({ reservation }) => reservation),
      ['rsv_soon', 'rsv_late'],
    );
    assert.deepEqual((await due(300))[0], { ...ana, reservation: 'rsv_soon' });
    await put('rsv_soon', undefined);
    await put('rsv_late', null);
    assert.deepEqual(
      (await due(1000)).map(({ reservation }) => reservation),
      ['rsv_soon'],
    );
    await dispose();
  });

  test('near journeys that nobody answers about: by failing subjects, and by accounts that are away; in pages', async () => {
    const { store, dispose } = await open();
    const item = (id: `rsv_${string}`, startsAt: number, more: object = {}) => ({
      ...{
        reservation: id,
        version: 1,
        startsAt,
        endsAt: startsAt + 100,
        cancelled: false,
        removed: false,
        updatedAt: 0,
      },
      ...more,
    });
    await store.transact(async (tx) => {
      for (const [id, account] of [
        ['sub_a', 'aero'],
        ['sub_b', 'other'],
      ] as const) {
        await tx.subjects.put(id, account, { id, label: id, query: {}, fromAt: 0, startAt: 0, endAt: 10_000 });
      }
      await tx.itineraries.put({ ...ana, ...item('rsv_near', 1000) });
      await tx.itineraries.put({ ...ana, ...item('rsv_far', 90_000) });
      await tx.itineraries.put({ ...ana, ...item('rsv_off', 1000, { cancelled: true }) });
      await tx.itineraries.put({ ...other, ...item('rsv_near', 1000) });
      for (const owner of [ana, other]) await tx.subjects.follow('sub_a', { ...owner, reservation: 'rsv_near' });
      for (const id of ['rsv_far', 'rsv_off'] as const) await tx.subjects.follow('sub_a', { ...ana, reservation: id });
      await tx.subjects.markChecked([{ id: 'sub_a', at: 500 }]);
    });
    const ask = async (since: number, away: readonly string[], limit = 10, after?: string) =>
      store.read((tx) => tx.alerts.unanswered({ now: 900, since, until: 2000, away, after }, limit));
    assert.deepEqual(await ask(800, []), []);
    assert.deepEqual(await ask(400, ['aero']), [], 'its last answer is younger');
    assert.deepEqual(await ask(800, ['other']), []);
    assert.deepEqual(
      (await ask(800, ['aero'])).map(({ tenant, reservation }) => [tenant, reservation]),
      [
        [ana.tenant, 'rsv_near'],
        [other.tenant, 'rsv_near'],
      ],
    );
    await store.transact((tx) => tx.subjects.markChecked([{ id: 'sub_a', at: 600, failure: 'no answer' }]));
    const [first] = await ask(800, [], 1);
    assert.equal(first?.tenant, ana.tenant);
    const rest = await ask(800, [], 10, first?.cursor);
    assert.deepEqual(
      rest.map(({ tenant }) => tenant),
      [other.tenant],
    );
    assert.deepEqual(await ask(599, []), []);
    await dispose();
  });

  test('what a traveller wants stands with language and zone; nobody else has it', async () => {
    const { store, dispose } = await open();
    await store.transact(async (tx) => {
      await tx.accounts.ensureTenant(ana.tenant, 'one', 0);
      for (const { tenant, traveller } of [ana, ben])
        await tx.accounts.addTraveller({
          id: traveller,
          tenant,
          name: 'A',
          zone: 'Europe/Rome',
          locale: 'it',
          createdAt: 0,
        });
      await tx.alerts.putSettings(ana.tenant, ana.traveller, { delay: { minutes: 5 } }, 1);
      await tx.alerts.putSettings(ana.tenant, ana.traveller, { delay: { minutes: 30 } }, 2);
    });
    const ask = (owner: typeof ana | typeof ben | typeof other) =>
      store.read((tx) => tx.alerts.preferences(owner.tenant, owner.traveller));
    assert.deepEqual(await ask(ana), { settings: { delay: { minutes: 30 } }, locale: 'it', zone: 'Europe/Rome' });
    assert.deepEqual((await ask(ben))?.settings, {});
    assert.equal(await ask(other), undefined);
    await dispose();
  });
}
