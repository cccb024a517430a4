import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAeroDataBoxConnector } from '../../../src/adapters/provider/aerodatabox/connector.ts';
import { itemsOf } from '../../../src/adapters/provider/aerodatabox/identity.ts';
import { isFinal, toAnswer } from '../../../src/adapters/provider/aerodatabox/map.ts';
import { flightSchema } from '../../../src/adapters/provider/aerodatabox/schema.ts';
import { sameNumber } from '../../../src/adapters/provider/flight-status/asked.ts';
import { createProviderHttp } from '../../../src/adapters/provider/http/http.ts';
import type { Authority } from '../../../src/domain/observation.ts';
import { stillClock } from '../store/harness.ts';
import { fieldsOf, reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { json, startVendor } from './vendor-server.ts';

const time = (utc: string, local: string) => ({ utc, local });

function item(
  change: Record<string, unknown> = {},
  departure: Record<string, unknown> = {},
  arrival: Record<string, unknown> = {},
) {
  return {
    number: 'LH 400',
    status: 'Expected',
    codeshareStatus: 'IsOperator',
    lastUpdatedUtc: '2026-12-01 05:40Z',
    departure: {
      airport: { iata: 'FRA', name: 'Frankfurt' },
      scheduledTime: time('2026-12-01 09:05Z', '2026-12-01 10:05+01:00'),
      terminal: '1',
      gate: 'A13',
      checkInDesk: '420-424',
      quality: ['Basic', 'Live'],
      ...departure,
    },
    arrival: {
      airport: { iata: 'JFK', name: 'New York' },
      scheduledTime: time('2026-12-01 17:50Z', '2026-12-01 12:50-05:00'),
      terminal: '1',
      quality: ['Basic', 'Live'],
      ...arrival,
    },
    aircraft: { model: 'Boeing 747-8' },
    airline: { name: 'Lufthansa', iata: 'LH' },
    ...change,
  };
}

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
const plain = createAeroDataBoxConnector({ account: 'status', key: KEY, clock });
const subject = plain.subjectsOf(booked)[0]!;

providerContract({
  name: 'AeroDataBox',
  create: (options) => createAeroDataBoxConnector({ account: 'status', key: KEY, ...options }),
  subject,
  good: () => [item()],
  noisy: () => [
    { ...item({ codeshareStatus: 'Pooled', lastUpdatedUtc: '2026-12-01 05:59Z', emissions: { kg: 3 } }), extra: null },
    item({ number: 'UA 8830', codeshareStatus: 'IsCodeshared', status: 'Departed' }),
    { nonsense: true },
  ],
  cancelled: () => [item({ status: 'Canceled' })],
  other: () => [item({ number: 'LH 401' })],
  onBoard: (answer) => ({
    departures: [...(answer as unknown[]), item({ number: 'LH 402' }), { nonsense: true }],
    arrivals: [],
  }),
  absent: { status: 204, body: undefined },
  strange: [{ message: 'ok' }, 'text', 7, null, [{ flight: 'LH400' }]],
});

test('asks by number and scheduled day, with the key of the marketplace', async () => {
  const vendor = await startVendor();
  const http = createProviderHttp({ clock });
  const connector = createAeroDataBoxConnector({
    account: 'status',
    key: KEY,
    clock,
    url: `${vendor.url}/base/`,
    http,
  });
  vendor.behave = json(200, [item()]);
  await connector.readOne(subject, new AbortController().signal);
  const [{ url, headers }] = vendor.asked as [(typeof vendor.asked)[number]];
  assert.match(url, /^\/base\/flights\/Number\/LH400\/2026-12-01\?dateLocalRole=Departure/);
  assert.equal(headers['x-api-market-key'], KEY);
  await http.close();
  await vendor.close();
});

test('the subject is the flight, for everyone on it, from three days before until hours after landing', () => {
  assert.equal(subject.id, 'leg:flight:lh400:2026-12-01:fra');
  assert.equal(subject.label, 'LH 400 of 1 Dec');
  assert.equal(subject.startAt, Date.UTC(2026, 11, 1, 9, 5));
  assert.equal(subject.fromAt, subject.startAt - 72 * 3_600_000);
  assert.equal(subject.endAt, Date.UTC(2026, 11, 1, 20, 50));
  const spelled = reservation({
    kind: 'flight',
    facts: { 'carrier.code': 'lh', number: '0400', 'start.code': 'fra', 'start.scheduled': '2026-12-01' },
  });
  assert.equal(plain.subjectsOf(spelled)[0]?.id, subject.id);
});

test('no subject without number and day, nor for what the vendor would refuse', () => {
  const flight = (facts: Record<string, string>) => plain.subjectsOf(reservation({ kind: 'flight', facts }));
  assert.deepEqual(flight({ 'carrier.code': 'LH', 'start.scheduled': '2026-12-01' }), []);
  assert.deepEqual(flight({ 'carrier.code': 'LH', number: '400' }), []);
  assert.deepEqual(flight({ 'carrier.code': '../..', number: '400', 'start.scheduled': '2026-12-01' }), []);
  assert.deepEqual(flight({ 'carrier.code': 'LH', number: '4/../1', 'start.scheduled': '2026-12-01' }), []);
  assert.deepEqual(
    plain.subjectsOf(reservation({ kind: 'stay', facts: { name: 'Inn', 'start.scheduled': '2026-12-01' } })),
    [],
  );
});

test('a cancelled seat ends the watch of its flight, a claim that nobody vouches for does not', () => {
  const leg = {
    kind: 'flight',
    facts: { 'carrier.code': 'LH', number: '400', 'start.scheduled': '2026-12-01' },
  } as const;
  const subjects = (authority: Authority) => {
    const { status } = fieldsOf({ status: 'cancelled' });
    const fields = { status: { ...status!, by: { ...status!.by, authority } } };
    return plain.subjectsOf(reservation(leg, { fields })).length;
  };
  assert.deepEqual((['booking', 'mail-proven', 'person', 'mail'] as const).map(subjects), [0, 0, 0, 1]);
});

const asked = { carrier: 'LH', number: '400', day: '2026-12-01', from: 'FRA', to: 'JFK' };
const factsOf = (one: unknown) => {
  const answer = toAnswer(flightSchema.parse(one), asked, '2026-12-01T06:00:00.000Z');
  return { answer, facts: answer.legs[0]!.facts, of: (path: string) => answer.legs[0]!.facts[path]?.value };
};

test('times keep the zone of the airport; scheduled, estimated and actual are three fields', () => {
  const { of, answer, facts } = factsOf(
    item(
      { status: 'Departed', lastUpdatedUtc: '2026-12-01 09:40Z' },
      {
        revisedTime: time('2026-12-01 09:30Z', '2026-12-01 10:30+01:00'),
        runwayTime: time('2026-12-01 09:38Z', '2026-12-01 10:38+01:00'),
      },
      { predictedTime: time('2026-12-01 18:01Z', '2026-12-01 13:01-05:00'), baggageBelt: '7' },
    ),
  );
  assert.equal(of('start.scheduled'), '2026-12-01T10:05:00+01:00[Europe/Berlin]');
  assert.equal(of('start.estimated'), '2026-12-01T10:30:00+01:00[Europe/Berlin]');
  assert.equal(of('start.actual'), '2026-12-01T10:38:00+01:00[Europe/Berlin]');
  assert.equal(of('end.estimated'), '2026-12-01T13:01:00-05:00[America/New_York]');
  assert.equal(of('end.actual'), undefined);
  assert.equal(of('end.belt'), '7');
  assert.equal(of('start.desk'), '420-424');
  assert.equal(of('operation'), 'departed');
  assert.equal(of('aircraft'), 'Boeing 747-8');
  assert.equal(answer.assertedAt, '2026-12-01T09:40:00.000Z');
  assert.equal(answer.authority, 'status');
  assert.deepEqual(answer.bookingKeys, []);
  assert.deepEqual(answer.legs[0]!.keys, ['leg:flight:lh400:2026-12-01:fra']);
  assert.deepEqual(facts['start.actual']?.evidence, { where: 'departure.runwayTime', raw: '2026-12-01 10:38+01:00' });
});

test('a runway time still to come is an expectation', () => {
  const { of } = factsOf(item({}, { runwayTime: time('2026-12-01 09:20Z', '2026-12-01 10:20+01:00') }));
  assert.equal(of('start.actual'), undefined);
  assert.equal(of('start.estimated'), '2026-12-01T10:20:00+01:00[Europe/Berlin]');
});

test('a live feed that names no new time takes the old one back; a plain timetable does not', () => {
  assert.equal(factsOf(item()).facts['start.estimated']?.value, null);
  assert.equal('start.estimated' in factsOf(item({}, { quality: ['Basic'] })).facts, false);
});

test('each state has its word; unknown ones are unknown', () => {
  const word = (status: string) => factsOf(item({ status })).of('operation');
  assert.deepEqual(['Canceled', 'CanceledUncertain', 'Diverted', 'EnRoute', 'Taxiing'].map(word), [
    'cancelled',
    'cancelled-uncertain',
    'diverted',
    'en-route',
    'unknown',
  ]);
});

test('an airport that nobody knows keeps the offset, or the zone that the reservation knows', () => {
  const strange = item({}, { airport: { iata: 'QQQ' } });
  assert.equal(factsOf(strange).of('start.scheduled'), '2026-12-01T10:05:00+01:00');
  const flight = flightSchema.parse(strange);
  const told = toAnswer(flight, asked, '2026-12-01T06:00:00.000Z', { start: 'Europe/Vienna' });
  assert.equal(told.legs[0]!.facts['start.scheduled']?.value, '2026-12-01T10:05:00+01:00[Europe/Vienna]');
});

test('the same number twice a day, on another day, from another airport', () => {
  const flights = [
    item(),
    item({}, { airport: { iata: 'MUC' } }),
    item({}, { scheduledTime: time('2026-12-02 09:05Z', '2026-12-02 10:05+01:00') }),
  ].map((one) => flightSchema.parse(one));
  assert.equal(itemsOf(flights, asked).length, 1);
  assert.equal(itemsOf(flights, { ...asked, from: undefined }).length, 2);
  assert.equal(itemsOf(flights, { ...asked, day: '2026-12-03' }).length, 0);
});

test('numbers are equal in any spelling, and never by chance', () => {
  assert.ok(sameNumber('LH 0400', 'LH', '400'));
  assert.ok(sameNumber('lh400', 'LH', '0400'));
  assert.ok(sameNumber('U2 1234', 'U2', '1234'));
  assert.equal(sameNumber('LH 4000', 'LH', '400'), false);
  assert.equal(sameNumber('LHX 400', 'LH', '400'), false);
  assert.equal(sameNumber('LH 400D', 'LH', '400'), false);
});

test('final: landed with its belt for half an hour, or cancelled and its time long gone', () => {
  const landed = { runwayTime: time('2026-12-01 17:55Z', '2026-12-01 12:55-05:00') };
  const at = (text: string) => Temporal.Instant.from(text).epochMilliseconds;
  const arrived = flightSchema.parse(item({ status: 'Arrived' }, {}, { ...landed, baggageBelt: '7' }));
  assert.equal(isFinal(arrived, at('2026-12-01T18:00Z')), false);
  assert.ok(isFinal(arrived, at('2026-12-01T18:25Z')));
  assert.equal(isFinal(flightSchema.parse(item({ status: 'Arrived' }, {}, landed)), at('2026-12-01T19:00Z')), false);
  const cancelled = flightSchema.parse(item({ status: 'Canceled' }));
  assert.equal(isFinal(cancelled, at('2026-12-01T10:00Z')), false);
  assert.ok(isFinal(cancelled, at('2026-12-01T12:05Z')));
});

test('whatever stands in optional fields, the answer is made or refused, never a crash', () => {
  const odd = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.object(), fc.array(fc.string()));
  fc.assert(
    fc.property(odd, odd, odd, odd, (a, b, c, d) => {
      const { of } = factsOf({
        ...item(
          { status: a, lastUpdatedUtc: b },
          { revisedTime: { utc: c, local: d }, gate: a, airport: b, quality: c },
        ),
        arrival: d,
      });
      assert.equal(typeof of('operation'), 'string');
    }),
    { numRuns: 200 },
  );
});

test('a board answers for all who leave there in that half of the day; who is not on it is asked about alone', async () => {
  const vendor = await startVendor();
  const http = createProviderHttp({ clock });
  const connector = createAeroDataBoxConnector({ account: 'status', key: KEY, clock, url: vendor.url, http });
  const board = connector.board!;
  const key = board.keyOf(subject)!;
  assert.equal(key, 'FRA 2026-12-01T00:00 2026-12-01T11:59');
  assert.equal(board.keyOf({ ...subject, query: { carrier: 'LH', number: '400', day: '2026-12-01' } }), undefined);
  const other = { ...subject, id: 'leg:flight:lh402:2026-12-01:fra', query: { ...subject.query, number: '402' } };
  vendor.behave = json(200, {
    departures: [{ odd: 1 }, item({ number: 'UA 1' }), item({ status: 'Canceled' })],
    arrivals: 7,
  });
  const [found, missing] = await board.read(key, [subject, other], new AbortController().signal);
  assert.ok(found?.kind === 'found');
  assert.equal(found.answer.legs[0]!.facts.operation?.value, 'cancelled');
  assert.deepEqual(missing, { kind: 'unanswered' });
  assert.equal(vendor.asked.length, 1);
  assert.match(vendor.asked[0]!.url, /^\/flights\/airports\/Iata\/FRA\/2026-12-01T00:00\/2026-12-01T11:59\?/);
  vendor.behave = json(200, { message: 'ok' });
  await assert.rejects(board.read(key, [subject], new AbortController().signal), {
    code: 'provider-answered-unreadable',
  });
  await http.close();
  await vendor.close();
});

test('an answer equal to the last one is not parsed again; an ETag spares even the sending', async () => {
  const vendor = await startVendor();
  const http = createProviderHttp({ clock });
  const connector = createAeroDataBoxConnector({ account: 'status', key: KEY, clock, url: vendor.url, http });
  const signal = new AbortController().signal;
  vendor.behave = json(200, [item()]);
  const first = await connector.readOne(subject, signal);
  assert.ok(first.kind === 'found' && first.token !== undefined);
  assert.deepEqual(await connector.readIfChanged!(subject, first.token, signal), { kind: 'unchanged' });
  vendor.behave = json(200, [item({ status: 'Delayed' })], { etag: '"v2"' });
  const second = await connector.readIfChanged!(subject, first.token, signal);
  assert.ok(second.kind === 'found' && second.token === 'etag:"v2"');
  vendor.behave = (request, response) =>
    response.writeHead(request.headers['if-none-match'] === '"v2"' ? 304 : 500).end();
  assert.deepEqual(await connector.readIfChanged!(subject, second.token, signal), { kind: 'unchanged' });
  await http.close();
  await vendor.close();
});
