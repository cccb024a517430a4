import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Observation } from '../observation.ts';
import type { Trust } from '../trust/verdict.ts';
import { compact } from './compact.ts';
import { type Group, join } from './join.ts';
import { Folder, madeBy, observations, RUNS } from './observations.testing.ts';
import { siftBookings } from './withhold.ts';

const TRUSTS: readonly (Trust | undefined)[] = [
  undefined,
  { level: 'authentic', sender: 'air.com', registered: true },
  { level: 'authentic', sender: 'inn.com', registered: false },
  { level: 'authentic', sender: 'evil.com', registered: false },
  { level: 'authentic', sender: 'air.com', registered: true, again: true },
];

/** The sets of the join's own properties, their proven mails by several senders. */
const trusted = observations(10).chain((set) =>
  fc.tuple(...set.map(() => fc.constantFrom(...TRUSTS))).map((trusts) =>
    set.map((one, index): Observation => {
      const trust = trusts[index];
      return one.authority === 'mail-proven' && trust !== undefined ? { ...one, trust } : one;
    }),
  ),
);

/** Later than all that `observations` makes. */
const LATER = '2026-11-02T00:00:00Z';

const intruder = (level: 'mail' | 'mail-proven'): fc.Arbitrary<Observation[]> =>
  observations(3).map((set) =>
    set
      .filter((one) => one.source.kind === 'mail')
      .map(
        (one, index): Observation => ({
          ...one,
          id: `obs_zz${index}`,
          authority: level,
          trust: { level: level === 'mail' ? 'unproven' : 'authentic', sender: 'stranger.com', registered: false },
          // What it claims about time makes it neither older nor more believed.
          assertedAt: index % 2 === 0 ? '2030-01-01T00:00:00Z' : '2020-01-01T00:00:00Z',
          observedAt: LATER,
        }),
      ),
  );

/** What a reader of a confirmed booking sees, without the marks beside it. */
function seen(group: Group): unknown {
  const plain = (fields: Group['fields']) =>
    Object.fromEntries(Object.entries(fields).map(([path, { value, by }]) => [path, [value, by.observation]]));
  return [group.bookingKeys, plain(group.fields), group.legs.map((leg) => [leg.kind, leg.keys, plain(leg.fields)])];
}

function confirmedIn(set: readonly Observation[], groups: readonly Group[]): readonly Group[] {
  const name = (keys: Iterable<string>, ids: Iterable<string>) =>
    JSON.stringify([[...keys].sort(), [...new Set(ids)].sort()]);
  const { confirmed, withheld } = siftBookings(set);
  const names = new Set(
    [...confirmed].map((draft) => {
      const members = [
        ...draft.speakers,
        ...draft.claims.map((claim) => claim.observation),
        ...(withheld.get(draft) ?? []),
      ];
      return name(
        draft.bookingKeys,
        members.map((one) => one.id),
      );
    }),
  );
  return groups.filter((group) => names.has(name(group.bookingKeys, group.observations)));
}

test('with verdicts too, any order and any repetition gives the same state', () => {
  const shuffled = trusted.chain((set) =>
    fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length, maxLength: set.length })),
  );
  fc.assert(
    fc.property(shuffled, ([set, other]) => assert.deepEqual(join([...other, ...structuredClone(other)]), join(set))),
    { numRuns: RUNS },
  );
});

for (const level of ['mail', 'mail-proven'] as const) {
  test(`a later ${level === 'mail' ? 'unproven mail' : "stranger's proven mail"} changes no confirmed booking`, () => {
    fc.assert(
      fc.property(trusted, intruder(level), (set, mails) => {
        // A stranger's mail may well confirm a booking that no proven mail spoke of; it is a stranger to the others.
        const owned =
          level === 'mail' ? set : set.filter((one) => one.authority === 'mail-proven' && one.trust !== undefined);
        const before = join(owned);
        const after = join([...owned, ...mails]);
        for (const group of confirmedIn(compact(owned), before)) {
          if (level === 'mail-proven' && group.bookingKeys.length === 0) continue;
          const as = JSON.stringify(seen(group));
          assert.ok(
            after.some((one) => JSON.stringify(seen(one)) === as),
            as,
          );
        }
      }),
      { numRuns: RUNS },
    );
  });
}

const KEY = 'ref:air:abc123';
const LEG = 'leg:flight:lh400:2026-12-01:fra';
const AIR: Trust = { level: 'authentic', sender: 'air.com', registered: false };

function said(
  id: string,
  minute: number,
  authority: Observation['authority'],
  facts: Readonly<Record<string, string>>,
  trust?: Trust,
  bookingKeys: readonly string[] = [KEY],
): Observation {
  const values = Object.fromEntries(Object.entries(facts).map(([path, value]) => [path, { value }]));
  const { status, ...rest } = values;
  return {
    ...madeBy(id, authority, authority === 'person' ? 'person' : authority === 'booking' ? 'provider' : 'mail', minute),
    ...(trust === undefined ? {} : { trust }),
    bookingKeys,
    facts: status === undefined ? {} : { status },
    legs: Object.keys(rest).length === 0 ? [] : [{ kind: 'flight', keys: [LEG], facts: rest }],
  };
}

const proven = said('obs_a', 1, 'mail-proven', { number: '400', 'start.scheduled': '2026-12-01T10:05' }, AIR);

test('an unproven cancellation of a booking without a stated status is a question, and cancels nothing', () => {
  const [group, ...others] = join([proven, said('obs_b', 2, 'mail', { status: 'cancelled' })]);
  assert.deepEqual(others, []);
  assert.equal(group!.fields.status, undefined);
  assert.deepEqual(
    group!.unproven?.map((one) => [one.by.observation, one.said]),
    [['obs_b', [{ path: 'status', value: 'cancelled' }]]],
  );
});

test('one that came before the booking was confirmed does not cancel it either', () => {
  const [group] = join([proven, said('obs_b', 0, 'mail', { status: 'cancelled' })]);
  assert.equal(group!.fields.status, undefined);
});

test('an unproven mail adds no gate, no leg and no link to another booking; before the confirmation it may', () => {
  const late = said('obs_b', 2, 'mail', { 'start.gate': 'B12' }, undefined, [KEY, 'ref:air:other1']);
  const [group] = join([proven, late]);
  assert.deepEqual(group!.bookingKeys, [KEY]);
  assert.equal(group!.legs[0]!.fields['start.gate'], undefined);
  assert.deepEqual(group!.unproven?.[0]?.said, [{ path: 'start.gate', value: 'B12', leg: LEG }]);
  const [early] = join([proven, said('obs_b', 0, 'mail', { 'start.gate': 'B12' })]);
  assert.equal(early!.legs[0]!.fields['start.gate']?.value, 'B12');
  assert.equal(early!.unproven, undefined);
});

test('a mail that repeats what is known raises no question', () => {
  const [group] = join([proven, said('obs_b', 2, 'mail', { number: '400', 'start.scheduled': '2026-12-01T10:05' })]);
  assert.equal(group!.unproven, undefined);
});

test('a proven mail of the same sender cancels, one of another sender asks, one of a registered sender cancels', () => {
  const cancelled = (trust: Trust) =>
    join([proven, said('obs_b', 2, 'mail-proven', { status: 'cancelled' }, trust)])[0]!;
  assert.equal(cancelled(AIR).fields.status?.value, 'cancelled');
  const asked = cancelled({ ...AIR, sender: 'evil.com' });
  assert.equal(asked.fields.status, undefined);
  assert.equal(asked.unproven?.length, 1);
  assert.equal(cancelled({ ...AIR, sender: 'agency.com', registered: true }).fields.status?.value, 'cancelled');
});

test('a booking that only unproven mails speak of is changed by them', () => {
  const [group] = join([
    said('obs_a', 1, 'mail', { number: '400' }),
    said('obs_b', 2, 'mail', { status: 'cancelled' }),
  ]);
  assert.equal(group!.fields.status?.value, 'cancelled');
});

test('who corrects a seat has not confirmed the booking; who says when it leaves has', () => {
  const mail = said('obs_a', 1, 'mail', { number: '400' });
  const later = said('obs_c', 3, 'mail', { 'start.gate': 'B12' });
  const gate = (person: Observation) => join([mail, person, later])[0]!.legs[0]!.fields['start.gate']?.value;
  assert.equal(gate(said('obs_b', 2, 'person', { aircraft: 'A320' })), 'B12');
  assert.equal(gate(said('obs_b', 2, 'person', { 'start.scheduled': '2026-12-01T11:00' })), undefined);
});

test('the same claim again is the same question; a flood of claims is bounded', () => {
  const flood = Array.from({ length: 50 }, (_, n) => said(`obs_f${n}`, 2, 'mail', { 'start.gate': `B${n % 25}` }));
  const [group] = join([proven, ...flood]);
  assert.equal(group!.unproven?.length, 10);
  assert.equal(new Set(group!.unproven?.map((one) => JSON.stringify(one.said))).size, 10);
});

test('a booking confirmed at the very instant of the mail that tied it to another gives that key up, and says so', () => {
  const keys = { air: 'ref:air:aaa111', stay: 'ref:stay:bbb222' };
  const silent = { facts: {}, legs: [] };
  const mail: Observation = { ...madeBy('obs_1', 'mail', 'mail', 1), ...silent, bookingKeys: [keys.air, keys.stay] };
  const guest: Observation = { ...madeBy('obs_2', 'person', 'person', 1), ...silent, bookingKeys: [keys.air] };
  const host: Observation = { ...madeBy('obs_3', 'person', 'person', 1), ...silent, bookingKeys: [keys.stay] };
  const folder = new Folder();
  folder.record(mail);
  folder.record(guest);
  const told = folder.record({ ...host, facts: { status: { value: 'confirmed' } } }).flatMap(({ changes }) => changes);
  assert.ok(told.some(({ path, from }) => (path === 'bookingKeys' && from === keys.air) || from === keys.stay));
  assert.ok(told.every(({ type, path }) => type !== 'details' || path !== undefined));
});

test('a leg that a person confirmed without a booking is kept in the booking that an earlier mail and a guest tied it to', () => {
  const keys = { air: 'ref:air:aaa111', stay: 'ref:stay:bbb222' };
  const flight = (from: string) => ({
    kind: 'flight' as const,
    keys: [`leg:flight:lh400:2026-12-01:${from}`],
    facts: {},
  });
  const stay = { kind: 'stay' as const, keys: [], facts: { 'start.scheduled': { value: '2026-12-01' } } };
  const set: readonly Observation[] = [
    { ...madeBy('obs_1', 'mail', 'mail', 0), bookingKeys: [keys.air], facts: {}, legs: [flight('muc')] },
    { ...madeBy('obs_2', 'person', 'person', 0), bookingKeys: [keys.air, keys.stay], facts: {}, legs: [] },
    { ...madeBy('obs_3', 'person', 'person', 1), bookingKeys: [], facts: {}, legs: [flight('muc'), stay] },
  ];
  const forged = { ...madeBy('obs_4', 'mail', 'mail', 9), bookingKeys: [keys.stay], facts: {}, legs: [flight('fra')] };
  const legs = (all: readonly Observation[]) => join(all).map((group) => group.legs.map((leg) => leg.keys));
  assert.deepEqual(legs([...set, forged]), legs(set));
});
