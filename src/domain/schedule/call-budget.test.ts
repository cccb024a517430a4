import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCallBudget } from './call-budget.ts';

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
  assert.equal(budget.perSecond(), 0.3);
});

test('keeps a share for what is urgent, but never the last one of a limit of one', () => {
  const budget = createCallBudget([{ max: 4, perSeconds: 60 }]);
  assert.equal(budget.room(0, undefined, 0.5), 2);
  assert.ok(budget.take(0, undefined, 0.5));
  assert.ok(budget.take(0, undefined, 0.5));
  assert.equal(budget.take(0, undefined, 0.5), false);
  assert.ok(budget.take(0));
  const one = createCallBudget([{ max: 1, perSeconds: 1 }]);
  assert.ok(one.take(0, undefined, 0.9));
});

test('each operation costs what it costs in the units of the vendor', () => {
  const budget = createCallBudget([
    { max: 10, perSeconds: 1 },
    { max: 100, perSeconds: 60, unit: 'credits' },
  ]);
  const board = { credits: 40 };
  const free = { credits: 0, calls: 0 };
  assert.equal(budget.room(0, board), 2);
  assert.ok(budget.take(0, board));
  assert.ok(budget.take(0, board));
  assert.equal(budget.take(0, board), false);
  assert.ok(budget.take(0));
  assert.equal(budget.freeAt(0, board), 60_000);
  assert.ok(budget.take(0, free));
  assert.deepEqual(
    budget.left(0).map((one) => one.left),
    [7, 19],
  );
  assert.equal(budget.perSecond(board), 100 / 60 / 40);
  // One that costs more than the whole limit goes alone.
  const tight = createCallBudget([{ max: 5, perSeconds: 1 }]);
  assert.ok(tight.take(0, { calls: 9 }));
  assert.equal(tight.freeAt(0), 1000);
});

test('what can wait does not spend a day at its beginning; what is urgent may', () => {
  const budget = createCallBudget([{ max: 2400, perSeconds: 86_400 }]);
  let taken = 0;
  while (budget.take(0, undefined, 0.05)) taken++;
  assert.ok(taken >= 150 && taken <= 200, `${taken} at once`);
  assert.ok(budget.take(0));
});

test('what the provider says of its limits holds beside what is configured', () => {
  const budget = createCallBudget([{ max: 10, perSeconds: 1 }]);
  budget.state([{ max: 2, perSeconds: 10 }]);
  assert.ok(budget.take(0));
  budget.state([{ max: 2, perSeconds: 10 }]);
  assert.ok(budget.take(0));
  assert.equal(budget.freeAt(0), 10_000);
  budget.state([]);
  assert.ok(budget.take(0));
});

test('after a restart a day stays spent', () => {
  const limits = [
    { max: 1000, perSeconds: 86_400 },
    { max: 5, perSeconds: 1 },
  ];
  const before = createCallBudget(limits);
  for (let i = 0; i < 700; i++) before.take(i * 1000);
  const kept = before.spent(700_000);
  assert.ok(JSON.stringify(kept).length < 3000);
  const after = createCallBudget(limits);
  after.restore(JSON.parse(JSON.stringify(kept)), 700_000);
  assert.equal(after.left(700_000)[0]!.left, 300);
  assert.equal(after.left(80_000_000)[0]!.left, 300);
  assert.equal(after.left(87_200_000)[0]!.left, 1000);
});

test('a limit that allows nothing is refused', () => {
  assert.throws(() => createCallBudget([{ max: 0, perSeconds: 1 }]), RangeError);
  assert.throws(() => createCallBudget([{ max: 1, perSeconds: 0 }]), RangeError);
});

test('in no window are more calls spent than the limit says, however they come', () => {
  const limits = fc.array(
    fc.record({ max: fc.integer({ min: 1, max: 12 }), perSeconds: fc.integer({ min: 1, max: 20 }) }),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(
      limits,
      fc.array(fc.nat(3000), { maxLength: 150 }),
      fc.constantFrom(0, 0.1, 0.5),
      (given, steps, keep) => {
        const budget = createCallBudget(given);
        const spent: number[] = [];
        let now = 0;
        for (const step of steps) {
          now += step;
          const free = budget.freeAt(now, undefined, keep);
          const taken = budget.take(now, undefined, keep);
          assert.equal(taken, free <= now);
          if (taken) spent.push(now);
          else assert.ok(budget.freeAt(now, undefined, keep) > now);
        }
        for (const { max, perSeconds } of given)
          for (const from of spent)
            assert.ok(spent.filter((at) => at >= from && at < from + perSeconds * 1000).length <= max);
      },
    ),
    { numRuns: 200 },
  );
});

test('large limits stay within theirs and cost little memory', () => {
  const budget = createCallBudget([{ max: 100_000, perSeconds: 3000 }]);
  let taken = 0;
  for (let now = 0; now < 2_999_000; now += 10) while (taken < now / 20 && budget.take(now)) taken++;
  assert.equal(taken, 100_000);
  assert.equal(budget.take(2_999_000), false);
  assert.ok(budget.freeAt(2_999_000) <= 3_005_000);
  assert.ok(budget.perSecond() > 33);
});

test('a clock that is set back locks nothing for longer than a window', () => {
  const budget = createCallBudget([{ max: 1, perSeconds: 10 }]);
  assert.ok(budget.take(1_000_000));
  assert.ok(budget.freeAt(500_000) <= 510_000);
});
