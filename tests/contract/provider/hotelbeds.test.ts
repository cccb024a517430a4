import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { boardKeyOf, boardQuery, PAGE } from '../../../src/adapters/provider/hotelbeds/board.ts';
import { createHotelbedsConnector } from '../../../src/adapters/provider/hotelbeds/connector.ts';
import { toAnswer } from '../../../src/adapters/provider/hotelbeds/map.ts';
import { quotaSaid } from '../../../src/adapters/provider/hotelbeds/refusals.ts';
import { bookingAnswerSchema, type HotelbedsBooking } from '../../../src/adapters/provider/hotelbeds/schema.ts';
import { hotelbeds, hotelbedsReference } from '../../../src/sandbox/providers/hotelbeds.ts';
import { cancelledBy } from '../../../src/sandbox/scenario/state.ts';
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
  createHotelbedsConnector({ account: 'beds', key: KEY, secret: SECRET, clock, ...options });
const registered = (id: string) => reservation([], { bookingKeys: [`id:beds:${id}`] });
const subject = make().subjectsOf(registered(REFERENCE))[0]!;
const { signal } = new AbortController();

const onBoard = (answer: unknown) => ({ bookings: { total: 1, bookings: [(answer as { booking: unknown }).booking] } });

providerContract({
  name: 'Hotelbeds',
  ...{ onBoard },
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
    [{ reference: REFERENCE, day: '2026-12-03', checkIn: '2026-12-03' }],
  );
  assert.deepEqual(mail('1021234567'), []);
});

const onDay = (day: string | undefined) =>
  make().subjectsOf(
    reservation(day === undefined ? [] : { kind: 'stay', facts: { name: 'Gasthof Probe', 'start.scheduled': day } }, {
      bookingKeys: [`id:beds:${REFERENCE}`],
    }),
  )[0]!;

test('bookings of a month stand on one board; who has no known day, on the next one; a look-up on none', () => {
  const keys = ['2026-12-01', '2026-12-02', '2027-03-01'].map((day) => boardKeyOf(onDay(day))!);
  assert.equal(keys[0], keys[1]);
  assert.notEqual(keys[0], keys[2]);
  for (const [i, day] of ['2026-12-01', '2026-12-02', '2027-03-01'].entries()) {
    const query = new URLSearchParams(boardQuery(keys[i]!, 1, NOW));
    assert.ok(query.get('start')! <= day && day <= query.get('end')!);
    const days = Temporal.PlainDate.from(query.get('start')!).until(query.get('end')!).days;
    assert.equal(days, 29);
  }
  const next = new URLSearchParams(boardQuery(boardKeyOf(onDay(undefined))!, 1, NOW));
  assert.deepEqual([next.get('start'), next.get('end')], ['2026-11-30', '2026-12-29']);
  assert.equal(boardKeyOf({ ...subject, query: { reference: REFERENCE, day: '2026-12-03' } }), undefined);
});

test('a board is read page by page; who is not on it, or of whom it says nothing, is unanswered', () =>
  asking(async (vendor, connector) => {
    const item = (i: number, status: string | null = 'CONFIRMED') => ({
      reference: `1-${1000 + i}`,
      status,
      hotel: { name: 'Gasthof Probe', checkIn: '2026-12-03', checkOut: '2026-12-05' },
    });
    const all = Array.from({ length: PAGE + 20 }, (_, i) =>
      item(i, i === 3 ? 'CANCELLED' : i === 4 ? null : 'CONFIRMED'),
    );
    vendor.behave = (request, response) => {
      const from = Number(new URL(request.url!, 'http://x').searchParams.get('from'));
      const bookings = [...all.slice(from - 1, from - 1 + PAGE), { reference: 7 }];
      json(200, { bookings: { total: all.length, bookings } })(request, response);
    };
    const specs = [2, 3, 4, PAGE + 1, 999].map((i) => ({ ...subject, query: { id: `1-${1000 + i}` } }));
    const results = await connector.board!.read('2026-12-01', specs, signal);
    assert.deepEqual(
      results.map((one) => (one.kind === 'found' ? one.answer.facts.status?.value : one.kind)),
      ['confirmed', 'cancelled', 'unanswered', 'confirmed', 'unanswered'],
    );
    assert.equal(vendor.asked.length, 2);
    vendor.behave = json(200, { bookings: { total: 0 } });
    assert.deepEqual(await connector.board!.read('2026-12-01', [specs[0]!], signal), [{ kind: 'unanswered' }]);
    for (const odd of [{}, { bookings: 7 }, []]) {
      vendor.behave = json(200, odd);
      await assert.rejects(connector.board!.read('2026-12-01', specs, signal), {
        code: 'provider-answered-unreadable',
      });
    }
    vendor.behave = json(200, { error: { code: 'INVALID_DATA', message: 'words' } });
    await assert.rejects(connector.board!.read('2026-12-01', specs, signal), { code: 'provider-refused' });
  }));

const stays = DAY.bookings.filter((one): one is PlaceBooking => one.kind === 'stay');
const fakeOf = (quotaPerDay: number, tellsQuota = false) => ({
  vendor: () => hotelbeds(DAY, { key: KEY, secret: SECRET, quotaPerDay, tellsQuota }),
  connector: (options: object) => make(options),
});

test('the day: every booking by its reference, and the same by the board', () =>
  withFake(fakeOf(1_000_000), async ({ connector, at, signal: calling }) => {
    const seen = { cancelled: 0, open: 0, absent: 0, board: 0 };
    const before = Math.min(...stays.map((one) => one.bookedAt));
    const specs = stays.map((one) => connector.subjectsOf(registered(hotelbedsReference(one)))[0]!);
    for (const time of [before, ...HOURS]) {
      at(time);
      const board = await connector.board!.read('next', specs, calling);
      for (const [i, one] of stays.entries()) {
        const result = await connector.readOne(specs[i]!, calling);
        if (one.bookedAt > time) {
          assert.equal(result.kind, 'absent');
          assert.equal(board[i]!.kind, 'unanswered');
          seen.absent++;
          continue;
        }
        assert.ok(result.kind === 'found');
        placeAgrees(result.answer, one, time);
        if (cancelledBy(one, time)) seen.cancelled++;
        else if (result.answer.facts.status === undefined) seen.open++;
        const told = board[i]!;
        if (told.kind !== 'found') continue;
        placeAgrees(told.answer, one, time);
        assert.deepEqual(told.answer.legs[0]!.keys, result.answer.legs[0]!.keys);
        seen.board++;
      }
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
