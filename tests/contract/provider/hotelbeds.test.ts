import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createHotelbedsConnector } from '../../../src/adapters/provider/hotelbeds/connector.ts';
import { PAGE, pageTaken, readCursor } from '../../../src/adapters/provider/hotelbeds/list.ts';
import { toAnswer } from '../../../src/adapters/provider/hotelbeds/map.ts';
import { quotaSaid } from '../../../src/adapters/provider/hotelbeds/refusals.ts';
import { bookingAnswerSchema, type HotelbedsBooking } from '../../../src/adapters/provider/hotelbeds/schema.ts';
import { hotelbeds, hotelbedsReference } from '../../../src/sandbox/providers/hotelbeds.ts';
import { cancelledBy, endDayAt } from '../../../src/sandbox/scenario/state.ts';
import { HOUR, MINUTE, type PlaceBooking } from '../../../src/sandbox/scenario/types.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { DAY, HOURS, placeAgrees, withFake } from './truth.ts';
import { json, startVendor } from './vendor-server.ts';

const SECRET = 'hb-secret-1';
const REFERENCE = '102-1234567';
const booking = (change: Record<string, unknown> = {}, hotel: Record<string, unknown> = {}) => ({
  auditData: { timestamp: '2026-12-01 06:00:00', serverId: 'A1' },
  booking: {
    reference: REFERENCE,
    clientReference: 'AGENCY1',
    status: 'CONFIRMED',
    creationDate: '2026-10-01',
    holder: { name: 'Rosa', surname: 'Lind' },
    hotel: {
      code: 1,
      name: 'Gasthof Probe',
      destinationName: 'Berlin',
      checkIn: '2026-12-03',
      checkOut: '2026-12-05',
      rooms: [
        {
          status: 'CONFIRMED',
          paxes: [
            { name: 'Rosa', surname: 'Lind' },
            { name: 'Ida', surname: 'Lind' },
          ],
        },
      ],
      ...hotel,
    },
    totalNet: '243.32',
    ...change,
  },
});
const clock = stillClock(NOW);
const make = (options: object = {}) =>
  createHotelbedsConnector({ account: 'beds', key: KEY, secret: SECRET, listMinutes: 60, clock, ...options });
const registered = (id: string) => reservation([], { bookingKeys: [`id:beds:${id}`] });
const subject = make().subjectsOf(registered(REFERENCE))[0]!;
const { signal } = new AbortController();

providerContract({
  name: 'Hotelbeds',
  create: make,
  subject,
  good: () => booking(),
  noisy: () => ({ ...booking({ invoiceCompany: {}, totalNet: 9 }), auditData: { timestamp: 'later' }, more: 1 }),
  cancelled: () => booking({ status: 'CANCELLED', cancellationReference: 'CXL1', holder: {} }, { rooms: [] }),
  other: () => booking({ reference: '102-7654321' }),
  absent: { status: 404, body: { error: { code: 'INVALID_DATA', message: 'Booking not found' } } },
  strange: [7, 'text', null, {}, [], { booking: {} }, { booking: { status: 'CONFIRMED' } }],
});

async function asking(
  run: (rig: Awaited<ReturnType<typeof startVendor>>, c: ReturnType<typeof make>) => Promise<void>,
) {
  const vendor = await startVendor();
  const connector = make({ url: vendor.url });
  try {
    await run(vendor, connector);
  } finally {
    await connector.close!();
    await vendor.close();
  }
}

test('each question is signed with the time it is asked at', () =>
  asking(async (vendor, connector) => {
    vendor.behave = json(200, booking());
    await connector.readOne(subject, signal);
    const { url, headers } = vendor.asked[0]!;
    assert.equal(url, `/hotel-api/1.0/bookings/${REFERENCE}`);
    assert.equal(headers['api-key'], KEY);
    const signed = createHash('sha256')
      .update(`${KEY}${SECRET}${NOW / 1000}`)
      .digest('hex');
    assert.equal(headers['x-signature'], signed);
    assert.ok(!JSON.stringify(headers).includes(SECRET));
  }));

test('the gateway answers 403 for four things: a spent quota is no wrong key', () =>
  asking(async (vendor, connector) => {
    const refused = async (code: string, more: Record<string, string> = {}) => {
      vendor.behave = json(403, {}, { 'x-mashery-error-code': code, ...more });
      return connector.readOne(subject, signal).then(
        () => assert.fail('answered'),
        (error: { code: string; retryAt?: number }) => error,
      );
    };
    assert.equal((await refused('ERR_403_DEVELOPER_INACTIVE')).code, 'provider-unauthorised');
    assert.equal((await refused('ERR_403_NOT_AUTHORIZED')).code, 'provider-unauthorised');
    assert.equal(connector.limitsSaid!(), undefined);
    const fast = await refused('ERR_403_DEVELOPER_OVER_QPS', { 'retry-after': '1' });
    assert.deepEqual([fast.code, fast.retryAt], ['provider-rate-limited', NOW + 1000]);
    assert.equal(connector.limitsSaid!(), undefined);
    assert.equal((await refused('ERR_403_DEVELOPER_OVER_RATE')).code, 'provider-rate-limited');
    assert.deepEqual(connector.limitsSaid!(), { limits: [], left: 0, resetAt: NOW + HOUR });
    const told = await refused('ERR_403_DEVELOPER_OVER_RATE', { 'retry-after': '7200' });
    assert.equal(told.retryAt, NOW + 2 * HOUR);
    assert.equal(connector.limitsSaid!(), undefined, 'the hint goes first');
    vendor.behave = json(403, { error: 'Quota exceeded' });
    await assert.rejects(connector.readOne(subject, signal), { code: 'provider-rate-limited' });
  }));

test('the quota of the day is told where the gateway tells it', () => {
  const headers = {
    'x-packagekey-quota-allotted': '50',
    'x-packagekey-quota-current': '12',
    'x-packagekey-quota-reset': new Date(NOW + 5 * HOUR).toUTCString(),
  };
  const said = { limits: [{ max: 50, perSeconds: 86_400 }], left: 38, resetAt: NOW + 5 * HOUR };
  assert.deepEqual(quotaSaid(headers, NOW), said);
  assert.equal(quotaSaid({ ...headers, 'x-packagekey-quota-reset': 'soon' }, NOW), undefined);
  assert.equal(quotaSaid({ ...headers, 'x-packagekey-quota-allotted': 'many' }, NOW), undefined);
  assert.equal(quotaSaid({ ...headers, 'x-packagekey-quota-reset': new Date(NOW - 1).toUTCString() }, NOW), undefined);
  assert.equal(quotaSaid({}, NOW), undefined);
});

test('errors inside status 200', () =>
  asking(async (vendor, connector) => {
    const says = (code: string, message: string) => {
      vendor.behave = json(200, { error: { code, message } });
      return connector.readOne(subject, signal);
    };
    assert.deepEqual(await says('INVALID_DATA', 'The booking was not found'), { kind: 'absent' });
    await assert.rejects(says('INVALID_DATA', 'words'), { code: 'provider-refused' });
    await assert.rejects(says('SYSTEM_ERROR', 'words'), { code: 'provider-failed' });
  }));

const read = (change: Record<string, unknown> = {}) => {
  const parsed = bookingAnswerSchema.parse(booking(change)).booking as HotelbedsBooking;
  return toAnswer(parsed, 'beds', REFERENCE, '2026-12-01T06:00:00.000Z');
};

test('a booking in our words; the net rate is the agency’s own', () => {
  const answer = read();
  const [leg] = answer.legs;
  assert.deepEqual(answer.bookingKeys, ['id:beds:102-1234567', 'ref:stay:1021234567']);
  assert.equal(leg!.facts['start.scheduled']?.value, '2026-12-03');
  assert.equal(leg!.facts['start.locality']?.value, 'Berlin');
  assert.ok(leg!.facts['passenger.lindrosa.name'] && leg!.facts['passenger.idalind.name']);
  assert.ok(!JSON.stringify(answer).includes('243'));
});

test('states by table; what is not in it is never a cancellation', () => {
  const stateOf = (change: Record<string, unknown>) => read(change).facts.status?.value;
  assert.equal(stateOf({ status: 'PRECONFIRMED' }), 'pending');
  assert.equal(stateOf({ status: 'CANCELLED' }), 'cancelled');
  for (const status of ['CANCELLATION_PENDING', '', null]) assert.equal(stateOf({ status }), undefined);
});

test('a reference is asked as it was printed, never without its dash', () => {
  const mail = (printed: string) =>
    make().subjectsOf(
      reservation(
        { kind: 'stay', facts: { name: 'Gasthof Probe', 'start.scheduled': '2026-12-03' } },
        {
          bookingKeys: ['ref:stay:1021234567'],
          fields: reservation({ kind: 'stay', facts: { reference: printed } }).legs[0]!.fields,
        },
      ),
    );
  assert.deepEqual(
    mail(REFERENCE).map(({ query }) => query),
    [{ reference: REFERENCE, day: '2026-12-03' }],
  );
  assert.deepEqual(mail('1021234567'), []);
});

test('the list wakes who stands otherwise than at the last look, page by page', () => {
  const item = (i: number, status = 'CONFIRMED') =>
    ({
      reference: `1-${1000 + i}`,
      status,
      hotel: { checkIn: '2026-12-03', checkOut: '2026-12-05' },
    }) as HotelbedsBooking;
  const all = Array.from({ length: PAGE + 20 }, (_, i) => item(i));
  const isReference = /^\d-\d{4}$/;
  const look = (cursor: string | undefined, items: readonly HotelbedsBooking[]) => {
    const wakes = [];
    let at = readCursor(cursor);
    for (;;) {
      const page = pageTaken(at, items.slice(at.from - 1, at.from - 1 + PAGE), items.length, isReference);
      wakes.push(...page.wakes);
      at = readCursor(page.cursor);
      if (!page.more) return { wakes, cursor: page.cursor };
    }
  };
  const first = look(undefined, all);
  assert.equal(first.wakes.length, PAGE + 20);
  const same = look(first.cursor, all);
  assert.deepEqual(same.wakes, []);
  const changed = look(same.cursor, all.with(3, item(3, 'CANCELLED')).with(PAGE + 1, item(PAGE + 1, 'CANCELLED')));
  assert.deepEqual(changed.wakes, ['booking:1-1003', `booking:1-${1000 + PAGE + 1}`]);
  assert.deepEqual(look('not ours', all.slice(0, 1)).wakes, ['booking:1-1000']);
  assert.equal(pageTaken(readCursor(undefined), [], 999, isReference).more, false, 'an empty page ends it');
  const strange = pageTaken(readCursor(undefined), [item(1), { ...item(2), reference: 'x y' }], 2, isReference);
  assert.deepEqual(strange.wakes, ['booking:1-1001']);
});

const stays = DAY.bookings.filter((one): one is PlaceBooking => one.kind === 'stay');
const fakeOf = (quotaPerDay: number, tellsQuota = false) => ({
  vendor: () => hotelbeds(DAY, { key: KEY, secret: SECRET, quotaPerDay, tellsQuota }),
  connector: (options: object) => make(options),
});

test('the day: every booking by its reference, and the list wakes exactly those that changed', () =>
  withFake(fakeOf(1_000_000), async ({ connector, at, signal: calling }) => {
    const seen = { cancelled: 0, open: 0, absent: 0 };
    const states = new Map<string, string>();
    let cursor: string | undefined;
    const before = Math.min(...stays.map((one) => one.bookedAt));
    for (const time of [before, ...HOURS]) {
      at(time);
      const list = await connector.listChanged!(cursor, calling);
      const expected = [];
      for (const one of stays) {
        const id = hotelbedsReference(one);
        const [spec] = connector.subjectsOf(registered(id));
        const result = await connector.readOne(spec!, calling);
        if (one.bookedAt > time) {
          assert.equal(result.kind, 'absent');
          seen.absent++;
          continue;
        }
        assert.ok(result.kind === 'found');
        placeAgrees(result.answer, one, time);
        if (cancelledBy(one, time)) seen.cancelled++;
        else if (result.answer.facts.status === undefined) seen.open++;
        const state = `${cancelledBy(one, time)} ${endDayAt(one, time)}`;
        if (states.get(id) !== state) expected.push(`booking:${id}`);
        states.set(id, state);
      }
      if (time >= DAY.options.startAt) {
        assert.deepEqual([...list.wakes].sort(), expected.sort());
        cursor = list.cursor;
      } else states.clear();
    }
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, what);
  }));

test('the fake: a quota of a day that says so by 403, a clock that is wrong, another booking', async () => {
  const spec = make().subjectsOf(registered(hotelbedsReference(stays[0]!)))[0]!;
  await withFake(fakeOf(3, true), async ({ connector, at }) => {
    at(HOURS[1]!);
    for (let left = 2; left >= 0; left--) {
      assert.equal((await connector.readOne(spec, signal)).kind, 'found');
      assert.equal(connector.limitsSaid!()?.left, left);
    }
    await assert.rejects(connector.readOne(spec, signal), { code: 'provider-rate-limited' });
    at(HOURS[1]! + 24 * HOUR);
    assert.equal((await connector.readOne(spec, signal)).kind, 'found');
  });
  const late = {
    ...fakeOf(99),
    connector: (options: object) => make({ ...options, clock: stillClock(DAY.options.startAt - 10 * MINUTE) }),
  };
  await withFake(late, async ({ connector }) => {
    await assert.rejects(connector.readOne(spec, signal), { code: 'provider-unauthorised', message: /clock/ });
  });
  const { startAt } = DAY.options;
  const faults = [{ provider: 'hotelbeds', kind: 'other', from: startAt, to: startAt + HOUR, share: 1 }] as const;
  await withFake({ ...fakeOf(99), scenario: { ...DAY, faults } }, async ({ connector }) => {
    await assert.rejects(connector.readOne(spec, signal), { code: 'provider-answered-other' });
  });
});
