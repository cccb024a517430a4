import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { TripwatchError } from '../errors.ts';
import { extractDocument } from './document.ts';
import { mayHoldReservation } from './precheck.ts';

const receivedAt = '2026-11-22T12:00:00Z';
const read = (bytes: Uint8Array | string) => extractDocument({ bytes: Buffer.from(bytes as string), receivedAt });
const html = (content: string) => `Content-Type: text/html; charset=utf-8\n\n${content}`;
const jsonLd = (content: string) => html(`<script type="application/ld+json">${content}</script>`);
const calendar = (lines: string) => `BEGIN:VCALENDAR\nVERSION:2.0\n${lines}\nEND:VCALENDAR`;
const event = (lines: string) => calendar(`BEGIN:VEVENT\nUID:1\n${lines}\nEND:VEVENT`);
const flight =
  '{"@type":"FlightReservation","reservationNumber":"ABC123","reservationFor":{"flightNumber":"LH400","departureAirport":{"iataCode":"FRA"},"departureTime":"2026-12-01T10:05:00"}}';

/** What a bomb must not take: generous for a slow machine, far below what a quadratic step would need. */
const BOMB_MS_MAX = 4000;

/** Content that once hung, or would hang a careless parser; what it gives, as claims or as an error's code. */
const BOMBS: readonly (readonly [name: string, document: () => string | Uint8Array, expected: number | string])[] = [
  ['empty file', () => '', 0],
  ['only line breaks', () => '\n\n\n', 0],
  ['JSON nested a million deep', () => jsonLd('['.repeat(1e6)), 0],
  ['closed JSON nested deep', () => jsonLd('{"@graph":'.repeat(1e5) + flight + '}'.repeat(1e5)), 0],
  ['JSON of spaces', () => `{${' '.repeat(1e6)}"reservation"`, 0],
  ['comment marks', () => jsonLd('//'.repeat(3e5)), 0],
  ['the same reservation ten thousand times', () => jsonLd(`[${`${flight},`.repeat(10_000)}]`), 1],
  [
    'twenty thousand passengers',
    () =>
      jsonLd(
        flight.replace(
          '"reservationFor"',
          `"underName":[${Array.from({ length: 20_000 }, (_, i) => `{"name":"P ${i}"}`).join()}],"reservationFor"`,
        ),
      ),
    1,
  ],
  [
    'HTML nested a hundred thousand deep',
    () =>
      html(`<div itemscope itemtype="http://schema.org/FlightReservation">${'<div itemprop=x itemscope>'.repeat(1e5)}`),
    0,
  ],
  ['ten megabytes of attributes', () => html(`schema.org <div ${'a=b '.repeat(2.5e6)}>`), 0],
  [
    'a flood of entities',
    () => html(`<p itemscope itemtype="http://schema.org/FlightReservation"><b itemprop=x>${'&amp;'.repeat(1e6)}`),
    0,
  ],
  ['a million close tags', () => html(`schema.org${'<div>'.repeat(5000)}${'</p>'.repeat(1e6)}`), 0],
  [
    'MIME nested a hundred deep',
    () =>
      `${Array.from({ length: 100 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`).join('')}\n`,
    'mime-too-deep',
  ],
  ['mails in mails', () => 'Content-Type: message/rfc822\n\n'.repeat(1000), 'mime-too-deep'],
  [
    'a million parts',
    () => `Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(1e6)}`,
    'mime-too-many-parts',
  ],
  ['a header of a megabyte', () => `Subject: ${'a'.repeat(1e6)}\n\n`, 'mime-headers-too-large'],
  ['50 MB', () => Buffer.alloc(50 * 1024 * 1024, 65), 'mail-too-large'],
  ['a calendar nested deep', () => `BEGIN:VCALENDAR\nBEGIN:VEVENT\n${'BEGIN:X\n'.repeat(50_000)}`, 0],
  [
    'a zone that changes each second',
    () =>
      calendar(
        'BEGIN:VTIMEZONE\nTZID:Odd\nBEGIN:STANDARD\nDTSTART:00010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=SECONDLY\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nSUMMARY:Flight LH 400 FRA-JFK\nDTSTART;TZID=Odd:20261201T100000\nEND:VEVENT',
      ),
    1,
  ],
  [
    'an event that repeats',
    () => event('SUMMARY:Flight LH 400 FRA-JFK\nDTSTART:20261201T100000Z\nRRULE:FREQ=DAILY'),
    0,
  ],
  ['a summary without end', () => event(`SUMMARY:${'Flight a to '.repeat(30_000)}\nDTSTART:20261201T100000Z`), 0],
];

for (const [name, document, expected] of BOMBS) {
  test(`stands ${name}`, () => {
    const bytes = document();
    const begin = process.hrtime.bigint();
    let outcome: number | string;
    try {
      outcome = read(bytes).claims.length;
    } catch (error) {
      assert.ok(error instanceof TripwatchError, String(error));
      assert.equal(error.kind, 'poison');
      outcome = error.code;
    }
    const ms = Number(process.hrtime.bigint() - begin) / 1e6;
    assert.equal(outcome, expected);
    assert.ok(ms < BOMB_MS_MAX, `took ${ms} ms`);
  });
}

const reference = (bytes: Uint8Array | string) => read(bytes).claims[0]?.facts.reference?.value;
const named = (name: string) => flight.replace('"reservationFor"', `"underName":{"name":"${name}"},"reservationFor"`);
const nameIn = (bytes: Uint8Array | string) =>
  Object.entries(read(bytes).claims[0]?.legs[0]?.facts ?? {}).find(
    ([path]) => path.endsWith('.name') && path.startsWith('passenger'),
  )?.[1].value;

test('reads mails that are not UTF-8, whatever they call themselves', () => {
  const page = `<script type="application/ld+json">${named('Zoë Müller')}</script>`;
  const head = (charset: string) => Buffer.from(`Subject: x\nContent-Type: text/html${charset}\n\n`);
  const latin1 = Buffer.from(page, 'latin1');
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(page, 'utf16le')]);
  assert.equal(nameIn(Buffer.concat([head('; charset=iso-8859-1'), latin1])), 'Zoë Müller');
  assert.equal(nameIn(Buffer.concat([head('; charset=no-such-charset'), latin1])), 'Zoë Müller');
  assert.equal(nameIn(Buffer.concat([head(''), latin1])), 'Zoë Müller');
  assert.equal(
    nameIn(Buffer.concat([head('; charset=us-ascii'), Buffer.from(page)])),
    'Zoë Müller',
    'UTF-8 called ASCII',
  );
  assert.equal(nameIn(Buffer.concat([head('; charset=utf-8'), latin1])), 'Zoë Müller', 'Latin-1 called UTF-8');
  const broken = Buffer.concat([Buffer.from(page).subarray(0, -1), Buffer.from([0xff, 0x3e])]);
  assert.match(String(nameIn(Buffer.concat([head('; charset=utf-8'), broken]))), /Müller$/, 'UTF-8 with a broken byte');
  assert.equal(nameIn(Buffer.concat([head('; charset=utf-16'), utf16])), 'Zoë Müller');
  assert.equal(nameIn(utf16), 'Zoë Müller', 'a bare HTML file');
});

test('reads broken MIME as far as it goes', () => {
  const part = `--q\nContent-Type: text/html\n\n<script type="application/ld+json">${flight}</script>\n`;
  assert.equal(reference(`Content-Type: multipart/mixed; boundary=q\n\n${part}`), 'ABC123', 'no end boundary');
  assert.equal(
    reference(`Content-Type: multipart/mixed; boundary="q\n\n${part}--q--`),
    'ABC123',
    'boundary quoted only once',
  );
  assert.equal(
    reference(
      `content-TYPE: multipart/mixed;\r\n\tboundary = "q"\r\n\r\npreamble\r\n${part.replaceAll('\n', '\r\n')}--q--\r\n`,
    ),
    'ABC123',
    'odd case, folding and spaces',
  );
  assert.equal(
    reference(`Content-Type: multipart/mixed; boundary=q\n\n${part.replace('--q', '--qq')}${part}`),
    'ABC123',
    'a boundary that only begins alike',
  );
  assert.equal(
    reference(
      `From someone Mon Nov  2 09:15:00 2026\nContent-Type: text/html\n\n<script type=application/ld+json>${flight}`,
    ),
    'ABC123',
    'mbox line, script without end',
  );
  const wrapped = Buffer.from(`<script type="application/ld+json">${flight}</script>`)
    .toString('base64')
    .replace(/.{40}/g, '$&\n ');
  assert.equal(
    reference(`Content-Type: text/html\nContent-Transfer-Encoding: BASE64\n\n${wrapped}`),
    'ABC123',
    'base64 with blanks',
  );
});

test('cut structured data gives a warning and no guess', () => {
  const result = read(jsonLd(flight.slice(0, -40)));
  assert.deepEqual([result.claims.length, result.warnings[0]?.code], [0, 'json-ld-cut']);
});

test('the same document twice gives the same claims', () => {
  assert.deepEqual(read(jsonLd(flight)), read(jsonLd(flight)));
});

test('keys of the prototype do no harm', () => {
  const result = read(
    jsonLd(
      `{"__proto__":{"polluted":1},"@type":["constructor","FlightReservation"],"reservationNumber":"ABC123","toString":"x"}`,
    ),
  );
  assert.equal(result.claims.length, 1);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.equal(
    read(html('<div itemscope itemtype="http://schema.org/toString"><b itemprop="__proto__ constructor">x</b></div>'))
      .claims.length,
    0,
  );
});

test('links other than https are not taken', () => {
  const facts = read(
    jsonLd(
      flight.replace(
        '"reservationFor"',
        '"modifyReservationUrl":"javascript:alert(1)","checkinUrl":"http://a.example/","reservationFor"',
      ),
    ),
  ).claims[0]?.facts;
  assert.deepEqual([facts?.['url.manage'], facts?.['url.checkin']], [undefined, undefined]);
});

const fixtures = new URL('../../../tests/fixtures/mail/', import.meta.url);
const documents = readdirSync(fixtures)
  .filter((name) => !name.endsWith('.json'))
  .map((name) => readFileSync(new URL(name, fixtures)));

test('what the reader finds, the check before it never rules out', () => {
  for (const document of documents) {
    if (read(document).claims.length > 0) assert.ok(mayHoldReservation(document));
  }
});

/** Bytes of a fixture with a few of them changed, cut out or repeated. */
const mutated = fc
  .record({
    document: fc.constantFrom(...documents),
    cuts: fc.array(fc.record({ at: fc.nat(), length: fc.nat({ max: 80 }), insert: fc.uint8Array({ maxLength: 12 }) }), {
      maxLength: 6,
    }),
  })
  .map(({ document, cuts }) =>
    cuts.reduce((bytes, { at, length, insert }) => {
      const from = bytes.length === 0 ? 0 : at % bytes.length;
      return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + length)]);
    }, document as Buffer),
  );

test('no bytes make it throw anything but a TripwatchError, or take a second', () => {
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 2000 })), (bytes) => {
      const begin = process.hrtime.bigint();
      try {
        const result = read(bytes);
        for (const claim of result.claims)
          assert.ok(claim.assertedAt.endsWith('Z') && claim.assertedAt <= '2026-11-23T12:00:00.000Z');
      } catch (error) {
        if (!(error instanceof TripwatchError)) throw error;
      }
      assert.ok(Number(process.hrtime.bigint() - begin) / 1e6 < 1000);
    }),
    { numRuns: 600 },
  );
});
