import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MailRule } from '../../domain/rules.ts';
import { decide } from './decide.ts';

const rule = (action: 'allow' | 'deny', field: MailRule['field'], pattern: string): MailRule => ({
  ...{ id: 'rule_1', action, field, pattern },
});
const question = {
  mailId: 'mail_a',
  mailboxId: 'mbx_a',
  head: {
    fromAddress: 'forwarding-noreply@google.com',
    subject: '(#482913375) Gmail Forwarding Confirmation - Receive Mail from ada@gmail.com',
  },
  size: 10,
  receivedAt: '2026-11-24T09:16:00.000Z',
  via: 'smtp',
} as const;

test('the question that comes before the first forwarded mail is read in spite of an allow list, not of a word against it', () => {
  const allow = rule('allow', 'domain', 'lufthansa.com');
  assert.deepEqual([decide(question, [allow]).read, decide(question, [allow]).code], [true, 'forwarding-question']);
  assert.equal(decide(question, []).code, 'forwarding-question');
  for (const deny of [rule('deny', 'domain', 'google.com'), rule('deny', 'sender', question.head.fromAddress)])
    assert.deepEqual([decide(question, [deny]).read, decide(question, [deny]).code], [false, 'rule-denied']);
  // In a connected mailbox it is its owner's own correspondence.
  const listed = { ...question, via: 'imap', ref: 'INBOX;1;1', folder: 'INBOX' } as const;
  assert.equal(decide(listed, []).read, false);
});

test('rules on folders decide about what lies there and below, and say so', () => {
  const listed = (folder: string) => ({
    ...({ ...question, via: 'imap', ref: 'x;1;1', folder } as const),
    head: { fromAddress: 'noreply@lufthansa.com', subject: 'Your booking confirmation ABC123' },
  });
  assert.equal(decide(listed('INBOX'), []).read, true);
  const deny = [rule('deny', 'folder', 'Work')];
  for (const [folder, read] of [
    ['Work', false],
    ['Work/2026', false],
    ['work.2026', false],
    ['Workshop', true],
    ['INBOX', true],
  ] as const) {
    const decision = decide(listed(folder), deny);
    assert.equal(decision.read, read, folder);
    if (!read) assert.match(decision.receipt.reason, /deny folder Work.*ask for the mail/);
  }
  assert.equal(decide({ ...listed('Work'), asked: true }, deny).read, true, 'the undo of a skip');
});
