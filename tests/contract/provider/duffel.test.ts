import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { createDuffelConnector } from '../../../src/adapters/provider/duffel/connector.ts';
import { orderAnswer } from '../../../src/adapters/provider/duffel/order.ts';
import { carAnswer, stayAnswer } from '../../../src/adapters/provider/duffel/places.ts';
import { carSchema, changeSchema, orderSchema, staySchema } from '../../../src/adapters/provider/duffel/schema.ts';
import { receivePush } from '../../../src/adapters/provider/duffel/webhook.ts';
import { createProviderHttp } from '../../../src/adapters/provider/http/http.ts';
import type { PushRequest } from '../../../src/ports/provider.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { json, startVendor, type VendorServer } from './vendor-server.ts';

const ORDER = 'ord_0000TestOrder01';
const SECRET = 'whsec-of-the-test';
const FETCHED = '2026-12-01T06:00:00.000Z';

const place = (code: string, zone: string) => ({
  iata_code: code,
  name: `${code} airport`,
  city_name: code,
  time_zone: zone,
});
function segment(change: Record<string, unknown> = {}) {
  return {
    id: 'seg_1',
    departing_at: '2026-12-03T10:05:00',
    arriving_at: '2026-12-03T12:50:00',
    origin: place('FRA', 'Europe/Berlin'),
    destination: place('JFK', 'America/New_York'),
    origin_terminal: '1',
    destination_terminal: null,
    marketing_carrier: { iata_code: 'LH', name: 'Lufthansa' },
    marketing_carrier_flight_number: '0400',
    operating_carrier: { iata_code: 'LH', name: 'Lufthansa' },
    operating_carrier_flight_number: '0400',
    aircraft: { name: 'Boeing 747-8' },
    passengers: [{ passenger_id: 'pas_1', cabin_class: 'economy', seat: { designator: '14B' } }],
    ...change,
  };
}
const slice = (...segments: unknown[]) => ({ id: 'sli_1', segments });
function order(change: Record<string, unknown> = {}) {
  return {
    id: ORDER,
    booking_reference: 'RZPNX8',
    synced_at: '2026-12-01T05:59:40Z',
    created_at: '2026-10-01T10:00:00.000Z',
    cancelled_at: null,
    owner: { iata_code: 'LH', name: 'Lufthansa' },
    total_amount: '412.60',
    total_currency: 'EUR',
    passengers: [{ id: 'pas_1', given_name: 'Rosa', family_name: 'Lind' }],
    documents: [{ type: 'electronic_ticket', unique_identifier: '9990000000001', passenger_ids: ['pas_1'] }],
    slices: [slice(segment())],
    airline_initiated_changes: [],
    ...change,
  };
}
function change(id: string, at: string, removed: unknown[], added: unknown[], rest: Record<string, unknown> = {}) {
  return {
    id,
    order_id: ORDER,
    created_at: at,
    updated_at: at,
    action_taken: null,
    removed: [slice(...removed)],
    added: [slice(...added)],
    ...rest,
  };
}

const clock = stillClock(NOW);
const plain = createDuffelConnector({ account: 'agency', token: KEY, clock, webhookSecret: SECRET });
const registered = reservation([], { bookingKeys: [`id:agency:${ORDER}`] });
const subject = plain.subjectsOf(registered)[0]!;

providerContract({
  name: 'Duffel',
  create: (options) => createDuffelConnector({ account: 'agency', token: KEY, ...options }),
  subject,
  good: () => ({ data: order() }),
  noisy: () => ({
    data: { ...order({ synced_at: '2026-12-01T05:59:59Z' }), carbon: { band: 'A' }, payment_status: { how: 'new' } },
    meta: { x: 1 },
  }),
  cancelled: () => ({ data: order({ cancelled_at: '2026-12-01T05:00:00Z' }) }),
  other: () => ({ data: order({ id: 'ord_0000SomeoneElse' }) }),
  absent: { status: 404, body: { errors: [{ type: 'invalid_request_error', code: 'not_found' }] } },
  strange: [{ data: null }, [], 'text', { data: { id: ORDER } }, { data: [order()] }],
});

test('an order: booking facts, zoned times, keys that others know, passengers', () => {
  const answer = orderAnswer(orderSchema.parse(order()), [], 'agency', FETCHED);
  assert.deepEqual(answer.bookingKeys, [`id:agency:${ORDER}`, 'ref:air:rzpnx8']);
  assert.equal(answer.facts.status?.value, 'confirmed');
  assert.equal(answer.facts['price.amount']?.value, '412.60');
  assert.equal(answer.authority, 'booking');
  assert.equal(answer.assertedAt, FETCHED);
  const [leg] = answer.legs;
  assert.deepEqual(leg!.keys, ['leg:flight:lh400:2026-12-03:fra']);
  const of = (path: string) => leg!.facts[path]?.value;
  assert.equal(of('start.scheduled'), '2026-12-03T10:05:00+01:00[Europe/Berlin]');
  assert.equal(of('end.scheduled'), '2026-12-03T12:50:00-05:00[America/New_York]');
  assert.equal(of('number'), '400');
  assert.equal(of('passenger.lindrosa.seat'), '14B');
  assert.equal(of('passenger.lindrosa.ticket'), '9990000000001');
  assert.deepEqual(leg!.facts['start.scheduled']?.evidence, {
    where: 'slices[0].segments[0].departing_at',
    raw: '2026-12-03T10:05:00',
  });
});

test('a cancelled order is cancelled as a whole and leg by leg; one on hold is on hold', () => {
  const cancelled = orderAnswer(
    orderSchema.parse(order({ cancelled_at: '2026-12-01T05:00:00Z' })),
    [],
    'agency',
    FETCHED,
  );
  assert.equal(cancelled.facts.status?.value, 'cancelled');
  assert.equal(cancelled.legs[0]!.facts.status?.value, 'cancelled');
  const hold = orderSchema.parse(order({ payment_status: { awaiting_payment: true } }));
  assert.equal(orderAnswer(hold, [], 'agency', FETCHED).facts.status?.value, 'hold');
});

test('an old copy says so by its time', () => {
  const old = orderSchema.parse(order({ synced_at: '2026-12-01T04:00:00Z' }));
  assert.equal(orderAnswer(old, [], 'agency', FETCHED).assertedAt, '2026-12-01T04:00:00.000Z');
});

const legsAfter = (body: unknown, ...changes: unknown[]) => {
  const parsed = changes.map((one) => changeSchema.parse(one));
  const answer = orderAnswer(orderSchema.parse(body), parsed, 'agency', FETCHED);
  return Object.fromEntries(answer.legs.map((leg) => [leg.keys[0], leg.facts]));
};

test('the airline moves a flight: its new time holds before anybody accepts it, seat and status stay', () => {
  const later = segment({ departing_at: '2026-12-03T11:30:00', passengers: [] });
  const legs = legsAfter(order(), change('aic_1', '2026-12-01T05:00:00Z', [segment()], [later]));
  const facts = legs['leg:flight:lh400:2026-12-03:fra']!;
  assert.equal(Object.keys(legs).length, 1);
  assert.equal(facts['start.scheduled']?.value, '2026-12-03T11:30:00+01:00[Europe/Berlin]');
  assert.equal(facts.status?.value, 'confirmed');
  assert.equal(facts['passenger.lindrosa.seat']?.value, '14B');
  assert.match(facts['start.scheduled']?.evidence?.where ?? '', /^airline_initiated_changes\[aic_1\]\.added/);
});

test('the airline puts them on another flight: the old one is cancelled once the order has the new one', () => {
  const other = segment({ marketing_carrier_flight_number: '0404' });
  const swap = change('aic_1', '2026-12-01T05:00:00Z', [segment()], [other], { action_taken: 'accepted' });
  const legs = legsAfter(order({ slices: [slice(other)] }), swap);
  assert.equal(legs['leg:flight:lh404:2026-12-03:fra']?.status?.value, 'confirmed');
  const gone = legs['leg:flight:lh400:2026-12-03:fra'];
  assert.equal(gone?.status?.value, 'cancelled');
  assert.match(gone?.status?.evidence?.where ?? '', /removed/);
  const pending = legsAfter(order(), { ...swap, action_taken: null });
  assert.equal(pending['leg:flight:lh404:2026-12-03:fra']?.status?.value, 'pending');
  assert.equal(pending['leg:flight:lh400:2026-12-03:fra']?.status?.value, 'confirmed');
});

test('removed and brought back by a later change is not cancelled, whatever the order of the list', () => {
  const other = segment({ marketing_carrier_flight_number: '0404' });
  const away = change('aic_1', '2026-12-01T04:00:00Z', [segment()], [other]);
  const back = change('aic_2', '2026-12-01T05:00:00Z', [other], [segment()]);
  for (const changes of [
    [away, back],
    [back, away],
  ]) {
    const legs = legsAfter(order(), ...changes);
    assert.equal(legs['leg:flight:lh400:2026-12-03:fra']?.status?.value, 'confirmed');
  }
});

const stayBody = {
  id: 'bok_0000TestStay01',
  reference: 'ZX-7781-Q',
  status: 'confirmed',
  confirmed_at: '2026-10-01T10:00:00Z',
  cancelled_at: null,
  check_in_date: '2026-12-03',
  check_out_date: '2026-12-06',
  guests: [{ given_name: 'Rosa', family_name: 'Lind' }],
  accommodation: {
    name: 'Gasthof Probe',
    phone_number: '+49 30 000000',
    location: { address: { line_one: 'Teststr. 1', city_name: 'Berlin', postal_code: '10115', country_code: 'DE' } },
    check_in_information: { check_in_after_time: '15:00', check_out_before_time: '11:00' },
  },
};
const carBody = {
  id: 'boo_0000TestCar001',
  reference: 'DTD-1',
  status: 'somethingnew',
  cancelled_at: null,
  pickup_date: '2026-12-03',
  pickup_time: '14:00',
  dropoff_date: '2026-12-06',
  dropoff_time: null,
  pickup_location: { name: 'Desk 4', address: { city_name: 'Denver', country_code: 'US' } },
  dropoff_location: null,
  supplier: { name: 'Probe Cars' },
  car: { name: 'Compact' },
  driver: { given_name: 'Rosa', family_name: 'Lind' },
};

test('a stay: times get the zone of a country that has one', () => {
  const answer = stayAnswer(staySchema.parse(stayBody), 'agency', FETCHED);
  const [leg] = answer.legs;
  assert.deepEqual(answer.bookingKeys, ['id:agency:bok_0000TestStay01', 'ref:stay:zx7781q']);
  assert.deepEqual(leg!.keys, ['leg:stay:gasthofprobe:2026-12-03']);
  assert.equal(leg!.facts['start.scheduled']?.value, '2026-12-03T15:00:00+01:00[Europe/Berlin]');
  assert.equal(leg!.facts['end.scheduled']?.value, '2026-12-06T11:00:00+01:00[Europe/Berlin]');
});

test('a car: a country with several zones gives none, an unknown status is not guessed', () => {
  const answer = carAnswer(carSchema.parse(carBody), 'agency', FETCHED);
  const facts = answer.legs[0]!.facts;
  assert.equal(facts['start.scheduled']?.value, '2026-12-03T14:00:00');
  assert.equal(facts['end.scheduled']?.value, '2026-12-06');
  assert.equal('status' in facts, false);
  assert.equal(facts.vehicle?.value, 'Compact');
  const cancelled = carAnswer(carSchema.parse({ ...carBody, cancelled_at: FETCHED }), 'agency', FETCHED);
  assert.equal(cancelled.legs[0]!.facts.status?.value, 'cancelled');
});

const flight = {
  kind: 'flight',
  facts: {
    'carrier.code': 'LH',
    number: '400',
    'start.code': 'FRA',
    'start.scheduled': '2026-12-03T10:05:00+01:00[Europe/Berlin]',
  },
} as const;

test('subjects: by id where it is known, else a look-up a day that ends a day before the start', () => {
  const specs = (ids: string[], legs: Parameters<typeof reservation>[0] = []) =>
    plain.subjectsOf(reservation(legs, { bookingKeys: ids }));
  assert.equal(subject.id, `order:${ORDER}`);
  assert.equal(specs(['id:agency:bok_1'])[0]?.id, 'stay:bok_1');
  assert.equal(specs(['id:agency:boo_1'])[0]?.id, 'car:boo_1');
  assert.equal(specs(['id:agency:bok_1'], { kind: 'rental', facts: {} })[0]?.id, 'car:bok_1');
  assert.deepEqual(specs(['id:elsewhere:ord_1']), []);
  assert.deepEqual(specs(['id:agency:../../x']), []);
  const [look] = specs(['ref:air:rzpnx8'], flight);
  assert.equal(look?.id, 'reference:rzpnx8:2026-12-03');
  assert.equal(look?.everyMs, 86_400_000);
  assert.equal(look?.endAt, Date.UTC(2026, 11, 2, 9, 5));
  assert.deepEqual(specs(['ref:air:rzpnx8']), [], 'nothing to compare: not looked up');
  assert.equal(specs(['ref:air:rzpnx8', `id:agency:${ORDER}`], flight).length, 1);
});

async function withVendor(run: (vendor: VendorServer, connector: typeof plain) => Promise<void>): Promise<void> {
  const vendor = await startVendor();
  const http = createProviderHttp({ clock });
  try {
    await run(vendor, createDuffelConnector({ account: 'agency', token: KEY, clock, url: vendor.url, http }));
  } finally {
    await http.close();
    await vendor.close();
  }
}
const never = new AbortController().signal;

test('a look-up takes the order with the flight, not another one under a reference used again', () =>
  withVendor(async (vendor, connector) => {
    const [look] = connector.subjectsOf(reservation(flight, { bookingKeys: ['ref:air:rzpnx8'] }));
    const old = order({ id: 'ord_old', slices: [slice(segment({ departing_at: '2026-03-03T10:05:00' }))] });
    vendor.behave = json(200, { data: [old], meta: { after: null } });
    assert.deepEqual(await connector.readOne(look!, never), { kind: 'absent' });
    vendor.behave = json(200, { data: [old, order()], meta: { after: null } });
    const found = await connector.readOne(look!, never);
    assert.ok(found.kind === 'found' && found.answer.bookingKeys.includes(`id:agency:${ORDER}`));
    assert.match(vendor.asked[0]!.url, /^\/air\/orders\?booking_reference=RZPNX8&limit=200/);
    assert.equal(vendor.asked[0]!.headers['duffel-version'], 'v2');
    assert.equal(vendor.asked[0]!.headers.authorization, `Bearer ${KEY}`);
  }));

test('pages are followed; one reading of the stays serves many look-ups', () =>
  withVendor(async (vendor, connector) => {
    const stay = { kind: 'stay', facts: { name: 'Gasthof Probe', 'start.scheduled': '2026-12-03' } } as const;
    const [look] = connector.subjectsOf(reservation(stay, { bookingKeys: ['ref:stay:zx7781q'] }));
    vendor.behave = (request, response) =>
      json(
        200,
        request.url?.includes('after=c2')
          ? { data: [stayBody], meta: { after: null } }
          : { data: [{ broken: true }], meta: { after: 'c2' } },
      )(request, response);
    assert.equal((await connector.readOne(look!, never)).kind, 'found');
    assert.equal((await connector.readOne(look!, never)).kind, 'found');
    assert.equal(vendor.asked.length, 2);
  }));

test('changes that the order only hints at are listed', () =>
  withVendor(async (vendor, connector) => {
    const later = segment({ departing_at: '2026-12-03T11:30:00' });
    vendor.behave = (request, response) =>
      json(
        200,
        request.url?.startsWith('/air/airline_initiated_changes')
          ? { data: [change('aic_1', '2026-12-01T05:00:00Z', [segment()], [later])], meta: {} }
          : { data: order({ airline_initiated_changes: [{ id: 'aic_1' }] }) },
      )(request, response);
    const found = await connector.readOne(subject, never);
    assert.ok(found.kind === 'found');
    assert.match(String(found.answer.legs[0]!.facts['start.scheduled']?.value), /T11:30/);
    assert.equal(vendor.asked[1]!.url, `/air/airline_initiated_changes?order_id=${ORDER}&limit=200`);
  }));

test("the vendor's own error types go before the status", () =>
  withVendor(async (vendor, connector) => {
    const kinds: string[] = [];
    for (const [status, type] of [
      [422, 'airline_error'],
      [400, 'authentication_error'],
      [400, 'rate_limit_error'],
      [500, 'validation_error'],
      [418, 'brand_new_error'],
    ] as const) {
      vendor.behave = json(status, { meta: { status }, errors: [{ type, message: 'x' }] });
      await connector.readOne(subject, never).catch((error: { kind: string }) => kinds.push(error.kind));
    }
    assert.deepEqual(kinds, ['transient', 'unauthorised', 'rate-limited', 'permanent', 'permanent']);
  }));

test('a booking cancelled more than a day ago is final', () =>
  withVendor(async (vendor, connector) => {
    const final = async (cancelled_at: string) => {
      vendor.behave = json(200, { data: order({ cancelled_at }) });
      const found = await connector.readOne(subject, never);
      return found.kind === 'found' && found.final;
    };
    assert.equal(await final('2026-12-01T05:00:00Z'), false);
    assert.equal(await final('2026-11-29T05:00:00Z'), true);
  }));

const body = Buffer.from(
  JSON.stringify({
    id: 'wev_1',
    type: 'order.airline_initiated_change_detected',
    data: { object: { id: ORDER, aic_id: 'aic_1' } },
  }),
);
const sign = (bytes: Uint8Array, seconds: number, secret = SECRET) =>
  createHmac('sha256', secret).update(`${seconds}.`).update(bytes).digest('hex');
const pushed = (signature: string | undefined, bytes: Uint8Array = body): PushRequest => ({
  headers: signature === undefined ? {} : { 'X-Duffel-Signature': signature },
  body: bytes,
  receivedAt: NOW,
});
const verdict = (request: PushRequest) => {
  const said = receivePush(request, SECRET);
  return said.kind === 'refused' ? said.code : said.wakes.join();
};

test('a signed notice wakes its order; elements that nobody knows are passed over', () => {
  const t = NOW / 1000;
  assert.equal(verdict(pushed(`t=${t},v1=${sign(body, t)}`)), `order:${ORDER}`);
  assert.equal(verdict(pushed(`v2=abc, t=${t}, v1=${'0'.repeat(64)}, v1=${sign(body, t)}`)), `order:${ORDER}`);
  const said = receivePush(pushed(`t=${t},v1=${sign(body, t)}`), SECRET);
  assert.equal(said.kind === 'hint' && said.pushId, 'wev_1');
});

test('forged, altered, old and broken notices are refused', () => {
  const t = NOW / 1000;
  assert.equal(verdict(pushed(undefined)), 'signature-missing');
  assert.equal(verdict(pushed('v1=abc')), 'signature-malformed');
  assert.equal(verdict(pushed(`t=${t},v1=${sign(body, t, 'wrong')}`)), 'signature-wrong');
  assert.equal(
    verdict(pushed(`t=${t},v1=${sign(body, t)}`, Buffer.concat([body, Buffer.from(' ')]))),
    'signature-wrong',
  );
  assert.equal(verdict(pushed(`t=${t + 1},v1=${sign(body, t)}`)), 'signature-wrong');
  for (const off of [-301, 301])
    assert.equal(verdict(pushed(`t=${t + off},v1=${sign(body, t + off)}`)), 'signature-old');
  for (const off of [-299, 299])
    assert.equal(verdict(pushed(`t=${t + off},v1=${sign(body, t + off)}`)), `order:${ORDER}`);
  for (const bytes of ['', 'no json', '[]', '{"id":""}', '{"id":7,"type":"x"}'].map((one) => Buffer.from(one)))
    assert.equal(verdict(pushed(`t=${t},v1=${sign(bytes, t)}`, bytes)), 'body-unreadable');
});

test('notices of types nobody knows wake what they name, or nothing', () => {
  const t = NOW / 1000;
  const wakes = (data: unknown) => {
    const bytes = Buffer.from(JSON.stringify({ id: 'wev_2', type: 'brand.new', data }));
    return verdict(pushed(`t=${t},v1=${sign(bytes, t)}`, bytes));
  };
  assert.equal(wakes({ object: { id: 'ore_1', order_id: ORDER } }), `order:${ORDER}`);
  assert.equal(wakes({ id: 'bok_1' }), 'stay:bok_1,car:bok_1');
  assert.equal(wakes({ object: { id: 5, order_id: '../x' } }), '');
  assert.equal(wakes(null), '');
  assert.equal(wakes(undefined), '');
});

test('no header and no body can break the check', () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array(), (header, bytes) => {
      assert.equal(receivePush(pushed(header, bytes), SECRET).kind, 'refused');
    }),
  );
});

test('whatever stands in optional fields, an order is read or refused, never a crash', () => {
  const odd = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.object(), fc.array(fc.string()));
  fc.assert(
    fc.property(odd, odd, odd, odd, (a, b, c, d) => {
      const parsed = orderSchema.safeParse(
        order({
          synced_at: a,
          passengers: b,
          documents: c,
          slices: [
            slice(segment({ departing_at: typeof d === 'string' ? d : 'x', origin: a, passengers: b, aircraft: c })),
          ],
        }),
      );
      if (parsed.success) orderAnswer(parsed.data, [], 'agency', FETCHED);
    }),
    { numRuns: 200 },
  );
});

const root = fileURLToPath(new URL('../../../', import.meta.url));
const samples = join(process.env.TRIPWATCH_SHARED ?? join(root, '..', 'shared'), 'contracts', 'duffel');
test("the vendor's own samples are read", { skip: existsSync(samples) ? false : `no samples in ${samples}` }, () => {
  const sample = (name: string): unknown => JSON.parse(readFileSync(join(samples, name), 'utf8'));
  const whole = orderAnswer(orderSchema.parse(sample('order.json')), [], 'agency', FETCHED);
  assert.equal(whole.legs.length, 1);
  assert.match(String(whole.legs[0]!.facts['start.scheduled']?.value), /\[Europe\/London\]$/);
  const onHold = sample('orders-on-hold.json') as unknown[];
  for (const one of onHold) assert.ok(orderSchema.safeParse(one).success);
  for (const name of ['airline-initiated-change.json', 'airline-initiated-change-accepted.json']) {
    const one = changeSchema.parse(sample(name));
    assert.ok(one.added.length > 0 && one.removed.length > 0);
  }
  assert.equal(stayAnswer(staySchema.parse(sample('stays-booking.json')), 'agency', FETCHED).legs.length, 1);
  assert.equal(carAnswer(carSchema.parse(sample('cars-booking.json')), 'agency', FETCHED).legs.length, 1);
});

test('whether Duffel pushes to us is looked up, and nothing is changed there', async () => {
  const vendor = await startVendor();
  const http = createProviderHttp({ clock });
  const options = { account: 'agency', token: KEY, clock, url: vendor.url, http };
  const connector = createDuffelConnector({ ...options, webhookSecret: 'whsec' });
  try {
    assert.equal(createDuffelConnector(options).renewPush, undefined);
    const url = 'https://trips.example/push/agency';
    const state = async (...data: object[]) => {
      vendor.behave = json(200, { data, meta: { after: null } });
      return connector.renewPush!(url, never);
    };
    const hook = { id: 'end_1', url, active: true };
    assert.deepEqual(await state({ ...hook, url: 'https://other.example/' }, hook), { kind: 'active' });
    const off = await state({ ...hook, active: false });
    assert.ok(off.kind === 'missing' && off.reason.includes('switched off'));
    const none = await state();
    assert.ok(none.kind === 'missing' && none.reason.includes(url));
    assert.ok(vendor.asked.every((one) => one.url.startsWith('/air/webhooks')));
  } finally {
    await http.close();
    await vendor.close();
  }
});
