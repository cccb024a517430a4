import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '../../domain/trust/verdict.ts';
import { ASKABLE } from '../../ports/store/mails.ts';
import { forged, wantedAnyway } from './verdict.ts';

const VERDICT: Verdict = {
  level: 'forged',
  sender: 'air.example',
  registered: false,
  by: [],
  flags: [],
  sentence: 'It says that it comes from air.example, and it does not.',
};

test('a forged mail is set aside, and may be asked for; then it is believed as little as any that nobody vouches for', () => {
  const receipt = forged(VERDICT);
  assert.equal(receipt.disposition, 'quarantined');
  assert.ok(receipt.reason.includes(VERDICT.sentence));
  assert.ok(ASKABLE.includes(receipt.disposition));
  assert.equal(wantedAnyway(VERDICT).level, 'unproven');
});
