import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHtml } from './html.ts';
import { offsetInZone, readCalendarZone } from './ical-zones.ts';
import { parseJsonLeniently } from './json-repair.ts';
import { splitFlightNumber } from './legs.ts';
import { EXTRACT_LIMITS } from './limits.ts';
import { parseAmount, readMoney } from './money.ts';

test('JSON as templates write it', () => {
  const cases: readonly (readonly [string, unknown, string | undefined])[] = [
    ['{"a":1}', [{ a: 1 }], undefined],
    ['{"a":1,}', [{ a: 1 }], 'repaired'],
    ['[1,,2,]', [[1, 2]], 'repaired'],
    ['{"a":"x\ny\tz"}', [{ a: 'x\ny\tz' }], 'repaired'],
    ['<!-- {"a":1} -->', [{ a: 1 }], undefined],
    ['//<![CDATA[\n{"a":1}\n//]]>', [{ a: 1 }], undefined],
    ['/*<![CDATA[*/{"a":1}/*]]>*/', [{ a: 1 }], undefined],
    ['// booking\n{"a":1}', [{ a: 1 }], 'repaired'],
    ['{"a": , "b":2}', [{ b: 2 }], 'repaired'],
    ['{"a":1}{"b":2}', [{ a: 1 }, { b: 2 }], 'repaired'],
    ['{&quot;a&quot;:&quot;R&amp;B&quot;}', [{ a: 'R&B' }], 'repaired'],
    ['{"a":1};', [{ a: 1 }], undefined],
    ['{"a":"b', [], 'cut'],
    ['[{"a":1},{"a"', [], 'cut'],
    ['{a:1}', [], 'invalid'],
    ['Dear traveller', [], 'invalid'],
    ['', [], undefined],
  ];
  for (const [text, values, problem] of cases) {
    const parsed = parseJsonLeniently(text, 40);
    assert.deepEqual([JSON.parse(JSON.stringify(parsed.values)), parsed.problem], [values, problem], text);
  }
});

test('amounts in the ways of many countries', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['1.234,50 €', '1234.5'],
    ['1,234.50', '1234.5'],
    ["CHF 12'345.00", '12345'],
    ['1 234,5', '1234.5'],
    ['1,234', '1234'],
    ['1.234.567', '1234567'],
    ['0.99', '0.99'],
    ['142', '142'],
    ['from 10 to 20', undefined],
    ['free', undefined],
  ];
  for (const [text, amount] of cases) assert.equal(parseAmount(text), amount, text);
  assert.deepEqual(readMoney({ '@type': 'PriceSpecification', price: '12.00', priceCurrency: 'sek' }, ''), {
    amount: '12',
    currency: 'SEK',
  });
  assert.deepEqual(readMoney('US$ 20', ''), { amount: '20', currency: 'USD' });
});

test('flight numbers', () => {
  const split = (text: string) => {
    const { carrier, number } = splitFlightNumber(text);
    return [carrier, number];
  };
  assert.deepEqual(split('LH 0400'), ['LH', '400']);
  assert.deepEqual(split('u2-8512'), ['U2', '8512']);
  assert.deepEqual(split('400'), ['', '400']);
  assert.deepEqual(split('9W12A'), ['9W', '12A']);
  assert.deepEqual(split(''), ['', '']);
});

test('microdata: values from attributes and text, items kept whole by close tags only', () => {
  const { items, scripts } = readHtml(
    `<meta itemprop="stray" content="x"><SCRIPT type='application/ld+json; charset=utf-8'>{"a":"</b>"}</SCRIPT>
     <p><div itemscope itemtype="https://schema.org/FlightReservation"><b>
       <span itemprop="reservationNumber"> A<b>B</b>C </span></p>
       <a itemprop="checkinUrl" href="https://x.example/?a=1&amp;b=2"></a>
       <span itemprop="a b">two</span><span itemprop="a">three</span>
       <div itemprop="reservationFor" itemscope itemtype="https://schema.org/Flight"><time itemprop="departureTime" datetime="2026-12-01">1 Dec</div>
     </div><span itemprop="after">out</span>
     <div itemscope itemtype="https://other.example/Thing"><b itemprop="x">y</b></div>`,
    EXTRACT_LIMITS,
  );
  assert.deepEqual(scripts, ['{"a":"</b>"}']);
  assert.deepEqual(JSON.parse(JSON.stringify(items)), [
    {
      '@type': 'https://schema.org/FlightReservation',
      reservationNumber: 'ABC',
      checkinUrl: 'https://x.example/?a=1&b=2',
      a: ['two', 'three'],
      b: 'two',
      reservationFor: { '@type': 'https://schema.org/Flight', departureTime: '2026-12-01' },
    },
  ]);
});

test('a VTIMEZONE of its own gives the offset of its yearly rule', () => {
  const part = (name: string, dtstart: string, from: string, to: string, bymonth: number): [string, never[], never[]] =>
    [
      name,
      [
        ['dtstart', {}, 'date-time', dtstart],
        ['tzoffsetfrom', {}, 'utc-offset', from],
        ['tzoffsetto', {}, 'utc-offset', to],
        ['rrule', {}, 'recur', { freq: 'YEARLY', bymonth, byday: '-1SU' }],
      ] as never,
      [],
    ] as never;
  const zone = readCalendarZone([
    'vtimezone',
    [],
    [
      part('daylight', '1981-03-29T02:00:00', '+01:00', '+02:00', 3),
      part('standard', '1996-10-27T03:00:00', '+02:00', '+01:00', 10),
    ],
  ]);
  assert.equal(offsetInZone(zone, '2026-07-01T10:00:00'), 120);
  assert.equal(offsetInZone(zone, '2026-12-01T10:00:00'), 60);
  assert.equal(offsetInZone(zone, '2026-03-29T01:59:00'), 60);
  assert.equal(offsetInZone(zone, '2026-03-29T03:00:00'), 120);
  assert.equal(offsetInZone([], '2026-03-29T03:00:00'), undefined);
});
