import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Observation } from '../observation.ts';
import { AUTHORITY } from '../observation.ts';
import { compact } from './compact.ts';
import { join } from './join.ts';
import { closureOf, observations, RUNS } from './observations.testing.ts';

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
