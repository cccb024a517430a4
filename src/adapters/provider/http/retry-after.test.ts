import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { failureOfStatus } from './failures.ts';
import { RETRY_MS_MAX, RETRY_MS_MIN, retryAtOf } from './retry-after.ts';

const NOW = Date.UTC(2026, 11, 1, 12);
const http = (ms: number) => new Date(ms).toUTCString();

test('seconds and dates; dates by the clock of the server', () => {
  assert.equal(retryAtOf({ 'retry-after': '30' }, NOW), NOW + 30_000);
  const serverNow = NOW - 3 * 3_600_000;
  assert.equal(retryAtOf({ date: http(serverNow), 'retry-after': http(serverNow + 60_000) }, NOW), NOW + 60_000);
  assert.equal(retryAtOf({ date: http(serverNow), 'ratelimit-reset': http(serverNow + 5000) }, NOW), NOW + 5000);
  assert.equal(retryAtOf({ 'ratelimit-reset': '7' }, NOW), NOW + 7000);
  assert.equal(retryAtOf({ 'x-ratelimit-reset': String(NOW / 1000 + 90) }, NOW), NOW + 90_000);
  assert.equal(retryAtOf({ 'rate-limit-minute-reset': String(NOW + 20_000) }, NOW), NOW + 20_000);
});

test('absurd and past hints are clamped, nonsense is no hint', () => {
  assert.equal(retryAtOf({ 'retry-after': '0' }, NOW), NOW + RETRY_MS_MIN);
  assert.equal(retryAtOf({ 'retry-after': http(0) }, NOW), NOW + RETRY_MS_MIN);
  assert.equal(retryAtOf({ 'retry-after': '99999999' }, NOW), NOW + RETRY_MS_MAX);
  assert.equal(retryAtOf({ 'retry-after': 'soon' }, NOW), undefined);
  assert.equal(retryAtOf({}, NOW), undefined);
});

test('no header can break it', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (first, second) => {
      const at = retryAtOf({ 'retry-after': first, date: second }, NOW);
      assert.ok(at === undefined || (at >= NOW + RETRY_MS_MIN && at <= NOW + RETRY_MS_MAX));
    }),
  );
});

test('each status has its kind', () => {
  const kind = (status: number) => failureOfStatus(status, {}, NOW).kind;
  assert.deepEqual([401, 402, 403, 400, 404, 410, 451, 408, 425, 429, 500, 502, 503, 504, 302].map(kind), [
    ...['unauthorised', 'unauthorised', 'unauthorised', 'permanent', 'permanent', 'permanent', 'permanent'],
    ...['transient', 'transient', 'rate-limited', 'transient', 'transient', 'transient', 'transient', 'transient'],
  ]);
});

test('403 and 503 say when to come again by Retry-After alone, and 400 not at all', () => {
  const at = (status: number, headers: Record<string, string>) => failureOfStatus(status, headers, NOW).retryAt;
  const reset = { 'x-ratelimit-reset': '90' };
  for (const status of [403, 503]) {
    assert.equal(at(status, { 'retry-after': '600' }), NOW + 600_000);
    assert.equal(at(status, reset), undefined);
  }
  assert.equal(at(429, reset), NOW + 90_000);
  assert.equal(at(400, { 'retry-after': '600' }), undefined);
});
