import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Observation } from '../observation.ts';
import { join, stateDigest } from './join.ts';
import { Folder, madeBy, observations, RUNS } from './observations.testing.ts';

const inTwoOrders = observations(14).chain((set) =>
  fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length, maxLength: set.length })),
);

test('one by one gives the state of all at once, in any order', () => {
  fc.assert(
    fc.property(inTwoOrders, ([set, other]) => {
      const whole = join(set)
        .map((group) => group.digest)
        .sort();
      for (const order of [set, other]) {
        const folder = new Folder();
        for (const one of order) folder.record(one);
        assert.deepEqual(folder.values(), whole);
      }
    }),
    { numRuns: RUNS },
  );
});

test('what was said is never said again: repeats publish nothing', () => {
  fc.assert(
    fc.property(observations(10), (set) => {
      const folder = new Folder();
      for (const one of set) folder.record(one);
      const versions = [...folder.reservations.values()].map((one) => [one.id, one.version]);
      for (const one of set) assert.deepEqual(folder.record(structuredClone(one)), []);
      assert.deepEqual(
        [...folder.reservations.values()].map((one) => [one.id, one.version]),
        versions,
      );
    }),
    { numRuns: RUNS },
  );
});

test('every published version differs from the one before, has its own ids in order, and tells each fact once', () => {
  fc.assert(
    fc.property(observations(12), (set) => {
      const folder = new Folder();
      for (const one of set) {
        const before = new Map(folder.reservations);
        for (const { reservation, changes, merged } of folder.record(one)) {
          const previous = before.get(reservation.id);
          assert.ok(merged.length > 0 || previous?.digest !== reservation.digest);
          const { bookingKeys, fields, legs, unproven } = reservation;
          assert.equal(reservation.digest, stateDigest(bookingKeys, fields, legs, unproven));
          assert.equal(new Set(reservation.legs.map((leg) => leg.id)).size, reservation.legs.length, 'leg ids differ');
          const told = changes.map(({ type, leg, path, besidePerson, by }) =>
            JSON.stringify([type, leg, path, besidePerson, path === 'unproven' ? by?.observation : undefined]),
          );
          if (merged.length === 0) assert.equal(new Set(told).size, told.length, told.join());
          const turns = changes.filter(({ type, besidePerson }) => type === 'cancellation' && besidePerson !== true);
          assert.equal(new Set(turns.map((change) => change.leg)).size, turns.length, 'a cancellation is told once');
          // The general fallback of `diff` is never needed.
          for (const change of changes) assert.ok(change.type !== 'details' || change.path !== undefined);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

test('a calendar file seen first and the mail with the locator become one reservation, under the older id', () => {
  const keys = ['leg:flight:lh400:2026-12-01:fra'];
  const bare: Observation = {
    ...madeBy('obs_ics', 'mail', 'mail', 1),
    bookingKeys: [],
    facts: {},
    legs: [{ kind: 'flight', keys, facts: { 'start.code': { value: 'FRA' } } }],
  };
  const agency: Observation = { ...bare, ...madeBy('obs_agency', 'mail', 'mail', 2), bookingKeys: ['ref:air:agency1'] };
  const airline: Observation = {
    ...agency,
    ...madeBy('obs_airline', 'mail', 'mail', 3),
    bookingKeys: ['ref:air:abc123'],
    legs: [],
  };
  const both: Observation = {
    ...agency,
    ...madeBy('obs_both', 'mail', 'mail', 4),
    bookingKeys: ['ref:air:abc123', 'ref:air:agency1'],
  };
  const folder = new Folder();
  assert.deepEqual(
    folder.record(bare).map((one) => one.changes.map((change) => change.type)),
    [['created']],
  );
  const legId = folder.published[0]!.reservation.legs[0]!.id;
  const [absorbed] = folder.record(agency);
  assert.equal(absorbed?.reservation.id, 'rsv_0001');
  assert.equal(absorbed?.reservation.legs[0]?.id, legId);
  assert.deepEqual(
    absorbed?.changes.map((change) => [change.type, change.path]),
    [['details', 'bookingKeys']],
  );
  assert.equal(folder.record(airline)[0]?.reservation.id, 'rsv_0002');
  const [merged] = folder.record(both);
  assert.equal(merged?.reservation.id, 'rsv_0001');
  assert.deepEqual(merged?.changes[0], { type: 'merged', from: 'rsv_0002', to: 'rsv_0001' });
  assert.deepEqual([...folder.aliases], [['rsv_0002', 'rsv_0001']]);
  assert.equal(folder.reservations.size, 1);
});
