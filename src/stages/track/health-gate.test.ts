import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIERS } from '../../domain/schedule/ready-queue.ts';
import { AccountHealth } from './health.ts';

const START = 1_800_000_000_000;
const random = { number: () => 0, bytes: (length: number) => new Uint8Array(length) };

test('a late answer to what was asked before a refusal does not open the gate: one question finds out', () => {
  const health = new AccountHealth({ limits: [{ max: 1000, perSeconds: 1 }], random, now: START });
  const gate = health.gate('readOne');
  for (let i = 0; i < 3; i++) assert.ok(gate.enter(START, TIERS.other));
  health.limited(START + 100, 'readOne', START, undefined);
  health.inFlight--;
  health.answered(START + 600, 'readOne', START);
  health.inFlight--;
  health.answered(START + 700, 'readOne', START);
  health.inFlight--;
  const at = gate.entersAt(START + 700, TIERS.other)!;
  assert.ok(at >= START + 1100);
  assert.ok(gate.enter(at, TIERS.other));
  assert.equal(gate.enter(at, TIERS.other), false, 'until its answer is in');
  health.answered(at + 100, 'readOne', at);
  health.inFlight--;
  const next = gate.entersAt(at + 100, TIERS.other)!;
  assert.ok(gate.enter(next, TIERS.other));
  assert.ok(gate.entersAt(next, TIERS.other) !== undefined, 'and then more than one may be out');
});

test('each operation has a breaker of its own, and it is left by time and one answer', () => {
  const health = new AccountHealth({ limits: [{ max: 1000, perSeconds: 1 }], random, now: START });
  const [board, one] = [health.gate('board'), health.gate('readOne')];
  let now = START;
  for (let opened = false; !opened; now += 100) {
    assert.ok(board.enter(now, TIERS.other), 'closed until then');
    opened = health.broken(now, 'board', now);
    health.inFlight--;
    assert.ok(now < START + 10_000, 'failures in a row open it');
  }
  assert.deepEqual([health.isClosed('board'), health.isClosed('readOne')], [false, true]);
  assert.equal(board.enter(now, TIERS.urgent), false, 'not even what is urgent');
  assert.ok(one.enter(now, TIERS.other), 'the other operation goes on');
  health.answered(now, 'readOne', now);
  health.inFlight--;
  assert.equal(health.isClosed('board'), false, "another operation's answer says nothing of it");
  const at = board.entersAt(now, TIERS.other)!;
  assert.ok(at > now && at <= now + 30_000, `${at - now} ms`);
  assert.ok(board.enter(at, TIERS.other), 'one probe');
  assert.equal(board.enter(at, TIERS.other), false);
  health.answered(at, 'board', at);
  health.inFlight--;
  assert.equal(health.circuit, 'closed');
});
