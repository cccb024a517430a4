import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeAppend } from './store-append.ts';

test('the store benchmark runs, and gives the same log each time', async () => {
  const first = await storeAppend(40);
  const second = await storeAppend(40);
  assert.equal(first.digest, second.digest);
  assert.deepEqual(
    first.results.map((result) => result.callers),
    [1, 8, 64, 1, 8, 64],
  );
  for (const result of first.results) assert.ok(result.perSecond > 0 && result.p99Ms >= result.p50Ms);
});
