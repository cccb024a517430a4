import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createMotisConnector } from '../../../src/adapters/provider/motis/connector.ts';
import { motisEntry } from '../../../src/adapters/provider/motis/entry.ts';
import { likeStation, likeTrain } from '../../../src/adapters/provider/motis/names.ts';
import { onBoard, rideIn } from '../../../src/adapters/provider/motis/ride.ts';
import { stopTimeSchema, tripSchema } from '../../../src/adapters/provider/motis/schema.ts';
import type { Answer } from '../../../src/contracts/topics.ts';
import { extractDocument } from '../../../src/domain/extract/document.ts';
import { legKeys } from '../../../src/domain/keys.ts';
import type { Observation } from '../../../src/domain/observation.ts';
import { reconcile } from '../../../src/domain/reconcile/reconcile.ts';
import type { Reservation } from '../../../src/domain/reservation.ts';
import { describeChanges } from '../../../src/domain/reservation-view.ts';
import { callCancelled, motis, trackAt } from '../../../src/sandbox/providers/motis.ts';
import { type Train, trainAt, trainsOf } from '../../../src/sandbox/scenario/trains.ts';
import { HOUR } from '../../../src/sandbox/scenario/types.ts';
import { ana, stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';
import { NOW, providerContract } from './provider-contract.ts';
import { DAY, HOURS, withFake } from './truth.ts';
import { type Behaviour, json, startVendor } from './vendor-server.ts';

const AT = '2026-12-01T10:05:00+01:00[Europe/Berlin]';
const tz = 'Europe/Berlin';
const stop = (name: string, change: Record<string, unknown> = {}) => ({
  name,
  stopId: name,
  lat: 1,
  lon: 1,
  tz,
  ...change,
});
const leaves = (change: Record<string, unknown> = {}) =>
  stop('S+U Berlin Hauptbahnhof', {
    scheduledDeparture: '2026-12-01T09:05:00Z',
    departure: '2026-12-01T09:05:00Z',
    scheduledTrack: '3',
    track: '3',
    ...change,
  });
const arrives = (change: Record<string, unknown> = {}) =>
  stop('München Hbf', {
    scheduledArrival: '2026-12-01T13:02:00Z',
    arrival: '2026-12-01T13:02:00Z',
    scheduledTrack: '18',
    track: '18',
    ...change,
  });
const printed = { displayName: 'ICE 512', tripShortName: 'ICE 512', routeShortName: '28' };
const leg = (change: Record<string, unknown> = {}) => ({
  mode: 'HIGHSPEED_RAIL',
  from: leaves(),
  to: arrives(),
  realTime: true,
  ...printed,
  ...change,
});
const trip = (change: Record<string, unknown> = {}) => ({ legs: [leg(change)] });
const departure = (change: Record<string, unknown> = {}) => ({
  place: leaves(),
  tripId: 't1',
  realTime: true,
  ...printed,
  ...change,
});

const make = (options: object = {}) =>
  createMotisConnector({ clock: stillClock(NOW), contact: 'ops@acme.example', ...options });
const booked = (facts: Record<string, string> = {}, change: object = {}) =>
  reservation(
    {
      kind: 'train',
      facts: {
        number: 'ICE 512',
        'start.name': 'Berlin Hbf',
        'end.name': 'München Hbf',
        'start.scheduled': AT,
        ...facts,
      },
    },
    change,
  );
const subject = make().subjectsOf(booked())[0]!;
const matches = [
  { type: 'STOP', name: 'Berlin Südkreuz', id: 's2', lat: 1, lon: 1, tz },
  { type: 'STOP', name: 'Berlin Hauptbahnhof', id: 's1', lat: 1, lon: 1, tz },
];
/** Stations and boards answer, whatever the trip does. */
const around =
  (behave: Behaviour): Behaviour =>
  (request, response) => {
    if (request.url?.includes('geocode')) json(200, matches)(request, response);
    else if (request.url?.includes('stoptimes')) json(200, { stopTimes: [7, departure()] })(request, response);
    else behave(request, response);
  };

providerContract({
  name: 'MOTIS',
  create: make,
  subject,
  around,
  good: () => trip(),
  noisy: () =>
    trip({ mode: 'HYPERLOOP', alerts: [{ headerText: 'x' }], to: arrives({ pickupType: 'MAYBE', level: 3 }) }),
  cancelled: () => trip({ cancelled: true }),
  other: () => trip({ displayName: 'ICE 5120', tripShortName: 'ICE 5120' }),
  absent: { status: 404, body: { error: 'not found' } },
  strange: [7, 'text', null, {}, { legs: [] }, { legs: [{}] }, []],
});

test('what is asked: trains with number, minute and station; keys are those of the reservation', () => {
  assert.deepEqual(subject.query, {
    keys: 'leg:train:ice512:2026-12-01:berlinhbf leg:train:512:2026-12-01:berlinhbf',
    number: 'ICE 512',
    day: '2026-12-01',
    at: AT,
    from: 'Berlin Hbf',
    to: 'München Hbf',
  });
  assert.equal(subject.id, 'leg:train:ice512:2026-12-01:berlinhbf:munchenhbf');
  const [shorter] = make().subjectsOf(booked({ 'end.name': 'Leipzig Hbf' }));
  assert.equal(shorter!.query.keys, subject.query.keys);
  assert.notEqual(shorter!.id, subject.id, 'another arrival is another subject');
  const [split] = make().subjectsOf(booked({ number: '512', name: 'ICE', 'start.code': 'BLS' }));
  assert.equal(split!.id, subject.id, 'number and name apart are the same train');
  for (const form of ['512', 'ICE 512'])
    for (const from of ['Berlin Hbf', 'BLS'])
      assert.ok(split!.query.keys!.includes(legKeys({ kind: 'train', number: form, from, start: AT })[0]!));
  const none = (facts: Record<string, string>, change: object = {}) => make().subjectsOf(booked(facts, change)).length;
  assert.equal(none({ number: '' }), 0);
  assert.equal(none({ number: 'Regional express' }), 0);
  assert.equal(none({ 'start.name': '' }), 0);
  assert.equal(none({ 'start.scheduled': '2026-12-01' }), 0, 'a day alone does not tell which one');
  assert.equal(none({}), 1);
  const [plain] = make().subjectsOf(booked({ 'start.scheduled': '2026-12-01T10:05:00' }));
  assert.equal(plain!.id, subject.id, 'one subject, whoever knows the zone');
  assert.ok(plain!.endAt > subject.endAt - 24 * HOUR && plain!.fromAt < subject.fromAt);
});

test('a train in a mail is asked about, and the answer has a key of its leg', () => {
  const file = new URL('../../fixtures/mail/train-microdata.eml', import.meta.url);
  const receivedAt = '2026-11-22T12:00:00.000Z';
  const { claims } = extractDocument({ bytes: readFileSync(file), fileName: 'train.eml', receivedAt });
  const legs = claims.flatMap((claim) => claim.legs).filter((one) => one.kind === 'train');
  assert.ok(legs.length > 0);
  for (const { kind, keys, facts } of legs) {
    const values = Object.fromEntries(Object.entries(facts).map(([path, fact]) => [path, fact.value]));
    const [spec] = make().subjectsOf(reservation({ kind, facts: values }));
    assert.ok(spec, `${keys} is asked about`);
    assert.ok(
      spec.query.keys!.split(' ').some((key) => keys.includes(key)),
      `${keys} of ${spec.query.keys}`,
    );
  }
});

test('who asks is told to the service, and little is asked: three calls for the first answer, then one', async () => {
  const vendor = await startVendor();
  vendor.around = around;
  vendor.behave = json(200, trip());
  const connector = make({ url: vendor.url });
  const { signal } = new AbortController();
  const first = await connector.readOne(subject, signal);
  assert.ok(first.kind === 'found');
  assert.deepEqual(await connector.readIfChanged!(subject, first.token!, signal), { kind: 'unchanged' });
  const paths = vendor.asked.map(({ url }) => url.split('?')[0]);
  assert.deepEqual(paths, ['/api/v1/geocode', '/api/v6/stoptimes', '/api/v6/trip', '/api/v6/trip']);
  assert.match(vendor.asked[0]!.headers['user-agent']!, /Tripwatch \(.*ops@acme\.example\)/);
  const query = new URLSearchParams(vendor.asked[1]!.url.split('?')[1]);
  assert.equal(query.get('stopId'), 's1', 'the main station, not the one whose name is like it');
  assert.equal(query.get('realtimeMode'), 'REALTIME_ANNOTATION_ONLY');
  await connector.close!();
  await vendor.close();
});

test('a trip that was forgotten is looked for again; an unknown station or train is no cancellation', async () => {
  const vendor = await startVendor();
  vendor.around = around;
  vendor.behave = json(200, trip());
  const connector = make({ url: vendor.url });
  const { signal } = new AbortController();
  await connector.readOne(subject, signal);
  let times = 0;
  vendor.behave = (request, response) => json(times++ === 0 ? 404 : 200, times === 1 ? {} : trip())(request, response);
  assert.equal((await connector.readOne(subject, signal)).kind, 'found');
  assert.equal(times, 2);
  vendor.around = undefined;
  for (const behave of [json(200, []), json(404, { error: 'x' })]) {
    const fresh = make({ url: vendor.url });
    vendor.behave = behave;
    assert.deepEqual(await fresh.readOne(subject, signal), { kind: 'absent' });
    await fresh.close!();
  }
  await connector.close!();
  await vendor.close();
});

const asked = { keys: ['k'], number: 'ICE 512', day: '2026-12-01', at: AT, from: 'Berlin Hbf', to: 'München Hbf' };
const entry = (change: Record<string, unknown> = {}) => stopTimeSchema.parse(departure(change));
const at = (time: string) => ({ place: leaves({ scheduledDeparture: time }) });

test('on a board: to the minute, with real time before without, or the only one of that number', () => {
  const found = (...board: ReturnType<typeof entry>[]) => onBoard(board, asked, tz)?.tripId;
  assert.equal(found(entry({ tripId: 'static', realTime: false }), entry({ tripId: 'live' })), 'live');
  assert.equal(found(entry({ tripShortName: '000512', routeShortName: 'ICE' })), 't1');
  assert.equal(found(entry({ tripShortName: 'ICE 5120', displayName: 'ICE 5120' })), undefined);
  assert.equal(found(entry({ tripShortName: 'IC 512', displayName: 'IC 512' })), undefined);
  assert.equal(found(entry(at('2026-12-01T09:40:00Z'))), 't1', 'moved by works on the line');
  assert.equal(found(entry(at('2026-12-01T12:40:00Z'))), undefined, 'too far off');
  assert.equal(
    found(entry(at('2026-12-01T09:40:00Z')), entry({ tripId: 't2', ...at('2026-12-01T10:20:00Z') })),
    undefined,
  );
  assert.equal(found(entry(at('2026-12-02T09:05:00Z'))), undefined, 'another day');
  const elsewhere = { ...leaves({ scheduledDeparture: '2026-12-01T09:11:00Z' }), name: 'Berlin' };
  assert.equal(found(entry({ place: elsewhere })), undefined, 'a name that only may be the station needs the minute');
  const line = { displayName: 'RE 8', tripShortName: '11438', routeShortName: 'RE 8' };
  const regional = { ...asked, number: 'RE 8' };
  assert.equal(onBoard([entry(line)], regional, tz)?.tripId, 't1');
  assert.equal(
    onBoard([entry({ ...line, ...at('2026-12-01T09:40:00Z') })], regional, tz),
    undefined,
    'a line has many trains',
  );
});

test('in a trip: the stops of the traveller, across parts that are ridden through', () => {
  const middle = stop('Leipzig Hbf', {
    scheduledArrival: '2026-12-01T10:15:00Z',
    scheduledDeparture: '2026-12-01T10:20:00Z',
  });
  const whole = tripSchema.parse({
    legs: [leg({ to: middle }), leg({ from: middle, tripShortName: 'ICE 600', displayName: 'ICE 600' })],
  });
  const ride = rideIn(whole, asked, tz);
  assert.equal(ride?.alightAt, 'legs[1].to');
  assert.equal(rideIn(whole, { ...asked, to: 'Leipzig' }, tz)?.alight?.name, 'Leipzig Hbf');
  assert.equal(rideIn(whole, { ...asked, to: 'Hamburg' }, tz)?.alight, undefined, 'its arrival is then not told');
  assert.equal(rideIn(whole, { ...asked, from: 'Leipzig Hbf' }, tz), undefined, 'another train leaves from there');
});

const read = async (body: unknown): Promise<Answer> => {
  const vendor = await startVendor();
  vendor.around = around;
  vendor.behave = json(200, body);
  const connector = make({ url: vendor.url });
  const result = await connector.readOne(subject, new AbortController().signal);
  await connector.close!();
  await vendor.close();
  assert.ok(result.kind === 'found');
  return result.answer;
};

test('how it runs: expectations only with real time, cancelled at the own station, ending before it', async () => {
  const value = async (change: Record<string, unknown>) => {
    const { facts } = (await read(trip(change))).legs[0]!;
    return (path: string) => facts[path]?.value;
  };
  const late = await value({ from: leaves({ departure: '2026-12-01T09:25:00Z', track: '5' }) });
  assert.equal(late('start.scheduled'), AT);
  assert.equal(late('start.estimated'), '2026-12-01T10:25:00+01:00[Europe/Berlin]');
  assert.equal(late('start.platform'), '5');
  assert.equal(late('end.estimated'), null, 'on time again takes back what was expected');
  const unknown = await value({ realTime: false, from: leaves({ departure: '2026-12-01T09:25:00Z' }) });
  assert.equal(unknown('start.estimated'), undefined);
  assert.equal((await value({ cancelled: true }))('operation'), 'cancelled');
  assert.equal((await value({ from: leaves({ cancelled: true }) }))('operation'), 'cancelled');
  assert.equal((await value({ to: arrives({ cancelled: true }) }))('operation'), 'diverted');
  assert.equal((await value({}))('operation'), 'scheduled');
});

const said = { tenant: ana.tenant, traveller: ana.traveller, facts: {} } as const;
const mailed = (): Observation => {
  const facts = { number: 'ICE 512', 'start.name': 'Berlin Hbf', 'end.name': 'München Hbf', 'start.scheduled': AT };
  const leg = {
    kind: 'train' as const,
    keys: legKeys({ kind: 'train', number: 'ICE 512', from: 'Berlin Hbf', start: AT }),
    facts: Object.fromEntries(Object.entries(facts).map(([path, value]) => [path, { value }])),
  };
  const stamps = { assertedAt: '2026-11-01T00:00:00.000Z', observedAt: '2026-11-01T00:00:00.000Z' };
  const source = { kind: 'mail', ref: 'mail_1', label: 'mail' } as const;
  return { ...said, ...stamps, id: 'obs_0', source, authority: 'mail', bookingKeys: ['ref:rail:qq77zz'], legs: [leg] };
};

test('what a traveller is told of a train: the answer joins the ticket, and its changes have sentences', async () => {
  const observations = [mailed()];
  let published: Reservation[] = [];
  const told = async (minute: number, change: Record<string, unknown>): Promise<string> => {
    const { legs } = await read(trip(change));
    const at = `2026-12-01T08:${String(minute).padStart(2, '0')}:00.000Z`;
    const source = { kind: 'provider', ref: 'sub_1', label: 'Transitous', account: 'trains' } as const;
    const stamps = { assertedAt: at, observedAt: at };
    const id = `obs_${observations.length}` as const;
    const one = { ...said, ...stamps, id, source, authority: 'status', bookingKeys: [], legs } as const;
    observations.push(one as unknown as Observation);
    return tell();
  };
  const tell = (): string => {
    const versions = reconcile(ana, observations, published, () => 'rsv_1');
    if (versions.length > 0) published = versions.map((version) => version.reservation);
    return versions.flatMap(({ changes, reservation: now }) => describeChanges(changes, now)).join('; ');
  };
  assert.match(tell(), /was added/);
  await told(0, {});
  assert.equal(published.length, 1, 'one reservation: the ticket');
  assert.equal(published[0]!.legs.length, 1);
  const late = { from: leaves({ departure: '2026-12-01T09:25:00Z', track: '5' }) };
  const sentence = await told(1, late);
  assert.match(sentence, /ICE 512 .*expected to (leave|depart) at 10:25, 20 min/);
  assert.match(sentence, /platform.* 5/);
  assert.match(await told(2, { ...late, to: arrives({ cancelled: true }) }), /ICE 512 .*does not go to München Hbf/);
  assert.match(await told(3, { ...late, cancelled: true }), /ICE 512 .*is cancelled/);
  assert.match(await told(4, late), /no longer cancelled/);
  assert.equal(await told(5, late), '', 'never the same twice');
});

test('stations and trains by the names that timetables and tickets give them', () => {
  for (const [a, b, like] of [
    ['Berlin Hbf', 'S+U Berlin Hauptbahnhof', 'same'],
    ['Frankfurt(Main)Hbf', 'Frankfurt (Main) Hauptbahnhof', 'same'],
    ['Amsterdam Central', 'Amsterdam Centraal', 'same'],
    ['Zürich HB', 'Zurich HB', 'same'],
    ['Paris Gare de Lyon', 'Paris Gare de Lyon Hall 1 - 2', 'part'],
    ['Berlin', 'Berlin Südkreuz', 'part'],
    ['Berlin Hbf', 'Berlin Südkreuz', undefined],
    ['', 'Berlin', undefined],
  ] as const) {
    assert.equal(likeStation(a, b), like, `${a} and ${b}`);
    assert.equal(likeStation(b, a), like, `${b} and ${a}`);
  }
  for (const [number, train, like] of [
    ['ICE 75', { tripShortName: 'ICE 75' }, 'number'],
    ['ice075', { tripShortName: 'ICE 75' }, 'number'],
    ['75', { tripShortName: '000075', routeShortName: 'ICE' }, 'number'],
    ['ICE 75', { tripShortName: 'ICE 755' }, undefined],
    ['ICE 75', { tripShortName: '75', routeShortName: 'IC' }, undefined],
    ['ECE 393', { tripShortName: '000393', routeShortName: 'ECE' }, 'number'],
    ['8', { displayName: 'RE 8', tripShortName: '11438', routeShortName: 'RE 8' }, 'line'],
    ['Frecciarossa 9512', { tripShortName: 'FR 9512' }, 'number'],
    ['', { tripShortName: 'ICE 75' }, undefined],
  ] as const)
    assert.equal(likeTrain(number, train), like, `${number} and ${JSON.stringify(train)}`);
});

test('the configuration wants somebody who can be reached', () => {
  const faults = (options: object) => motisEntry.options!.safeParse(options).success;
  assert.deepEqual(
    [faults({ contact: 'ops@acme.example' }), faults({}), faults({ contact: 'a\r\nb' })],
    [true, false, false],
  );
});

/** As a ticket has it; every third one without the kind, every other one without a zone. */
function ticket(train: Train, index: number) {
  const [first, last] = [train.calls[0]!, train.calls.at(-1)!];
  const time = Temporal.Instant.fromEpochMilliseconds(first.departure!).toZonedDateTimeISO(first.station.zone);
  return reservation({
    kind: 'train',
    facts: {
      number: index % 3 === 0 ? train.number : `${train.kind} ${train.number}`,
      'start.name': first.station.printed,
      'end.name': last.station.printed,
      'start.scheduled': index % 2 === 0 ? time.toString() : time.toPlainDateTime().toString(),
    },
  });
}

test('the day: every train by its ticket, through timetables that are loaded anew', () =>
  withFake(
    { vendor: () => motis(DAY), connector: (options) => make(options) },
    async ({ connector, at: put, signal, fake }) => {
      const trains = trainsOf(DAY);
      const seen = new Set<string>();
      for (const time of HOURS) {
        put(time);
        const ask = async (train: Train, index: number): Promise<void> => {
          const [spec] = connector.subjectsOf(ticket(train, index));
          const result = await connector.readOne(spec!, signal);
          const { delayMs, movedMs, cancelled } = trainAt(train, time);
          const [first, last] = [train.calls[0]!, train.calls.at(-1)!];
          if (result.kind === 'absent') {
            assert.ok(movedMs > 0 && /Hall/.test(first.station.name), `${train.id} is found`);
            return;
          }
          const facts = result.answer.legs[0]!.facts;
          const ms = (path: string) => {
            const value = facts[path]?.value;
            return typeof value === 'string' ? Temporal.ZonedDateTime.from(value).epochMilliseconds : value;
          };
          assert.equal(ms('start.scheduled'), first.departure! + movedMs, train.id);
          assert.equal(ms('end.scheduled'), last.arrival! + movedMs, train.id);
          const expected = ms('start.estimated');
          assert.equal(expected ?? first.departure! + movedMs, first.departure! + movedMs + delayMs, train.id);
          assert.equal(facts['start.platform']?.value, trackAt(train, 0, time), train.id);
          const short = callCancelled(train, train.calls.length - 1, time);
          const operation = cancelled ? 'cancelled' : short ? 'diverted' : 'scheduled';
          assert.equal(facts.operation?.value, operation, train.id);
          seen.add(`${operation} ${delayMs > 0} ${movedMs > 0}`);
        };
        await Promise.all(trains.map(ask));
      }
      for (const one of [
        'cancelled true false',
        'diverted false false',
        'scheduled true false',
        'scheduled false true',
      ])
        assert.ok(seen.has(one), one);
      const calls = fake.calls().filter((call) => call.endpoint === 'GET /api/v6/stoptimes').length;
      assert.ok(
        calls < trains.length * 5,
        `${calls} boards for ${trains.length} trains: only when a trip is not known`,
      );
    },
  ));
