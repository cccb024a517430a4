import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';

test('quantiles are at most a fifth above the truth and never below it', () => {
  const histogram = new Histogram();
  for (let ms = 1; ms <= 1000; ms++) histogram.record(ms);
  for (const [q, truth] of [
    [0.5, 500],
    [0.99, 990],
  ] as const) {
    const got = histogram.quantile(q);
    assert.ok(got >= truth && got <= truth * 1.2, `${q}: ${got}`);
  }
  assert.deepEqual({ ...histogram.summary(), p50Ms: 0, p99Ms: 0 }, { count: 1000, p50Ms: 0, p99Ms: 0, maxMs: 1000 });
});

test('empty, tiny, huge and negative durations are taken', () => {
  const histogram = new Histogram();
  assert.deepEqual(histogram.summary(), { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  for (const ms of [-5, 0, 1e-9, 1e15]) histogram.record(ms);
  assert.equal(histogram.summary().count, 4);
  assert.ok(histogram.quantile(0.5) <= 0.05);
  assert.ok(histogram.quantile(1) > 1e6);
});
