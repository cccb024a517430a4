import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchHttpAsking } from './http-asking.ts';

test('asking over HTTP: every answer is found unchanged before it is parsed', async () => {
  const figures = await benchHttpAsking(0.3, 2);
  console.log(`  ${JSON.stringify(figures)}`);
  assert.ok(figures.answers > 50);
  assert.equal(figures.unchanged, 1);
});
