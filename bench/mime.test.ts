import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchMime } from './mime.ts';

test('in small: the bench of the walk runs, and the walk reads what postal-mime reads', async () => {
  const result = await benchMime(60, 1, 3);
  assert.equal(result.equal, true);
  assert.ok(result.postalMime > 0 && result.walkEverything > 0);
});
