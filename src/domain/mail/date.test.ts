import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMailDate } from './date.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const iso = (text: string) => {
  const ms = parseMailDate(text);
  return ms === undefined ? undefined : Temporal.Instant.fromEpochMilliseconds(ms).toString();
};

test('current and obsolete forms', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['Tue, 1 Dec 2026 10:00:00 +0100', '2026-12-01T09:00:00Z'],
    ['01 Dec 2026 10:00 +0000', '2026-12-01T10:00:00Z'],
    ['Tue,1 Dec 2026 10:00:00 -0330 (NST (Canada))', '2026-12-01T13:30:00Z'],
    ['Tue, 1 (first) Dec 26 10:00:00 EST', '2026-12-01T15:00:00Z'],
    ['1 Dec 99 10:00:00 GMT', '1999-12-01T10:00:00Z'],
    ['1 Dec 126 10:00:00 UT', '2026-12-01T10:00:00Z'],
    ['1 Dec 2026 10:00:00 PDT', '2026-12-01T17:00:00Z'],
    ['1 Dec 2026 10:00:00 A', '2026-12-01T10:00:00Z'],
    ['1 Dec 2026 10:00:00 XYZ', '2026-12-01T10:00:00Z'],
    ['1 Dec 2026 10:00:00', '2026-12-01T10:00:00Z'],
    ['Tuesday, 1 December 2026 10:00:00 GMT+02:00', '2026-12-01T08:00:00Z'],
    ['Tue Dec  1 10:00:00 2026', '2026-12-01T10:00:00Z'],
    ['Tue Dec 01 10:00:00 +0100 2026', '2026-12-01T09:00:00Z'],
    ['2026-12-01T10:00:00+01:00', '2026-12-01T09:00:00Z'],
    ['2026-12-01 10:00:00', '2026-12-01T10:00:00Z'],
    ['31 Dec 2016 23:59:60 +0000', '2016-12-31T23:59:59Z'],
    ['29 Feb 2024 00:00:00 +0000', '2024-02-29T00:00:00Z'],
    ['29 Feb 2026 00:00:00 +0000', undefined],
    ['32 Dec 2026 00:00:00 +0000', undefined],
    ['1 Foo 2026 00:00:00 +0000', undefined],
    ['1 Dec 2026 24:00:00 +0000', undefined],
    ['1/2/2026 10:00', undefined],
    ['1 Dec 9999 10:00:00 +0000', undefined],
    ['1 Dec 2026 10:00:00 +9999', '2026-12-01T10:00:00Z'],
    ['', undefined],
    ['yesterday', undefined],
    ['9'.repeat(5000), undefined],
  ];
  for (const [text, expected] of cases) assert.equal(iso(text), expected, text);
});

test('every instant written by the rules reads back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 32_503_593_600 }),
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      (second, offset) => {
        const local = Temporal.Instant.fromEpochMilliseconds((second + offset * 60) * 1000).toZonedDateTimeISO('UTC');
        fc.pre(local.year >= 1970 && local.year <= 2999);
        const two = (n: number) => String(n).padStart(2, '0');
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
        const text = `${local.day} ${MONTHS[local.month - 1]} ${local.year} ${two(local.hour)}:${two(local.minute)}:${two(local.second)} ${zone}`;
        assert.equal(parseMailDate(text), second * 1000);
      },
    ),
  );
});

test('never throws', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseMailDate(text)));
});
