import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyLines } from './key-lines.ts';

const item = (seq: number, key: string) => ({ seq, key });

test('keys take turns, and each shows only its head', () => {
  const lines = new KeyLines<ReturnType<typeof item>>();
  for (const [seq, key] of [
    [1, 'a'],
    [2, 'a'],
    [3, 'b'],
    [4, 'c'],
  ] as const)
    lines.push(item(seq, key));
  assert.deepEqual(
    lines.take(2, 0).map(({ seq }) => seq),
    [1, 3],
  );
  lines.done('a');
  assert.deepEqual(
    lines.take(9, 0).map(({ seq }) => seq),
    [4, 2],
  );
  assert.deepEqual(lines.take(9, 0), []);
});

test('only a head that is out can be settled', () => {
  const lines = new KeyLines<ReturnType<typeof item>>();
  lines.push(item(1, 'a'));
  assert.throws(() => lines.done('a'));
  assert.throws(() => lines.park('b', 1));
  lines.take(1, 0);
  lines.park('a', 5);
  assert.throws(() => lines.release('a'));
});

test('a key whose events wait elsewhere asks for them when its line is empty', () => {
  const lines = new KeyLines<ReturnType<typeof item>>();
  lines.push(item(1, 'a'));
  assert.equal(lines.mustSpill('a', 2), false);
  lines.take(1, 0);
  lines.addSpilled('a', 2);
  assert.equal(lines.mustSpill('a', 2), true);
  assert.equal(lines.done('a'), true);
  assert.equal(lines.isHungry('a'), true);
  lines.push(item(2, 'a'), 'spill');
  lines.push(item(3, 'a'), 'spill');
  assert.equal(lines.spilledCount, 0);
  assert.deepEqual(lines.take(9, 0), [item(2, 'a')]);
  assert.equal(lines.done('a'), false);
});

test('whatever is done to it, nothing is lost, keys keep their order, and what is parked comes at its time', () => {
  const step = fc.record({ what: fc.integer({ min: 0, max: 5 }), key: fc.integer({ min: 0, max: 4 }), ms: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const lines = new KeyLines<ReturnType<typeof item>>();
      const out = new Map<string, number>();
      const due = new Map<number, number>();
      const finished: number[] = [];
      const lastOfKey = new Map<string, number>();
      let pushed = 0;
      let now = 0;
      const settle = (key: string, what: number, ms: number) => {
        const seq = out.get(key)!;
        out.delete(key);
        if (what === 1) {
          lines.park(key, now + ms);
          due.set(seq, now + ms);
        } else if (what === 2) lines.release(key);
        else {
          lines.done(key);
          finished.push(seq);
          assert.ok((lastOfKey.get(key) ?? 0) < seq);
          lastOfKey.set(key, seq);
        }
      };
      const take = (max: number) => {
        for (const { seq, key } of lines.take(max, now)) {
          assert.ok(!out.has(key), 'one of a key');
          assert.ok((due.get(seq) ?? 0) <= now, 'not before its time');
          out.set(key, seq);
        }
      };
      for (const { what, key, ms } of steps) {
        const name = `k${key}`;
        if (what === 0 || what === 5) lines.push(item(++pushed, name));
        else if (what === 4) {
          now += ms;
          take(2);
        } else if (out.has(name)) settle(name, what, ms);
        assert.equal(lines.size, pushed - finished.length);
      }
      now += 1000;
      for (const key of [...out.keys()]) settle(key, 3, 0);
      for (take(9); out.size > 0; take(9)) for (const key of [...out.keys()]) settle(key, 3, 0);
      assert.equal(finished.length, pushed);
      assert.deepEqual([lines.size, lines.parkedCount, lines.readyCount], [0, 0, 0]);
    }),
    { numRuns: 200 },
  );
});
