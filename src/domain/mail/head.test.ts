import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { readHead } from './head.ts';
import { HEAD_LIMITS } from './limits.ts';

const head = (text: string | Uint8Array) => readHead(typeof text === 'string' ? Buffer.from(text, 'utf8') : text);

test('reads the usual headers, folded, with CRLF and with LF', () => {
  for (const eol of ['\r\n', '\n']) {
    const mail = head(
      [
        'Received: by mx.example (Postfix)',
        '\tfor <a@b>; Tue, 1 Dec 2026 09:00:00 +0000',
        'Received: older; Tue, 1 Dec 2026 08:00:00 +0000',
        'FROM : "Example Air, Bookings" <Booking@Air.Example>',
        'Subject: Your flight',
        ' EX 123 is',
        '\tconfirmed',
        'Date: Tue, 1 Dec 2026 08:30:00 +0100',
        'Message-ID:',
        ' <abc@air.example>',
        '',
        'Subject: not a header',
      ].join(eol),
    );
    assert.deepEqual(
      { ...mail, headerBytes: 0 },
      {
        fromAddress: 'booking@air.example',
        fromName: 'Example Air, Bookings',
        subject: 'Your flight EX 123 is confirmed',
        date: Temporal.Instant.from('2026-12-01T07:30:00Z').epochMilliseconds,
        messageId: '<abc@air.example>',
        receivedDate: Temporal.Instant.from('2026-12-01T09:00:00Z').epochMilliseconds,
        bulk: '',
        headerBytes: 0,
        cut: false,
      },
    );
  }
});

test('encoded words: B and Q, split characters, mixed with plain text, wrong and unknown charsets', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['=?UTF-8?B?QnVjaHVuZ3NiZXN0w6R0aWd1bmc=?=', 'Buchungsbestätigung'],
    ['=?iso-8859-1?q?Best=E4tigung_f=FCr?= LH 400', 'Bestätigung für LH 400'],
    ['=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=', 'café'],
    ['=?utf-8?B?5pel?=\r\n =?utf-8?B?5pys?=', '日本'],
    ['a =?utf-8?Q?b?= c', 'a b c'],
    ['=?utf-8*de?Q?gr=C3=BCn?=', 'grün'],
    ['=?x-nothing?Q?na=EFve?=', 'naïve'],
    ['=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
    ['=?utf-8?Q?Ready??=', 'Ready?'],
    ['=?utf-8?Q?=41?=', 'A'],
    ['=?utf-8?X?abc?=', '=?utf-8?X?abc?='],
    ['=?utf-8?Q?open', '=?utf-8?Q?open'],
    ['=?utf-8?Q?a=0D=0ABcc:_x?=', 'a Bcc: x'],
    ['raw Größe', 'raw Größe'],
    ['=?=?=?utf-8?q?ok?=', '=?=?ok'],
  ];
  for (const [value, expected] of cases) assert.equal(head(`Subject: ${value}\r\n\r\n`).subject, expected, value);
});

test('raw bytes that are not UTF-8 are read as windows-1252, NULs and controls vanish', () => {
  const subject = Buffer.concat([
    Buffer.from('Subject: Z'),
    Buffer.from([0xfc]),
    Buffer.from('rich\0\x07 \x85\r\n\r\n', 'latin1'),
  ]);
  assert.equal(head(subject).subject, 'Zürich …');
});

test('the address is decided by structure: a display name cannot pass for another', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['a@b.example', 'a@b.example', ''],
    ['A Name <a@b.example>', 'a@b.example', 'A Name'],
    ['"no-reply@bank.example" <thief@evil.example>', 'thief@evil.example', 'no-reply@bank.example'],
    ['=?utf-8?Q?no-reply=40bank.example?= <thief@evil.example>', 'thief@evil.example', 'no-reply@bank.example'],
    ['a@b.example (A Name)', 'a@b.example', 'A Name'],
    ['(x@y) a@b.example', 'a@b.example', 'x@y'],
    ['Team: a@b.example, c@d.example;', 'a@b.example', ''],
    ['Nobody, B <b@c.example>', 'b@c.example', 'B'],
    ['<@route.example,@b:a@b.example>', 'a@b.example', ''],
    ['"quoted local"@b.example', '"quotedlocal"@b.example', ''],
    ['"open <a@b.example>', '', 'open <a@b.example>'],
    ['<a@b.example', 'a@b.example', ''],
    ['undisclosed-recipients:;', '', ''],
    ['=?utf-8?B?w4k=?= <e@x.example>', 'e@x.example', 'É'],
    [`x <${'a'.repeat(400)}@b.example>`, '', 'x'],
  ];
  for (const [value, address, name] of cases) {
    const read = head(`From: ${value}\r\n\r\n`);
    assert.deepEqual([read.fromAddress, read.fromName], [address, name], value);
  }
});

test('tolerates a postmark, a byte order mark, leading blank lines and lines that are no headers', () => {
  for (const start of [
    'From a@b Tue Dec  1 09:00:00 2026\n',
    '>From x\n',
    '\ufeff',
    '\r\n\n',
    'nonsense without colon\n',
  ])
    assert.equal(head(`${start}Subject: here\n\nbody`).subject, 'here', JSON.stringify(start));
  assert.equal(head('Subject: first\nSubject: second\n\n').subject, 'first');
  assert.equal(head('Subjects: no\nSubject: yes').subject, 'yes');
});

test('how many got it, as the headers say', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['Subject: x', ''],
    ['List-Unsubscribe: <https://a.example/u>', 'unsubscribe'],
    ['List-Unsubscribe: <https://a.example/u>\nList-Id: <news.a.example>', 'list'],
    ['list-id: x', 'list'],
    ['Precedence: Bulk', 'list'],
    ['Precedence: junk (never mind)', 'list'],
    ['Precedence: first-class', ''],
    ['List-Help: x', ''],
  ];
  for (const [header, bulk] of cases) assert.equal(head(`${header}\n\n`).bulk, bulk, header);
});

test('nothing, blanks only and binary give an empty head', () => {
  const rubbish = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197) & 255));
  for (const bytes of [Buffer.alloc(0), Buffer.from('\r\n\r\n'), Buffer.alloc(1000), rubbish]) {
    const read = head(bytes);
    assert.equal(read.fromAddress, '');
    assert.equal(read.subject, '');
    assert.equal(read.date, undefined);
  }
});

test('bounds hold: many lines, an endless line, an endless fold', () => {
  const lines = head(`${'X: 1\n'.repeat(HEAD_LIMITS.headerLinesMax)}Subject: late\n\n`);
  assert.deepEqual([lines.subject, lines.cut], ['', true]);
  const endless = head(Buffer.concat([Buffer.from('Subject: '), Buffer.alloc(2_000_000, 0x61)]));
  assert.deepEqual([endless.subject.length, endless.cut], [HEAD_LIMITS.textCharsMax, true]);
  assert.equal(endless.headerBytes, HEAD_LIMITS.headerBytesMax);
  const fold = head(`Subject: a\n${' b\n'.repeat(500)}\n`);
  assert.equal(fold.cut, false);
  assert.ok(fold.subject.startsWith('a b b'));
});

test('hostile headers take linear time', { timeout: 5000 }, () => {
  for (const piece of ['=?a?q?', '"', '(', '<', '\\', ',', '=?utf-8?Q?a?= ', '((a@b,', ':'])
    for (const name of ['Subject', 'From', 'Date', 'Message-ID', 'Received'])
      head(`${name}: ${piece.repeat(Math.ceil(300_000 / piece.length))}\n\n`);
});

test('never throws, whatever the bytes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom('From: ', 'Subject: =?utf-8?B?', 'Date: ', 'Subject: =?big5?Q?', '', 'From: "'),
      (bytes, start) => {
        const read = head(Buffer.concat([Buffer.from(start), bytes]));
        assert.ok(read.subject.isWellFormed() && read.fromName.isWellFormed() && read.fromAddress.isWellFormed());
        assert.ok(read.headerBytes <= bytes.length + start.length);
      },
    ),
    { numRuns: 2000 },
  );
});

test('agrees with postal-mime on ordinary mails', async () => {
  const subjects = [
    'Plain',
    '=?UTF-8?Q?Ihr_Flug_nach_M=C3=BCnchen?=',
    '=?UTF-8?B?5pel5pys?= =?UTF-8?B?6Iiq56m6?=',
    '=?windows-1252?Q?=80_99?= only',
    '=?utf-8?Q?a?=\r\n =?iso-8859-1?Q?=E9?=\r\n tail',
  ];
  const froms = [
    'a@b.example',
    '"Air, Example" <x@air.example>',
    '=?UTF-8?Q?Fl=C3=BCge?= <f@air.example>',
    'Hotel (front desk) <desk@hotel.example>',
  ];
  const dates = ['Tue, 01 Dec 2026 10:00:00 +0100', '1 Dec 2026 10:00 GMT', 'Tue, 1 Dec 2026 10:00:00 -0530'];
  for (const subject of subjects)
    for (const from of froms)
      for (const date of dates) {
        const raw = `From: ${from}\r\nSubject: ${subject}\r\nDate: ${date}\r\nMessage-ID: <1@x>\r\n\r\nHello`;
        const oracle = await PostalMime.parse(raw);
        const mine = head(raw);
        assert.equal(mine.subject, oracle.subject);
        assert.equal(mine.fromAddress, oracle.from?.address);
        if (!from.includes('(')) assert.equal(mine.fromName, oracle.from?.name);
        assert.equal(mine.date, Temporal.Instant.from(oracle.date ?? '').epochMilliseconds);
        assert.equal(mine.messageId, oracle.messageId);
      }
});
