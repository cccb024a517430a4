import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAeroApiConnector } from '../../../src/adapters/provider/aeroapi/connector.ts';
import { itemsOf, oneFlight } from '../../../src/adapters/provider/aeroapi/identity.ts';
import { isFinal, toAnswer } from '../../../src/adapters/provider/aeroapi/map.ts';
import { flightSchema } from '../../../src/adapters/provider/aeroapi/schema.ts';
import { createAeroDataBoxConnector } from '../../../src/adapters/provider/aerodatabox/connector.ts';
import { aeroApi } from '../../../src/sandbox/providers/aeroapi.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { DAY, flightAgrees, flightReservation, HOURS, withFake } from './truth.ts';

function item(change: Record<string, unknown> = {}) {
  return {
    fa_flight_id: 'DLH400-1764000000-probe-0001',
    ident: 'DLH400',
    ident_iata: 'LH400',
    codeshares_iata: ['UA8830'],
    origin: { code_iata: 'FRA', timezone: 'Europe/Berlin', name: 'Frankfurt' },
    destination: { code_iata: 'JFK', timezone: 'America/New_York', name: 'New York' },
    scheduled_out: '2026-12-01T09:05:00Z',
    estimated_out: '2026-12-01T09:05:00Z',
    actual_out: null,
    actual_off: null,
    scheduled_in: '2026-12-01T17:50:00Z',
    estimated_in: '2026-12-01T17:50:00Z',
    actual_on: null,
    actual_in: null,
    departure_delay: 0,
    terminal_origin: '1',
    gate_origin: 'A13',
    terminal_destination: '1',
    baggage_claim: null,
    aircraft_type: 'B748',
    cancelled: false,
    diverted: false,
    ...change,
  };
}
const flights = (...items: unknown[]) => ({ links: null, num_pages: 1, flights: items });

const booked = reservation({
  kind: 'flight',
  facts: {
    'carrier.code': 'LH',
    number: '400',
    'start.code': 'FRA',
    'end.code': 'JFK',
    'start.scheduled': '2026-12-01T10:05:00+01:00[Europe/Berlin]',
    'end.scheduled': '2026-12-01T12:50:00-05:00[America/New_York]',
  },
});
const clock = stillClock(NOW);
const plain = createAeroApiConnector({ key: KEY, clock });
const subject = plain.subjectsOf(booked)[0]!;

providerContract({
  name: 'FlightAware',
  create: (options) => createAeroApiConnector({ key: KEY, ...options }),
  subject,
  good: () => flights(item()),
  noisy: () =>
    flights(
      { ...item({ progress_percent: 3, status: 'Taxiing / Words' }), filed_altitude: null },
      item({ fa_flight_id: 'x', scheduled_out: '2026-11-30T09:05:00Z', cancelled: true }),
      { nonsense: true },
    ),
  cancelled: () => flights(item({ cancelled: true })),
  other: () => flights(item({ ident: 'DLH402', ident_iata: 'LH402', codeshares_iata: [] })),
  absent: { status: 200, body: flights() },
  strange: [{ title: 'ok' }, 'text', 7, null, [], flights({ flight: 'LH400' })],
});

test('the same subjects as the other flight-status vendor, from two days before', () => {
  const [other] = createAeroDataBoxConnector({ account: 'a', key: KEY, clock }).subjectsOf(booked);
  assert.deepEqual({ ...subject, fromAt: 0 }, { ...other, fromAt: 0 });
  assert.equal(subject.fromAt, subject.startAt - 48 * 3_600_000);
});

const asked = { carrier: 'LH', number: '400', day: '2026-12-01', from: 'FRA', to: 'JFK' };
const read = (change: Record<string, unknown>) => flightSchema.parse(item(change));
const factsOf = (change: Record<string, unknown>) =>
  toAnswer(read(change), undefined, asked, '2026-12-01T06:00:00.000Z').legs[0]!.facts;

test('times by zone; runway before gate; an estimate that equals the plan takes the old one back', () => {
  const facts = factsOf({
    estimated_out: '2026-12-01T09:30:00Z',
    actual_out: '2026-12-01T09:29:00Z',
    actual_off: '2026-12-01T09:41:00Z',
  });
  assert.equal(facts['start.scheduled']?.value, '2026-12-01T10:05:00+01:00[Europe/Berlin]');
  assert.equal(facts['start.estimated']?.value, '2026-12-01T10:30:00+01:00[Europe/Berlin]');
  assert.equal(facts['start.actual']?.value, '2026-12-01T10:41:00+01:00[Europe/Berlin]');
  assert.equal(facts['end.estimated']?.value, null);
  assert.equal(facts.operation?.value, 'en-route');
});

test('its "cancelled" is only the end of tracking: told as uncertain', () => {
  assert.equal(factsOf({ cancelled: true }).operation?.value, 'cancelled-uncertain');
  assert.equal(factsOf({ departure_delay: 900 }).operation?.value, 'delayed');
  assert.equal(factsOf({ actual_on: '2026-12-01T17:40:00Z' }).operation?.value, 'arrived');
});

test('a diversion comes twice, in any order: one flight, and where it went instead', () => {
  const planned = read({ diverted: true });
  const elsewhere = read({ destination: { code_iata: 'BOS', timezone: 'America/New_York', name: 'Boston' } });
  for (const items of [
    [planned, elsewhere],
    [elsewhere, planned],
  ]) {
    for (const to of ['JFK', undefined]) {
      const one = oneFlight(itemsOf(items, asked), to)!;
      assert.equal(one.flight, planned);
      assert.equal(one.divertedTo?.code_iata, 'BOS');
    }
  }
});

test('found under a codeshare; not under another day, origin or number', () => {
  const found = (change: object) => itemsOf([read({})], { ...asked, ...change }).length;
  assert.equal(found({ carrier: 'UA', number: '8830' }), 1);
  assert.equal(found({ day: '2026-12-02' }), 0);
  assert.equal(found({ from: 'MUC' }), 0);
  assert.equal(found({ number: '40' }), 0);
});

test('final: landed with its belt, landed long ago, cancelled long ago', () => {
  const at = (text: string) => Temporal.Instant.from(text).epochMilliseconds;
  const landed = { actual_in: '2026-12-01T18:00:00Z' };
  assert.equal(isFinal(read(landed), at('2026-12-01T18:40Z')), false);
  assert.ok(isFinal(read({ ...landed, baggage_claim: '7' }), at('2026-12-01T18:40Z')));
  assert.ok(isFinal(read(landed), at('2026-12-01T21:00Z')));
  assert.equal(isFinal(read({ cancelled: true }), at('2026-12-01T10:00Z')), false);
  assert.ok(isFinal(read({ cancelled: true }), at('2026-12-01T12:05Z')));
});

test('the day as its fake tells it is the day as it is', () =>
  withFake(
    {
      vendor: () => aeroApi(DAY, KEY),
      connector: (options) => createAeroApiConnector({ key: KEY, ...options }),
    },
    async ({ connector, at, signal, fake }) => {
      let answers = 0;
      for (const time of HOURS) {
        at(time);
        for (const flight of DAY.flights) {
          const [spec] = connector.subjectsOf(flightReservation(flight));
          if (spec!.fromAt > time) continue;
          const result = await connector.readOne(spec!, signal);
          assert.ok(result.kind === 'found', `${flight.id}: ${result.kind}`);
          flightAgrees(result.answer, flight, time);
          answers++;
        }
      }
      assert.ok(answers > 100);
      assert.equal(fake.calls().length, answers, 'one call a question');
    },
  ));

test('the fake refuses what the vendor refuses', () =>
  withFake(
    {
      vendor: () => aeroApi(DAY, KEY),
      connector: (options) => createAeroApiConnector({ key: 'another', ...options }),
      callsPerMinuteMax: 1,
    },
    async ({ connector, signal, fake }) => {
      const [spec] = connector.subjectsOf(flightReservation(DAY.flights[0]!));
      await assert.rejects(connector.readOne(spec!, signal), { code: 'provider-unauthorised' });
      const get = (path: string) => fetch(`${fake.url}${path}`, { headers: { 'x-apikey': KEY } });
      assert.equal((await get('/flights/LH400')).status, 429);
      assert.equal((await get('/elsewhere')).status, 429);
    },
  ));
