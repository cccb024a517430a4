import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createReadyQueue, TIERS } from './ready-queue.ts';

test('takes the most stale against its need, urgent ones first', () => {
  const queue = createReadyQueue();
  queue.add(1, 0, 300_000, TIERS.other);
  queue.add(2, 0, 3_600_000, TIERS.other);
  queue.add(3, -10_000, 300_000, TIERS.other);
  assert.equal(queue.peek(400_000), 3);
  queue.add(2, 0, 3_600_000, TIERS.urgent);
  assert.equal(queue.peek(400_000), 2);
  assert.equal(queue.tierOf(2), TIERS.urgent);
  queue.remove(2);
  queue.remove(3);
  assert.equal(queue.peek(400_000), 1);
  assert.deepEqual(queue.clear(), [1]);
  assert.equal(queue.peek(0), -1);
  assert.equal(queue.worst(0), 0);
});

test('a long wait beats a near departure in the end: nobody starves', () => {
  const queue = createReadyQueue();
  queue.add(1, 0, 72 * 300_000, TIERS.other);
  queue.add(2, 71 * 300_000, 300_000, TIERS.other);
  assert.equal(queue.peek(72 * 300_000), 1);
});

test('agrees with sorting, for any course of adding and removing', () => {
  const step = fc.record({
    remove: fc.boolean(),
    item: fc.nat(30),
    agedFrom: fc.nat(1_000_000),
    need: fc.constantFrom(300, 900, 3600),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const queue = createReadyQueue();
      const plain = new Map<number, { agedFrom: number; need: number }>();
      const now = 2_000_000;
      for (const { remove, item, agedFrom, need } of steps) {
        if (remove) assert.equal(queue.remove(item), plain.delete(item));
        else {
          queue.add(item, agedFrom, need, TIERS.other);
          if (!plain.has(item)) plain.set(item, { agedFrom, need });
        }
        const ratio = ({ agedFrom: from, need: by }: { agedFrom: number; need: number }) => (now - from) / by;
        const best = Math.max(0, ...[...plain.values()].map(ratio));
        const top = queue.peek(now);
        if (plain.size === 0) assert.equal(top, -1);
        else assert.equal(ratio(plain.get(top)!), best);
        assert.equal(queue.worst(now), best);
        assert.equal(queue.size, plain.size);
      }
    }),
    { numRuns: 200 },
  );
});

test('what is imminent is found also where something else is more stale', () => {
  const queue = createReadyQueue();
  queue.add(1, 0, 600, TIERS.other);
  queue.add(2, 900, 300, TIERS.imminent);
  assert.equal(queue.peek(1000), 1);
  assert.equal(queue.peek(1000, TIERS.imminent), 2);
  assert.equal(queue.peek(1000, TIERS.urgent), -1);
});
