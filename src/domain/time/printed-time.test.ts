import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instantOf, knownZone, parseClock, parseTravelTime, resolveTime } from './printed-time.ts';
import { epochMsOf } from './travel-time.ts';

const resolve = (text: string, zone?: string, own?: string) => {
  const parsed = parseTravelTime(text, own);
  return parsed && resolveTime(parsed, zone).value;
};

test('reads the forms that mails print', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['2026-12-01T10:05:00+01:00', '2026-12-01T10:05:00+01:00'],
    ['2026-12-01T10:05', '2026-12-01T10:05:00'],
    ['2026-12-01 10:05', '2026-12-01T10:05:00'],
    ['2026-12-01T10:05:00.000+0100', '2026-12-01T10:05:00+01:00'],
    ['2026-12-01T10:05:00+01', '2026-12-01T10:05:00+01:00'],
    ['20261201T100500', '2026-12-01T10:05:00'],
    ['20261201', '2026-12-01'],
    ['2026-12-01', '2026-12-01'],
    ['2026-12-01 7:20 PM', '2026-12-01T19:20:00'],
    ['2026-12-01 12:10 am', '2026-12-01T00:10:00'],
    ['Tue, 01 Dec 2026 10:05:00 +0100', '2026-12-01T10:05:00+01:00'],
    ['01 Dec 2026', '2026-12-01'],
    ['1. Dezember 2026, 10:05', '2026-12-01T10:05:00'],
    ['December 1, 2026 7:20 PM', '2026-12-01T19:20:00'],
    ['26.07.22', '2022-07-26'],
    ['2026-12-01T24:00:00', '2026-12-02T00:00:00'],
    ['2026-12-01T10:05:00+01:00[Europe/Berlin]', '2026-12-01T10:05:00+01:00[Europe/Berlin]'],
    ['2026-02-30T10:00', undefined],
    ['2026-12-01T25:00', undefined],
    ['0001-01-01T00:00:00', undefined],
    ['12/01/2026 10:05', undefined],
    ['tomorrow', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(resolve(text), expected, text);
});

test('a local time gets the zone of its place, and stays local without one', () => {
  assert.equal(resolve('2026-12-01T10:05:00', 'Europe/Berlin'), '2026-12-01T10:05:00+01:00[Europe/Berlin]');
  assert.equal(resolve('2026-12-01T10:05:00'), '2026-12-01T10:05:00');
  assert.equal(resolve('2026-12-01', 'Europe/Berlin'), '2026-12-01');
});

test('UTC is converted, a contradicting offset is believed less than the wall clock', () => {
  assert.equal(resolve('2026-12-01T09:05:00Z', 'Europe/Berlin'), '2026-12-01T10:05:00+01:00[Europe/Berlin]');
  const parsed = parseTravelTime('2026-07-01T10:05:00+01:00');
  assert.ok(parsed);
  assert.deepEqual(resolveTime(parsed, 'Europe/Berlin'), {
    value: '2026-07-01T10:05:00+02:00[Europe/Berlin]',
    note: 'offset-contradicts-zone',
  });
  assert.equal(resolveTime(parsed, 'Europe/Berlin', 'instant').value, '2026-07-01T11:05:00+02:00[Europe/Berlin]');
});

test('a time in a named zone is shown in the zone of its place', () => {
  assert.equal(
    resolve('2026-12-01T10:05', 'Europe/London', 'Europe/Berlin'),
    '2026-12-01T09:05:00+00:00[Europe/London]',
  );
});

test('a skipped hour moves on, a repeated one is the first', () => {
  assert.equal(resolve('2026-03-29T02:30', 'Europe/Berlin'), '2026-03-29T03:30:00+02:00[Europe/Berlin]');
  assert.equal(resolve('2026-10-25T02:30', 'Europe/Berlin'), '2026-10-25T02:30:00+02:00[Europe/Berlin]');
  assert.equal(resolve('2026-10-25T02:30+01:00', 'Europe/Berlin'), '2026-10-25T02:30:00+01:00[Europe/Berlin]');
});

test('clock, zone and instant helpers', () => {
  assert.deepEqual(parseClock('3:00 PM'), { hour: 15, minute: 0 });
  assert.deepEqual(parseClock('14:05 Uhr'), { hour: 14, minute: 5 });
  assert.equal(parseClock('25:00'), undefined);
  assert.equal(parseClock('soon'), undefined);
  assert.equal(knownZone('Europe/Berlin'), 'Europe/Berlin');
  assert.equal(knownZone('Mars/Olympus'), undefined);
  assert.equal(knownZone('+01:00'), undefined);
  assert.equal(epochMsOf('2026-12-01T10:05:00'), undefined);
  assert.equal(epochMsOf('1970-01-01T01:00:01+01:00[Europe/Berlin]'), 1000);
  const parsed = parseTravelTime('2026-12-01T10:05:00-08:00');
  assert.ok(parsed);
  assert.equal(instantOf(parsed), '2026-12-01T18:05:00.000Z');
});

test('no text makes it throw, and what it returns is a time', () => {
  const pieces = fc.stringMatching(/^[0-9TZ:+. -]{0,30}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), pieces), (text) => {
      const value = resolve(text, 'America/New_York');
      if (value !== undefined)
        assert.match(value, /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}\[America\/New_York\])?$/);
    }),
    { numRuns: 500 },
  );
});
