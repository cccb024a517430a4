import type { Target } from './targets.ts';

/**
 * Small documents made to hurt, each by code: what once broke or held up a reader of ours, or what breaks others'. All are read
 * in the tests at every run.
 */
export interface Bomb {
  readonly name: string;
  readonly target: Target;
  readonly make: () => string | Buffer;
}

const KB = 1000;
const many = (piece: string, bytes: number): string => piece.repeat(Math.ceil(bytes / piece.length));
const mixed = (body: string, boundary = 'b'): string =>
  `Content-Type: multipart/mixed; boundary="${boundary}"\n\n${body}`;
const nested = (count: number, boundary: (i: number) => string): string =>
  Array.from(
    { length: count },
    (_, i) => `Content-Type: multipart/mixed; boundary="${boundary(i)}"\n\n--${boundary(i)}\n`,
  ).join('');
const htmlMail = (html: string): string => `Content-Type: text/html\n\n${html}`;
const jsonLd = (json: string): string => `<script type="application/ld+json">${json}</script>`;
const calendar = (lines: string): string => `BEGIN:VCALENDAR\nVERSION:2.0\n${lines}\nEND:VCALENDAR`;
const event = (lines: string): string =>
  calendar(`BEGIN:VEVENT\nUID:1\nSUMMARY:Flight LH 400 FRA-JFK\n${lines}\nEND:VEVENT`);
const zone = (lines: string): string =>
  calendar(
    `BEGIN:VTIMEZONE\nTZID:Odd\nBEGIN:STANDARD\n${lines}\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nSUMMARY:Flight LH 400 FRA-JFK\nDTSTART;TZID=Odd:20261201T100000\nEND:VEVENT`,
  );
const FLIGHT =
  '{"@type":"FlightReservation","reservationNumber":"ABC123","reservationFor":{"flightNumber":"LH400","departureAirport":{"iataCode":"FRA"},"departureTime":"2026-12-01T10:05:00"}}';
const SCHEMA = 'itemscope itemtype="http://schema.org/FlightReservation"';

const headers = (name: string, make: () => string | Buffer): Bomb => ({ name, target: 'headers', make });
const mime = (name: string, make: () => string | Buffer): Bomb => ({ name, target: 'mime', make });
const html = (name: string, make: () => string | Buffer): Bomb => ({ name, target: 'html', make });
const ics = (name: string, make: () => string | Buffer): Bomb => ({ name, target: 'calendar', make });
const json = (name: string, make: () => string | Buffer): Bomb => ({ name, target: 'json-ld', make });

export const BOMBS: readonly Bomb[] = [
  headers('nothing', () => ''),
  headers('one byte of a byte order mark', () => Buffer.from([0xef])),
  headers('zeros', () => Buffer.alloc(300 * KB)),
  headers('line breaks', () => many('\r\n', 500 * KB)),
  headers('carriage returns', () => many('\r', 500 * KB)),
  headers('no line break at all', () => `Subject: ${many('a', 500 * KB)}`),
  headers('a subject folded without end', () => `Subject: x${many('\n ', 300 * KB)}`),
  headers('encoded words without end', () => `Subject: ${many('=?utf-8?Q?', 200 * KB)}\n\n`),
  headers(
    'encoded words of many charsets',
    () => `Subject: ${Array.from({ length: 2000 }, (_, i) => `=?x${i}?B?YQ==?=`).join(' ')}\n\n`,
  ),
  headers('encoded words that open only', () => `Subject: ${many('=?', 200 * KB)}\n\n`),
  headers('comments in comments', () => `From: ${many('(', 200 * KB)}a@b.example\n\n`),
  headers('quotes that open only', () => `From: ${many('"\\', 200 * KB)}\n\n`),
  headers('angles', () => `From: ${many('<', 200 * KB)}\n\n`),
  headers('commas', () => `From: ${many(',', 200 * KB)}\n\n`),
  headers('a group in a group', () => `From: ${many('a:', 200 * KB)};\n\n`),
  headers('a hundred thousand headers', () => many('From: a@b.example\n', 500 * KB)),
  headers(
    'bidirectional controls and half surrogates',
    () => `Subject: ${many('\u202e=?utf-16?B?2AA=?=', 20 * KB)}\n\n`,
  ),
  headers('a date of digits', () => `Date: ${many('9', 200 * KB)}\n\n`),
  headers('a date of comments', () => `Date: ${many('(', 200 * KB)}\n\n`),
  headers('a subject of combining marks', () => `Subject: ${many('e\u0301\u0323', 300 * KB)}\n\n`),
  headers('a domain of dots', () => `From: a@${many('a.', 100 * KB)}lufthansa.com\n\n`),

  mime('multiparts nested deep', () => `${nested(2000, (i) => `b${i}`)}\n`),
  mime('multiparts nested deep with one boundary', () => `${nested(31, () => 'b')}${many('--b\n\nx\n', 100 * KB)}`),
  mime(
    'boundaries that begin alike',
    () => `${nested(31, (i) => 'b'.repeat(i + 1))}${many('\n--bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbx', 300 * KB)}`,
  ),
  mime('mails in mails', () => 'Content-Type: message/rfc822\n\n'.repeat(5000)),
  mime('base64 mails in base64 mails', () =>
    Array.from({ length: 33 }).reduce<string>(
      (inner) =>
        `Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n${Buffer.from(inner).toString('base64')}`.slice(
          0,
          400 * KB,
        ),
      'x',
    ),
  ),
  mime('a hundred thousand parts', () => mixed(many('--b\n\n\n', 600 * KB))),
  mime('empty parts without headers', () => mixed(many('--b\n', 400 * KB))),
  mime('lines that are nearly boundaries', () => mixed(many('--bx\n', 900 * KB))),
  mime('dashes', () => mixed(many('-', 900 * KB), '-')),
  mime('dashes on lines', () => mixed(many('--\n', 900 * KB), '-')),
  mime('a boundary with blanks without end', () => mixed(`--b${many(' ', 500 * KB)}`)),
  mime('boundaries with blanks', () => mixed(many(`--b${many(' ', 2000)}x\n`, 900 * KB))),
  mime('a boundary that is empty', () => mixed(many('--\n\nx\n', 100 * KB), '')),
  mime('a boundary of ten thousand characters', () => mixed('x', many('b', 10 * KB))),
  mime('a boundary of quotes', () => `Content-Type: multipart/mixed; boundary="${many('\\"', 10 * KB)}\n\n--"`),
  mime('parameters without end', () => `Content-Type: text/html${many('; a=b', 200 * KB)}\n\n`),
  mime('parameters of comments that open only', () => `Content-Type: text/html${many('; (', 15 * KB)}\n\n`),
  mime(
    'a parameter in a hundred thousand sections',
    () =>
      `Content-Disposition: attachment${Array.from({ length: 1000 }, (_, i) => `; filename*${i}*=%C3`).join('')}\n\n`,
  ),
  mime('percent signs', () => `Content-Disposition: attachment; filename*=utf-8''${many('%', 15 * KB)}\n\n`),
  mime(
    'a name of encoded words',
    () => `Content-Disposition: attachment; filename="${many('=?utf-8?q?', 15 * KB)}"\n\n`,
  ),
  mime('a charset that nobody has', () => `Content-Type: text/html; charset="${many('x', 1000)}"\n\nschema.org`),
  mime('UTF-16 of one byte', () => Buffer.from('Content-Type: text/html; charset=utf-16\n\n<')),
  mime(
    'base64 of padding',
    () => `Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n${many('=', 900 * KB)}`,
  ),
  mime(
    'base64 padded at every letter',
    () => `Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n${many('A=', 900 * KB)}`,
  ),
  mime(
    'base64 of rubbish',
    () => `Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n${many('\xff!', 900 * KB)}`,
  ),
  mime(
    'quoted-printable of equals signs',
    () => `Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n${many('=', 900 * KB)}`,
  ),
  mime(
    'soft breaks with blanks',
    () =>
      `Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n${many(`=${many(' ', 1000)}`, 900 * KB)}`,
  ),
  mime('headers in every part', () => mixed(many(`--b\nX: ${many('a', 600)}\n\n\n`, 900 * KB))),
  mime('a part that ends in its headers', () => mixed('--b\nContent-Type: text/html; charset=')),

  html('tags nested deep', () => `schema.org${many('<div>', 500 * KB)}`),
  html('items nested deep', () => `<div ${SCHEMA}>${many('<div itemprop=x itemscope>', 300 * KB)}`),
  html(
    'items that hold themselves',
    () => `<div ${SCHEMA} id=a itemref="a a a b"></div><p id=b itemprop=x itemscope itemref=a>`,
  ),
  html('attributes', () => `schema.org<div ${many('a=b ', 900 * KB)}>`),
  html('an attribute without end', () => `schema.org<div a="${many('x', 900 * KB)}`),
  html('entities', () => `<p ${SCHEMA}><b itemprop=x>${many('&amp;&#x41;&bogus', 500 * KB)}`),
  html('close tags', () => `schema.org${many('<b>', 10 * KB)}${many('</p>', 500 * KB)}`),
  html('comments that open only', () => `schema.org${many('<!--', 500 * KB)}`),
  html('scripts that open only', () => many('<script type="application/ld+json">', 500 * KB)),
  html('ten thousand blocks of data', () => many(jsonLd('{}'), 500 * KB)),
  html('angles', () => `schema.org${many('<', 500 * KB)}`),
  html('a meta charset without end', () => `<meta ${many(' charset', 300 * KB)}schema.org`),

  json('arrays nested deep', () => many('[', 300 * KB)),
  json('objects nested deep', () => `${many('{"@graph":', 300 * KB)}"eservation"`),
  json('strings that open only', () => `{"eservation":${many('"', 300 * KB)}`),
  json('escapes', () => `{"eservation":"${many('\\u0', 300 * KB)}"}`),
  json('half surrogates', () => FLIGHT.replace('ABC123', many('\\ud800', 60))),
  json('commas', () => `[${many(',', 300 * KB)}"eservation"`),
  json('comments', () => `{"eservation":1${many('/*', 300 * KB)}}`),
  json('blanks', () => `{${many(' \t\n', 500 * KB)}"eservation"`),
  json('the same flight', () => `[${many(`${FLIGHT},`, 400 * KB)}]`),
  json(
    'objects that name each other',
    () =>
      `[{"@id":"#a","@type":"FlightReservation","reservationFor":{"@id":"#b"}},{"@id":"#b","reservationFor":{"@id":"#a"}}]`,
  ),
  json('keys of prototypes', () => `{"__proto__":{"x":1},"constructor":{"prototype":{}},"@type":"FlightReservation"}`),
  json('times beyond all years', () => FLIGHT.replace('2026-12-01', '+999999-99-99')),
  json('a time zone without end', () =>
    FLIGHT.replace(
      '"2026-12-01T10:05:00"',
      `{"@value":"2026-12-01T10:05:00","timezone":"${many('Europe/', 100 * KB)}"}`,
    ),
  ),
  json('a number of digits', () => FLIGHT.replace('"LH400"', many('9', 100 * KB))),

  ics('a day that is none', () => event('DTSTART:00000000T000000')),
  ics('a day that is none, in a timetable', () =>
    event('DTSTART:20261399T000000\nDTEND:20261399T010000\nDESCRIPTION:ab 10:26 A - Gleis 1 (ICE 16)'),
  ),
  ics('a stay on days that are none', () =>
    calendar(
      'BEGIN:VEVENT\nUID:1\nSUMMARY:Hotel: Post\nDTSTART;VALUE=DATE:20260231\nDTEND;VALUE=DATE:20269999\nDESCRIPTION:Booking reference: ABC123\nEND:VEVENT',
    ),
  ),
  ics('the last moment of all', () => event('DTSTART:99991231T235960Z\nDURATION:P99999999W')),
  ics('components nested deep', () => `BEGIN:VCALENDAR\nBEGIN:VEVENT\n${many('BEGIN:X\n', 300 * KB)}`),
  ics('folds', () => event(`DESCRIPTION:${many('\n ', 300 * KB)}`)),
  ics('a description without end', () =>
    event(`DTSTART:20261201T100000Z\nDESCRIPTION:${many('ab 10:26 A - Gleis 1 (ICE 16) ', 300 * KB)}`),
  ),
  ics('legs without end', () =>
    event(`DTSTART:20261201T100000Z\nDESCRIPTION:${many('ab 23:26 A (ICE 16)\\nan 01:33 B\\n', 200 * KB)}`),
  ),
  ics('an event each second', () => event('DTSTART:20261201T100000Z\nRRULE:FREQ=SECONDLY;COUNT=999999999')),
  ics('a zone that changes each second', () =>
    zone('DTSTART:00010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=SECONDLY'),
  ),
  ics('a zone that begins never', () =>
    zone('DTSTART:99999999T999999\nTZOFFSETFROM:+9999\nTZOFFSETTO:-9999\nRRULE:FREQ=YEARLY;BYMONTH=1.5;BYDAY=5MO'),
  ),
  ics('a zone of many parts', () =>
    zone(many('END:STANDARD\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0100\n', 100 * KB)),
  ),
  ics('ten thousand events', () =>
    calendar(many('BEGIN:VEVENT\nSUMMARY:Flight LH 400 FRA-JFK\nDTSTART:20261201T100000Z\nEND:VEVENT\n', 400 * KB)),
  ),
  ics('parameters', () => event(`DTSTART${many(';A=B', 100 * KB)}:20261201T100000Z`)),
  ics('colons', () => event(many(':', 200 * KB))),
  ics('a summary of words that are looked for', () =>
    calendar(`BEGIN:VEVENT\nSUMMARY:${many('Flight LH 400 from to ', 100 * KB)}\nDTSTART:20261201T100000Z\nEND:VEVENT`),
  ),

  mime(
    'a calendar in a mail in a mail',
    () => `Content-Type: message/rfc822\n\nContent-Type: text/calendar\n\n${event('DTSTART:00000000T000000')}`,
  ),
  mime('data without end in a mail', () => htmlMail(jsonLd(`[${many('{"a":', 200 * KB)}`))),
];
