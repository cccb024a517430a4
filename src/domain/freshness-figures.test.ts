import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addDelay,
  type Delays,
  delayQuantileMs,
  errorBudgetLeft,
  FRESH_MS,
  keptPromise,
  mergeDelays,
  NO_DELAYS,
} from './freshness-figures.ts';

const of = (...all: readonly number[]): Delays => all.reduce(addDelay, NO_DELAYS);

test('quantiles are never less than the truth, and never more than the greatest', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5_000_000 }), { minLength: 1 }),
      fc.constantFrom(0.5, 0.99, 1),
      (all, q) => {
        const sorted = all.toSorted((a, b) => a - b);
        const truth = sorted[Math.ceil(q * all.length) - 1]!;
        const said = delayQuantileMs(of(...all), q);
        assert.ok(said >= truth && said <= sorted.at(-1)!, `${said} for ${truth}`);
      },
    ),
  );
});

test('figures of parts add up to those of the whole', () => {
  const ms = fc.array(fc.integer({ min: 0, max: 5_000_000 }));
  fc.assert(
    fc.property(ms, ms, (one, other) => assert.deepEqual(mergeDelays(of(...one), of(...other)), of(...one, ...other))),
  );
});

test('the promise is exact at its edge, and a clock that is ahead costs nothing', () => {
  assert.equal(keptPromise(of(FRESH_MS, FRESH_MS + 1, -20)), 2);
  assert.equal(of(-20).sumMs, 0);
});

test('the error budget', () => {
  assert.equal(errorBudgetLeft(NO_DELAYS), undefined);
  assert.equal(errorBudgetLeft(of(1, 2, 3)), 1);
  const thousand = Array.from({ length: 999 }, () => 1000);
  assert.ok(Math.abs(errorBudgetLeft(of(...thousand, FRESH_MS + 1))!) < 1e-9, 'one of a thousand uses it up');
  assert.ok(errorBudgetLeft(of(FRESH_MS + 1))! < 0);
});
