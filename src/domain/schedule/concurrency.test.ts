import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterOverload, afterSuccess, type Concurrency, startConcurrency } from './concurrency.ts';

/** Rounds of answers with all places in use; the latency may depend on how many are out. */
function used(from: Concurrency, answers: number, latency: (inFlight: number) => number, max = 64): Concurrency {
  let now = from;
  for (let i = 0; i < answers; i++) {
    const inFlight = Math.floor(now.limit);
    now = afterSuccess(now, { now: 1_000_000 + i * 10, latencyMs: latency(inFlight), inFlight }, max);
  }
  return now;
}

test('grows only while it is used, and never beyond the most that is allowed', () => {
  const start = startConcurrency(16);
  assert.equal(start.limit, 4);
  let idle = start;
  for (let i = 0; i < 500; i++) idle = afterSuccess(idle, { now: i, latencyMs: 50, inFlight: 1 }, 16);
  assert.equal(idle.limit, 4);
  assert.equal(used(start, 500, () => 50, 16).limit, 16);
});

test('a provider that queues gets no more than it works on, and is kept busy', () => {
  // Ten at a time in 100 ms: more only wait.
  const { limit } = used(startConcurrency(200), 3000, (inFlight) => Math.max(100, inFlight * 10), 200);
  assert.ok(limit >= 10 && limit <= 45, `${limit}`);
});

test('no answer halves it, once for all that were out together, and never below one', () => {
  let now = used(startConcurrency(64), 2000, () => 50);
  assert.equal(now.limit, 64);
  now = afterOverload(now, 5_000_000, 4_999_000);
  now = afterOverload(now, 5_000_001, 4_999_500);
  assert.equal(now.limit, 32);
  for (let i = 1; i < 10; i++) now = afterOverload(now, 5_000_000 + i * 1000, 5_000_000 + i * 1000);
  assert.equal(now.limit, 1);
});

test('a line that has become longer is believed in time', () => {
  let now = used(startConcurrency(64), 500, () => 50);
  for (let i = 0; i < 60_000; i++)
    now = afterSuccess(now, { now: 2_000_000 + i * 20, latencyMs: 400, inFlight: Math.floor(now.limit) }, 64);
  assert.equal(now.limit, 64);
});
