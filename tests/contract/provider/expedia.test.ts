import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createExpediaConnector } from '../../../src/adapters/provider/expedia/connector.ts';
import { expediaEntry } from '../../../src/adapters/provider/expedia/entry.ts';
import { toAnswer } from '../../../src/adapters/provider/expedia/map.ts';
import { itinerarySchema } from '../../../src/adapters/provider/expedia/schema.ts';
import { subjectsOf } from '../../../src/adapters/provider/expedia/subjects.ts';
import type { TripwatchError } from '../../../src/domain/errors.ts';
import type { PushRequest } from '../../../src/ports/provider.ts';
import { affiliateOf, expedia, itineraryIdOf, signRapid, tokenOf } from '../../../src/sandbox/providers/expedia.ts';
import { rapidDesk } from '../../../src/sandbox/providers/expedia-notices.ts';
import { HOUR, MINUTE, type PlaceBooking } from '../../../src/sandbox/scenario/types.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { KEY, NOW, providerContract } from './provider-contract.ts';
import { DAY, HOURS, placeAgrees, withFake } from './truth.ts';
import { json, startVendor } from './vendor-server.ts';

const EMAIL = 'desk@acme.example';
const credentials = { key: 'rapid-key', secret: KEY };
const who = { account: 'rapid', ...credentials, email: EMAIL, customerIp: '203.0.113.5' } as const;
const ID = '8001002003004';

const room = (change: Record<string, unknown> = {}) => ({
  id: '111222333',
  confirmation_id: { expedia: '4445556667', property: 'QQ7711' },
  checkin: '2026-12-03',
  checkout: '2026-12-05',
  given_name: 'Rosa',
  family_name: 'Lind',
  status: 'booked',
  ...change,
});
const itinerary = (change: Record<string, unknown> = {}) => ({
  itinerary_id: ID,
  property_id: '7654321',
  creation_date_time: '2026-11-01T10:00:00.000Z',
  rooms: [room()],
  ...change,
});

const make = (options: object = {}) =>
  createExpediaConnector({ ...who, clock: stillClock(NOW), pushes: 'signed', names: false, ...options });
const registered = (id: string, name?: string) =>
  reservation(name === undefined ? [] : { kind: 'stay', facts: { name } }, { bookingKeys: [`id:rapid:${id}`] });
const subject = make().subjectsOf(registered(ID))[0]!;

providerContract({
  name: 'Expedia Rapid',
  create: make,
  subject,
  good: () => itinerary(),
  noisy: () =>
    itinerary({
      links: { cancel: { href: '/v3/x?token=zzz' } },
      email: 'x@y.example',
      rooms: [room({ smoking: true })],
    }),
  cancelled: () => itinerary({ rooms: [room({ status: 'canceled' })] }),
  other: () => itinerary({ itinerary_id: '8999999999999' }),
  absent: { status: 404, body: { type: 'resource_not_found', message: 'words' } },
  strange: [7, 'text', null, {}, [], { itinerary_id: ID }, itinerary({ rooms: [] }), itinerary({ rooms: [{}] })],
});

test('each call is signed for its second, and carries the headers that the vendor insists on', async () => {
  const vendor = await startVendor();
  vendor.behave = json(200, itinerary());
  const connector = make({ url: vendor.url });
  await connector.readOne(subject, new AbortController().signal);
  const { url, headers } = vendor.asked[0]!;
  assert.equal(url, `/itineraries/${ID}?email=desk%40acme.example`);
  const seconds = NOW / 1000;
  const signature = createHash('sha512').update(`rapid-key${KEY}${seconds}`).digest('hex');
  assert.equal(headers.authorization, `EAN apikey=rapid-key,signature=${signature},timestamp=${seconds}`);
  assert.equal(headers['accept-encoding'], 'gzip');
  assert.equal(headers['customer-ip'], '203.0.113.5');
  assert.match(headers['user-agent']!, /^Tripwatch\/\d/);
  await connector.close!();
  await vendor.close();
});

test('a part of an answer, and a booking of the last minutes, are no cancellation: asked again', async () => {
  const vendor = await startVendor();
  const connector = make({ url: vendor.url });
  const { signal } = new AbortController();
  vendor.behave = json(206, itinerary());
  assert.equal((await connector.readOne(subject, signal)).kind, 'found');
  for (const status of [200, 206]) {
    vendor.behave = json(status, { itinerary_id: ID, creation_date_time: '2026-12-01T05:59:00Z' });
    await assert.rejects(connector.readOne(subject, signal), {
      code: 'provider-answered-unreadable',
      kind: 'transient',
    });
  }
  await connector.close!();
  await vendor.close();
});

test('limits: the reset of the minute in milliseconds; "nothing left" is told before the refusal', async () => {
  const vendor = await startVendor();
  const connector = make({ url: vendor.url });
  const { signal } = new AbortController();
  const left = (percent: number) => ({
    date: new Date(NOW).toUTCString(),
    'rate-limit-minute-remaining': String(percent),
    'rate-limit-minute-reset': String(NOW + 40_000),
  });
  vendor.behave = json(429, { type: 'too_many_requests' }, left(0));
  await assert.rejects(connector.readOne(subject, signal), { kind: 'rate-limited', retryAt: NOW + 40_000 });
  vendor.behave = json(200, itinerary(), left(37));
  await connector.readOne(subject, signal);
  assert.equal(connector.limitsSaid!(), undefined);
  vendor.behave = json(200, itinerary(), left(0));
  await connector.readOne(subject, signal);
  assert.deepEqual(connector.limitsSaid!(), { limits: [], left: 0, resetAt: NOW + 40_000 });
  // A spent day is not asked every minute whether it is over.
  const day = { 'rate-limit-day-remaining': '0', 'rate-limit-day-reset': String(NOW + 3 * 3_600_000) };
  vendor.behave = json(429, { type: 'too_many_requests' }, { ...left(0), ...day });
  await assert.rejects(connector.readOne(subject, signal), { kind: 'rate-limited' });
  assert.deepEqual(connector.limitsSaid!(), { limits: [], left: 0, resetAt: NOW + 3 * 3_600_000 });
  await connector.close!();
  await vendor.close();
});

const about = { account: 'rapid', fetchedAt: '2026-12-01T06:00:00.000Z' };
const read = (change: Record<string, unknown>, more: object = {}) =>
  toAnswer(itinerarySchema.parse(itinerary(change)), { ...about, ...more });

test('rooms of one first day are one stay, which stands while one of them does', () => {
  const both = read({ rooms: [room({ status: 'canceled' }), room({ given_name: 'Ida', checkout: '2026-12-06' })] });
  assert.equal(both.facts.status?.value, 'confirmed');
  assert.equal(both.legs.length, 1);
  assert.equal(both.legs[0]!.facts['end.scheduled']?.value, '2026-12-06');
  const none = read({ rooms: [room({ status: 'canceled' }), room({ status: 'canceled' })] });
  assert.equal(none.facts.status?.value, 'cancelled');
  assert.equal(none.legs[0]!.facts.status?.value, 'cancelled');
  const split = read({ rooms: [room(), room({ checkin: '2026-12-08', checkout: '2026-12-09', status: 'canceled' })] });
  assert.deepEqual(
    split.legs.map((leg) => leg.facts.status?.value),
    ['confirmed', 'cancelled'],
  );
  assert.equal(read({ rooms: [room({ status: 'archived' })] }).facts.status, undefined, 'an unknown word says nothing');
});

test('the house by the name it is known by, its number, and what the vendor calls it', () => {
  const plain = read({}, { knownName: 'Gasthof Probe' });
  assert.deepEqual(plain.legs[0]!.keys, ['leg:stay:gasthofprobe:2026-12-03', 'leg:stay:expedia7654321:2026-12-03']);
  assert.equal(plain.legs[0]!.facts.name, undefined, 'what the mail says is not put into the mouth of the vendor');
  const property = { name: 'Probe Inn', address: { city: 'Lyon', country_code: 'FR' } };
  const named = read({}, { property, registeredAs: `${ID}~tok` });
  assert.equal(named.legs[0]!.facts.name?.value, 'Probe Inn');
  assert.equal(named.legs[0]!.keys[0], 'leg:stay:probeinn:2026-12-03');
  assert.deepEqual(named.bookingKeys, [`id:rapid:${ID}`, `ref:stay:${ID}`, 'ref:stay:qq7711', `id:rapid:${ID}~tok`]);
});

test('what is asked: registered itineraries with their proof; numbers of mails only where they can be ours', () => {
  const rules = { account: 'rapid', email: EMAIL };
  const [own] = subjectsOf(registered(`${ID}~rosa@example.com`, 'Gasthof Probe'), { account: 'rapid' });
  assert.equal(own!.id, `booking:${ID}`);
  assert.deepEqual(own!.query, {
    id: ID,
    access: 'rosa@example.com',
    registeredAs: `${ID}~rosa@example.com`,
    name: 'Gasthof Probe',
  });
  assert.deepEqual(subjectsOf(registered(ID), { account: 'rapid' }), [], 'nothing opens it');
  assert.deepEqual(subjectsOf(registered('no id'), rules), []);
  const mailed = (reference: string) =>
    reservation(
      { kind: 'stay', facts: { name: 'Gasthof Probe', 'start.scheduled': '2026-12-03' } },
      { bookingKeys: [`ref:stay:${reference}`] },
    );
  assert.equal(subjectsOf(mailed(ID), rules)[0]?.query.reference, ID);
  assert.deepEqual(subjectsOf(mailed(ID), { account: 'rapid' }), []);
  assert.deepEqual(subjectsOf(mailed('qq7711'), rules), [], "another company's number is not told to Expedia");
  assert.equal(subjectsOf(mailed('acme-77'), { ...rules, affiliatePrefix: 'ACME' })[0]?.query.reference, 'ACME-77');
});

test("a look-up by the agency's number: its own booking on its day, or none", async () => {
  const vendor = await startVendor();
  const connector = make({ url: vendor.url, affiliatePrefix: 'ACME' });
  const { signal } = new AbortController();
  const [spec] = connector.subjectsOf(
    reservation({ kind: 'stay', facts: { 'start.scheduled': '2026-12-03' } }, { bookingKeys: ['ref:stay:acme77'] }),
  );
  const kind = async (body: unknown) => {
    vendor.behave = json(200, body);
    return (await connector.readOne(spec!, signal)).kind;
  };
  const own = itinerary({ affiliate_reference_id: 'acme-77' });
  assert.equal(await kind([own]), 'found');
  assert.match(vendor.asked[0]!.url, /^\/itineraries\?email=desk%40acme\.example&affiliate_reference_id=ACME77$/);
  assert.equal(await kind([]), 'absent');
  assert.equal(await kind([{ ...own, rooms: [room({ checkin: '2027-02-01' })] }]), 'absent', 'used again another day');
  await assert.rejects(kind([itinerary({ affiliate_reference_id: 'ACME-78' })]), { code: 'provider-answered-other' });
  await assert.rejects(kind([7]), { code: 'provider-answered-unreadable' });
  await connector.close!();
  await vendor.close();
});

const notice = { event_id: 'evt-1', event_type: 'itinerary.supplier.cancel', itinerary_id: ID, email: 'a@b.example' };
const pushed = (body: unknown, headers: Record<string, string> = {}): PushRequest => ({
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  receivedAt: NOW,
});

test('a notice signed as the vendor signs is a hint about its booking; a forged one is refused', () => {
  const receive = make().receivePush!;
  const authorization = signRapid(credentials, NOW - 60_000);
  const hint = { kind: 'hint', pushId: `evt-1/${ID}`, wakes: [`booking:${ID}`] };
  assert.deepEqual(receive(pushed(notice, { authorization })), hint);
  assert.deepEqual(receive(pushed(notice, { Authorization: authorization.toLowerCase().replace('ean', 'EAN') })), hint);
  const code = (request: PushRequest) => {
    const verdict = receive(request);
    return verdict.kind === 'refused' ? verdict.code : verdict.kind;
  };
  assert.equal(code(pushed(notice)), 'signature-missing');
  assert.equal(code(pushed(notice, { authorization: 'EAN apikey=x' })), 'signature-malformed');
  for (const wrong of [
    signRapid({ ...credentials, secret: 'guessed' }, NOW),
    authorization.replace('rapid-key', 'other-key'),
    authorization.replace(/signature=../i, 'signature=zz'),
    authorization.replace(/timestamp=\d+/, `timestamp=${NOW / 1000}`),
  ])
    assert.equal(code(pushed(notice, { authorization: wrong })), 'signature-wrong');
  assert.equal(code(pushed(notice, { authorization: signRapid(credentials, NOW - 6 * MINUTE) })), 'signature-old');
  assert.equal(code(pushed('no json', { authorization })), 'body-unreadable');
  assert.equal(code(pushed({ event_id: 'x' }, { authorization })), 'body-unreadable');
});

test('where notices come unsigned, the capability says so, and whatever they name is only woken', () => {
  const connector = make({ pushes: 'unsigned' });
  assert.equal(connector.capabilities.push, 'hint');
  assert.equal(connector.receivePush!(pushed(notice)).kind, 'hint');
  assert.deepEqual(connector.receivePush!(pushed({ ...notice, itinerary_id: '../etc' })), {
    kind: 'hint',
    pushId: 'evt-1/../etc',
    wakes: [],
  });
  const none = make({ pushes: 'none' });
  assert.deepEqual([none.receivePush, none.listChanged, none.capabilities.push], [undefined, undefined, undefined]);
});

test('the configuration: what is missing or mistyped is named', () => {
  const faults = (options: object) => expediaEntry.options!.safeParse(options).error?.issues.map((one) => one.path[0]);
  assert.equal(faults({ email: EMAIL }), undefined);
  assert.deepEqual(faults({ email: 'nobody', affiliatePrefix: '.*', customerIp: 'x' }), [
    'email',
    'affiliatePrefix',
    'customerIp',
  ]);
});

const stays = DAY.bookings.filter((one): one is PlaceBooking => one.kind === 'stay');

test('the day: every stay by its number, token or agency number, told by its house', () =>
  withFake(
    {
      vendor: () => expedia(DAY, { ...credentials, email: EMAIL }),
      connector: (options) => make({ ...options, names: true, affiliatePrefix: 'ACME' }),
    },
    async ({ connector, at, signal, fake }) => {
      let parts = 0;
      for (const time of HOURS) {
        at(time);
        const ask = async (one: PlaceBooking, index: number): Promise<void> => {
          const id = itineraryIdOf(one);
          const [spec] = connector.subjectsOf(registered(index % 2 === 0 ? id : `${id}~${tokenOf(one)}`));
          const read = () => connector.readOne(spec!, signal).catch((error: TripwatchError) => error);
          let result = await read();
          // On a machine that stands still for seconds, kept connections end just when they are used.
          const { code } = result as { code?: string };
          if (code === 'provider-unreachable' || code === 'provider-timeout') result = await read();
          if (result instanceof Error) {
            assert.equal(result.code, 'provider-answered-unreadable');
            parts++;
          } else if (result.kind === 'absent') assert.ok(one.bookedAt > time);
          else {
            placeAgrees(result.answer, one, time);
            assert.equal(result.answer.legs[0]!.facts.name?.value, one.place.name);
          }
        };
        await Promise.all(stays.map(ask));
      }
      assert.ok(parts > 0, 'parts of answers came by');
      const [one] = stays.filter((each) => each.bookedAt < HOURS[0]!);
      const [spec] = connector.subjectsOf(
        reservation(
          { kind: 'stay', facts: { 'start.scheduled': one!.startDay } },
          { bookingKeys: [`ref:stay:${affiliateOf(one!).toLowerCase()}`], fields: {} },
        ),
      );
      assert.equal(spec?.query.reference, affiliateOf(one!));
      const houses = fake.calls().filter((call) => call.endpoint === 'GET /properties/content');
      assert.ok(houses.length <= stays.length, 'not with every reading');
    },
  ));

test('the day: what notices do not bring, the list of the undelivered does, each once, 25 at a time', () =>
  withFake(
    {
      vendor: () => {
        const options = { ...credentials, email: EMAIL };
        return expedia(DAY, options, rapidDesk({ scenario: DAY, ...options }));
      },
      connector: make,
    },
    async ({ connector, at, signal }) => {
      const woken: string[] = [];
      let cursor: string | undefined;
      for (let time = DAY.options.startAt; time <= DAY.options.startAt + 24 * HOUR; time += HOUR) {
        at(time);
        for (let more = true; more; ) {
          const list = await connector.listChanged!(cursor, signal);
          assert.ok(list.wakes.length <= 25);
          woken.push(...list.wakes);
          ({ cursor, more } = list);
        }
      }
      const changed = stays.filter((one) =>
        [one.moved?.at, one.cancelledAt].some((time) => time! >= DAY.options.startAt),
      );
      assert.deepEqual(woken.sort(), changed.map((one) => `booking:${itineraryIdOf(one)}`).sort());
      assert.ok(changed.length > 2);
    },
  ));

test('the day: posted notices are taken, twice is once; those lost on the way are swept up', async () => {
  const clock = stillClock(DAY.options.startAt);
  const connector = make({ clock });
  const hints: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = request.headers as Record<string, string>;
    const verdict = connector.receivePush!({ headers, body: Buffer.concat(chunks), receivedAt: clock.now() });
    if (verdict.kind === 'hint') hints.push(verdict.pushId.split('/')[0]!);
    response.writeHead(verdict.kind === 'hint' ? 202 : 401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/push/rapid`;
  const desk = rapidDesk({ scenario: DAY, ...credentials, email: EMAIL, registered: { url, clock }, lostShare: 0.4 });
  const { signal } = new AbortController();
  const missed: string[] = [];
  for (let next = desk.nextAt(0); next !== undefined; next = desk.nextAt(clock.now())) {
    clock.advance(next - clock.now());
    await desk.deliver(signal);
    missed.push(...desk.undelivered(clock.now()).map((one) => one.event_id));
  }
  assert.ok(hints.length > 0 && missed.length > 0);
  assert.deepEqual(new Set(hints).intersection(new Set(missed)), new Set(), 'told once: here or there');
  await new Promise((resolve) => server.close(resolve));
});
