import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { ObservationId, ReservationId } from '../../../src/domain/ids.ts';
import type { Observation } from '../../../src/domain/observation.ts';
import type { Change, Reservation } from '../../../src/domain/reservation.ts';
import type { SubjectSpec } from '../../../src/ports/provider.ts';
import type { Store } from '../../../src/ports/store.ts';
import { ana, ben, type OpenStore, other } from './harness.ts';

const at = '2026-11-22T00:00:00.000Z';

function observation(
  name: string,
  bookingKeys: readonly string[],
  legKeys: readonly string[],
  owner: { tenant: Observation['tenant']; traveller: Observation['traveller'] } = ana,
): Observation {
  return {
    id: `obs_${name}`,
    ...owner,
    source: { kind: 'mail', ref: 'mail_1', label: 'mail' },
    authority: 'mail',
    assertedAt: at,
    observedAt: at,
    bookingKeys,
    facts: { reference: { value: 'ABCDEF' } },
    legs: legKeys.map((key) => ({ kind: 'flight', keys: [key], facts: {} })),
  };
}

function reservation(
  name: string,
  version: number,
  observations: readonly string[],
  change: Partial<Reservation> = {},
): Reservation {
  return {
    id: `rsv_${name}`,
    ...ana,
    version,
    bookingKeys: [`ref:air:${name}`],
    fields: {},
    legs: [],
    observations: observations.map((id) => `obs_${id}` as ObservationId),
    digest: `digest-${version}`,
    ...change,
  };
}

const created: readonly Change[] = [{ type: 'created' }];

async function closureIds(store: Store, keys: readonly string[], owner = ana): Promise<readonly string[]> {
  const found = await store.read((tx) => tx.reservations.closure(owner.tenant, owner.traveller, keys));
  return found.map((one) => one.id);
}

export function reservationsContract(open: OpenStore): void {
  test('the closure goes from key to key, and stays with its traveller', async () => {
    const { store, dispose } = await open();
    await store.transact(async ({ reservations }) => {
      // A chain: every observation shares one key with the next.
      for (let n = 0; n < 40; n++) {
        await reservations.addObservation(observation(`c${n}`, [`ref:air:k${n}`, `ref:air:k${n + 1}`], []), 1);
      }
      await reservations.addObservation(observation('alone', ['ref:air:alone'], []), 1);
      await reservations.addObservation(observation('ben', ['ref:air:k0'], [], ben), 1);
      await reservations.addObservation(observation('other', ['ref:air:k0'], [], other), 1);
    });
    assert.equal((await closureIds(store, ['ref:air:k40'])).length, 40);
    assert.deepEqual(await closureIds(store, ['ref:air:alone']), ['obs_alone']);
    assert.deepEqual(await closureIds(store, ['ref:air:k7'], ben), []);
    assert.deepEqual(await closureIds(store, ['ref:air:k0'], ben), ['obs_ben']);
    assert.deepEqual(await closureIds(store, ['ref:air:k0'], other), ['obs_other']);
    assert.deepEqual(await closureIds(store, []), []);
    await dispose();
  });

  test('a flight without its origin finds the one with, and is found by it', async () => {
    const { store, dispose } = await open();
    const bare = 'leg:flight:lh400:2026-12-01:';
    await store.transact(async ({ reservations }) => {
      await reservations.addObservation(observation('full', ['ref:air:abcdef'], [`${bare}fra`]), 1);
      await reservations.addObservation(observation('bare', [], [bare]), 1);
      await reservations.addObservation(observation('day', [], ['leg:flight:lh400:2026-12-02:fra']), 1);
      await reservations.addObservation(observation('number', [], ['leg:flight:lh4001:2026-12-01:fra']), 1);
    });
    assert.deepEqual(await closureIds(store, [bare]), ['obs_bare', 'obs_full']);
    assert.deepEqual(await closureIds(store, [`${bare}fra`]), ['obs_bare', 'obs_full']);
    assert.deepEqual(await closureIds(store, ['ref:air:abcdef']), ['obs_bare', 'obs_full']);
    await dispose();
  });

  test('a thousand keys at once, and keys that look like SQL', async () => {
    const { store, dispose } = await open();
    const keys = Array.from({ length: 1000 }, (_, n) => `ref:air:'; DROP TABLE log; --${n}`);
    await store.transact(async ({ reservations }) => {
      for (let n = 0; n < 1000; n += 10) {
        await reservations.addObservation(observation(`o${n}`, keys.slice(n, n + 1), []), 1);
      }
    });
    assert.equal((await closureIds(store, keys)).length, 100);
    await dispose();
  });

  test('an observation is added once and comes back as it was', async () => {
    const { store, dispose } = await open();
    const one = observation('a', ['ref:air:a'], ['leg:flight:lh400:2026-12-01:fra']);
    assert.deepEqual(await store.transact((tx) => tx.reservations.addObservation(one, 1)), { new: true });
    assert.deepEqual(await store.transact((tx) => tx.reservations.addObservation(one, 2)), { new: false });
    const ids: ObservationId[] = ['obs_a', 'obs_none', 'obs_a'];
    assert.deepEqual(await store.read((tx) => tx.reservations.getObservations(ana.tenant, ids)), [one]);
    assert.deepEqual(await store.read((tx) => tx.reservations.getObservations(other.tenant, ids)), []);
    await dispose();
  });

  test('versions follow one another, or the write is stale', async () => {
    const { store, dispose } = await open();
    const put = (value: Reservation) => store.transact((tx) => tx.reservations.putVersion(value, created, 7));
    const stale = (error: unknown) =>
      error instanceof TripwatchError && error.kind === 'stale' && error.code === 'version-conflict';
    await assert.rejects(put(reservation('a', 2, ['x'])), stale);
    await put(reservation('a', 1, ['x']));
    await assert.rejects(put(reservation('a', 1, ['x'])), stale);
    await assert.rejects(put(reservation('a', 3, ['x'])), stale);
    await put(reservation('a', 2, ['x', 'y']));
    await assert.rejects(put(reservation('a', 2, ['x', 'y'])), stale);
    await assert.rejects(put(reservation('a', 3, ['x'], { ...other })), stale);
    await store.read(async ({ reservations }) => {
      assert.deepEqual(await reservations.get(ana.tenant, 'rsv_a'), reservation('a', 2, ['x', 'y']));
      assert.equal(await reservations.get(other.tenant, 'rsv_a'), undefined);
      assert.deepEqual(await reservations.history(ana.tenant, 'rsv_a'), [
        { reservation: 'rsv_a', version: 1, changes: created, at: 7 },
        { reservation: 'rsv_a', version: 2, changes: created, at: 7 },
      ]);
      assert.deepEqual(await reservations.history(other.tenant, 'rsv_a'), []);
    });
    await dispose();
  });

  test('reservations are found by what they rest on, and a merged one leads to the other', async () => {
    const { store, dispose } = await open();
    await store.transact(async ({ reservations }) => {
      await reservations.putVersion(reservation('a', 1, ['x']), created, 1);
      await reservations.putVersion(reservation('b', 1, ['y', 'z']), created, 1);
      await reservations.putVersion(reservation('c', 1, ['z'], { ...ben }), created, 1);
    });
    const resting = (...ids: ObservationId[]) =>
      store
        .read((tx) => tx.reservations.restingOn(ana.tenant, ana.traveller, ids))
        .then((found) => found.map((one) => one.id));
    assert.deepEqual(await resting('obs_x', 'obs_y', 'obs_z'), ['rsv_a', 'rsv_b']);
    assert.deepEqual(await resting('obs_none'), []);
    await store.transact(async ({ reservations }) => {
      await reservations.putVersion(reservation('a', 2, ['x', 'y', 'z']), created, 1);
      await reservations.putVersion(reservation('b', 2, ['y']), created, 1);
      await reservations.merge(ana.tenant, 'rsv_b', 'rsv_a', 2);
      await reservations.merge(ana.tenant, 'rsv_a', 'rsv_a', 2);
      await reservations.merge(other.tenant, 'rsv_a', 'rsv_b', 2);
    });
    assert.deepEqual(await resting('obs_y'), ['rsv_a']);
    assert.equal((await store.read((tx) => tx.reservations.get(ana.tenant, 'rsv_b')))?.id, 'rsv_a');
    const list = (traveller?: typeof ana.traveller) =>
      store.read((tx) => tx.reservations.list(ana.tenant, traveller)).then((found) => found.map((one) => one.id));
    assert.deepEqual(await list(ana.traveller), ['rsv_a']);
    assert.deepEqual(await list(), ['rsv_a', 'rsv_c']);
    const page = (after?: string) =>
      store.read((tx) => tx.reservations.list(ana.tenant, undefined, { after, limit: 1 }));
    assert.deepEqual(
      (await page()).map((one) => one.id),
      ['rsv_a'],
    );
    assert.deepEqual(
      (await page('rsv_a')).map((one) => one.id),
      ['rsv_c'],
    );
    assert.deepEqual(await page('rsv_c'), []);
    await store.transact((tx) => tx.reservations.merge(ana.tenant, 'rsv_a', 'rsv_b', 3));
    await assert.rejects(store.read((tx) => tx.reservations.get(ana.tenant, 'rsv_a')));
    await dispose();
  });
}

const spec: SubjectSpec = {
  id: 'leg:flight:lh400:2026-12-01:fra',
  label: 'LH 400 of 1 Dec',
  query: { number: 'LH400' },
  fromAt: 1,
  startAt: 2,
  endAt: 3,
};

export function subjectsContract(open: OpenStore): void {
  test('a subject keeps its answer, its freshness and its failure', async () => {
    const { store, dispose } = await open();
    const answer = { authority: 'status' as const, assertedAt: at, bookingKeys: [], facts: {}, legs: [] };
    const get = () => store.read((tx) => tx.subjects.get('sub_1'));
    await store.transact((tx) => tx.subjects.put('sub_1', 'status', spec));
    assert.deepEqual(await get(), {
      id: 'sub_1',
      account: 'status',
      spec,
      state: 'active',
      answer: undefined,
      answerDigest: undefined,
      checkedAt: undefined,
      changedAt: undefined,
      failingSince: undefined,
      failure: undefined,
    });
    await store.transact(async ({ subjects }) => {
      await subjects.setAnswer('sub_1', answer, 'd1', 100);
      await subjects.markChecked([{ id: 'sub_1', at: 200 }]);
      await subjects.markChecked([{ id: 'sub_1', at: 300, failure: 'timeout' }]);
      await subjects.markChecked([{ id: 'sub_1', at: 400, failure: 'refused' }]);
    });
    const failing = await get();
    assert.deepEqual(
      [failing?.answer, failing?.answerDigest, failing?.checkedAt, failing?.changedAt],
      [answer, 'd1', 200, 100],
    );
    assert.deepEqual([failing?.failingSince, failing?.failure], [300, 'refused']);
    await store.transact((tx) => tx.subjects.markChecked([{ id: 'sub_1', at: 500 }]));
    assert.deepEqual([(await get())?.failingSince, (await get())?.failure], [undefined, undefined]);
    await dispose();
  });

  test('some of them, by their ids: those that there are, ended ones too', async () => {
    const { store, dispose } = await open();
    const names = Array.from({ length: 700 }, (_, i) => `sub_${i}` as const);
    await store.transact(async (tx) => {
      for (const id of names.slice(0, 300)) await tx.subjects.put(id, 'feed', spec);
      await tx.subjects.end('sub_7');
    });
    const found = await store.read((tx) => tx.subjects.some(names));
    assert.deepEqual(found.map(({ id }) => id).sort(), names.slice(0, 300).sort());
    assert.equal(found.find(({ id }) => id === 'sub_7')!.state, 'ended');
    assert.deepEqual(await store.read((tx) => tx.subjects.some([])), []);
    await dispose();
  });

  test('ended subjects are not in the schedule until they are put again', async () => {
    const { store, dispose } = await open();
    const active = (account?: string) =>
      store.read((tx) => tx.subjects.listActive(account)).then((found) => found.map((one) => one.id));
    await store.transact(async ({ subjects }) => {
      await subjects.put('sub_1', 'status', spec);
      await subjects.put('sub_2', 'booking', spec);
      await subjects.put('sub_3', 'status', spec);
      await subjects.end('sub_3');
    });
    assert.deepEqual(await active(), ['sub_1', 'sub_2']);
    assert.deepEqual(await active('status'), ['sub_1']);
    await store.transact((tx) => tx.subjects.put('sub_3', 'status', { ...spec, endAt: 9 }));
    assert.deepEqual(await active('status'), ['sub_1', 'sub_3']);
    assert.equal((await store.read((tx) => tx.subjects.get('sub_3')))?.spec.endAt, 9);
    await dispose();
  });

  test('followers in batches: each once, over tenants', async () => {
    const { store, dispose } = await open();
    await store.transact(async ({ subjects }) => {
      await subjects.put('sub_1', 'status', spec);
      await subjects.put('sub_2', 'booking', spec);
      for (let n = 0; n < 10; n++) {
        for (const owner of [ana, other]) {
          const follower = { ...owner, reservation: `rsv_${n}` as ReservationId };
          assert.deepEqual(await subjects.follow('sub_1', follower), { new: true });
          assert.deepEqual(await subjects.follow('sub_1', follower), { new: false });
        }
      }
      await subjects.follow('sub_2', { ...ana, reservation: 'rsv_3' });
    });
    const seen: string[] = [];
    let after: string | undefined;
    for (;;) {
      const batch = await store.read((tx) => tx.subjects.followers('sub_1', after, 3));
      if (batch.length === 0) break;
      for (const one of batch) seen.push(`${one.tenant} ${one.traveller} ${one.reservation}`);
      after = batch.at(-1)?.cursor;
    }
    assert.equal(seen.length, 20);
    assert.equal(new Set(seen).size, 20);
    const followed = await store.read((tx) => tx.subjects.followedBy(ana.tenant, 'rsv_3'));
    assert.deepEqual(
      followed.map((one) => one.id),
      ['sub_1', 'sub_2'],
    );
    assert.equal((await store.read((tx) => tx.subjects.followedBy(other.tenant, 'rsv_3'))).length, 1);
    assert.deepEqual(await store.transact((tx) => tx.subjects.unfollow('sub_1', ana.tenant, 'rsv_3')), { left: 19 });
    assert.deepEqual(await store.transact((tx) => tx.subjects.unfollow('sub_2', other.tenant, 'rsv_3')), { left: 1 });
    assert.deepEqual(await store.transact((tx) => tx.subjects.unfollow('sub_2', ana.tenant, 'rsv_3')), { left: 0 });
    await dispose();
  });
}
