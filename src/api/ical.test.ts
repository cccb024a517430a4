import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ICAL from 'ical.js';
import type { FactValue, Kind } from '../domain/facts.ts';
import type { Leg, Reservation } from '../domain/reservation.ts';
import { calendar, escapeText, folded } from './ical.ts';

const by = {
  observation: 'obs_a',
  source: { kind: 'mail', ref: 'mail_a', label: 'mail' },
  authority: 'mail',
  assertedAt: '2026-11-01T00:00:00Z',
  observedAt: '2026-11-01T00:00:00Z',
} as const;
const fields = (values: Record<string, FactValue>) =>
  Object.fromEntries(Object.entries(values).map(([path, value]) => [path, { value, by }]));
const leg = (kind: Kind, values: Record<string, FactValue>): Leg => ({
  id: 'leg_a',
  kind,
  keys: [],
  fields: fields(values),
});
const reservation = (legs: readonly Leg[], values: Record<string, FactValue> = {}): Reservation => ({
  id: 'rsv_a',
  tenant: 'tnt_a',
  traveller: 'trv_a',
  version: 3,
  bookingKeys: [],
  fields: fields(values),
  legs,
  observations: [],
  digest: '',
});
const read = (one: Reservation) => {
  const text = calendar({ name: 'Ada' }, [{ reservation: one, updatedAt: 1_800_000_000_000 }]);
  return new ICAL.Component(ICAL.parse(text)).getAllSubcomponents('vevent');
};

test('any text survives: escaped, folded, parsed back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const line = folded(`SUMMARY:${escapeText(text)}`);
      for (const part of line.split('\r\n')) assert.ok(Buffer.byteLength(part) <= 75);
      const parsed = ICAL.parse(`BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n${line}END:VEVENT\r\nEND:VCALENDAR\r\n`);
      const value = new ICAL.Component(parsed).getFirstSubcomponent('vevent')!.getFirstPropertyValue('summary');
      const expected = text
        .toWellFormed()
        .replace(/\r\n?/g, '\n')
        .replace(/[\p{Cc}\u2028\u2029]/gu, (c) => (c === '\n' ? c : ' '));
      assert.equal(value, expected);
    }),
    { numRuns: 200 },
  );
});

test('no text can begin a line of its own', () => {
  const [event] = read(
    reservation([leg('stay', { name: 'X\r\nEND:VCALENDAR\nATTACH:file:///etc', 'start.scheduled': '2026-12-01' })]),
  );
  assert.equal(event!.getFirstProperty('attach'), null);
  assert.match(String(event!.getFirstPropertyValue('summary')), /END:VCALENDAR/);
});

test('days stay days, local times without a zone stay floating, no time is no event', () => {
  const [stay] = read(
    reservation([leg('stay', { name: 'Adler', 'start.scheduled': '2026-12-01', 'end.scheduled': '2026-12-04' })]),
  );
  assert.equal(String(stay!.getFirstPropertyValue('dtstart')), '2026-12-01');
  assert.equal(String(stay!.getFirstPropertyValue('dtend')), '2026-12-04');
  const [train] = read(reservation([leg('train', { number: '7', 'start.scheduled': '2026-12-01T10:00:00' })]));
  assert.equal(String(train!.getFirstPropertyValue('dtstart')), '2026-12-01T10:00:00');
  assert.equal(read(reservation([leg('flight', { number: '7' })])).length, 0);
  assert.equal(read(reservation([leg('flight', { 'start.scheduled': 'nonsense' })])).length, 0);
});

test('removed is out; cancelled stays and says so; an unsafe link is left out', () => {
  const one = leg('flight', { number: '7', 'start.scheduled': '2026-12-01T10:00:00Z', operation: 'cancelled' });
  const [event] = read(reservation([one], { 'url.manage': 'javascript:alert(1)' }));
  assert.equal(event!.getFirstPropertyValue('status'), 'CANCELLED');
  assert.equal(event!.getFirstPropertyValue('sequence'), 3);
  assert.equal(event!.getFirstProperty('url'), null);
  assert.equal(read(reservation([one], { removed: true })).length, 0);
});
