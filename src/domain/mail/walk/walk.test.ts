import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeText } from '../../extract/decode.ts';
import { WALK_LIMITS } from './limits.ts';
import { decodeTransfer } from './transfer.ts';
import { walkMail } from './walk.ts';

const walk = (text: string) => walkMail(Buffer.from(text));
const bodies = (text: string) => walk(text).parts.map((part) => part.body.toString());

test('finds nested parts with their type, charset, disposition and name', () => {
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
      "Content-Disposition: attachment; filename*0*=utf-8''tr%C3%AFp; filename*1*=.ics",
      'Content-Type: application/octet-stream',
      '',
      'BEGIN:VCALENDAR',
      '--out--',
      'epilogue',
    ].join('\r\n'),
  );
  assert.deepEqual(
    mail.parts.map(({ type, charset, fileName, disposition, index }) => [index, type, charset, disposition, fileName]),
    [
      [1, 'text/plain', undefined, '', undefined],
      [2, 'text/html', 'ISO-8859-1', '', undefined],
      [3, 'application/octet-stream', undefined, 'attachment', 'trïp.ics'],
    ],
  );
  assert.equal(mail.parts[1]?.body.toString(), '<p>');
  assert.equal(mail.head.fromAddress, 'a@b.example');
  assert.equal(mail.problem, undefined);
});

test('an attached mail keeps its own head, encoded or not, and is given as it was sent', () => {
  const inner = 'From: airline@b.example\nDate: Sun, 01 Nov 2026 07:00:00 +0000\nContent-Type: text/html\n\nhi';
  const base64 = Buffer.from(inner).toString('base64');
  for (const [encoding, body] of [
    ['7bit', inner],
    ['base64', base64],
    ['quoted-printable', inner],
  ] as const) {
    const part = `Content-Type: message/rfc822\nContent-Transfer-Encoding: ${encoding}\n\n${body}`;
    for (const mail of [
      walk(`From: me@b.example\n${part}`),
      walk(`From: me@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n${part}\n--b--\n`),
    ]) {
      assert.equal(mail.head.fromAddress, 'me@b.example');
      assert.deepEqual(
        mail.parts.map(({ mail: { level, head }, type }) => [head.fromAddress, level, type]),
        [['airline@b.example', 1, 'text/html']],
        encoding,
      );
      assert.deepEqual(
        mail.attached.map((bytes) => bytes.toString()),
        [inner],
        encoding,
      );
    }
  }
  const digest = walk(`Content-Type: multipart/digest; boundary=d\n\n--d\n\n${inner}\n--d\n\n${inner}\n--d--`);
  assert.deepEqual(
    digest.attached.map((bytes) => bytes.toString()),
    [inner, inner],
  );
  const nested = `Content-Type: message/rfc822\n\n${inner}`;
  assert.deepEqual(
    walk(`Content-Type: message/rfc822\n\n${nested}`).attached.map((bytes) => bytes.toString()),
    [nested],
    'not the inner one',
  );
});

test('boundaries: whole lines only, whatever they look like', () => {
  const mixed = (boundary: string, body: string) => `Content-Type: multipart/mixed; boundary=${boundary}\n\n${body}`;
  assert.deepEqual(bodies(mixed('q', '--q\n\na\n--qq\nb\n--q--x\nc\n--q --\nd\n--q \t\r\n\ne\n--q-- \nf')), [
    'a\n--qq\nb\n--q--x\nc\n--q --\nd',
    'e',
  ]);
  assert.deepEqual(bodies(mixed('q', '--q\n\na\n')), ['a\n'], 'no end');
  assert.deepEqual(bodies(mixed('"q', '--q\n\na\n--q--')), ['a'], 'quoted only once');
  assert.deepEqual(bodies(mixed('"a;b \\"c"', '--a;b "c\n\na\n--a;b "c--')), ['a']);
  assert.deepEqual(bodies(mixed('q; boundary=r', '--q\n\na\n--r\n\nb')), ['a\n--r\n\nb'], 'the first one counts');
  assert.deepEqual(bodies(mixed('q (a comment)', '--q\n\na\n--q--')), ['a']);
  assert.deepEqual(bodies(mixed('q', '--q\nContent-Type: text/html\n--q\n\nb\n--q--')), ['', 'b'], 'no blank line');
  assert.deepEqual(bodies(mixed('q', 'nothing')), []);
  assert.deepEqual(bodies('Content-Type: multipart/mixed\n\n--q\n\na'), ['--q\n\na'], 'no boundary: one part');
  assert.deepEqual(
    bodies(mixed('o', '--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\na\n--o\n\nb\n--o--')),
    ['a', 'b'],
    'an inner multipart without end ends with its part',
  );
  assert.deepEqual(
    bodies(
      mixed('o', '--o\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=o\n\n--o\n\nb\n--o--'),
    ),
    ['b'],
    'a mail inside that uses the boundary of the outer one',
  );
});

test('headers: folded, with blanks before the colon, after a postmark; the first of a name counts', () => {
  for (const start of ['', 'From a@b Tue Dec  1 09:00:00 2026\n', '\ufeff', '\r\n\n', 'nonsense\n']) {
    const mail = walk(
      `${start}Content-Type : \n text/html;\r\n\tcharset=utf-8\nContent-type: text/plain\nContent-Transfer-Encoding: (no) "Base64" \n\nYQ==`,
    );
    assert.deepEqual(
      mail.parts.map(({ type, charset, encoding }) => [type, charset, encoding]),
      [['text/html', 'utf-8', 'base64']],
      JSON.stringify(start),
    );
  }
  assert.equal(walk('Content-Type: text/html charset=utf-8\n\n').parts[0]?.type, 'text/html', 'semicolon forgotten');
});

test('names: quoted, in encoded words, raw bytes, RFC 2231 in any order and charset', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['filename="a \\"b\\".pdf"', 'a "b".pdf'],
    ['filename=Invoice(1).pdf', 'Invoice(1).pdf'],
    ['filename==?utf-8?Q?Bordkarte_M=C3=BCnchen.pdf?=', 'Bordkarte München.pdf'],
    ['filename="raw München.pdf"', 'raw München.pdf'],
    ["filename*=iso-8859-1'de'M%FCnchen.pdf", 'München.pdf'],
    ["filename*1*=%BCn.pdf; filename*0*=utf-8''M%C3", 'Mün.pdf'],
    ['filename*0="a%20"; filename*1=b', 'a%20b'],
    ["filename=plain.pdf; filename*=utf-8''better.pdf", 'better.pdf'],
    ['filename*=no-marks.pdf', 'no-marks.pdf'],
    ['x; filename=a.pdf', 'a.pdf'],
    ['filename=a.pdf; filename=b.pdf', 'a.pdf'],
    ["filename*=x-nothing''a%FC", 'aü'],
  ];
  for (const [parameter, name] of cases)
    assert.equal(walk(`Content-Disposition: attachment; ${parameter}\n\n`).parts[0]?.fileName, name, parameter);
  assert.equal(walk('Content-Type: text/calendar; name=trip.ics\n\n').parts[0]?.fileName, 'trip.ics');
});

test('quoted-printable: escapes, soft breaks, and what only looks like them', () => {
  const decode = (text: string) => decodeTransfer(Buffer.from(text), 'quoted-printable').toString('utf8');
  assert.equal(decode('Z=C3=BCrich=\r\n!'), 'Zürich!');
  assert.equal(decode('Z=c3=bcrich'), 'Zürich');
  assert.equal(decode('a= \t\nb'), 'ab');
  assert.equal(decode('1=2, a=zz, end='), '1=2, a=zz, end');
  assert.equal(decode('=3D=3'), '==3');
  assert.equal(decode('plain'), 'plain');
  assert.equal(decode(''), '');
});

test('base64: line breaks, rubbish, padding in the middle, a cut end', () => {
  const decode = (text: string) => decodeTransfer(Buffer.from(text), 'base64').toString();
  assert.equal(decode('aGVs\r\nbG8='), 'hello');
  assert.equal(decode('aGVs!!\nbG8'), 'hello');
  assert.equal(decode('aGU=\nbGxv'), 'hello');
  assert.equal(decode('aA==\nZQ==\nbGxv\n'), 'hello');
  assert.equal(decode(''), '');
  assert.equal(decode('===='), '');
});

test('each bound stops the walk, says so and keeps what was found', () => {
  const nested = (n: number) =>
    Array.from({ length: n }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`).join('');
  assert.equal(walk(`${nested(WALK_LIMITS.depthMax)}\nx`).problem, undefined);
  assert.equal(walk(`${nested(WALK_LIMITS.depthMax + 1)}\nx`).problem, 'too-deep');
  assert.equal(walk('Content-Type: message/rfc822\n\n'.repeat(1000)).problem, 'too-deep');
  const parts = walk(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(1000)}`);
  assert.deepEqual([parts.problem, parts.parts.length], ['too-many-parts', WALK_LIMITS.partsMax - 1]);
  assert.equal(walk(`Subject: ${'a'.repeat(1e6)}\n\n`).problem, 'headers-too-large');
  const part = `--b\nX: ${'a'.repeat(1000)}\n\n\n`;
  assert.equal(walk(`Content-Type: multipart/mixed; boundary=b\n\n${part.repeat(300)}`).problem, 'headers-too-large');
  assert.equal(walkMail(Buffer.alloc(WALK_LIMITS.bytesMax + 1)).problem, 'too-large');
  const dashes = walk(
    `Content-Type: multipart/mixed; boundary=b\n\n${'--bx\n'.repeat(WALK_LIMITS.boundaryLinesMax + 1)}`,
  );
  assert.equal(dashes.problem, 'too-many-parts');
});

test('bodies are views of the mail, not copies', () => {
  const bytes = Buffer.from('Content-Type: multipart/mixed; boundary=b\n\n--b\n\nabc\n--b--');
  const body = walkMail(bytes).parts[0]!.body;
  assert.equal(body.buffer, bytes.buffer);
  bytes[bytes.indexOf('abc')] = 0x41;
  assert.equal(body.toString(), 'Abc');
});

test('every fixture is read to the same parts when its line breaks are changed', () => {
  const folder = new URL('../../../../tests/fixtures/mail/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.eml'));
  assert.ok(names.length > 10);
  const shape = (bytes: Buffer) =>
    walkMail(bytes).parts.map(({ type, encoding, body, charset }) => [
      type,
      decodeText(decodeTransfer(body, encoding), charset).replace(/\s+/g, ' ').trim(),
    ]);
  for (const name of names) {
    const text = readFileSync(new URL(name, folder), 'latin1').replace(/\r\n/g, '\n');
    const lf = shape(Buffer.from(text, 'latin1'));
    assert.ok(lf.length > 0, name);
    assert.deepEqual(shape(Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1')), lf, name);
  }
});
