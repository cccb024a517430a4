import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBookingComConnector } from '../../../src/adapters/provider/booking-com/connector.ts';
import { carAnswer, stayAnswer } from '../../../src/adapters/provider/booking-com/map.ts';
import { carsAnswer, staysAnswer } from '../../../src/adapters/provider/booking-com/schema.ts';
import { answerSchema } from '../../../src/contracts/topics.ts';
import type { Kind } from '../../../src/domain/facts.ts';
import type { BatchResult, SubjectSpec } from '../../../src/ports/provider.ts';
import { bookingCom, orderOf, reservationOf } from '../../../src/sandbox/providers/booking-com.ts';
import { cancelledBy } from '../../../src/sandbox/scenario/state.ts';
import { HOUR, MINUTE, type PlaceBooking } from '../../../src/sandbox/scenario/types.ts';
import { stillClock } from '../store/harness.ts';
import { fieldsOf, reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { DAY, HOURS, placeAgrees, withFake } from './truth.ts';
import { json, startVendor } from './vendor-server.ts';

const RESERVATION = '2321873123';
const stay = (change: Record<string, unknown> = {}) => ({
  id: '504910666233852',
  reservation: 2_321_873_123,
  status: 'booked',
  checkin: '2026-12-03',
  checkout: '2026-12-05',
  accommodation: 10_004,
  accommodation_details: {
    name: 'Gasthof Probe',
    telephone: '+1 202 555 0101',
    location: { address: 'Probeweg 1', city: -1_746_443, country: 'de' },
  },
  products: [{ status: 'booked', guests: [{ name: 'Rosa Lind' }] }],
  pin_code: '4711',
  ...change,
});
const data = (...items: unknown[]) => ({ request_id: 'r1', data: items });
const who = { account: 'affiliate', affiliateId: '1234567', ids: 'reservations' } as const;
const clock = stillClock(NOW);
const make = (options: object = {}) => createBookingComConnector({ ...who, token: KEY, clock, ...options });
const registered = (id: string, kind: Kind = 'stay') =>
  reservation([], { bookingKeys: [`id:affiliate:${id}`], fields: fieldsOf({ kind }) });
const subjectOf = (id: string, kind?: Kind) => make().subjectsOf(registered(id, kind))[0]!;
const subject = subjectOf(RESERVATION);

providerContract({
  name: 'Booking.com',
  create: make,
  subject,
  good: () => data(stay()),
  noisy: () => ({ ...data(stay({ loyalty_reward: null, price: { total: 3 }, pin_code: '0815' })), request_id: 'r2' }),
  cancelled: () => data(stay({ status: 'cancelled_by_accommodation' })),
  other: () => data(stay({ reservation: 1, id: '9' })),
  absent: { status: 200, body: data() },
  strange: [7, 'text', null, {}, [], { data: null }, { data: {} }, { data: ['x'] }],
});

async function asking(
  run: (rig: Awaited<ReturnType<typeof startVendor>>, connector: ReturnType<typeof make>) => Promise<void>,
  options: object = {},
) {
  const vendor = await startVendor();
  const connector = make({ url: vendor.url, ...options });
  try {
    await run(vendor, connector);
  } finally {
    await connector.close!();
    await vendor.close();
  }
}
const { signal } = new AbortController();

test('many in one call: each with its own, in the order asked, whatever the order of the answer', () =>
  asking(async (vendor, connector) => {
    const ids = ['2321873123', '2321873124', '2321873125'];
    vendor.behave = json(200, data(stay({ reservation: '2321873125', checkout: '2026-12-09' }), stay()));
    const results = await connector.readMany!(
      ids.map((id) => subjectOf(id)),
      signal,
    );
    assert.equal(vendor.asked.length, 1);
    assert.deepEqual(
      results.map((one) => (one.kind === 'found' ? one.answer.facts.reference?.value : one.kind)),
      ['2321873123', 'absent', '2321873125'],
    );
  }));

test('an answer that has orders nobody asked for says of nobody that he does not exist', () =>
  asking(async (vendor, connector) => {
    vendor.behave = json(200, data(stay(), stay({ reservation: 1 })));
    const [mine, absent] = await connector.readMany!([subject, subjectOf('2321873124')], signal);
    assert.equal(mine?.kind, 'found');
    assert.ok(absent?.kind === 'failed');
    assert.equal(absent.error.code, 'provider-answered-other');
  }));

test('stays and cars have addresses of their own: never asked in one call, and none is answered for the other', () =>
  asking(async (vendor, connector) => {
    vendor.behave = json(200, data(stay()));
    const car = subjectOf('88001122', 'rental');
    assert.notEqual(connector.batchOf!(car), connector.batchOf!(subject));
    const [room, other] = await connector.readMany!([subject, car], signal);
    assert.ok(room?.kind === 'found');
    assert.deepEqual(other, { kind: 'unanswered' });
    vendor.behave = json(500, { errors: [{ id: 'x' }] });
    await assert.rejects(connector.readMany!([car], signal), { code: 'provider-failed' });
    assert.deepEqual(
      vendor.asked.map(({ url }) => url),
      ['/orders/details/accommodations', '/orders/details/cars'],
    );
  }));

test('shut out without a hint, it says for how long; a hint goes first; the next answer says nothing', () =>
  asking(async (vendor, connector) => {
    vendor.behave = json(429, { errors: [{ id: 'too_many_requests' }] });
    await assert.rejects(connector.readOne(subject, signal), { code: 'provider-rate-limited' });
    assert.deepEqual(connector.limitsSaid!(), { limits: [], left: 0, resetAt: NOW + 60_000 });
    vendor.behave = json(429, {}, { 'retry-after': '5' });
    await assert.rejects(connector.readOne(subject, signal), { code: 'provider-rate-limited' });
    assert.equal(connector.limitsSaid!(), undefined);
    vendor.behave = json(200, data(stay()));
    await connector.readOne(subject, signal);
    assert.equal(connector.limitsSaid!(), undefined);
  }));

const about = { id: RESERVATION, account: 'affiliate', fetchedAt: '2026-12-01T06:00:00.000Z' };
const readStay = (change: Record<string, unknown>) => stayAnswer(staysAnswer.parse(data(stay(change))).data, about);

test('a stay in our words, without the PIN that opens it', () => {
  const answer = readStay({});
  const [leg] = answer.legs;
  assert.deepEqual(answer.bookingKeys, ['id:affiliate:2321873123', 'ref:stay:2321873123']);
  assert.equal(leg!.facts['start.scheduled']?.value, '2026-12-03');
  assert.equal(leg!.facts['start.country']?.value, 'DE');
  assert.equal(leg!.facts['start.locality'], undefined, 'a number of theirs is no place');
  assert.equal(leg!.facts['passenger.lindrosa.name']?.value, 'Rosa Lind');
  assert.ok(!JSON.stringify(answerSchema.parse(answer)).includes('4711'));
});

test('states by table; what is not in it is never a cancellation', () => {
  const stateOf = (status: unknown) => readStay({ status }).facts.status?.value;
  for (const status of ['cancelled', 'cancelled_by_guest', 'cancelled_by_accommodation'])
    assert.equal(stateOf(status), 'cancelled');
  assert.equal(stateOf('stayed'), 'confirmed');
  for (const status of ['no_show', 'cancellation_requested', null, 7]) assert.equal(stateOf(status), undefined);
});

test('a rental, at the hours of its place', () => {
  const car = {
    id: '1',
    reservation: '88001122',
    status: 'booked',
    pickup: { datetime: '2026-12-03T14:00:00', location: { name: 'Probe Cars', iata: 'BER', country: 'de' } },
    dropoff: { date: '2026-12-05', time: '10:00', location: { country: 'de' } },
    supplier: { name: 'Probe Cars' },
    driver: { name: { first_name: 'Rosa', last_name: 'Lind' } },
  };
  const [leg] = carAnswer(carsAnswer.parse(data(car)).data, { ...about, id: '88001122' }).legs;
  assert.equal(leg!.facts['start.scheduled']?.value, '2026-12-03T14:00:00+01:00[Europe/Berlin]');
  assert.equal(leg!.facts['end.scheduled']?.value, '2026-12-05T10:00:00+01:00[Europe/Berlin]');
  assert.equal(leg!.facts['passenger.lindrosa.name']?.value, 'Rosa Lind');
});

test('subjects: by what it is registered as, by the printed number, and nothing of what it cannot tell', () => {
  const connector = make();
  assert.deepEqual(subject.query, { id: RESERVATION, thing: 'stay' });
  assert.deepEqual(subjectOf('88001122', 'rental').query, { id: '88001122', thing: 'car' });
  assert.deepEqual(connector.subjectsOf(registered('1', 'flight')), []);
  const mail = (reference: string) =>
    connector.subjectsOf(
      reservation(
        { kind: 'stay', facts: { name: 'Gasthof Probe', 'start.scheduled': '2026-12-03' } },
        { bookingKeys: [`ref:stay:${reference}`] },
      ),
    );
  assert.deepEqual(
    mail('2321873123').map(({ query }) => query),
    [{ reference: '2321873123', day: '2026-12-03', thing: 'stay' }],
  );
  assert.deepEqual(mail('htl77'), []);
});

test('a look-up is for the stay that begins on the day, not for whoever has the number now', () =>
  asking(async (vendor, connector) => {
    const [spec] = connector.subjectsOf(
      reservation(
        { kind: 'stay', facts: { name: 'Gasthof Probe', 'start.scheduled': '2026-12-03' } },
        { bookingKeys: ['ref:stay:2321873123'] },
      ),
    );
    vendor.behave = json(200, data(stay()));
    assert.equal((await connector.readOne(spec!, signal)).kind, 'found');
    vendor.behave = json(200, data(stay({ checkin: '2027-03-01' })));
    assert.deepEqual(await connector.readOne(spec!, signal), { kind: 'absent' });
  }));

const places = DAY.bookings.filter((one): one is PlaceBooking => one.kind !== 'flight');

for (const ids of ['reservations', 'orders'] as const)
  test(`the day, by ${ids}: every stay and car, a hundred a call`, () =>
    withFake(
      {
        vendor: () => bookingCom(DAY, { token: KEY, affiliateId: who.affiliateId }),
        connector: (options) => make({ ...options, url: `${options.url}/3.2`, ids }),
      },
      async ({ connector, at, signal: calling, fake }) => {
        const subjects = places.map((one) => {
          const id = ids === 'orders' ? orderOf(one) : reservationOf(one);
          return connector.subjectsOf(registered(id, one.kind))[0]!;
        });
        const seen = { cancelled: 0, open: 0, absent: 0 };
        const before = Math.min(...places.map((one) => one.bookedAt));
        for (const time of [before, ...HOURS]) {
          at(time);
          const results = new Map<SubjectSpec, BatchResult>();
          for (const batch of Map.groupBy(subjects, connector.batchOf!).values())
            for (const [i, result] of (await connector.readMany!(batch, calling)).entries())
              results.set(batch[i]!, result);
          for (const [i, one] of places.entries()) {
            const result = results.get(subjects[i]!)!;
            if (one.bookedAt > time) {
              assert.equal(result.kind, 'absent');
              seen.absent++;
              continue;
            }
            assert.ok(result.kind === 'found');
            assert.ok(result.answer.bookingKeys.includes(subjects[i]!.id.replace('booking:', 'id:affiliate:')));
            placeAgrees(result.answer, one, time);
            if (cancelledBy(one, time)) seen.cancelled++;
            else if (result.answer.facts.status === undefined) seen.open++;
          }
        }
        for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, what);
        assert.ok(fake.calls().length <= 2 * (HOURS.length + 1), 'one call a kind');
      },
    ));

test('the fake: too many ids, a wrong affiliate, another order, and a minute shut out', async () => {
  const { startAt } = DAY.options;
  const fault = {
    provider: 'booking-com',
    kind: 'other',
    from: startAt + HOUR,
    to: startAt + 2 * HOUR,
    share: 1,
  } as const;
  const scenario = { ...DAY, faults: [fault] };
  const one = places.find((place) => place.kind === 'stay' && place.bookedAt <= startAt)!;
  const spec = subjectOf(reservationOf(one));
  const vendor = () => bookingCom(scenario, { token: KEY, affiliateId: who.affiliateId });
  const connector = (options: { url: string }) => make({ ...options, url: `${options.url}/3.2` });
  await withFake({ vendor, connector, scenario, callsPerMinuteMax: 3 }, async (rig) => {
    const many = Array.from({ length: 101 }, (_, i) => subjectOf(String(10_000_000 + i)));
    await assert.rejects(rig.connector.readMany!(many, signal), { code: 'provider-refused' });
    assert.equal((await rig.connector.readMany!(many.slice(1), signal))[99]!.kind, 'absent');
    assert.equal((await rig.connector.readOne(spec, signal)).kind, 'found');
    for (let i = 0; i < 2; i++)
      await assert.rejects(rig.connector.readOne(spec, signal), { code: 'provider-rate-limited' });
    rig.at(startAt + MINUTE - 1);
    await assert.rejects(rig.connector.readOne(spec, signal), { code: 'provider-rate-limited' });
    rig.at(startAt + 2 * MINUTE);
    assert.equal((await rig.connector.readOne(spec, signal)).kind, 'found');
    rig.at(startAt + HOUR);
    await assert.rejects(rig.connector.readOne(spec, signal), { code: 'provider-answered-other' });
  });
  const stranger = (options: { url: string }) => make({ ...options, url: `${options.url}/3.2`, affiliateId: '1' });
  await withFake({ vendor, connector: stranger, scenario }, async (rig) => {
    await assert.rejects(rig.connector.readOne(spec, signal), { code: 'provider-unauthorised' });
  });
});
