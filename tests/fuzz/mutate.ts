import { readdirSync, readFileSync } from 'node:fs';
import { makeMail } from './mails.ts';
import type { Chance } from './random.ts';
import { TARGETS, type Target } from './targets.ts';

export interface FuzzInput {
  readonly target: Target;
  readonly bytes: Buffer;
}

/** The input of a number: the same on every machine, so that a number is all that a finding needs. */
export function makeInput(chance: Chance): FuzzInput {
  const target = chance.pick(TARGETS);
  let bytes = seedOf(target, chance);
  for (let n = 1 + chance.below(8); n > 0; n--) bytes = mutate(target, bytes, chance);
  return { target, bytes: bytes.subarray(0, BYTES_MAX) };
}

const BYTES_MAX = 256 * 1024;

const fixtures = new URL('../fixtures/mail/', import.meta.url);
const FILES = readdirSync(fixtures)
  .filter((name) => !name.endsWith('.json'))
  .sort()
  .map((name) => readFileSync(new URL(name, fixtures)));
const MAILS = FILES.filter((bytes) => !bytes.toString('latin1', 0, 20).startsWith('BEGIN'));
const JSON_BLOCKS = MAILS.flatMap((bytes) =>
  [...bytes.toString('utf8').matchAll(/<script[^>]*ld\+json[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]!),
);

const FLIGHT =
  '{"@context":"http://schema.org","@type":"FlightReservation","reservationNumber":"ABC123","underName":{"@type":"Person","name":"Ada"},"reservationFor":{"@type":"Flight","flightNumber":"400","airline":{"iataCode":"LH"},"departureAirport":{"iataCode":"FRA"},"arrivalAirport":{"iataCode":"JFK"},"departureTime":"2026-12-01T10:05:00+01:00","arrivalTime":"2026-12-01T13:00:00-05:00"}}';
const MICRODATA =
  '<div itemscope itemtype="http://schema.org/LodgingReservation"><meta itemprop="reservationNumber" content="Q1"><div itemprop="reservationFor" itemscope itemtype="http://schema.org/Hotel"><span itemprop="name">Hotel Post</span></div><time itemprop="checkinDate" datetime="2026-12-01">1 Dec</time></div>';
const CALENDAR = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'METHOD:REQUEST',
  'BEGIN:VTIMEZONE',
  'TZID:Odd',
  'BEGIN:STANDARD',
  'DTSTART:19701025T030000',
  'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  'END:STANDARD',
  'END:VTIMEZONE',
  'BEGIN:VEVENT',
  'UID:1@x',
  'SUMMARY:Flight LH 400 FRA-JFK',
  'LOCATION:Frankfurt (FRA)',
  'DTSTART;TZID=Odd:20261201T100500',
  'DTEND:20261201T180000Z',
  'DESCRIPTION:Booking reference: ABC123\\nPassenger: Ada Lovelace',
  'END:VEVENT',
  'END:VCALENDAR',
].join('\r\n');

function seedOf(target: Target, chance: Chance): Buffer {
  switch (target) {
    case 'headers':
    case 'mime':
      return chance.once(3) ? chance.pick(MAILS) : makeMail(chance);
    case 'html':
      return Buffer.from(
        chance.pick([
          `<html><head><script type="application/ld+json">${jsonOf(chance)}</script></head><body><p>Hi</p></body></html>`,
          `<!doctype html><body>${MICRODATA}</body>`,
        ]),
      );
    case 'calendar':
      return Buffer.from(CALENDAR);
    case 'json-ld':
      return Buffer.from(jsonOf(chance));
  }
}

function jsonOf(chance: Chance): string {
  return chance.once(2) || JSON_BLOCKS.length === 0 ? FLIGHT : chance.pick(JSON_BLOCKS);
}

/** What formats are made of, and what breaks readers of them. */
const TOKENS: Readonly<Record<Target, readonly string[]>> = {
  headers: [
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ':',
    '=?',
    '?=',
    '=?utf-8?Q?',
    '=?utf-8?B?',
    '=?x?q?=?=',
    '"',
    '\\',
    '(',
    ')',
    '<',
    '>',
    '@',
    ',',
    ';',
    '\0',
    '\xff',
    '\xc3',
    'From: ',
    'Subject: ',
    'Date: ',
    'Received: ',
    'List-Id: ',
    'Precedence: bulk',
    '<a@b.example>',
    '9999999999',
    '+9999',
  ],
  mime: [
    '\r\n',
    '\n',
    '\n\n',
    '--',
    '\n--',
    '--b',
    '--\n',
    ' ',
    ';',
    '=',
    '=3D',
    '=\r\n',
    '==',
    '"',
    '(',
    "*0*=utf-8''%",
    'boundary=',
    'boundary=""',
    'Content-Type: multipart/mixed; boundary=b',
    'Content-Type: message/rfc822\n\n',
    'Content-Type: text/html',
    'Content-Transfer-Encoding: base64',
    'Content-Transfer-Encoding: quoted-printable',
    'Content-Type: text/calendar',
    'charset=utf-16',
    'charset=iso-2022-jp',
    'filename*1=',
    '\0',
    '\xff\xfe',
  ],
  html: [
    '<',
    '>',
    '</',
    '<!--',
    '-->',
    '<script type="application/ld+json">',
    '</script>',
    '<![CDATA[',
    ']]>',
    '&',
    '&#x',
    '&#0;',
    '&amp;',
    '"',
    "'",
    'itemscope ',
    'itemprop="x" ',
    'itemtype="http://schema.org/FlightReservation" ',
    'itemref="a" id="a" ',
    '<template>',
    '<svg>',
    '<plaintext>',
    '\0',
  ],
  calendar: [
    '\r\n',
    '\r\n ',
    'BEGIN:VEVENT\r\n',
    'END:VEVENT\r\n',
    'BEGIN:VTIMEZONE\r\n',
    'END:VCALENDAR',
    'BEGIN:VALARM\r\n',
    'RRULE:FREQ=SECONDLY\r\n',
    'RRULE:FREQ=YEARLY;BYDAY=-53MO;BYSETPOS=-366',
    'RDATE:20260101\r\n',
    'DTSTART:00000000T000000\r\n',
    'DTSTART:99991231T235959Z\r\n',
    'DURATION:P99999999W\r\n',
    'TZID=',
    ';VALUE=DATE',
    ':',
    ';',
    '\\n',
    '\\',
    '"',
    'TZOFFSETTO:+9999\r\n',
    'RECURRENCE-ID:20261201T100500Z\r\n',
    'EXDATE:1\r\n',
    '\0',
  ],
  'json-ld': [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    'null',
    'true',
    '1e999',
    '-',
    '//',
    '/*',
    '"@type":',
    '"@graph":[',
    '"@id":"#1"',
    '"FlightReservation"',
    '"reservationFor":',
    '"__proto__":',
    '"constructor":',
    '2026-02-30',
    '99999-01-01T99:99',
    "'",
    '\u2028',
    '\ufeff',
    'NaN',
  ],
};

function mutate(target: Target, bytes: Buffer, chance: Chance): Buffer {
  const at = chance.below(bytes.length + 1);
  const length = chance.once(4) ? chance.below(2000) : chance.below(40);
  const cut = bytes.subarray(at, at + length);
  switch (chance.below(11)) {
    case 0:
      return replace(bytes, at, Math.min(1, bytes.length - at), Buffer.from([chance.below(256)]));
    case 1:
      return replace(bytes, at, length, Buffer.alloc(0));
    case 2:
      return replace(bytes, at, 0, cut);
    case 3:
    case 4:
      return replace(bytes, at, 0, token(target, chance));
    case 5:
      return replace(bytes, at, length, token(target, chance));
    case 6:
      return replace(bytes, at, 0, repeated(token(target, chance), chance));
    case 7:
      return replace(bytes, at, 0, repeated(cut, chance));
    case 8:
      return splice(bytes, seedOf(target, chance), chance);
    case 9:
      return swapLines(bytes, chance);
    default:
      return chance.once(3) ? bytes.subarray(0, at) : numbers(bytes, chance);
  }
}

function token(target: Target, chance: Chance): Buffer {
  return Buffer.from(chance.pick(TOKENS[target]), 'latin1');
}

function repeated(piece: Buffer, chance: Chance): Buffer {
  const times = chance.pick([2, 10, 100, 1000, 10_000]);
  return Buffer.concat(
    Array.from({ length: Math.min(times, Math.ceil(65_536 / Math.max(1, piece.length))) }, () => piece),
  );
}

function replace(bytes: Buffer, at: number, length: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + length)]).subarray(0, BYTES_MAX);
}

/** The beginning of one and the end of the other, where both have a line. */
function splice(bytes: Buffer, other: Buffer, chance: Chance): Buffer {
  const from = bytes.indexOf(0x0a, chance.below(bytes.length + 1));
  const to = other.indexOf(0x0a, chance.below(other.length + 1));
  return Buffer.concat([bytes.subarray(0, from === -1 ? bytes.length : from), other.subarray(to === -1 ? 0 : to)]);
}

function swapLines(bytes: Buffer, chance: Chance): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  const a = chance.below(lines.length);
  const b = chance.below(lines.length);
  [lines[a], lines[b]] = [lines[b]!, lines[a]!];
  return Buffer.from(lines.join('\n'), 'latin1');
}

const NUMBERS = ['0', '-1', '9', '99', '2147483648', '99999999999999999999', '00', '1.5'];

/** One number becomes another. */
function numbers(bytes: Buffer, chance: Chance): Buffer {
  const text = bytes.toString('latin1');
  const all = [...text.matchAll(/\d+/g)];
  if (all.length === 0) return bytes;
  const match = chance.pick(all);
  return replace(bytes, match.index, match[0].length, Buffer.from(chance.pick(NUMBERS)));
}
