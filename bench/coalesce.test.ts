import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchCoalesce } from './coalesce.ts';

test('however many passengers: a subject a flight, hardly more calls than the fewest, boards where they are cheaper', async () => {
  const figures = await benchCoalesce(120, 40, 2);
  console.log(`  ${JSON.stringify(figures)}`);
  assert.ok(figures.subjects <= 40);
  assert.ok(figures.share <= 1.05, `${figures.share} of the ideal`);
  assert.ok(figures.boards > 0);
  assert.ok(figures.oldestSeconds <= 300);
  const alone = await benchCoalesce(120, 40, 2, false);
  assert.ok(alone.share <= 1.05, `${alone.share} of the ideal, without boards`);
  assert.equal(alone.boards, 0);
});
