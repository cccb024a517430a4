import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observationSchema } from '../../contracts/observation.ts';
import { extractDocument } from './document.ts';
import { toObservations } from './observations.ts';

const receivedAt = '2026-11-22T12:00:00.000Z';
const read = (nodes: unknown) => extractDocument({ bytes: Buffer.from(JSON.stringify(nodes)), receivedAt });
const flight = (number: string, extra: object = {}, trip: object = {}) => ({
  '@type': 'FlightReservation',
  reservationNumber: 'ABC123',
  reservationStatus: 'http://schema.org/ReservationConfirmed',
  reservationFor: {
    flightNumber: number,
    departureAirport: { iataCode: 'FRA' },
    arrivalAirport: { iataCode: 'JFK' },
    departureTime: '2026-12-01T10:05:00+01:00',
    ...trip,
  },
  ...extra,
});

test('legs and passengers of one number are one claim', () => {
  const { claims } = read([
    flight('LH400', { underName: { name: 'Ada Lovelace' }, airplaneSeat: '12A' }),
    flight('LH 400', { underName: { name: 'LOVELACE/ADA MS' }, boardingGroup: '2' }),
    flight('LH400', { underName: { name: 'Grace Hopper' }, airplaneSeat: '12B' }),
    flight('LH401', {}, { departureTime: '2026-12-08T10:05:00+01:00' }),
  ]);
  assert.equal(claims.length, 1);
  assert.deepEqual(claims[0]?.bookingKeys, ['ref:air:abc123']);
  assert.equal(claims[0]?.legs.length, 2);
  const facts = claims[0]?.legs[0]?.facts;
  assert.equal(facts?.['passenger.adalovelace.seat']?.value, '12A');
  assert.equal(facts?.['passenger.adalovelace.group']?.value, '2');
  assert.equal(facts?.['passenger.gracehopper.seat']?.value, '12B');
});

test('a named leg is cancelled by itself, a booking without named legs as a whole; one traveller who cancels changes nothing', () => {
  const cancelled = { reservationStatus: 'https://schema.org/ReservationCancelled' };
  const status = (nodes: unknown) => {
    const [claim] = read(nodes).claims;
    return [claim?.facts.status?.value, ...(claim?.legs ?? []).map((leg) => leg.facts.status?.value)];
  };
  // The booking may have further legs, of which this mail says nothing.
  assert.deepEqual(status([flight('LH400', cancelled), flight('LH402', cancelled)]), [
    undefined,
    'cancelled',
    'cancelled',
  ]);
  assert.deepEqual(status([flight('LH400', cancelled), flight('LH402')]), ['confirmed', 'cancelled', 'confirmed']);
  assert.deepEqual(
    status([
      flight('LH400', { ...cancelled, underName: { name: 'A B' } }),
      flight('LH400', { underName: { name: 'C D' } }),
    ]),
    ['confirmed', 'confirmed'],
  );
  assert.deepEqual(
    status({ '@type': 'FlightReservation', reservationNumber: 'ABC123', reservationStatus: 'Cancelled' }),
    ['cancelled'],
  );
});

test('the future is not believed: a time of change beyond receipt gives way to the mail date, or to receipt', () => {
  const at = (modifiedTime: string) => read(flight('LH400', { modifiedTime })).claims[0]?.assertedAt;
  assert.equal(at('2026-11-20T10:00:00+01:00'), '2026-11-20T09:00:00.000Z');
  assert.equal(at('2099-01-01T00:00:00Z'), receivedAt);
  assert.equal(at('soon'), receivedAt);
});

test('reservations without number stand apart, or join the booking that has their leg', () => {
  const bare = (number: string, trip: object = {}) => ({ ...flight(number, {}, trip), reservationNumber: undefined });
  assert.deepEqual(
    read([bare('LH400'), bare('LH402'), bare('LH400')]).claims.map((claim) => [
      claim.bookingKeys.length,
      claim.legs.length,
    ]),
    [
      [0, 1],
      [0, 1],
    ],
  );
  assert.equal(read([bare('LH400'), flight('LH400')]).claims.length, 1);
});

test('the legs of one reservation or one calendar event without number are one claim', () => {
  const trips = ['LH400', 'LH402'].map(
    (number, day) => flight(number, {}, { departureTime: `2026-12-0${day + 1}T10:05:00+01:00` }).reservationFor,
  );
  const { claims } = read({ '@type': 'FlightReservation', reservationFor: trips });
  assert.deepEqual(
    claims.map((claim) => [claim.bookingKeys.length, claim.legs.length]),
    [[0, 2]],
  );
  const journey = [
    'BEGIN:VCALENDAR',
    'BEGIN:VEVENT',
    'SUMMARY:A -> C',
    'DTSTART;TZID=Europe/Berlin:20261201T231000',
    'DTEND;TZID=Europe/Berlin:20261202T013000',
    'DESCRIPTION:ab 23:10 Astadt - Gleis 1 (ICE 16)\\nan 23:50 Bstadt - Gleis 2\\nab 00:05 Bstadt - Gleis 3 (RE 7)\\nan 01:30 Cstadt',
    'END:VEVENT',
    'END:VCALENDAR',
  ].join('\n');
  const [claim, ...more] = extractDocument({ bytes: Buffer.from(journey), receivedAt }).claims;
  assert.equal(more.length, 0);
  assert.deepEqual(
    claim?.legs.map((leg) => [
      leg.facts.number?.value,
      leg.facts['start.scheduled']?.value,
      leg.facts['end.scheduled']?.value,
    ]),
    [
      ['ICE 16', '2026-12-01T23:10:00+01:00[Europe/Berlin]', '2026-12-01T23:50:00'],
      ['RE 7', '2026-12-02T00:05:00', '2026-12-02T01:30:00+01:00[Europe/Berlin]'],
    ],
  );
});

test('an offset that would make the flight impossible is read the other way', () => {
  // Local times marked as UTC: FRA 10:05 to JFK 12:55 the same day is nearly nine hours, read as instants it is three.
  const [claim] = read(
    flight('LH400', {}, { departureTime: '2026-12-01T10:05:00Z', arrivalTime: '2026-12-01T12:55:00Z' }),
  ).claims;
  assert.equal(claim?.legs[0]?.facts['start.scheduled']?.value, '2026-12-01T10:05:00+01:00[Europe/Berlin]');
  assert.equal(claim?.legs[0]?.facts['end.scheduled']?.value, '2026-12-01T12:55:00-05:00[America/New_York]');
});

test('differing prices of one booking are not added up or chosen from', () => {
  const { claims, warnings } = read([flight('LH400', { totalPrice: '100' }), flight('LH402', { totalPrice: '80' })]);
  assert.equal(claims[0]?.facts['price.amount'], undefined);
  assert.deepEqual(
    warnings.map((warning) => warning.code),
    ['price-differs'],
  );
});

test('every fact says where it stood', () => {
  const [claim] = read(flight('LH400')).claims;
  for (const facts of [claim?.facts ?? {}, claim?.legs[0]?.facts ?? {}]) {
    for (const [path, fact] of Object.entries(facts)) assert.ok(fact.evidence?.where, path);
  }
  assert.deepEqual(claim?.legs[0]?.facts['start.scheduled']?.evidence, {
    where: 'JSON, reservationFor.departureTime',
    raw: '2026-12-01T10:05:00+01:00',
  });
});

test('observations fit their contract, and the same document gives the same ids', () => {
  const long = 'x'.repeat(5000);
  const { claims } = read([
    flight('LH400', { underName: { name: long }, bookingAgent: { name: long } }),
    flight('LH402', { reservationNumber: long }),
  ]);
  const origin = {
    tenant: 'tnt_default',
    traveller: 'trv_1',
    ref: 'mail_1',
    label: 'a mail',
    receivedAt: '2026-11-22T12:00:00Z',
    authority: 'mail',
  } as const;
  const observations = toObservations(claims, origin);
  assert.equal(observations.length, 2);
  for (const observation of observations) observationSchema.parse(observation);
  assert.deepEqual(toObservations(claims, origin), observations);
  assert.equal(new Set(observations.map((one) => one.id)).size, 2);
  assert.notEqual(toObservations(claims, { ...origin, ref: 'mail_2' })[0]?.id, observations[0]?.id);
});
