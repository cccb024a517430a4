import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTravelportConnector } from '../../../src/adapters/provider/travelport/connector.ts';
import { toAnswer } from '../../../src/adapters/provider/travelport/map.ts';
import { reservationAnswer, type TravelportReservation } from '../../../src/adapters/provider/travelport/schema.ts';
import { sameTrip, travelport } from '../../../src/sandbox/providers/travelport.ts';
import { cancelledBy, endDayAt, indexOf } from '../../../src/sandbox/scenario/state.ts';
import { type AirBooking, HOUR } from '../../../src/sandbox/scenario/types.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { airAgrees, DAY, HOURS, withFake } from './truth.ts';
import { type Behaviour, json, startVendor } from './vendor-server.ts';

const who = {
  account: 'gds',
  user: 'API-USER-1',
  clientId: 'client-1',
  clientSecret: 'client-secret-1',
  pcc: '7K9S',
  core: '1G',
  queues: ['50'],
} as const;
const LOCATOR = 'D6VBHL';
const flight = (change: Record<string, unknown> = {}) => ({
  '@type': 'FlightDetail',
  id: 'Flight_01',
  carrier: 'LH',
  number: '0400',
  equipment: '74H',
  Departure: { location: 'FRA', date: '2026-12-03', time: '10:05:00', terminal: '1' },
  Arrival: { location: 'JFK', date: '2026-12-03', time: '12:50:00' },
  ...change,
});
const air = (...flights: unknown[]) => ({
  id: 'offer_1',
  Product: [
    { '@type': 'ProductAir', FlightSegment: flights.map((Flight, i) => ({ sequence: i + 1, Flight })) },
    { '@type': 'ProductAncillary', id: 'seat' },
  ],
});
const held = (StatusAir: unknown[], Locator: object = {}) => ({
  '@type': 'ReceiptConfirmation',
  Confirmation: {
    Locator: { value: LOCATOR, source: '1G', ...Locator },
    OfferStatus: { '@type': 'OfferStatusAir', StatusAir },
  },
});
const whole = (change: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  ReservationResponse: {
    Reservation: {
      '@type': 'ReservationDetail',
      Traveler: [{ id: 'trav_1', PersonName: { Given: 'ROSA MS', Surname: 'LIND' } }],
      Offer: [air(flight())],
      Receipt: [
        held([{ flightRefs: ['Flight_01'], code: 'HK', value: 'Confirmed' }]),
        { '@type': 'ReceiptConfirmation', Confirmation: { Locator: { value: 'QQLH22', source: 'LH' } } },
        { '@type': 'ReceiptPayment', Document: [{ Number: '9990000000001', TravelerIdentifierRef: { id: 'trav_1' } }] },
      ],
      ...change,
    },
    ...more,
  },
});
const problem = (StatusCode: number | undefined, Message = 'words') => ({
  ReservationResponse: { Result: { Error: [{ StatusCode, Message }] } },
});
const warning = { Result: { Warning: [{ StatusCode: 200, Message: 'part missing' }] } };

const clock = stillClock(NOW);
const make = (options: object = {}) => createTravelportConnector({ ...who, password: KEY, clock, ...options });
const registered = (id: string) => reservation([], { bookingKeys: [`id:gds:${id}`] });
const subject = make().subjectsOf(registered(LOCATOR))[0]!;
/** Tokens are handed out, whatever else it does. */
const around =
  (behave: Behaviour): Behaviour =>
  (request, response) =>
    request.url === '/oauth/token'
      ? json(200, { access_token: 'tok', expires_in: 86_400 })(request, response)
      : behave(request, response);

providerContract({
  name: 'Travelport',
  create: make,
  subject,
  around,
  good: () => whole(),
  noisy: () => whole({ ReservationComment: [{ text: 'x' }], '@type': 'Other' }, { transactionId: 'other', ...warning }),
  cancelled: () => whole({ Receipt: [held([{ flightRefs: ['Flight_01'], code: 'HX', value: 'Cancelled' }])] }),
  other: () => whole({ Receipt: [held([{ code: 'HK' }], { value: 'ZZZZZZ' })] }),
  absent: { status: 200, body: problem(404, 'RESERVATION NOT FOUND') },
  strange: [
    7,
    'text',
    null,
    {},
    [],
    { ReservationResponse: {} },
    whole({ Receipt: [], Identifier: { value: 'uuid-1' } }),
  ],
});

async function asking(run: (reads: (body: unknown, status?: number) => Promise<unknown>) => Promise<void>) {
  const vendor = await startVendor();
  vendor.around = around;
  const connector = make({ url: vendor.url });
  try {
    await run((body, status = 200) => {
      vendor.behave = json(status, body);
      return connector.readOne(subject, new AbortController().signal);
    });
  } finally {
    await connector.close!();
    await vendor.close();
  }
}

test('errors inside status 200, by their code; the gravest decides', () =>
  asking(async (reads) => {
    const failsAs = (body: unknown, code: string) => assert.rejects(reads(body), { code });
    await failsAs(problem(401), 'provider-unauthorised');
    await failsAs(problem(403), 'provider-refused');
    await failsAs(problem(400), 'provider-refused');
    await failsAs(problem(429), 'provider-rate-limited');
    await failsAs(problem(500), 'provider-failed');
    await failsAs(problem(undefined), 'provider-failed');
    await failsAs({ ErrorResponse: { Result: { Error: [{ StatusCode: 503 }] } } }, 'provider-failed');
    const both = { Error: [{ StatusCode: 404 }, { StatusCode: 500 }] };
    await failsAs({ ReservationResponse: { Result: both } }, 'provider-failed');
    // A failing host's words about something that is not found are no "not found".
    await failsAs(problem(500, 'LOCATOR NOT FOUND IN CACHE'), 'provider-failed');
    assert.deepEqual(await reads(problem(400, 'RECORD LOCATOR NOT FOUND')), { kind: 'absent' });
    assert.deepEqual(await reads({}, 404), { kind: 'absent' });
  }));

test('the same locator in another core is another reservation; its own may stand in the identifier', () =>
  asking(async (reads) => {
    const other = whole({ Receipt: [held([{ code: 'HK' }], { source: '1P' })] });
    await assert.rejects(reads(other), { code: 'provider-answered-other' });
    await assert.rejects(reads(whole({ Receipt: [], Identifier: { value: 'ZZZZZZ' } })), {
      code: 'provider-answered-other',
    });
    const supplier = { '@type': 'ReceiptConfirmation', Confirmation: { Locator: { value: LOCATOR, source: 'LH' } } };
    await assert.rejects(reads(whole({ Receipt: [supplier] })), { code: 'provider-answered-unreadable' });
    const found = (await reads(whole({ Receipt: [], Identifier: { value: LOCATOR } }))) as { kind: string };
    assert.equal(found.kind, 'found');
  }));

test('flights that are spoken of and not shown, with a warning, are asked for once more; then they say nothing', async () => {
  const vendor = await startVendor();
  vendor.around = around;
  const connector = make({ url: vendor.url });
  const reads = async (...bodies: unknown[]) => {
    const before = vendor.asked.length;
    vendor.behave = (request, response) => json(200, bodies.length > 1 ? bodies.shift() : bodies[0])(request, response);
    const result = await connector.readOne(subject, new AbortController().signal);
    assert.ok(result.kind === 'found');
    const questions = vendor.asked.slice(before).filter(({ url }) => url !== '/oauth/token');
    assert.equal(result.calls ?? 1, questions.length, 'each is paid for');
    return [result.answer.legs.length, result.answer.facts.status?.value, questions.length];
  };
  const part = whole({ Offer: [] }, warning);
  assert.deepEqual(await reads(part, whole()), [1, 'confirmed', 2]);
  assert.deepEqual(await reads(part), [0, undefined, 2]);
  assert.deepEqual(await reads(whole({ Offer: [] })), [0, undefined, 1]);
  assert.deepEqual(await reads(whole({}, warning)), [1, 'confirmed', 1]);
  await connector.close!();
  await vendor.close();
});

test('each question names pseudo city and core, and the access group where there is one', async () => {
  const vendor = await startVendor();
  vendor.around = around;
  vendor.behave = json(200, whole());
  for (const accessGroup of [undefined, 'GROUP-1']) {
    const connector = make({ url: vendor.url, core: '1V', accessGroup });
    await connector.readOne(subject, new AbortController().signal).catch(() => undefined);
    const { headers } = vendor.asked.at(-1)!;
    assert.equal(headers['tvp-pcc-core'], '7K9S_1V');
    assert.equal(headers.xauth_travelport_accessgroup, accessGroup);
    await connector.close!();
  }
  await vendor.close();
});

function read(change: Record<string, unknown> = {}, more: Record<string, unknown> = {}, isWhole = true) {
  const { ReservationResponse } = reservationAnswer.parse(whole(change, more));
  const about = { id: LOCATOR, account: 'gds', fetchedAt: '2026-12-01T06:00:00.000Z', isWhole };
  const response = ReservationResponse as NonNullable<typeof ReservationResponse>;
  return toAnswer({ ...response, Reservation: response.Reservation as TravelportReservation }, about);
}

test('a flight with its people, tickets and the locators that mails print', () => {
  const answer = read();
  const [leg] = answer.legs;
  assert.deepEqual(answer.bookingKeys, ['id:gds:D6VBHL', 'ref:air:d6vbhl', 'ref:air:qqlh22']);
  assert.equal(answer.facts['provider.code']?.value, 'LH');
  assert.deepEqual(leg!.keys, ['leg:flight:lh400:2026-12-03:fra']);
  assert.equal(leg!.facts['start.scheduled']?.value, '2026-12-03T10:05:00+01:00[Europe/Berlin]');
  assert.equal(leg!.facts['end.scheduled']?.value, '2026-12-03T12:50:00-05:00[America/New_York]');
  assert.equal(leg!.facts['start.terminal']?.value, '1');
  assert.equal(leg!.facts['passenger.lindrosa.name']?.value, 'ROSA LIND');
  assert.equal(leg!.facts['passenger.lindrosa.ticket']?.value, '9990000000001');
});

test('flights may stand in a list beside the offers; segments may be known by their place only', () => {
  const listed = {
    Offer: [
      { id: 'o', Product: [{ '@type': 'ProductAir', FlightSegment: [{ sequence: 1, Flight: { FlightRef: 's1' } }] }] },
    ],
    Receipt: [held([{ flightRefs: ['s1'], code: 'TK' }])],
  };
  const answer = read(listed, { ReferenceList: [{ '@type': 'ReferenceListFlight', Flight: [flight({ id: 's1' })] }] });
  assert.equal(answer.legs[0]!.facts.status?.value, 'confirmed');
  const two = {
    Offer: [air(flight({ id: undefined }), flight({ id: undefined, number: '401' }))],
    Receipt: [
      held([
        { flightRefs: ['Flight_01'], code: 'HK' },
        { flightRefs: ['Flight_02'], code: 'UN' },
      ]),
    ],
  };
  assert.deepEqual(
    read(two).legs.map((leg) => leg.facts.status?.value),
    ['confirmed', 'cancelled'],
  );
});

test('nothing is cancelled by being absent, by an unknown code, or by what is said of another part', () => {
  assert.equal(read({ Offer: [], Receipt: [held([])] }).facts.status, undefined);
  assert.equal(read({ Receipt: [held([{ code: 'ZZ' }])] }).facts.status, undefined);
  assert.equal(read({ Receipt: [held([{ code: 'HK' }, { code: 'HX' }])] }).facts.status, undefined);
  const gone = { '@type': 'ReceiptCancellation', Cancellation: { Locator: { value: LOCATOR, source: '1G' } } };
  assert.equal(read({ Offer: [], Receipt: [gone] }).facts.status?.value, 'cancelled');
  const still = read({ Receipt: [gone, held([{ code: 'HK' }])] });
  assert.equal(still.facts.status?.value, 'confirmed', 'segments are there, so a cancellation in it is of a part');
  const foreign = { '@type': 'ReceiptCancellation', Cancellation: { Locator: { value: 'HTL1', source: 'RT' } } };
  assert.equal(read({ Receipt: [foreign, held([{ code: 'HK' }])] }).facts.status?.value, 'confirmed');
  const cancelled = { Receipt: [held([{ code: 'UN' }])] };
  assert.equal(read(cancelled).facts.status?.value, 'cancelled');
  assert.equal(read(cancelled, {}, false).facts.status, undefined, 'another part may still stand');
});

test('stays and cars of a reservation, each with its own receipt', () => {
  const stay = {
    id: 'offer_2',
    Product: [
      {
        '@type': 'ProductHospitality',
        propertyName: 'Gasthof Probe',
        DateRange: { start: '2026-12-03', end: '2026-12-05' },
        PropertyAddress: { AddressLine: ['Probeweg 1'], City: 'Berlin', Country: { value: 'DE' } },
      },
    ],
  };
  const end = (date: string) => ({ date, time: '14:00:00', VendorLocation: { code: 'BER' } });
  const car = {
    id: 'offer_3',
    Product: [
      {
        '@type': 'ProductVehicle',
        Vehicle: {
          VehicleMakeModel: { code: 'CCMR', vendorCode: 'ZI' },
          VehicleDateLocation: { RentalPickup: end('2026-12-03'), RentalReturn: end('2026-12-05') },
        },
      },
    ],
  };
  const receipt = (ref: string, type: string, value: string) => ({
    '@type': 'ReceiptConfirmation',
    OfferRef: [ref],
    Confirmation: {
      Locator: { value, source: 'XX', sourceContext: 'Supplier' },
      OfferStatus: { '@type': type, Status: 'Confirmed' },
    },
  });
  const receipts = [
    held([{ flightRefs: ['Flight_01'], code: 'HK' }]),
    receipt('offer_2', 'OfferStatusHospitality', 'HTL123'),
    receipt('offer_3', 'OfferStatusVehicle', 'CAR123'),
  ];
  const states = (Receipt: unknown[]) =>
    read({ Offer: [air(flight()), stay, car], Receipt }).legs.map((leg) => [leg.kind, leg.facts.status?.value]);
  assert.deepEqual(states(receipts), [
    ['flight', 'confirmed'],
    ['stay', 'confirmed'],
    ['rental', 'confirmed'],
  ]);
  const lost = {
    '@type': 'ReceiptCancellation',
    Cancellation: { Locator: { value: 'CAR123', source: 'XX', sourceContext: 'Supplier' } },
  };
  assert.deepEqual(states([...receipts, lost])[2], ['rental', 'cancelled']);
  assert.deepEqual(states([...receipts, { ...lost, OfferRef: ['offer_2'], Cancellation: {} }])[1], [
    'stay',
    'cancelled',
  ]);
  const alone = read({ Offer: [stay], Receipt: [receipts[1]!] });
  assert.deepEqual(alone.bookingKeys, ['id:gds:D6VBHL', 'ref:stay:d6vbhl', 'ref:stay:htl123']);
  const rental = read({ Offer: [car], Receipt: [] }).legs[0]!;
  assert.equal(rental.facts['start.scheduled']?.value, '2026-12-03T14:00:00+01:00[Europe/Berlin]');
});

test('the day: every reservation by its locator, with what else is in it; the queue names those that changed', () =>
  withFake(
    {
      vendor: () => travelport(DAY, { ...who, password: KEY, queue: '50' }),
      connector: (options) => make(options),
    },
    async ({ connector, at, signal, fake }) => {
      const bookings = DAY.bookings.filter((one): one is AirBooking => one.kind === 'flight');
      const index = indexOf(DAY);
      let cursor: string | undefined;
      const seen = { parts: 0, woken: 0, mixed: 0, cancelled: 0, gone: 0 };
      for (const time of HOURS) {
        at(time);
        const list = await connector.listChanged!(cursor, signal);
        cursor = list.cursor;
        seen.woken += list.wakes.length;
        for (const one of bookings) {
          const [spec] = connector.subjectsOf(registered(one.reference.toUpperCase()));
          const result = await connector.readOne(spec!, signal);
          if (one.bookedAt > time) {
            assert.equal(result.kind, 'absent');
            continue;
          }
          assert.ok(result.kind === 'found');
          const { legs, facts } = result.answer;
          const cancelled = cancelledBy(one, time);
          if (cancelled) assert.ok(cursor.includes(one.reference.toUpperCase()), `${one.id} is on the queue`);
          const flights = legs.filter((leg) => leg.kind === 'flight');
          const places = sameTrip(DAY, one).filter((place) => place.bookedAt <= time);
          if (flights.length === 0 && facts.status?.value === 'cancelled' && cancelled) {
            seen.gone++;
            continue;
          }
          for (const place of places) {
            const leg = legs.find(
              ({ kind, facts: of }) => kind === place.kind && of['start.name']?.value === place.place.name,
            );
            assert.ok(leg, `${one.id} has ${place.id}`);
            assert.equal(leg.facts.status?.value, cancelledBy(place, time) ? 'cancelled' : 'confirmed');
            assert.equal(String(leg.facts['end.scheduled']?.value).slice(0, 10), endDayAt(place, time));
            seen.mixed++;
          }
          if (flights.length === 0) {
            assert.notEqual(facts.status?.value, 'cancelled', 'a missing part cancels nothing');
            seen.parts++;
            continue;
          }
          if (cancelled) seen.cancelled++;
          const status = { ...facts, status: flights[0]!.facts.status! };
          airAgrees(
            { ...result.answer, legs: flights, facts: status },
            one,
            one.segments.map(({ flight: id }) => index.flight(id)),
            time,
          );
        }
      }
      // Twice in a row a part is seldom missing.
      const { parts: _, ...always } = seen;
      for (const [what, count] of Object.entries(always)) assert.ok(count > 0, what);
      const fetched = fake.calls().filter((call) => call.identifier === 'token').length;
      assert.equal(fetched, 1, 'one token a day');
      at(HOURS.at(-1)! + 30 * HOUR);
      await connector.listChanged!(cursor, signal);
      assert.equal(fake.calls().filter((call) => call.identifier === 'token').length, 2);
    },
  ));

test('the fake: wrong place, another booking, walls and outages are told as what they are', async () => {
  const { startAt } = DAY.options;
  const [first] = DAY.bookings.filter((one) => one.kind === 'flight');
  const fault = (kind: 'other' | 'wall' | 'truncated', hour: number) =>
    ({ provider: 'travelport', kind, from: startAt + hour * HOUR, to: startAt + (hour + 1) * HOUR, share: 1 }) as const;
  const scenario = { ...DAY, faults: [fault('other', 1), fault('wall', 2), fault('truncated', 3)] };
  const made = { vendor: () => travelport(scenario, { ...who, password: KEY, queue: '50' }), scenario };
  await withFake({ ...made, connector: (options) => make(options) }, async ({ connector, at, signal }) => {
    const [spec] = connector.subjectsOf(registered(first!.reference.toUpperCase()));
    const failsAs = async (hour: number, code: string) => {
      at(startAt + hour * HOUR + 1);
      await assert.rejects(connector.readOne(spec!, signal), { code });
    };
    at(startAt);
    assert.equal((await connector.readOne(spec!, signal)).kind, 'found');
    await failsAs(1, 'provider-answered-other');
    await failsAs(2, 'provider-rate-limited');
    await failsAs(3, 'provider-unreachable');
    at(startAt + 5 * HOUR);
    assert.equal((await connector.readOne(spec!, signal)).kind, 'found');
  });
  await withFake(
    { ...made, connector: (options) => make({ ...options, pcc: 'AAAA' }) },
    async ({ connector, signal }) => {
      await assert.rejects(connector.readOne(subject, signal), { code: 'provider-unauthorised' });
    },
  );
});
