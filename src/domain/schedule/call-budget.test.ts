import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCallBudget, PACE_FLOOR } from './call-budget.ts';

test('all limits hold together', () => {
  const budget = createCallBudget([
    { max: 2, perSeconds: 1 },
    { max: 3, perSeconds: 10 },
  ]);
  assert.ok(budget.take(0));
  assert.ok(budget.take(0));
  assert.equal(budget.take(0), false);
  assert.equal(budget.freeAt(0), 1000);
  assert.ok(budget.take(1000));
  assert.equal(budget.take(2000), false);
  assert.equal(budget.freeAt(2000), 10_000);
  assert.deepEqual(
    budget.left(2000).map((one) => one.left),
    [2, 0],
  );
  assert.equal(budget.perSecond, 0.3);
});

test('keeps some calls for what is urgent, but never the last one of a limit of one', () => {
  const budget = createCallBudget([{ max: 4, perSeconds: 60 }]);
  assert.ok(budget.take(0, 2));
  assert.ok(budget.take(0, 2));
  assert.equal(budget.take(0, 2), false);
  assert.ok(budget.take(0));
  const one = createCallBudget([{ max: 1, perSeconds: 1 }]);
  assert.ok(one.take(0, 5));
});

test('slows down once for one wall, never below the floor, and recovers', () => {
  const budget = createCallBudget([{ max: 10, perSeconds: 10 }]);
  budget.slowDown(0);
  budget.slowDown(10);
  assert.equal(budget.pace, 0.5);
  for (let i = 1; i < 20; i++) budget.slowDown(i * 5000);
  assert.equal(budget.pace, PACE_FLOOR);
  for (let i = 0; i < 100; i++) budget.recover();
  assert.equal(budget.pace, 1);
});

test('a limit that allows nothing is refused', () => {
  assert.throws(() => createCallBudget([]), RangeError);
  assert.throws(() => createCallBudget([{ max: 0, perSeconds: 1 }]), RangeError);
  assert.throws(() => createCallBudget([{ max: 1, perSeconds: 0 }]), RangeError);
});

test('in no window are more calls spent than the limit says, however they come', () => {
  const limits = fc.array(
    fc.record({ max: fc.integer({ min: 1, max: 12 }), perSeconds: fc.integer({ min: 1, max: 20 }) }),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(limits, fc.array(fc.nat(3000), { maxLength: 150 }), fc.nat(3), (given, steps, keep) => {
      const budget = createCallBudget(given);
      const spent: number[] = [];
      let now = 0;
      for (const step of steps) {
        now += step;
        const free = budget.freeAt(now, keep);
        const taken = budget.take(now, keep);
        assert.equal(taken, free <= now);
        if (taken) spent.push(now);
        else assert.ok(budget.freeAt(now, keep) > now);
      }
      for (const { max, perSeconds } of given)
        for (const from of spent)
          assert.ok(spent.filter((at) => at >= from && at < from + perSeconds * 1000).length <= max);
    }),
    { numRuns: 200 },
  );
});

test('large limits stay within theirs and cost little memory', () => {
  const budget = createCallBudget([{ max: 100_000, perSeconds: 86_400 }]);
  let taken = 0;
  while (budget.take(0)) taken++;
  assert.ok(taken <= 4096);
  assert.ok(budget.perSecond > (0.99 * 100_000) / 86_400);
});

test('a clock that is set back locks nothing for longer than a window', () => {
  const budget = createCallBudget([{ max: 1, perSeconds: 10 }]);
  assert.ok(budget.take(1_000_000));
  assert.ok(budget.freeAt(500_000) <= 510_000);
});
