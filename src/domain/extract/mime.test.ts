import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import PostalMime from 'postal-mime';
import { decodeQuotedPrintable, decodeText, decodeTransfer } from './decode.ts';
import { EXTRACT_LIMITS } from './limits.ts';
import { parseMailDate } from './mail-date.ts';
import { readMailHead, walkMime } from './mime.ts';

const walk = (text: string) => walkMime(Buffer.from(text), EXTRACT_LIMITS);

test('agrees with postal-mime on the HTML of every fixture', async () => {
  const folder = new URL('../../../tests/fixtures/mail/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.eml') && !name.startsWith('forwarded'));
  assert.ok(names.length > 10);
  for (const name of names) {
    const bytes = readFileSync(new URL(name, folder));
    const theirs = await PostalMime.parse(bytes);
    const ours = walkMime(bytes, EXTRACT_LIMITS).parts.find((part) => part.type === 'text/html');
    const html = ours && decodeText(decodeTransfer(ours.body, ours.encoding), ours.charset);
    assert.equal(html?.replace(/\s+/g, ' ').trim(), theirs.html?.replace(/\s+/g, ' ').trim(), name);
  }
});

test('finds nested parts with their type, charset and name', () => {
  const mail = walk(
    [
      'From: a@b.example',
      'Content-Type: multipart/mixed; boundary="out"',
      '',
      'preamble',
      '--out',
      'Content-Type: multipart/alternative; boundary=out-in',
      '',
      '--out-in',
      '',
      'plain',
      '--out-in',
      'Content-Type: TEXT/HTML; CharSet="ISO-8859-1"',
      '',
      '<p>',
      '--out-in--',
      '--out',
      "Content-Disposition: attachment; filename*0*=utf-8''tr%69p; filename*1*=.ics",
      'Content-Type: application/octet-stream',
      '',
      'BEGIN:VCALENDAR',
      '--out--',
      'epilogue',
    ].join('\r\n'),
  );
  assert.deepEqual(
    mail.parts.map(({ type, charset, fileName, index }) => [index, type, charset, fileName]),
    [
      [1, 'text/plain', undefined, undefined],
      [2, 'text/html', 'ISO-8859-1', undefined],
      [3, 'application/octet-stream', undefined, 'tr%69p.ics'],
    ],
  );
  assert.equal(mail.parts[1]?.body.toString(), '<p>');
});

test('a forwarded mail keeps its own head', () => {
  const inner = 'From: airline@b.example\nDate: Sun, 01 Nov 2026 07:00:00 +0000\nContent-Type: text/html\n\nhi';
  const encoded = Buffer.from(inner).toString('base64');
  for (const mail of [
    walk(`From: me@b.example\nContent-Type: message/rfc822\n\n${inner}`),
    walk(`From: me@b.example\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n${encoded}`),
  ]) {
    assert.equal(mail.head.from, 'me@b.example');
    assert.deepEqual(
      [mail.parts[0]?.mail.from, mail.parts[0]?.mail.level, mail.parts[0]?.type],
      ['airline@b.example', 1, 'text/html'],
    );
  }
});

test('reads the head alone, folded headers joined', () => {
  const head = readMailHead(Buffer.from('Subject: one\r\n two\r\nDate: x\r\n\r\nSubject: body'), EXTRACT_LIMITS);
  assert.equal(head.subject, 'one two');
});

test('quoted-printable: escapes, soft breaks, and what only looks like them', () => {
  const decode = (text: string) => decodeQuotedPrintable(Buffer.from(text)).toString('utf8');
  assert.equal(decode('Z=C3=BCrich=\r\n!'), 'Zürich!');
  assert.equal(decode('a= \t\nb'), 'ab');
  assert.equal(decode('1=2, a=zz, end='), '1=2, a=zz, end');
});

test('charsets: mark before label, label before guess', () => {
  assert.equal(decodeText(Buffer.from([0xe4]), undefined), 'ä');
  assert.equal(decodeText(Buffer.from([0xef, 0xbb, 0xbf, 0x61]), 'iso-8859-1'), 'a');
  assert.equal(decodeText(Buffer.from('ä'), 'iso-8859-1'), 'Ã¤');
  assert.equal(decodeText(Buffer.from([0xc4, 0xe3]), 'gb2312'), '你');
});

test('mail dates, with the obsolete forms', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['Mon, 02 Nov 2026 09:15:00 +0100', '2026-11-02T08:15:00.000Z'],
    ['2 Nov 26 09:15 EST', '2026-11-02T14:15:00.000Z'],
    ['Mon, 02 Nov 2026 09:15:00 GMT (comment)', '2026-11-02T09:15:00.000Z'],
    ['Mon, 31 Nov 2026 09:15:00 +0100', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ];
  for (const [header, expected] of cases) assert.equal(parseMailDate(header), expected, header);
});
