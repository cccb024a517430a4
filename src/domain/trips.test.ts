import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FactValue, Kind } from './facts.ts';
import type { LegId, ReservationId } from './ids.ts';
import type { Leg } from './reservation.ts';
import { groupTrips, type TripLeg } from './trips.ts';

const by = {
  observation: 'obs_a',
  source: { kind: 'person', ref: 'cli', label: 'you' },
  authority: 'person',
  assertedAt: '2026-11-01T00:00:00Z',
  observedAt: '2026-11-01T00:00:00Z',
} as const;
let counter = 0;
function leg(kind: Kind, values: Record<string, FactValue>): TripLeg {
  const n = String(counter++).padStart(4, '0');
  const fields: Leg['fields'] = Object.fromEntries(
    Object.entries(values).map(([path, value]) => [path, { value, by }]),
  );
  return { reservation: `rsv_${n}` as ReservationId, leg: { id: `leg_${n}` as LegId, kind, keys: [], fields } };
}
const flight = (from: string, to: string, start: string, end: string, more: Record<string, FactValue> = {}) =>
  leg('flight', { 'start.code': from, 'end.code': to, 'start.scheduled': start, 'end.scheduled': end, ...more });
const stay = (city: string, from: string, to: string) =>
  leg('stay', { name: `Hotel ${city}`, 'start.locality': city, 'start.scheduled': from, 'end.scheduled': to });
const shape = (legs: readonly TripLeg[]) => groupTrips(legs).map((trip) => [trip.title, trip.legs.length]);

test('two flights and a long stay between them are one trip, named by the stay', () => {
  assert.deepEqual(
    shape([
      flight('FRA', 'LIS', '2026-12-01T10:00', '2026-12-01T13:00'),
      stay('Lisbon', '2026-12-01T15:00', '2026-12-14T11:00'),
      flight('LIS', 'FRA', '2026-12-14T18:00', '2026-12-14T22:00'),
    ]),
    [['Trip to Lisbon', 3]],
  );
});

test('48 hours without anything begin a new trip; with one hour less they do not', () => {
  const out = flight('FRA', 'LIS', '2026-12-01T10:00', '2026-12-01T13:00');
  assert.equal(shape([out, flight('LIS', 'OPO', '2026-12-03T14:00', '2026-12-03T15:00')]).length, 2);
  assert.equal(shape([out, flight('LIS', 'OPO', '2026-12-03T12:00', '2026-12-03T13:00')]).length, 1);
});

test('home again ends the trip; the next morning is another; a short turn at home is not', () => {
  const week = [
    flight('FRA', 'LHR', '2026-12-01T07:00', '2026-12-01T08:00'),
    flight('LHR', 'FRA', '2026-12-01T18:00', '2026-12-01T21:00'),
  ];
  const next = flight('FRA', 'CDG', '2026-12-02T07:00', '2026-12-02T08:30');
  assert.equal(shape([...week, next]).length, 2);
  const connection = flight('FRA', 'MUC', '2026-12-01T22:00', '2026-12-01T23:00');
  assert.equal(shape([...week, connection]).length, 1);
});

test('a connection is not the destination', () => {
  assert.deepEqual(
    shape([
      flight('HAM', 'FRA', '2026-12-01T07:00', '2026-12-01T08:00'),
      flight('FRA', 'JFK', '2026-12-01T10:00', '2026-12-01T13:00'),
      flight('JFK', 'FRA', '2026-12-02T18:00', '2026-12-03T07:00'),
      flight('FRA', 'HAM', '2026-12-03T09:00', '2026-12-03T10:00'),
    ]),
    [['Trip to New York', 4]],
  );
});

test('a cancelled leg stays in view and neither names nor stretches its trip; all cancelled is a cancelled trip', () => {
  const cancelled = flight('FRA', 'JFK', '2026-12-01T10:00', '2026-12-05T13:00', { status: 'cancelled' });
  const other = flight('FRA', 'LIS', '2026-12-01T12:00', '2026-12-01T15:00');
  const [trip, ...rest] = groupTrips([cancelled, other]);
  assert.equal(rest.length, 0);
  assert.equal(trip!.title, 'Trip to Lisbon');
  assert.equal(trip!.cancelled, false);
  assert.ok(trip!.endsAt! < Date.UTC(2026, 11, 2));
  assert.equal(groupTrips([cancelled])[0]!.cancelled, true);
});

test('without any time: one group of its own, last; nothing: no trips', () => {
  const trips = groupTrips([
    leg('flight', { number: '1' }),
    flight('FRA', 'LIS', '2026-12-01T10:00', '2026-12-01T13:00'),
  ]);
  assert.equal(trips.length, 2);
  assert.equal(trips[1]!.startsAt, undefined);
  assert.deepEqual(groupTrips([]), []);
});

test('every leg is in exactly one trip, whatever the order and however broken the times', () => {
  const time = fc.oneof(
    fc.integer({ min: 1, max: 28 }).map((day) => `2026-12-${String(day).padStart(2, '0')}T10:00`),
    fc.constantFrom('2026-12-01', 'nonsense', '2026-13-45T99:99', ''),
  );
  const one = fc.tuple(fc.constantFrom('flight', 'stay', 'rental') as fc.Arbitrary<Kind>, time, time);
  fc.assert(
    fc.property(fc.array(one, { maxLength: 12 }), fc.func(fc.integer()), (specs, shuffle) => {
      const legs = specs.map(([kind, start, end]) =>
        leg(kind, { 'start.code': 'FRA', 'end.code': 'LIS', 'start.scheduled': start, 'end.scheduled': end }),
      );
      const trips = groupTrips(legs);
      assert.deepEqual(
        trips.flatMap((trip) => trip.legs.map((item) => item.leg.id)).sort(),
        legs.map((item) => item.leg.id).sort(),
      );
      const shuffled = [...legs].sort((a, b) => shuffle(a.leg.id) - shuffle(b.leg.id));
      assert.deepEqual(
        groupTrips(shuffled).map((trip) => trip.id),
        trips.map((trip) => trip.id),
      );
    }),
    { numRuns: 100 },
  );
});
