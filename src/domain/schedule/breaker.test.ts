import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { admit, admitsAt, BREAKER_POLICY, type Breaker, CLOSED, failed, succeeded } from './breaker.ts';

test('opens after failures in a row, probes once, closes on success', () => {
  let breaker: Breaker = CLOSED;
  for (let i = 0; i < BREAKER_POLICY.failuresMax; i++) breaker = failed(breaker, 0, 0);
  assert.equal(breaker.state, 'open');
  assert.equal(admit(breaker, BREAKER_POLICY.openMsFirst - 1).admitted, false);
  const probe = admit(breaker, BREAKER_POLICY.openMsFirst);
  assert.ok(probe.admitted);
  assert.equal(probe.breaker.state, 'probing');
  assert.equal(admit(probe.breaker, BREAKER_POLICY.openMsFirst + 1).admitted, false);
  assert.equal(succeeded(probe.breaker).state, 'closed');
  const again = failed(probe.breaker, 10_000, 0);
  assert.equal(again.state, 'open');
  assert.equal(admitsAt(again, 10_000), 10_000 + 2 * BREAKER_POLICY.openMsFirst);
});

test('a success between failures keeps it closed', () => {
  let breaker: Breaker = CLOSED;
  for (let i = 0; i < 100; i++) {
    breaker = failed(breaker, i, 0.5);
    if (i % 4 === 3) breaker = succeeded(breaker);
    assert.equal(breaker.state, 'closed');
  }
});

test('from every state that can be reached, time alone leads to a question that may be asked', () => {
  const step = fc.record({
    act: fc.constantFrom('fail' as const, 'succeed' as const, 'ask' as const),
    wait: fc.integer({ min: -100_000, max: 100_000 }),
    jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let breaker: Breaker = CLOSED;
      let now = 1_000_000;
      for (const { act, wait, jitter } of steps) {
        now += wait;
        if (act === 'fail') breaker = failed(breaker, now, jitter);
        else if (act === 'succeed') breaker = succeeded(breaker);
        else breaker = admit(breaker, now).breaker;
      }
      const longest = Math.max(BREAKER_POLICY.openMsMax, BREAKER_POLICY.probeMsMax);
      // Wherever the clock went: after the longest wait from now, a question is let through.
      const later = admit(breaker, now + 2 * longest + 200_000 * steps.length);
      assert.ok(later.admitted);
      assert.equal(succeeded(later.breaker).state, 'closed');
    }),
    { numRuns: 300 },
  );
});
