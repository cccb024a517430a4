import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { extractDocument } from '../../extract/document.ts';
import { readHead } from '../head.ts';
import { forwardingHost, readForwardingQuestion } from './confirmation.ts';

/** Each question in tests/fixtures/forwarding with what is read of it beside it: `null` for what is none. */
const folder = new URL('../../../../tests/fixtures/forwarding/', import.meta.url);
const mails = readdirSync(folder).filter((name) => name.endsWith('.eml'));

test('there are fixtures in several languages', () => assert.ok(mails.length >= 12));

for (const name of mails)
  test(name, () => {
    const bytes = readFileSync(new URL(name, folder));
    const expected = JSON.parse(readFileSync(new URL(name.replace('.eml', '.expected.json'), folder), 'utf8'));
    const { mail, claims } = extractDocument({ bytes, receivedAt: '2026-11-24T09:16:00.000Z' });
    assert.deepEqual(JSON.parse(JSON.stringify(mail?.forwarding ?? null)), expected);
    assert.deepEqual(claims, []);
    assert.equal(forwardingHost(readHead(bytes)), expected?.host, 'the head alone says so too');
  });

test('a question that was attached to a mail is no question to us', () => {
  const inner = readFileSync(new URL('gmail-en.eml', folder), 'latin1');
  const outer =
    'From: friend@private.example\r\nSubject: what is this?\r\nMIME-Version: 1.0\r\n' +
    `Content-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n${inner}\r\n--o--\r\n`;
  const { mail } = extractDocument({ bytes: Buffer.from(outer, 'latin1'), receivedAt: '2026-11-24T09:16:00.000Z' });
  assert.equal(mail?.forwarding, undefined);
});

test('hostile text costs little', () => {
  const head = { fromAddress: 'forwarding-noreply@google.com', subject: 'x' };
  const began = performance.now();
  for (const piece of ['<', 'code ', 'code1', 'a@', 'a.', 'https://', 'https://a&amp;', '<style>', '#(', 'コード'])
    readForwardingQuestion(head, [piece.repeat(64 * 1024).slice(0, 64 * 1024)]);
  assert.ok(performance.now() - began < 5000);
});
