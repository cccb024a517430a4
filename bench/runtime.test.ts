import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchRuntime } from './runtime.ts';

test('the runtime benchmark still runs, small, and gives the same result', async () => {
  const figures = await benchRuntime(200);
  assert.equal(figures.hash, '983146c6777a6d33');
  assert.ok(figures.oneStagePerSecond > 0 && figures.threeStagesPerSecond > 0);
  assert.ok(Number.isFinite(figures.wakeMs.p99), 'every event was handled');
});
