import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBookingComConnector } from '../../../src/adapters/provider/booking-com/connector.ts';
import { createHotelbedsConnector } from '../../../src/adapters/provider/hotelbeds/connector.ts';
import type { ProviderHttp } from '../../../src/adapters/provider/http/http.ts';
import { createSabreConnector } from '../../../src/adapters/provider/sabre/connector.ts';
import { createTravelportConnector } from '../../../src/adapters/provider/travelport/connector.ts';
import { answerSchema } from '../../../src/contracts/topics.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import type { ProviderConnector, ReadResult } from '../../../src/ports/provider.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { NOW } from './provider-contract.ts';

/** What holds for every booking system whatever it answers: answers with parts missing, and answers with anything in them. */

const flight = { carrier: 'LH', number: '400' };
const there = { location: 'FRA', date: '2026-12-03', time: '10:05:00' };
const held = (type: string, value: string, more: object) => ({
  '@type': 'ReceiptConfirmation',
  ...more,
  Confirmation: {
    Locator: { value, source: type === 'Air' ? '1G' : 'XX' },
    OfferStatus: { '@type': `OfferStatus${type}`, Status: 'Confirmed' },
  },
});
const end = { date: '2026-12-03', time: '14:00:00', VendorLocation: { code: 'JFK' } };
const vehicle = {
  VehicleMakeModel: { vendorCode: 'ZI' },
  VehicleDateLocation: { RentalPickup: end, RentalReturn: end },
};
const travelport = {
  ReservationResponse: {
    Reservation: {
      Traveler: [{ id: 't', PersonName: { Given: 'ROSA MS', Surname: 'LIND' } }],
      Offer: [
        {
          id: 'o1',
          Product: [
            {
              '@type': 'ProductAir',
              FlightSegment: [
                {
                  sequence: 1,
                  Flight: { ...flight, id: 'f1', Departure: there, Arrival: { ...there, location: 'JFK' } },
                },
              ],
            },
          ],
        },
        {
          id: 'o2',
          Product: [{ '@type': 'ProductHospitality', propertyName: 'Probe', DateRange: { start: '2026-12-03' } }],
        },
        { id: 'o3', Product: [{ '@type': 'ProductVehicle', Vehicle: vehicle }] },
      ],
      Receipt: [
        {
          '@type': 'ReceiptConfirmation',
          Confirmation: {
            Locator: { value: 'ABCDEF', source: '1G' },
            OfferStatus: {
              '@type': 'OfferStatusAir',
              StatusAir: [{ flightRefs: ['f1'], code: 'HK', value: 'Confirmed' }],
            },
          },
        },
        held('Hospitality', 'HTL1', { OfferRef: ['o2'] }),
        held('Vehicle', 'CAR1', { OfferRef: ['o3'] }),
        { '@type': 'ReceiptPayment', Document: [{ Number: '999', TravelerIdentifierRef: { id: 't' } }] },
      ],
    },
  },
};
const sabre = {
  bookingId: 'ABCDEF',
  bookingSignature: 's',
  travelers: [{ givenName: 'ROSA', surname: 'LIND' }],
  flights: [
    {
      airlineCode: 'LH',
      flightNumber: 400,
      fromAirportCode: 'FRA',
      toAirportCode: 'JFK',
      departureDate: '2026-12-03',
      departureTime: '10:05',
      arrivalDate: '2026-12-03',
      arrivalTime: '12:50',
      seats: [{ number: '14B' }],
      flightStatusCode: 'HK',
    },
  ],
  hotels: [{ hotelName: 'Probe', checkInDate: '2026-12-03', hotelStatusCode: 'HK', address: { countryCode: 'DE' } }],
  cars: [{ vendorName: 'Probe', pickUpDate: '2026-12-03', pickUpTime: '14:00', carStatusCode: 'HK' }],
  flightTickets: [{ number: '999', travelerIndex: 1 }],
};
const bookingCom = {
  data: [
    {
      id: '5049',
      reservation: 'ABCDEF',
      status: 'booked',
      checkin: '2026-12-03',
      checkout: '2026-12-05',
      accommodation_details: { name: 'Probe', telephone: '1', location: { address: 'Weg 1', country: 'de' } },
      products: [{ guests: [{ name: 'Rosa Lind' }] }],
    },
  ],
};
const hotelbeds = {
  booking: {
    reference: '102-1234567',
    status: 'CONFIRMED',
    holder: { name: 'Rosa', surname: 'Lind' },
    hotel: {
      name: 'Probe',
      destinationName: 'Berlin',
      checkIn: '2026-12-03',
      checkOut: '2026-12-05',
      rooms: [{ paxes: [{ name: 'Rosa', surname: 'Lind' }] }],
    },
  },
};

const clock = stillClock(NOW);
let body: unknown;
const token = { status: 200, json: { access_token: 't', expires_in: 86_400 }, headers: {} };
const http: ProviderHttp = {
  ask: async ({ url }) => (url.endsWith('/token') ? token : { status: 200, json: body, headers: {} }),
  close: async () => {},
};
const account = 'x';
const gds = { account, user: 'u', password: 'p', pcc: 'AB12', queues: [], clock, http };
const cases: readonly (readonly [unknown, ProviderConnector, string])[] = [
  [travelport, createTravelportConnector({ ...gds, clientId: 'c', clientSecret: 's', core: '1G' }), 'ABCDEF'],
  [sabre, createSabreConnector({ ...gds, domain: 'AA', parts: [] }), 'ABCDEF'],
  [
    bookingCom,
    createBookingComConnector({ account, token: 't', affiliateId: '1', ids: 'reservations', clock, http }),
    'ABCDEF',
  ],
  [hotelbeds, createHotelbedsConnector({ account, key: 'k', secret: 's', clock, http }), '102-1234567'],
];

const PAIRS_MAX = 600;

type Path = readonly (string | number)[];

function pathsIn(value: unknown, at: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return at.length === 0 ? [] : [at];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  const below = [...keys].flatMap((key) => pathsIn((value as Record<string | number, unknown>)[key], [...at, key]));
  return at.length === 0 ? below : [at, ...below];
}

/** A copy with something else there; undefined: nothing. */
function changed(value: unknown, path: Path, to: unknown): unknown {
  const copy = structuredClone(value);
  let parent = copy as Record<string | number, unknown> | undefined;
  for (const key of path.slice(0, -1)) parent = parent?.[key] as typeof parent;
  const last = path.at(-1)!;
  if (typeof parent !== 'object' || parent === null) return copy;
  if (to === undefined && Array.isArray(parent)) parent.splice(last as number, 1);
  else if (to === undefined) delete parent[last];
  else parent[last] = to;
  return copy;
}

/** An answer that fits our contract, "not there", or an error of ours. */
async function read(connector: ProviderConnector, id: string, answer: unknown): Promise<ReadResult | undefined> {
  body = answer;
  const [subject] = connector.subjectsOf(reservation([], { bookingKeys: [`id:${account}:${id}`] }));
  const result = await connector.readOne(subject!, new AbortController().signal).catch((error: unknown) => {
    assert.ok(error instanceof TripwatchError, String(error));
    assert.notEqual(error.kind, 'defect', error.message);
  });
  if (result?.kind === 'found') {
    answerSchema.parse(result.answer);
    assert.ok(result.answer.bookingKeys.includes(`id:${account}:${id}`));
  }
  return result ?? undefined;
}

function saysCancelled(result: ReadResult | undefined): boolean {
  if (result?.kind !== 'found') return false;
  return [result.answer, ...result.answer.legs].some(({ facts }) => facts.status?.value === 'cancelled');
}

for (const [good, connector, id] of cases) {
  test(`${connector.label}: whatever one or two parts of an answer are missing, nothing is cancelled by it`, async () => {
    const paths = pathsIn(good);
    // The later one goes first: it would move what stands behind it in a list.
    const pairs = paths.flatMap((one, i) => paths.slice(i + 1).map((other) => [other, one]));
    const stride = Math.ceil(pairs.length / PAIRS_MAX);
    let found = 0;
    for (const gone of [...paths.map((one) => [one]), ...pairs.filter((_, i) => i % stride === 0)]) {
      const rest = gone.reduce((answer, path) => changed(answer, path, undefined), good);
      const result = await read(connector, id, rest);
      assert.ok(!saysCancelled(result), `without ${gone.map((path) => path.join('.')).join(' and ')}`);
      if (result?.kind === 'found') found++;
    }
    assert.ok(found > paths.length, 'most are still answers');
  });

  test(`${connector.label}: whatever stands anywhere in an answer, it is read or refused, never a crash`, async () => {
    const paths = pathsIn(good);
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        null,
        '',
        '__proto__',
        'constructor',
        'toString',
        '2026-13-45',
        '99:99',
        '2026-12-03T25:00',
        -1,
        1e308,
      ),
      fc.string({ minLength: 600, maxLength: 700 }),
      fc.object({ maxDepth: 2 }),
      fc.array(fc.anything({ maxDepth: 1 })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(paths.length - 1), odd), { minLength: 1, maxLength: 4 }),
        async (edits) => {
          let answer: unknown = good;
          for (const [which, to] of edits) answer = changed(answer, paths[which]!, to ?? null);
          await read(connector, id, answer);
        },
      ),
      { numRuns: 150, seed: 20_261_126 },
    );
  });
}
