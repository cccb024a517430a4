import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandboxDay } from '../../bench/sandbox-day.ts';
import { verdictLines } from '../../src/sandbox/verify.ts';

/**
 * A small day from the first mail to the last gate, service and sandbox in two processes, the service killed on the
 * way. Ten minutes of the day pass in a second, so lateness is not judged here: a busy machine is slow by minutes.
 */
test('a small day verifies, although the service is killed on the way', { timeout: 180_000 }, async () => {
  const day = { seed: 12, travellers: 8, flights: 14, hours: 6, speed: 600, kills: 2, leadSeconds: 4 };
  const { verdict, day: digest } = await sandboxDay(day);
  const { late, ...counts } = verdict.counts;
  const text = verdictLines(verdict).join('\n');
  assert.deepEqual(counts, { missing: 0, wrong: 0, doubled: 0, 'too-many-calls': 0 }, text);
  assert.ok(verdict.checked.news > 20 && verdict.checked.mails > 10 && verdict.downtime.times === 2, text);
  assert.match(digest, /^[0-9a-f]{64}$/);
});
