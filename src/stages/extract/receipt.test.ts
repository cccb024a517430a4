import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExtractionResult } from '../../domain/extract/claim.ts';
import type { TrustLevel, Verdict } from '../../domain/trust/verdict.ts';
import { openedReceipt } from './receipt.ts';

const code = '482913375';
const link = 'https://mail-settings.google.com/mail/vf-abc';
const asked: ExtractionResult = {
  claims: [],
  warnings: [],
  mail: { forwarding: { host: 'Gmail', account: 'ada@gmail.com', code, link } },
};
const verdict = (level: TrustLevel) => ({ level, flags: [], sentence: '' }) as unknown as Verdict;

test('a mail host that asks whether it may forward here needs the traveller, with all that is needed to say yes', () => {
  const { disposition, reasonCode, reason } = openedReceipt(asked, 0, 0, verdict('authentic'), 'smtp');
  assert.deepEqual([disposition, reasonCode], ['needs-you', 'forwarding-confirmation']);
  for (const text of ['Gmail', 'ada@gmail.com', code, link]) assert.ok(reason.includes(text), text);
  assert.match(reason, /If not, do nothing/);
});

test('where nothing proves who asks, neither code nor link is shown', () => {
  for (const level of ['plausible', 'unproven'] as const) {
    const { disposition, reasonCode, reason } = openedReceipt(asked, 0, 0, verdict(level), 'smtp');
    assert.deepEqual([disposition, reasonCode], ['needs-you', 'forwarding-unproven']);
    for (const text of [code, 'https://']) assert.ok(!reason.includes(text), text);
  }
});

test('in a connected mailbox, or an import, it is none of ours', () => {
  for (const via of ['gmail', 'imap', 'import'] as const)
    assert.equal(openedReceipt(asked, 0, 0, verdict('authentic'), via).disposition, 'nothing-found');
});
