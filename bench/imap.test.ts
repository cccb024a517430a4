import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingDovecot } from '../scripts/servers/dovecot.ts';
import { imap } from './imap.ts';

const missing = missingDovecot();

test('the IMAP benchmark runs, lists the same each time, and fetches a small part of a mailbox', {
  skip: missing ?? false,
}, async () => {
  if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);
  const first = await imap(4, 70, 2);
  const second = await imap(2, 70, 1);
  assert.equal(first.digest, second.digest);
  assert.ok(first.share < 0.25, `${first.share}`);
  assert.ok(first.backlog.perSecond > 0 && first.notice.mails > 0);
});
