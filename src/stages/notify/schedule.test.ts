import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, RETRY_DELAYS_MS, type Result, retryAfterMs } from './schedule.ts';

const NOW = Date.UTC(2026, 11, 1);
const answer = (status: number, retryAfter?: string): Result => ({ kind: 'answer', status, retryAfter });
const at = (attempts: number, result: Result, random = 0) => decide({ attempts, nextAt: NOW }, result, NOW, random);

test('2xx is sent; all else waits by the documented schedule, at most a fifth longer, then dead', () => {
  for (const status of [200, 201, 204, 299]) assert.equal(at(0, answer(status)).state, 'sent');
  for (const result of [answer(500), answer(404), answer(302), { kind: 'error', reason: 'x' } as const]) {
    RETRY_DELAYS_MS.forEach((delay, attempts) => {
      const soon = at(attempts, result, 0);
      const late = at(attempts, result, 0.999);
      assert.equal(soon.state, 'pending');
      assert.equal(soon.nextAt, NOW + delay);
      assert.ok(late.nextAt > soon.nextAt && late.nextAt <= NOW + delay * 1.2 + 1);
    });
    const dead = at(RETRY_DELAYS_MS.length, result);
    assert.equal(dead.state, 'dead');
    assert.match(dead.notice, /10 attempts over about 75 hours/);
  }
  const hours = RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
  assert.ok(hours > 72 && hours < 80);
});

test('410 ends it at once and disables; a redirect says what to do', () => {
  const gone = at(0, answer(410));
  assert.equal(gone.state, 'dead');
  assert.equal(gone.disable, true);
  assert.match(at(0, answer(301)).reason ?? '', /final address/);
});

test('Retry-After is heeded in both forms, never shortens, and has a bound', () => {
  assert.equal(at(0, answer(429, '60')).nextAt, NOW + 60_000);
  assert.equal(at(1, answer(429, '1')).nextAt, NOW + RETRY_DELAYS_MS[1]!);
  assert.equal(at(0, answer(503, 'Tue, 01 Dec 2026 01:00:00 GMT')).nextAt, NOW + 3_600_000);
  assert.equal(at(0, answer(503, '999999999')).nextAt, NOW + 24 * 3_600_000);
  for (const odd of ['', 'soon', '-5', '1e9', 'Tue, 45 Dec 2026 01:00:00 GMT'])
    assert.equal(retryAfterMs(odd, NOW), undefined);
  assert.equal(retryAfterMs('Tue, 01 Dec 2020 01:00:00 GMT', NOW), 0);
});
