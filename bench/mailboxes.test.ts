import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingDovecot } from '../scripts/servers/dovecot.ts';
import { idle } from './mailboxes/idle.ts';
import { backlog, noticeLatency, share } from './mailboxes.ts';

/** In small: that the benchmarks of connected mailboxes run and find what they look for. No times. */

const missing = missingDovecot();
const options = { skip: process.env.CI === 'true' ? false : (missing ?? false) };

test('each live mail is noticed, read and stored', options, async () => {
  const { mails, noticeToStored, acceptedToNotice } = await noticeLatency(4);
  assert.equal(mails, 4);
  assert.ok(noticeToStored.count > 0 && noticeToStored.p50 >= 0);
  assert.ok(acceptedToNotice.p50 > -1000);
});

test('a backlog is read to its end, with live mails in between', options, async () => {
  const result = await backlog(60);
  assert.ok(result.imported >= result.liveInIt.count, JSON.stringify(result));
  assert.ok(result.liveInIt.count > 0 && result.othersMeanwhile.count > 0 && result.rssMibMax > 0);
});

test('of a mailbox with few travel mails a small part is fetched', options, async () => {
  const { mails, fetched } = await share(40);
  assert.equal(mails, 40);
  assert.ok(fetched > 0 && fetched < 0.3, `${fetched}`);
});

test('the watcher listens to mailboxes, plain and over TLS', options, async () => {
  for (const kind of ['plain', 'tls'] as const) {
    const result = await idle(3, kind);
    assert.deepEqual([result.kind, result.mailboxes], [kind, 3]);
  }
});
