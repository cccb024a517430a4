import assert from 'node:assert/strict';
import { test } from 'node:test';
import { providerAccountSchema } from './config.ts';

const account = { account: 'flights', connector: 'aeroapi' };

test('limits in the unit of the vendor, and what operations cost in it', () => {
  const read = providerAccountSchema.parse({
    ...account,
    calls: [{ max: 10, perSeconds: 60, unit: 'result-sets' }],
    costs: { board: { 'result-sets': 3, calls: 1 } },
    inFlightMax: 4,
  });
  assert.equal(read.calls![0]!.unit, 'result-sets');
  assert.equal(read.inFlightMax, 4);
  assert.equal(providerAccountSchema.parse(account).inFlightMax, 64);
});

test('a cost in a unit that nothing counts, or of an operation that there is not, is a fault', () => {
  const faults = (change: object) =>
    providerAccountSchema.safeParse({ ...account, ...change }).error?.issues.map(({ path }) => path.join('.'));
  assert.deepEqual(faults({ costs: { board: { credits: 3 } } }), ['costs.board.credits']);
  assert.ok(faults({ costs: { boards: { calls: 3 } } })!.length > 0);
  assert.ok(faults({ inFlightMax: 0 })!.length > 0);
  assert.equal(faults({ costs: { board: { calls: 3 } } }), undefined);
});
