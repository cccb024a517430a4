import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Candidate, chooseSource } from './choose-source.ts';

const NOW = 1_000_000;
const one = (change: Partial<Candidate> = {}): Candidate => ({
  account: 'a',
  able: true,
  answeredAt: NOW - 1000,
  unknown: false,
  grave: false,
  ...change,
});
const roles = (...candidates: Candidate[]) => chooseSource(candidates, NOW, 60_000);

test('the first is asked, the others stand by', () => {
  assert.deepEqual(roles(one(), one()), ['ask', 'rest']);
  assert.deepEqual(roles(), []);
});

test('one that is away, or does not know the flight, is stood in for', () => {
  assert.deepEqual(roles(one({ able: false }), one(), one()), ['rest', 'ask', 'rest']);
  assert.deepEqual(roles(one({ unknown: true }), one()), ['rest', 'ask']);
});

test('one that has fallen silent is asked on, and the next beside it', () => {
  assert.deepEqual(roles(one({ answeredAt: NOW - 60_001 }), one()), ['ask', 'ask']);
  assert.deepEqual(roles(one({ answeredAt: undefined }), one()), ['ask', 'ask']);
  assert.deepEqual(roles(one({ answeredAt: undefined }), one({ answeredAt: undefined })), ['ask', 'rest']);
});

test('grave news gets one second opinion, not one a round', () => {
  const grave = one({ grave: true });
  assert.deepEqual(roles(grave, one({ answeredAt: undefined }), one()), ['ask', 'second', 'rest']);
  assert.deepEqual(roles(grave, one({ answeredAt: NOW - 1001 })), ['ask', 'second']);
  assert.deepEqual(roles(grave, one({ answeredAt: NOW })), ['ask', 'rest']);
});

test('nobody able: nobody asked; nobody knows it: one goes on looking', () => {
  assert.deepEqual(roles(one({ able: false }), one({ able: false })), ['rest', 'rest']);
  assert.deepEqual(roles(one({ unknown: true }), one({ unknown: true })), ['ask', 'rest']);
});

test('never more than two, never one that is unable, always one where one is able', () => {
  const candidate = fc.record({
    account: fc.constant('a'),
    able: fc.boolean(),
    answeredAt: fc.option(fc.integer({ min: 0, max: NOW }), { nil: undefined }),
    unknown: fc.boolean(),
    grave: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 5 }), (candidates) => {
      const chosen = roles(...candidates);
      assert.ok(chosen.filter((role) => role !== 'rest').length <= 2);
      assert.ok(chosen.every((role, i) => role === 'rest' || candidates[i]!.able));
      assert.equal(
        chosen.includes('ask'),
        candidates.some((c) => c.able),
      );
    }),
  );
});
