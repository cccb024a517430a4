import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTimingWheel, type TimingWheel } from './timing-wheel.ts';

function popDue(wheel: TimingWheel, now: number, max = 1000): number[] {
  const into = new Uint32Array(max);
  return [...into.subarray(0, wheel.popDue(now, into))];
}

test('takes out what is due, in order, and leaves the rest', () => {
  const wheel = createTimingWheel({ now: 1_000_000, tickMs: 100, buckets: 16 });
  wheel.add(3, 1_000_250);
  wheel.add(1, 1_000_210);
  wheel.add(2, 999_000);
  wheel.add(9, 1_100_000);
  assert.equal(wheel.nextDueAt(), 999_000);
  assert.deepEqual(popDue(wheel, 1_000_220), [2, 1]);
  assert.deepEqual(popDue(wheel, 1_000_249), []);
  assert.equal(wheel.dueAt(3), 1_000_250);
  assert.deepEqual(popDue(wheel, 1_000_250), [3]);
  assert.deepEqual(popDue(wheel, 1_099_999), []);
  assert.deepEqual(popDue(wheel, 1_100_000), [9]);
  assert.equal(wheel.size, 0);
  assert.equal(wheel.nextDueAt(), undefined);
});

test('an item is in it once; a due time that is no number is refused', () => {
  const wheel = createTimingWheel({ now: 0 });
  wheel.add(0, 5);
  assert.throws(() => wheel.add(0, 6), RangeError);
  assert.throws(() => wheel.add(1, Number.NaN), RangeError);
  assert.throws(() => wheel.add(1, Number.POSITIVE_INFINITY), RangeError);
  assert.equal(wheel.remove(7), false);
  wheel.reschedule(0, 50_000);
  assert.deepEqual(popDue(wheel, 49_999), []);
  assert.deepEqual(popDue(wheel, 50_000), [0]);
});

test('takes at most so many and forgets none', () => {
  const wheel = createTimingWheel({ now: 0, tickMs: 10, buckets: 8 });
  for (let item = 0; item < 50; item++) wheel.add(item, item);
  const taken: number[] = [];
  for (let turn = 0; turn < 100 && wheel.size > 0; turn++) taken.push(...popDue(wheel, 60, 7));
  assert.deepEqual(
    taken,
    Array.from({ length: 50 }, (_, item) => item),
  );
});

/** The same by a plain map. */
function model() {
  const due = new Map<number, number>();
  return {
    due,
    popDue: (now: number) => {
      const found = [...due].filter(([, at]) => at <= now).map(([item]) => item);
      for (const item of found) due.delete(item);
      return found;
    },
  };
}

test('agrees with a map for any course of calls, also when the clock jumps', () => {
  const command = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant('put' as const), fc.nat(40), fc.integer({ min: -500, max: 5000 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('remove' as const), fc.nat(40), fc.constant(0)) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('pop' as const), fc.integer({ min: 0, max: 400 }), fc.constant(0)) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant('pop' as const), fc.integer({ min: -900, max: 9000 }), fc.constant(0)),
    },
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      let now = 10_000;
      const wheel = createTimingWheel({ now, tickMs: 50, buckets: 8 });
      const plain = model();
      for (const [kind, first, offset] of commands) {
        if (kind === 'put') {
          wheel.reschedule(first, now + offset);
          plain.due.set(first, now + offset);
        } else if (kind === 'remove') {
          assert.equal(wheel.remove(first), plain.due.delete(first));
        } else {
          now += first;
          assert.deepEqual([...popDue(wheel, now)].sort(), plain.popDue(now).sort());
        }
        assert.equal(wheel.size, plain.due.size);
        const next = wheel.nextDueAt();
        if (plain.due.size === 0) assert.equal(next, undefined);
        else assert.ok(next! <= Math.min(...plain.due.values()), 'never too late');
      }
    }),
    { numRuns: 300 },
  );
});

test('a hundred thousand items with one interval: each is taken once a round', () => {
  const count = 100_000;
  const interval = 260_000;
  const wheel = createTimingWheel({ now: 0 });
  for (let item = 0; item < count; item++) wheel.add(item, (item * 7919) % interval);
  const asked = new Uint8Array(count);
  for (let now = 0; now < 2 * interval; now += 5000)
    for (const item of popDue(wheel, now, count)) {
      asked[item]!++;
      wheel.add(item, (now < interval ? interval : 2 * interval) + ((item * 7919) % interval));
    }
  assert.ok(asked.every((times) => times === 2 || times === 1));
  assert.equal(wheel.size, count);
});

test('those that are due next are taken in their order, none beyond the time, none that is not accepted', () => {
  const times = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 60_000 }), (dues, max, until) => {
      const wheel = createTimingWheel({ now: 0, tickMs: 100, buckets: 1024 });
      // Moved ones leave entries behind, which must count for nothing.
      for (const [item] of dues.entries()) wheel.add(item, 99_000 - item);
      for (const [item, due] of dues.entries()) wheel.reschedule(item, due);
      const isOdd = (item: number): boolean => item % 2 === 1;
      const taken = wheel.takeSoonest(until, max, isOdd);
      const wanted = [...dues.keys()].filter((item) => isOdd(item) && dues[item]! <= until);
      assert.equal(taken.length, Math.min(max, wanted.length));
      assert.equal(new Set(taken).size, taken.length);
      assert.ok(taken.every((item) => wanted.includes(item) && !wheel.has(item)));
      const ticks = (items: readonly number[]) =>
        items.map((item) => Math.floor(dues[item]! / 100)).sort((a, b) => a - b);
      assert.deepEqual(ticks(taken), ticks(wanted).slice(0, taken.length));
      assert.equal(wheel.size, dues.length - taken.length);
      const left = wheel.popDue(100_000, new Uint32Array(100));
      assert.equal(left, dues.length - taken.length);
    }),
  );
});
