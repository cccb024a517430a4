import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffBoundMs, backoffDelayMs, faultsOfPolicy } from './backoff.ts';

const policy = { firstDelayMs: 200, factor: 3, delayMsMax: 5000 };

test('the bound grows by the factor and stops at the maximum', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 100, 5000].map((attempt) => backoffBoundMs(policy, attempt)),
    [200, 600, 1800, 5000, 5000, 5000],
  );
});

test('jitter is full: the delay takes the whole range up to the bound', () => {
  assert.equal(backoffDelayMs(policy, 2, 0), 1);
  assert.equal(backoffDelayMs(policy, 2, 0.5), 301);
  assert.equal(backoffDelayMs(policy, 2, 0.999999), 600);
});

test('whatever the numbers, the delay is a whole number from 1 to the maximum', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 1, max: 10, noNaN: true }),
      fc.integer({ min: 10_000, max: 1_000_000 }),
      fc.integer({ min: -3, max: 100_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (firstDelayMs, factor, delayMsMax, attempt, random) => {
        const delay = backoffDelayMs({ firstDelayMs, factor, delayMsMax }, attempt, random);
        assert.ok(Number.isInteger(delay) && delay >= 1 && delay <= delayMsMax, String(delay));
      },
    ),
  );
});

test('a good policy has no faults', () => {
  assert.deepEqual(faultsOfPolicy({ ...policy, attemptsMax: 8, ageMsMax: 86_400_000 }), []);
});

test('a bad policy is told all its faults together', () => {
  const faults = faultsOfPolicy({ attemptsMax: 0, firstDelayMs: 0, factor: 0.5, delayMsMax: -1, ageMsMax: -2 });
  assert.deepEqual(
    faults.map((fault) => fault.split(' ')[0]),
    ['attemptsMax', 'firstDelayMs', 'factor', 'delayMsMax', 'ageMsMax'],
  );
  assert.ok(faultsOfPolicy({ ...policy, attemptsMax: 3, ageMsMax: Number.NaN }).length > 0);
  assert.ok(faultsOfPolicy({ ...policy, attemptsMax: Number.POSITIVE_INFINITY, ageMsMax: 1e9 }).length > 0);
});
