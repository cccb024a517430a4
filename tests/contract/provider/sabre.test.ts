import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookAtQueues } from '../../../src/adapters/provider/booking/changed.ts';
import { createSabreConnector } from '../../../src/adapters/provider/sabre/connector.ts';
import { toAnswer } from '../../../src/adapters/provider/sabre/map.ts';
import { locatorsOf } from '../../../src/adapters/provider/sabre/queue.ts';
import { bookingSchema } from '../../../src/adapters/provider/sabre/schema.ts';
import { sabre } from '../../../src/sandbox/providers/sabre.ts';
import { cancelledBy, indexOf } from '../../../src/sandbox/scenario/state.ts';
import { type AirBooking, HOUR } from '../../../src/sandbox/scenario/types.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { airAgrees, DAY, HOURS, withFake } from './truth.ts';
import { json, startVendor } from './vendor-server.ts';

const who = { account: 'gds', user: '500001', pcc: 'AB12', domain: 'AA', queues: ['50'], parts: [] } as const;
const flight = (change: Record<string, unknown> = {}) => ({
  confirmationId: 'QQLH22',
  airlineCode: 'LH',
  flightNumber: 400,
  fromAirportCode: 'FRA',
  toAirportCode: 'JFK',
  departureDate: '2026-12-03',
  departureTime: '10:05',
  arrivalDate: '2026-12-03',
  arrivalTime: '12:50',
  departureTerminalName: 'TERMINAL 1',
  seats: [{ number: '14B', statusCode: 'HK' }],
  flightStatusCode: 'HK',
  ...change,
});
const booking = (change: Record<string, unknown> = {}) => ({
  bookingId: 'ABCDEF',
  bookingSignature: 'sig-1',
  travelers: [{ givenName: 'ROSA', surname: 'LIND' }],
  flights: [flight()],
  flightTickets: [{ number: '9990000000001', travelerIndex: 1 }],
  request: { confirmationId: 'ABCDEF' },
  ...change,
});
const errors = (type: string, category = 'X') => ({ errors: [{ type, category, description: 'words' }] });

const clock = stillClock(NOW);
const make = (options: object = {}) => createSabreConnector({ ...who, password: KEY, clock, ...options });
const registered = (id: string) => reservation([], { bookingKeys: [`id:gds:${id}`] });
const subject = make().subjectsOf(registered('ABCDEF'))[0]!;
/** Tokens are handed out, whatever else it does. */
const around =
  (behave: import('./vendor-server.ts').Behaviour): import('./vendor-server.ts').Behaviour =>
  (request, response) =>
    request.url?.endsWith('/auth/token')
      ? json(200, { access_token: 'tok', expires_in: 1800 })(request, response)
      : behave(request, response);

providerContract({
  name: 'Sabre',
  create: make,
  subject,
  around,
  good: () => booking(),
  noisy: () => booking({ timestamp: '2026-12-01T06:00:01', bookingSignature: 'sig-noise', remarks: [{ text: 'x' }] }),
  cancelled: () => booking({ bookingSignature: 'sig-2', flights: [flight({ flightStatusCode: 'HX' })] }),
  other: () => booking({ bookingId: 'ZZZZZZ' }),
  absent: { status: 200, body: errors('BOOKING_NOT_FOUND', 'RESOURCE_NOT_FOUND') },
  strange: [7, 'text', null, {}, { flights: [flight()] }, []],
});

test('errors inside status 200, by their type; warnings are part answers without a token', async () => {
  const vendor = await startVendor();
  vendor.around = around;
  const connector = make({ url: vendor.url });
  const { signal } = new AbortController();
  const failsAs = async (body: unknown, code: string) => {
    vendor.behave = json(200, body);
    await assert.rejects(connector.readOne(subject, signal), { code });
  };
  await failsAs(errors('UNAUTHORIZED_ACCESS', 'UNAUTHORIZED'), 'provider-unauthorised');
  await failsAs(errors('UNAUTHORIZED_ACCESS', 'RESOURCE_RESTRICTED'), 'provider-refused');
  await failsAs(errors('INVALID_VALUE', 'BAD_REQUEST'), 'provider-refused');
  await failsAs(errors('DOWNLINE_SERVICE_FAILURE', 'APPLICATION_ERROR'), 'provider-failed');
  await failsAs(errors('BRAND_NEW'), 'provider-failed');
  await failsAs({ errors: [...errors('X', 'WARNING').errors, ...errors('FAULT_RESPONSE').errors] }, 'provider-failed');
  vendor.behave = json(200, { ...booking(), flights: undefined, ...errors('RESOURCE_UNAVAILABLE', 'WARNING') });
  const part = await connector.readOne(subject, signal);
  assert.ok(part.kind === 'found');
  assert.equal(part.token, undefined);
  assert.equal(part.answer.facts.status, undefined, 'nothing is cancelled by being absent');
  const known = booking() as { readonly bookingSignature: string };
  const again = await connector.readIfChanged!(subject, known.bookingSignature, signal);
  assert.equal(again.kind, 'found', 'a part answer under a known signature is not the answer that is known');
  await connector.close!();
  await vendor.close();
});

const read = (change: Record<string, unknown>) =>
  toAnswer(bookingSchema.parse(booking(change)), 'ABCDEF', 'gds', '2026-12-01T06:00:00.000Z');

test('what the airline moved holds, and the day it was sold for is still a key', () => {
  const answer = read({
    flights: [flight({ updatedDepartureDate: '2026-12-04', updatedDepartureTime: '00:20', flightStatusCode: 'TK' })],
  });
  const [leg] = answer.legs;
  assert.equal(leg!.facts['start.scheduled']?.value, '2026-12-04T00:20:00+01:00[Europe/Berlin]');
  assert.equal(leg!.facts.status?.value, 'confirmed');
  assert.deepEqual(leg!.keys, ['leg:flight:lh400:2026-12-04:fra', 'leg:flight:lh400:2026-12-03:fra']);
  assert.deepEqual(answer.bookingKeys, ['id:gds:ABCDEF', 'ref:air:abcdef', 'ref:air:qqlh22']);
  assert.equal(leg!.facts['passenger.lindrosa.ticket']?.value, '9990000000001');
  assert.equal(leg!.facts['passenger.lindrosa.seat']?.value, '14B');
});

test('a code that nobody knows is never a cancellation', () => {
  assert.equal(read({ flights: [flight({ flightStatusCode: 'ZZ' })] }).facts.status, undefined);
  assert.equal(read({ flights: [flight({ flightStatusCode: 'UN' }), flight()] }).facts.status?.value, 'confirmed');
  const gone = { flights: [flight({ flightStatusCode: 'UN' })] };
  assert.equal(read(gone).facts.status?.value, 'cancelled');
  assert.equal(read({ ...gone, ...errors('RESOURCE_UNAVAILABLE', 'WARNING') }).facts.status, undefined);
});

test('stays and cars of a booking, at the hours of their places', () => {
  const answer = read({
    flights: [],
    hotels: [
      {
        hotelName: 'Gasthof Probe',
        checkInDate: '2026-12-03',
        checkInTime: '15:00',
        checkOutDate: '2026-12-05',
        hotelStatusCode: 'HK',
        address: { countryCode: 'DE', city: 'Berlin' },
      },
    ],
    cars: [
      {
        vendorName: 'Probe Cars',
        pickUpLocationCode: 'TXL',
        pickUpDate: '2026-12-03',
        pickUpTime: '14:00',
        carStatusCode: 'HX',
      },
    ],
  });
  assert.deepEqual(
    answer.legs.map((leg) => [leg.kind, leg.facts.status?.value]),
    [
      ['stay', 'confirmed'],
      ['rental', 'cancelled'],
    ],
  );
  assert.equal(answer.legs[0]!.facts['start.scheduled']?.value, '2026-12-03T15:00:00+01:00[Europe/Berlin]');
});

const list = (...ids: string[]) =>
  `<e:Envelope xmlns:e="x"><e:Body><QueueAccessRS><stl:ApplicationResults status="Complete"/>${ids.map((id) => `<Line><UniqueID ID="${id}"/></Line>`).join('')}</QueueAccessRS></e:Body></e:Envelope>`;

test('a queue wakes who is new on it, one queue a call', async () => {
  const on: Record<string, string[]> = { 50: ['BBBBBB', 'AAAAAA', 'bad', 'AAAAAA'], 60: ['AAAAAA'] };
  const asked: string[] = [];
  let cursor: string | undefined;
  const look = async (queues = ['50', '60']) => {
    const result = await lookAtQueues(cursor, queues, async (queue) => {
      asked.push(queue);
      return locatorsOf(list(...on[queue]!)) as string[];
    });
    cursor = result.cursor;
    return [result.wakes, result.more];
  };
  assert.deepEqual(await look(), [['booking:AAAAAA', 'booking:BBBBBB'], true]);
  assert.deepEqual(await look(), [['booking:AAAAAA'], false], 'on another queue it has changed again');
  on[50] = ['BBBBBB', 'CCCCCC'];
  assert.deepEqual(await look(), [['booking:CCCCCC'], true]);
  assert.deepEqual(await look(), [[], false]);
  on[50] = ['AAAAAA'];
  assert.deepEqual(await look(), [['booking:AAAAAA'], true], 'who was taken off and put on again');
  assert.deepEqual(await look(['50']), [[], false], 'a queue that is gone is not waited for');
  cursor = 'not ours';
  assert.deepEqual(await look(), [['booking:AAAAAA'], true]);
  assert.deepEqual(asked, ['50', '60', '50', '60', '50', '50', '50']);
});

test('faults of queues are translated; entities are not expanded', () => {
  const fault = (code: string) =>
    locatorsOf(`<E><Body><Fault><faultcode>${code}</faultcode></Fault></Body></E>`) as unknown as { refused: string[] };
  assert.equal(fault('soap:Client.InvalidSecurityToken').refused[1], 'provider-unauthorised');
  assert.equal(fault('soap:Server').refused[1], 'provider-failed');
  assert.throws(() => locatorsOf('<html></html>'), { code: 'provider-answered-unreadable' });
  assert.throws(() => locatorsOf('no xml'), { code: 'provider-answered-unreadable' });
  assert.throws(() => locatorsOf('<a>'.repeat(100)), { code: 'provider-answered-unreadable' });
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${list('AAAAAA').replace('Complete', '&b;')}`;
  assert.ok('refused' in locatorsOf(bomb));
});

test('the day: every booking by its locator through tokens that end, and the queue names those that changed', () =>
  withFake(
    {
      vendor: () => sabre(DAY, { user: who.user, pcc: who.pcc, password: KEY, queue: '50' }),
      connector: (options) => make(options),
    },
    async ({ connector, at, signal, fake }) => {
      const bookings = DAY.bookings.filter((one): one is AirBooking => one.kind === 'flight');
      const index = indexOf(DAY);
      const signatures = new Map<string, string>();
      let cursor: string | undefined;
      let [unchanged, parts, knownParts, woken] = [0, 0, 0, 0];
      for (const time of HOURS) {
        at(time);
        const list = await connector.listChanged!(cursor, signal);
        cursor = list.cursor;
        woken += list.wakes.length;
        for (const one of bookings) {
          const [spec] = connector.subjectsOf(registered(one.reference.toUpperCase()));
          const result = await connector.readOne(spec!, signal);
          if (one.bookedAt > time) {
            assert.equal(result.kind, 'absent');
            continue;
          }
          assert.ok(result.kind === 'found');
          if (result.token === undefined) {
            parts++;
            // What the part leaves out may be anything: it says neither that the booking is gone nor that a flight is.
            const { facts, legs } = result.answer;
            const off = [facts, ...legs.map((leg) => leg.facts)].some(({ status }) => status?.value === 'cancelled');
            assert.ok(!off || cancelledBy(one, time), `${one.id} is not cancelled by being absent`);
            continue;
          }
          airAgrees(
            result.answer,
            one,
            one.segments.map(({ flight: id }) => index.flight(id)),
            time,
          );
          if (signatures.get(one.id) === result.token) unchanged++;
          else if (signatures.has(one.id))
            assert.ok(cursor.includes(one.reference.toUpperCase()), `${one.id} is on the queue`);
          signatures.set(one.id, result.token);
          // Also under a signature that is known a part is no "unchanged", and no signature is taken from it.
          const again = await connector.readIfChanged!(spec!, result.token, signal);
          if (again.kind === 'found' && again.token === undefined) knownParts++;
          else assert.equal(again.kind, 'unchanged');
        }
      }
      assert.ok(unchanged > 10 && parts > 0 && knownParts > 0 && woken > 0);
      const fetched = fake.calls().filter((call) => call.identifier === 'token').length;
      assert.equal(fetched, HOURS.length, 'one token each half hour that it is used in');
      assert.ok(HOURS[1]! - HOURS[0]! > HOUR / 2);
    },
  ));
