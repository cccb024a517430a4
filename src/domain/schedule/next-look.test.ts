import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextLookBy } from './next-look.ts';

const NOW = Date.UTC(2026, 11, 1, 6);
const HOUR = 3_600_000;
const spec = { fromAt: 0, startAt: NOW + 2 * HOUR, endAt: NOW + 9 * HOUR };
const by = (change: object, listed = false, checkedAt: number | undefined = NOW) =>
  nextLookBy({ spec: { ...spec, ...change }, checkedAt }, 300, listed, NOW);

test('within the promise; look-ups in their own time; what a list covers the later the further it is', () => {
  assert.equal(by({}), NOW + 300_000);
  assert.equal(by({ everyMs: 24 * HOUR }), NOW + 24 * HOUR + 30_000);
  assert.equal(by({}, true), NOW + 300_000);
  assert.equal(by({ startAt: NOW + 60 * HOUR }, true), NOW + 4 * 270_000 + 30_000);
});

test('what may not be asked yet, when it may; what was never asked, at once', () => {
  assert.equal(nextLookBy({ spec, checkedAt: undefined }, 300, false, NOW), undefined);
  assert.equal(
    nextLookBy({ spec: { ...spec, fromAt: NOW + HOUR }, checkedAt: undefined }, 300, false, NOW),
    NOW + HOUR,
  );
  assert.equal(by({ fromAt: NOW + HOUR }), NOW + HOUR);
});
