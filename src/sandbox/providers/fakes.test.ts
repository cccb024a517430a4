import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { Clock } from '../../ports/clock.ts';
import { makeDay } from '../scenario/day.ts';
import { flightAt } from '../scenario/state.ts';
import { localDayOf } from '../scenario/time.ts';
import { HOUR, MINUTE, type Scenario } from '../scenario/types.ts';
import { aeroDataBox } from './aerodatabox.ts';
import { duffel } from './duffel.ts';
import { type PushRecord, sign, webhookDesk } from './duffel-webhooks.ts';
import { type CallSummary, startFake } from './fake.ts';

const day = makeDay({ seed: 6, travellers: 200, flights: 60 });
const calm: Scenario = { ...day, faults: [] };
const closers: (() => Promise<void>)[] = [];
after(() => Promise.all(closers.map((close) => close())));

/** A clock that stands where it is put; waiting takes no time. */
function standing(at: number): Clock & { at: number } {
  const clock = { at, speed: 1, now: () => clock.at, monotonic: () => clock.at, sleep: async () => undefined };
  return clock;
}

async function status(scenario = calm, callsPerMinuteMax = 1000) {
  const clock = standing(day.options.startAt);
  const fake = await startFake(aeroDataBox(scenario, 'k'), { scenario, clock, port: 0, callsPerMinuteMax });
  closers.push(fake.close);
  const get = (path: string, headers: Record<string, string> = { 'x-api-market-key': 'k' }) =>
    fetch(`${fake.url}${path}`, { headers });
  return { clock, fake, get };
}

async function booking(scenario = calm, callsPerMinuteMax = 1000) {
  const clock = standing(scenario.endAt);
  const pushed: PushRecord[] = [];
  const desk = webhookDesk({ scenario, clock, onPush: (record) => pushed.push(record) });
  const fake = await startFake(duffel(scenario, 't', desk), { scenario, clock, port: 0, callsPerMinuteMax });
  closers.push(fake.close);
  const headers = { authorization: 'Bearer t', 'duffel-version': 'v2', accept: 'application/json' };
  const ask = (path: string, init: RequestInit = {}) => fetch(`${fake.url}${path}`, { headers, ...init });
  return { clock, fake, desk, ask, headers, pushed };
}

interface Item {
  number: string;
  status: string;
  codeshareStatus: string;
  lastUpdatedUtc: string;
  departure: {
    airport: { iata: string };
    gate?: string;
    scheduledTime: { utc: string; local: string };
    revisedTime?: unknown;
  };
}

test('flight status: credentials are checked, errors are {message}', async () => {
  const { get } = await status();
  for (const headers of [{}, { 'x-api-market-key': 'wrong' }, { 'x-rapidapi-key': 'wrong', 'x-rapidapi-host': 'x' }]) {
    const answer = await get('/flights/number/LH1/2026-12-01', headers as Record<string, string>);
    assert.equal(answer.status, 401);
    assert.equal(typeof ((await answer.json()) as { message: string }).message, 'string');
  }
  assert.equal((await get('/flights/number/LH1/2026-12-01', { 'x-rapidapi-key': 'k' })).status, 400);
  assert.equal((await get('/flights/number/LH1/2026-13-01')).status, 400);
  assert.equal((await get('/flights/number/nonsense/2026-12-01')).status, 400);
  assert.equal((await get('/elsewhere')).status, 404);
});

test('flight status: 204 for nothing, an array of the flight as it stands else', async () => {
  const { clock, get } = await status();
  assert.equal((await get('/flights/number/XX1/2026-12-01')).status, 204);
  const flight = calm.flights.find((one) => one.script === 'gate-change')!;
  const path = `/api/v1/aedbx/aerodatabox/flights/Number/${flight.carrier}%20${flight.number}/${flight.day}?dateLocalRole=Departure`;
  let gates = new Set<string | undefined>();
  for (
    let at = flight.initial.departureScheduled - 6 * HOUR;
    at < flight.initial.departureScheduled;
    at += 10 * MINUTE
  ) {
    clock.at = at;
    const items = (await (await get(path)).json()) as Item[];
    const own = items.find((one) => one.number === `${flight.carrier} ${flight.number}`)!;
    assert.equal(own.departure.gate, flightAt(flight, at).departureGate);
    assert.equal(own.departure.airport.iata, flight.from);
    assert.match(own.lastUpdatedUtc, /^\d{4}-\d\d-\d\d \d\d:\d\dZ$/);
    assert.ok(Temporal.Instant.from(own.lastUpdatedUtc).epochMilliseconds <= at);
    assert.equal(own.departure.scheduledTime.local.slice(0, 10), flight.day);
    assert.equal(
      Temporal.Instant.from(own.departure.scheduledTime.local).epochMilliseconds,
      Temporal.Instant.from(own.departure.scheduledTime.utc).epochMilliseconds,
    );
    gates = gates.add(own.departure.gate);
  }
  assert.equal(gates.size, 3);
});

test('flight status: codeshares are items of their own', async () => {
  const { clock, get } = await status();
  const seen = new Set<string>();
  for (const flight of calm.flights.filter((one) => one.codeshare !== undefined)) {
    clock.at = flight.initial.departureScheduled;
    const { carrier, number } = flight.codeshare!;
    const items = (await (
      await get(`/flights/number/${carrier}${number}/${flight.day}?dateLocalRole=Departure`)
    ).json()) as Item[];
    assert.ok(items.some((one) => one.number === `${carrier} ${number}` && one.codeshareStatus === 'IsCodeshared'));
    seen.add(items.map((one) => one.codeshareStatus).join());
  }
  assert.deepEqual([...seen].sort(), ['IsCodeshared', 'IsCodeshared,IsOperator']);
});

test('flight status: the board answers twelve hours and no more', async () => {
  const { clock, get } = await status();
  const flight = calm.flights[0]!;
  clock.at = flight.initial.departureScheduled - HOUR;
  const board = (from: string, to: string) => get(`/flights/airports/iata/${flight.from}/${from}/${to}`);
  const local = flightLocal(flight.initial.departureScheduled, flight.fromZone);
  const answer = (await (
    await board(local, flightLocal(flight.initial.departureScheduled + HOUR, flight.fromZone))
  ).json()) as { departures: Item[] };
  assert.ok(answer.departures.some((one) => one.number === `${flight.carrier} ${flight.number}`));
  assert.equal(
    (await board(local, flightLocal(flight.initial.departureScheduled + 13 * HOUR, flight.fromZone))).status,
    400,
  );
});
const flightLocal = (at: number, zone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(zone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' });

test('faults by script: wall with its end, outage, cut body; then all is well again', async () => {
  const start = day.options.startAt;
  const faults = [
    { provider: 'aerodatabox', kind: 'wall', from: start + HOUR, to: start + HOUR + 5 * MINUTE, share: 1 },
    { provider: 'aerodatabox', kind: 'outage', from: start + 2 * HOUR, to: start + 3 * HOUR, share: 1 },
    { provider: 'aerodatabox', kind: 'truncated', from: start + 4 * HOUR, to: start + 5 * HOUR, share: 1 },
  ] as const;
  const { clock, fake, get } = await status({ ...day, faults });
  const flight = day.flights[0]!;
  const path = `/flights/number/${flight.carrier}${flight.number}/${flight.day}`;
  clock.at = start + HOUR + MINUTE;
  const walled = await get(path);
  assert.equal(walled.status, 429);
  assert.equal(walled.headers.get('retry-after'), '240');
  clock.at = start + 2 * HOUR;
  const outcomes = new Set<string>();
  for (let i = 0; i < 30; i++)
    outcomes.add(
      await get(path).then(
        (answer) => (answer.status >= 500 ? '5xx' : 'fine'),
        () => 'cut',
      ),
    );
  assert.deepEqual([...outcomes].sort(), ['5xx', 'cut']);
  clock.at = start + 4 * HOUR;
  await assert.rejects(get(path).then((answer) => answer.json()));
  clock.at = start + 6 * HOUR;
  assert.ok((await get(path)).ok);
  const counted = (await (await get('/__sandbox/calls')).json()) as CallSummary;
  assert.equal(counted.total, 33);
  assert.equal(counted.refused, 31);
  assert.equal(counted.byIdentifier[`${flight.carrier}${flight.number}/${flight.day}`], 33);
  assert.equal(fake.calls().length, 33);
});

test('a quota that is used up answers 429 until the minute is over', async () => {
  const { clock, get } = await status(calm, 3);
  const codes = [];
  for (let i = 0; i < 5; i++) codes.push((await get('/flights/number/XX1/2026-12-01')).status);
  assert.deepEqual(codes, [204, 204, 204, 429, 429]);
  clock.at += MINUTE;
  assert.equal((await get('/flights/number/XX1/2026-12-01')).status, 204);
});

test('bookings: credentials, version and unknown ids are refused in the vendor’s form', async () => {
  const { fake, ask, headers } = await booking();
  const cases = [
    [{}, 401, 'authentication_error'],
    [{ ...headers, authorization: 'Bearer x' }, 401, 'authentication_error'],
    [{ authorization: headers.authorization }, 400, 'invalid_request_error'],
    [{ ...headers, 'duffel-version': 'v1' }, 400, 'invalid_request_error'],
  ] as const;
  for (const [given, code, type] of cases) {
    const answer = await fetch(`${fake.url}/air/orders/ord_x`, { headers: given });
    const body = (await answer.json()) as { meta: { status: number; request_id: string }; errors: { type: string }[] };
    assert.equal(answer.status, code);
    assert.equal(body.meta.status, code);
    assert.equal(body.errors[0]!.type, type);
    assert.equal(answer.headers.get('x-request-id'), body.meta.request_id);
  }
  assert.equal((await ask('/air/orders/ord_x')).status, 404);
  assert.equal((await ask('/air/orders?limit=201')).status, 422);
  assert.equal((await ask('/air/orders?after=forged')).status, 422);
});

interface Page<T> {
  data: T[];
  meta: { after: string | null; before: string | null };
}
interface Order {
  id: string;
  booking_reference: string;
  cancelled_at: string | null;
  slices: { id: string; segments: { id: string; departing_at: string; origin: { time_zone: string } }[] }[];
}

test('bookings: lists page by cursors and filter by reference', async () => {
  const { ask } = await booking();
  const all: Order[] = [];
  let after: string | null = null;
  do {
    const page = (await (
      await ask(`/air/orders?limit=7${after === null ? '' : `&after=${after}`}`)
    ).json()) as Page<Order>;
    assert.ok(page.data.length <= 7);
    all.push(...page.data);
    after = page.meta.after;
  } while (after !== null);
  const orders = calm.bookings.filter((one) => one.kind === 'flight' && one.duffelId !== undefined);
  assert.deepEqual(
    all.map((one) => one.id),
    orders.map((one) => one.duffelId),
  );
  const wanted = orders[3]!;
  const found = (await (await ask(`/air/orders?booking_reference=${wanted.reference}`)).json()) as Page<Order>;
  assert.deepEqual(
    found.data.map((one) => one.id),
    [wanted.duffelId],
  );
});

test('bookings: orders, stays and cars follow the scenario; a new schedule has new segment ids', async () => {
  const { clock, ask } = await booking();
  const changes = (await (await ask('/air/airline_initiated_changes?limit=200')).json()) as Page<{
    order_id: string;
    created_at: string;
    added: Order['slices'];
    removed: Order['slices'];
    action_taken: null;
  }>;
  assert.ok(changes.data.length > 0);
  const change = changes.data[0]!;
  assert.notEqual(change.added[0]!.segments[0]!.id, change.removed[0]!.segments[0]!.id);
  const changedAt = Temporal.Instant.from(change.created_at).epochMilliseconds;
  const departing = async (at: number) => {
    clock.at = at;
    const { data } = (await (await ask(`/air/orders/${change.order_id}`)).json()) as { data: Order };
    const slice = data.slices.find((one) => [change.added[0]!.id, change.removed[0]!.id].includes(one.id))!;
    return slice.segments[0]!.departing_at;
  };
  assert.equal(await departing(changedAt - MINUTE), change.removed[0]!.segments[0]!.departing_at);
  assert.equal(await departing(changedAt), change.added[0]!.segments[0]!.departing_at);
  clock.at = changedAt - MINUTE;
  const earlier = (await (
    await ask(`/air/airline_initiated_changes?order_id=${change.order_id}`)
  ).json()) as Page<unknown>;
  assert.equal(earlier.data.length, 0);

  for (const [kind, path] of [
    ['stay', 'stays'],
    ['rental', 'cars'],
  ] as const) {
    const one = calm.bookings.find((b) => b.kind === kind && b.duffelId !== undefined && b.cancelledAt !== undefined);
    if (one === undefined) continue;
    for (const [at, expected] of [
      [one.cancelledAt! - MINUTE, 'confirmed'],
      [one.cancelledAt!, 'cancelled'],
    ] as const) {
      clock.at = at;
      const { data } = (await (await ask(`/${path}/bookings/${one.duffelId}`)).json()) as {
        data: { status: string; reference: string };
      };
      assert.equal(data.status, expected);
      assert.equal(data.reference, one.reference);
    }
  }
});

test('bookings: 429 says when in an HTTP date', async () => {
  const { clock, ask } = await booking(calm, 1);
  await ask('/air/orders');
  const refused = await ask('/air/orders');
  assert.equal(refused.status, 429);
  assert.equal(((await refused.json()) as { errors: { type: string }[] }).errors[0]!.type, 'rate_limit_error');
  const reset = Date.parse(refused.headers.get('ratelimit-reset')!);
  assert.ok(reset > clock.at && reset <= clock.at + MINUTE);
  assert.equal(refused.headers.get('ratelimit-remaining'), '0');
});

test('webhooks: made once with a secret, events signed over the raw body, repeated until taken', async () => {
  const { ask, headers, desk, clock, pushed } = await booking();
  const received: { headers: Record<string, unknown>; body: string }[] = [];
  const receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers, body });
    response.writeHead(received.length === 1 ? 503 : 200).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    receiver.closeAllConnections();
    receiver.close();
  });
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/push`;
  const post = (data: unknown) =>
    ask('/air/webhooks', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ data }),
    });
  assert.equal((await post({ url: 'http://elsewhere.example/', events: ['order.created'] })).status, 422);
  const made = await post({ url, events: ['order.airline_initiated_change_detected'] });
  assert.equal(made.status, 201);
  const { data } = (await made.json()) as { data: { id: string; secret: string } };
  const list = (await (await ask('/air/webhooks')).json()) as Page<{ id: string; secret?: string }>;
  assert.deepEqual(
    list.data.map((one) => [one.id, one.secret]),
    [[data.id, undefined]],
  );

  const plan = calm.pushes.find((one) => one.type === 'order.airline_initiated_change_detected')!;
  await desk.push(plan, AbortSignal.timeout(5000));
  assert.deepEqual(
    pushed.map((one) => one.status),
    [503, 200],
  );
  const { body } = received[1]!;
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})/.exec(String(received[1]!.headers['x-duffel-signature']))!;
  assert.equal(v1, createHmac('sha256', data.secret).update(`${t}.${body}`).digest('hex'));
  assert.equal(Number(t), Math.floor(clock.at / 1000));
  const event = JSON.parse(body) as { id: string; data: { object: { id: string; aic_id: string } } };
  assert.equal(event.id, plan.eventId);
  assert.match(event.data.object.aic_id, /^aic_/);
  assert.equal(JSON.parse(received[0]!.body).id, event.id);
  const deliveries = (await (await ask('/air/webhooks/deliveries?delivery_success=false')).json()) as Page<{
    response_status_code: number;
  }>;
  assert.deepEqual(
    deliveries.data.map((one) => one.response_status_code),
    [503],
  );
  assert.notEqual(sign('a', 's', 0), sign('b', 's', 0));
});

test('what is asked about does not depend on the noise', async () => {
  const { clock, get } = await status();
  const flight = calm.flights[0]!;
  clock.at = flight.initial.departureScheduled;
  const path = `/flights/number/${flight.carrier}${flight.number}/${localDayOf(clock.at, flight.fromZone)}?dateLocalRole=Departure`;
  const texts = new Set<string>();
  const facts = new Set<string>();
  for (let i = 0; i < 25; i++) {
    const items = (await (await get(path)).json()) as Item[];
    texts.add(JSON.stringify(items));
    facts.add(JSON.stringify(items.map((one) => [one.number, one.status, one.departure.gate, one.lastUpdatedUtc])));
  }
  assert.ok(texts.size > 1, 'unknown fields come and go');
  assert.equal(facts.size, 1);
});
