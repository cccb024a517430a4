import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientStateOf, isCurrent, mailboxOf } from '../adapters/mailbox/graph/push.ts';
import { addKey, openKeyring, removeKey } from '../adapters/secrets/keyring.ts';
import { configSchema } from '../contracts/config.ts';
import { noticeKeys, pushOffer, pushUrl } from './mailbox-push.ts';

const push = { topic: 'projects/p/topics/t', serviceAccount: 'a@p.iam.gserviceaccount.com' };
const config = (publicUrl: string | undefined, google: object = { push }) =>
  configSchema.parse({
    http: publicUrl === undefined ? {} : { publicUrl },
    oauth: { google: { clientId: 'c', ...google }, microsoft: { clientId: 'c' } },
  });

test('without an address that providers reach, mails are looked for, and what is missing is said', () => {
  for (const kind of ['gmail', 'graph'] as const) {
    assert.match(JSON.stringify(pushOffer(config(undefined), kind)), /"looking".*http\.publicUrl/);
    assert.match(JSON.stringify(pushOffer(config('http://trips.example'), kind)), /"looking".*not https/);
    assert.deepEqual(pushOffer(config('https://trips.example/'), kind), { by: 'notices' });
  }
  assert.match(
    JSON.stringify(pushOffer(config('https://trips.example', {}), 'gmail')),
    /"looking".*oauth\.google\.push/,
  );
  assert.deepEqual(pushOffer(config('https://trips.example', {}), 'graph'), { by: 'notices' });
  for (const kind of ['imap', 'jmap'] as const) assert.equal(pushOffer(config(undefined), kind).by, 'connection');
  assert.equal(pushUrl(config('https://trips.example/a/'), 'graph'), 'https://trips.example/a/push/mailboxes/graph');
});

test('our own notices are known again by every process, also after the key has been changed, until it goes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-keys-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'key');
  let now = 0;
  const clock = { monotonic: () => now };
  const before = noticeKeys(openKeyring(path), clock);
  const state = clientStateOf('mbx_a', 'nonce', before);
  assert.equal(mailboxOf(state, before), 'mbx_a');
  const old = openKeyring(path).current.id;
  addKey(path);
  const after = noticeKeys(openKeyring(path), clock);
  assert.equal(mailboxOf(state, after), 'mbx_a');
  assert.deepEqual([isCurrent(state, before), isCurrent(state, after)], [true, false], 'to be made anew');
  const anew = clientStateOf('mbx_a', 'nonce', after);
  assert.equal(mailboxOf(anew, before), 'mbx_a', 'a key that another process took into use is found');
  assert.equal(mailboxOf(anew.replace('mbx_a', 'mbx_b'), before), undefined);
  // A key that there is not is looked for at most so often.
  const third = noticeKeys(openKeyring(path), clock);
  assert.equal(third.key('deadbeef'), undefined);
  addKey(path);
  const newest = openKeyring(path).current.id;
  assert.equal(third.key(newest), undefined);
  now += 60_000;
  assert.notEqual(third.key(newest), undefined);
  removeKey(path, old);
  assert.equal(mailboxOf(state, noticeKeys(openKeyring(path), clock)), undefined);
});
