import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standsBy, unverifiedSince, type Verified } from './verification.ts';

const of = (change: Partial<Verified>): Verified => ({
  thing: 'lh400',
  ended: false,
  checkedAt: 1000,
  failingSince: undefined,
  ...change,
});

test('one account alone: unverified since its last answer, or its first question where it never gave any', () => {
  assert.equal(unverifiedSince([of({})]), undefined);
  assert.equal(unverifiedSince([of({ failingSince: 2000 })]), 1000);
  assert.equal(unverifiedSince([of({ checkedAt: undefined, failingSince: 2000 })]), 2000);
  assert.equal(unverifiedSince([of({ failingSince: 2000, ended: true })]), undefined);
  assert.equal(unverifiedSince([]), undefined);
});

test('another account answers for it; when that ceases too, it is unverified since then', () => {
  const first = of({ failingSince: 2000 });
  assert.equal(unverifiedSince([first, of({ checkedAt: 2500 })]), undefined);
  assert.equal(unverifiedSince([first, of({ checkedAt: 2500, failingSince: 3000 })]), 2500);
  // One that has stood by confirms nothing.
  assert.equal(unverifiedSince([first, of({ checkedAt: 500 })]), 1000);
  assert.equal(unverifiedSince([first, of({ checkedAt: undefined })]), 1000);
});

test('of several things the one that is unverified longest counts', () => {
  const order = of({ thing: 'order', checkedAt: 900, failingSince: 1500 });
  assert.equal(unverifiedSince([of({ failingSince: 2000 }), order]), 900);
  assert.equal(unverifiedSince([of({}), order]), 900);
});

test('who was asked long before another stands by', () => {
  const rests = of({ checkedAt: undefined });
  const asked = of({ checkedAt: 9000 });
  assert.equal(standsBy(rests, [rests, asked], 300), true);
  assert.equal(standsBy(asked, [rests, asked], 300), false);
  assert.equal(standsBy(of({ checkedAt: 8900 }), [asked], 300), false);
  assert.equal(standsBy(rests, [rests], 300), false);
  assert.equal(standsBy(rests, [of({ thing: 'other', checkedAt: 9000 }), rests], 300), false);
  assert.equal(standsBy(of({ checkedAt: 1, failingSince: 2 }), [asked], 300), false);
});
