import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from './queues/ledger.ts';
import { type Rate, SMALL } from './queues/measure.ts';
import { type Run, runOne } from './queues/one.ts';
import { PAYLOAD_BYTES, payload } from './queues/payload.ts';
import { median, rowOf, verdicts } from './queues/report.ts';
import { embedded } from './queues/tripwatch/sqlite.ts';

test('queues: every job of ours is handled once, by one subscriber and by two', async () => {
  for (const key of ['embedded', 'embedded-2']) {
    const { measured } = await runOne(key, SMALL);
    for (const { proof, perSecond } of [...measured.steady, ...measured.drain]) {
      assert.deepEqual({ ...proof, jobs: 0 }, { jobs: 0, missing: 0, repeated: 0, sumRight: true });
      assert.ok(perSecond > 0 && proof.jobs > 0);
    }
    assert.equal(measured.latency.length, 2);
  }
});

test('queues: all carry the same number of bytes', () => {
  for (const n of [0, 9, 10, 123_456, 3_999_999])
    assert.equal(Buffer.byteLength(JSON.stringify(payload(n))), PAYLOAD_BYTES);
});

test('queues: the ledger sees what is missing, what came twice and what is not ours', () => {
  const ledger = new Ledger(2, 4);
  for (const n of [0, 1, 2]) ledger.record(n, 0);
  for (const n of [0, 2, 2]) ledger.record(n, 1);
  assert.deepEqual(ledger.proof(3), { jobs: 6, missing: 1, repeated: 1, sumRight: false });
  assert.equal(ledger.handled, 6);
  assert.throws(() => ledger.record(4, 0));
  ledger.record(3, 0);
  assert.throws(() => ledger.proof(3), /never published/);
});

test('queues: medians, the best setting, and what was promised', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([1, 2]), 1.5);
  const proof = { jobs: 1, missing: 0, repeated: 0, sumRight: true };
  const rate = (setting: string, perSecond: number): Rate => ({
    setting,
    perSecond,
    proof,
    clientCpuUs: 1,
    othersPercent: 0,
  });
  const run = (slow: number, fast: number): Run => ({
    name: 'x',
    facts: {},
    measured: { enqueue: undefined, steady: [rate('a', slow), rate('b', fast)], drain: [], latency: [] },
  });
  const ours = rowOf('embedded', embedded, [run(1, 500), run(2, 510), run(900, 490)]);
  assert.equal(ours.steady?.setting, 'b');
  assert.equal(ours.steady?.perSecond, 500);
  const theirs = rowOf('bullmq', { ...embedded, name: 'theirs' }, [run(101, 1)]);
  const [verdict] = verdicts([ours, theirs]);
  assert.deepEqual([verdict?.measured, verdict?.reached], ['5.0 ×', false]);
});
