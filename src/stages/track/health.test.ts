import assert from 'node:assert/strict';
import { test } from 'node:test';
import { providerStateSchema } from '../../contracts/provider-state.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { TIERS } from '../../domain/schedule/ready-queue.ts';
import { AccountHealth } from './health.ts';

const NOW = Date.UTC(2026, 11, 1, 6);
const random = { number: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const open = (now: number, limits = [{ max: 100, perSeconds: 1 }]) => new AccountHealth({ limits, random, now });
const forbidden = new TripwatchError('unauthorised', 'provider-unauthorised', 'made', { details: { status: 403 } });

/** Another process goes on with the account: by what was stored, as it was stored. */
function goneOn(health: AccountHealth, now: number): AccountHealth {
  const next = open(now);
  next.restore(providerStateSchema.parse(JSON.parse(JSON.stringify(health.snapshot(now)))), now);
  return next;
}

test('the rate that was found out outlives a restart', () => {
  const health = open(NOW);
  let now = NOW;
  // It lets ten a second through, of a hundred that were configured.
  for (let i = 0; i < 3000; i++) {
    now += 10;
    if (!health.gate('readOne').enter(now, TIERS.other)) continue;
    health.inFlight--;
    if (health.calls % 10 === 9) health.limited(now, 'readOne', now, undefined);
    else health.answered(now, 'readOne', now - 5);
  }
  assert.ok(health.pace(now) < 0.5, `${health.pace(now)}`);
  const next = goneOn(health, now + 1000);
  assert.ok(Math.abs(next.perSecond(now + 1000) / health.perSecond(now) - 1) < 0.05);
  assert.equal(open(now).pace(now), 1);
});

test('calls that a question made besides the one that was let through are paid for by the next ones', () => {
  const health = open(NOW, [{ max: 4, perSeconds: 60 }]);
  const gate = health.gate('readOne');
  assert.ok(gate.enter(NOW, TIERS.urgent));
  health.charge(NOW + 500, 'readOne', 2);
  assert.equal(health.calls, 3);
  assert.ok(gate.enter(NOW + 1000, TIERS.urgent));
  assert.equal(gate.enter(NOW + 1000, TIERS.urgent), false, 'four calls were made');
  health.charge(NOW + 1500, 'readOne', 1);
  // What was made beyond the limit counts as well: the window is free again when two of the five are over.
  assert.equal(gate.entersAt(NOW + 2000, TIERS.urgent), NOW + 60_500);
});

test('a vendor whose 403 is a quota is known as that after a restart; of another one it is our key', () => {
  const taught = open(NOW);
  taught.answered(NOW, 'readOne', NOW - 5);
  assert.equal(taught.unauthorised(NOW + 1000, 'readOne', NOW + 900, forbidden), 'quota');
  taught.answered(NOW + 60_000, 'readOne', NOW + 59_000);
  const later = NOW + 30 * 60_000;
  assert.equal(goneOn(taught, later).unauthorised(later + 1000, 'readOne', later, forbidden), 'quota');
  const stale = NOW + 3 * 3_600_000;
  assert.equal(goneOn(taught, stale).unauthorised(stale + 1000, 'readOne', stale, forbidden), 'key');
  const untaught = open(NOW);
  untaught.answered(NOW, 'readOne', NOW - 5);
  assert.equal(goneOn(untaught, NOW + 1000).unauthorised(NOW + 2000, 'readOne', NOW + 1500, forbidden), 'key');
});
