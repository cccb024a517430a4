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

test('one account alone: unverified since its first question without an answer', () => {
  assert.equal(unverifiedSince([of({})]), undefined);
  assert.equal(unverifiedSince([of({ failingSince: 2000 })]), 2000);
  assert.equal(unverifiedSince([of({ failingSince: 2000, ended: true })]), undefined);
  assert.equal(unverifiedSince([]), undefined);
});

test('another account answers for it; when that ceases too, it is unverified since then', () => {
  const first = of({ failingSince: 2000 });
  assert.equal(unverifiedSince([first, of({ checkedAt: 2500 })]), undefined);
  assert.equal(unverifiedSince([first, of({ checkedAt: 2500, failingSince: 3000 })]), 3000);
  // One that has stood by confirms nothing.
  assert.equal(unverifiedSince([first, of({ checkedAt: 500 })]), 2000);
  assert.equal(unverifiedSince([first, of({ checkedAt: undefined })]), 2000);
});

test('of several things the one that is unverified longest counts', () => {
  assert.equal(unverifiedSince([of({ failingSince: 2000 }), of({ thing: 'order', failingSince: 1500 })]), 1500);
  assert.equal(unverifiedSince([of({}), of({ thing: 'order', failingSince: 1500 })]), 1500);
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
