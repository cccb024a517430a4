import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Observation } from '../observation.ts';
import { AUTHORITY } from '../observation.ts';
import { compact } from './compact.ts';
import { join } from './join.ts';
import { closureOf, madeBy, observations, RUNS } from './observations.testing.ts';
import { siftBookings } from './withhold.ts';

const numRuns = RUNS;

/** A set and one of its permutations. */
const shuffled = observations().chain((set) =>
  fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length, maxLength: set.length })),
);

test('any permutation gives the same state', () => {
  fc.assert(
    fc.property(shuffled, ([set, other]) => assert.deepEqual(join(other), join(set))),
    { numRuns },
  );
});

test('any repetition gives the same state', () => {
  fc.assert(
    fc.property(observations(), fc.infiniteStream(fc.nat(3)), (set, times) => {
      const repeated = set.flatMap((one) =>
        Array.from({ length: 1 + (times.next().value ?? 0) }, () => structuredClone(one)),
      );
      assert.deepEqual(join(repeated), join(set));
    }),
    { numRuns },
  );
});

test('any grouping gives the same state: parts may be compacted before they meet', () => {
  fc.assert(
    fc.property(observations(16), fc.nat(16), fc.nat(16), (set, a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const parts = [set.slice(0, from), set.slice(from, to), set.slice(to)];
      const [first, second, third] = parts.map(compact) as [Observation[], Observation[], Observation[]];
      const whole = join(set);
      assert.deepEqual(join([...compact([...first, ...second]), ...third]), whole);
      assert.deepEqual(join([...first, ...compact([...second, ...third])]), whole);
    }),
    { numRuns },
  );
});

test('compacting changes no value, even when every observation is kept in the join by a different shape', () => {
  fc.assert(
    fc.property(observations(16), (set) => {
      // A fact on a path of its own makes each shape unique, so nothing is compacted.
      const unique = set.map((one) => ({ ...one, facts: { ...one.facts, [`note.${one.id}`]: { value: null } } }));
      assert.deepEqual(
        join(unique).map((group) => [group.digest, group.legs.map((leg) => leg.keys)]),
        join(set).map((group) => [group.digest, group.legs.map((leg) => leg.keys)]),
      );
    }),
    { numRuns },
  );
});

test('the closure over index keys is all that a join has to see', () => {
  fc.assert(
    fc.property(observations(16), fc.nat(15), (set, pick) => {
      const one = set[pick % Math.max(set.length, 1)];
      if (one === undefined) return;
      const closed = closureOf(set, one);
      const ids = new Set(closed.map((member) => member.id));
      const touched = join(set).filter((group) => group.observations.some((id) => ids.has(id)));
      assert.deepEqual(join(closed), touched);
    }),
    { numRuns },
  );
});

test('a less believed source never cancels what a booking provider confirms', () => {
  fc.assert(
    fc.property(observations(), (set) => {
      for (const group of join(set)) {
        for (const leg of group.legs) {
          const { status, operation } = leg.fields;
          for (const field of [status, operation]) {
            if (field?.value !== 'cancelled' || AUTHORITY[field.by.authority] >= AUTHORITY.booking) continue;
            const confirming = set.filter(
              (one) =>
                (one.authority === 'booking' || one.authority === 'status') &&
                group.observations.includes(one.id) &&
                one.legs.length === 1 &&
                one.legs[0]!.keys.some((key) => leg.keys.includes(key) && !key.endsWith(':')) &&
                one.legs[0]!.facts.status?.value === 'confirmed',
            );
            // Only a later word of the same or a higher authority may have taken the confirmation back.
            for (const word of confirming) {
              const withdrawn = set.some(
                (other) =>
                  AUTHORITY[other.authority] >= AUTHORITY[word.authority] &&
                  other.id !== word.id &&
                  other.assertedAt >= word.assertedAt,
              );
              assert.ok(withdrawn, `${leg.keys} cancelled by ${field.by.authority} against ${word.id}`);
            }
          }
        }
      }
    }),
    { numRuns },
  );
});

test("a person's value is never replaced by another source's", () => {
  fc.assert(
    fc.property(observations(), (set) => {
      for (const group of join(set)) {
        const people = set.filter((one) => one.authority === 'person' && group.observations.includes(one.id));
        for (const leg of group.legs) {
          for (const person of people) {
            for (const claim of person.legs) {
              if (!claim.keys.some((key) => leg.keys.includes(key) && !key.endsWith(':'))) continue;
              for (const path of Object.keys(claim.facts)) {
                const winner = leg.fields[path];
                assert.equal(winner?.by.authority, 'person', `${path} of ${leg.keys}`);
              }
            }
          }
        }
      }
    }),
    { numRuns },
  );
});

test('nobody outranks the winner: authority, then asserted time', () => {
  fc.assert(
    fc.property(observations(), (set) => {
      const withheld = new Set([...siftBookings(set).withheld.values()].flat().map((one) => one.id));
      for (const leg of join(set).flatMap((group) => group.legs)) {
        for (const [path, field] of Object.entries(leg.fields)) {
          // Times may be taken from a more precise source, status is about booking and leg at once.
          if (/scheduled|estimated|actual|status|operation/.test(path)) continue;
          const source = set.find((one) => one.id === field.by.observation);
          assert.ok(source?.legs.some((claim) => claim.facts[path]?.value === field.value));
          for (const one of set) {
            const names = one.legs.some(
              (claim) =>
                claim.facts[path] !== undefined &&
                claim.keys.some((key) => leg.keys.includes(key) && !key.endsWith(':')),
            );
            const [a, b] = [AUTHORITY[one.authority], AUTHORITY[field.by.authority]];
            // A leg-only claim counts in every booking that has the leg, one with a booking only there.
            if (!names || one.bookingKeys.length > 0 || withheld.has(one.id)) continue;
            assert.ok(a < b || (a === b && one.assertedAt <= field.by.assertedAt), `${one.id} ${path}`);
          }
        }
      }
    }),
    { numRuns },
  );
});

test('every mail and every word of a person is in some booking, unless it names neither booking nor leg', () => {
  fc.assert(
    fc.property(observations(), (set) => {
      const kept = new Set(join(set).flatMap((group) => group.observations));
      for (const one of compact(set)) {
        const speaks = one.bookingKeys.length > 0 || (one.legs.length > 0 && one.source.kind !== 'provider');
        assert.ok(!speaks || kept.has(one.id), one.id);
      }
    }),
    { numRuns },
  );
});

test('hostile keys, paths, times and values are data like any other', () => {
  const hostile: Observation = {
    ...madeBy('obs_evil', 'mail', 'mail', 1),
    assertedAt: 'yesterday',
    bookingKeys: ['', '__proto__', 'x'.repeat(10_000)],
    facts: JSON.parse('{"__proto__": {"value": "polluted"}, "constructor": {"value": 1}, "toString": {"value": null}}'),
    legs: [
      {
        kind: 'flight',
        keys: ['', ':', 'leg:', 'leg:flight:::::', '__proto__'],
        facts: { 'start.scheduled': { value: '2026-02-31T25:00' } },
      },
      {
        kind: 'stay',
        keys: ['leg:stay:'.padEnd(10_000, ':')],
        facts: { 'start.zone': { value: 'Not/AZone' }, 'start.scheduled': { value: '2026-12-01T10:00' } },
      },
      { kind: 'flight', keys: [], facts: {} },
    ],
  };
  const [group, ...others] = join([hostile, structuredClone(hostile), { ...hostile, legs: [] }]);
  assert.deepEqual(others, []);
  assert.equal(Object.hasOwn(group!.fields, '__proto__'), true);
  assert.equal(({} as Record<string, unknown>).value, undefined);
  assert.equal(group!.legs.length, 3);
  assert.deepEqual(join([{ ...hostile, legs: [] }, hostile]), [group]);
});

test('a flight with thousands of answers is joined in one pass', () => {
  // Shapes differ, so nothing can be left out; quadratic work on 20,000 would take minutes.
  const many = Array.from(
    { length: 20_000 },
    (_, index): Observation => ({
      ...madeBy(`obs_${index}`, 'status', 'provider', index % 60),
      bookingKeys: index === 0 ? ['ref:air:abc123'] : [],
      facts: {},
      legs: [
        { kind: 'flight', keys: ['leg:flight:lh400:2026-12-01:'], facts: { [`note.${index}`]: { value: index } } },
      ],
    }),
  );
  const [group] = join(many);
  assert.equal(Object.keys(group!.legs[0]!.fields).length, 20_000);
});
