import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchJoin } from './join.ts';

test('the join benchmark runs, and reaches the same states each time', async () => {
  const first = await benchJoin(60);
  const second = await benchJoin(60);
  assert.equal(first.digest, second.digest);
  assert.equal(first.results.length, 6);
  for (const result of first.results) assert.ok(result.perSecond > 0);
});
