import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventId } from '../../../domain/ids.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import { openSqliteStore } from './store.ts';

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const clock: Clock = { now: () => 1_000_000, monotonic: () => 0, sleep: async () => {}, speed: 1 };
const FOR_LONG_MS = 60_000;

test('works under one lease in one commit: a take between them stops those after it, and only those', async (t) => {
  const store = openSqliteStore({ file: ':memory:', clock, logger: quiet });
  t.after(() => store.close());
  const [lease] = await store.transact((tx) => tx.leases.take('a', ['stage/0'], FOR_LONG_MS));
  assert.ok(lease);
  const effect = (n: number) =>
    store.effect({ consumer: 'stage', eventId: `evt_${n}` as EventId, now: 1 }, async () => n, { fence: lease });
  const results = await Promise.allSettled([
    effect(1),
    effect(2),
    store.transact((tx) => tx.leases.take('b', ['stage/0'], FOR_LONG_MS, 'ignore')),
    effect(3),
    effect(4),
  ]);
  const outcomes = results.map((one) => (one.status === 'rejected' ? one.reason.code : 'done'));
  assert.deepEqual(outcomes, ['done', 'done', 'done', 'lease-lost', 'lease-lost']);
  const marked = await Promise.all(
    [1, 2, 3, 4].map((n) => store.read((tx) => tx.log.processedBy(`evt_${n}` as EventId))),
  );
  assert.deepEqual(
    marked.map((marks) => marks.length),
    [1, 1, 0, 0],
  );
});
