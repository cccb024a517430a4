import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Leg } from '../reservation.ts';
import { FRA_JFK, legOf, reservationOf, Story, type Values } from './alerts.testing.ts';

const first = (more: Values = {}) => legOf('a', 'flight', { ...FRA_JFK, 'end.terminal': '4', ...more });
/** Lands at 16:40 in New York. */
const onward = (scheduled: string, more: Values = {}) =>
  legOf('b', 'flight', {
    'carrier.code': 'DL',
    number: '12',
    'start.code': 'JFK',
    'end.code': 'BOS',
    'start.terminal': '4',
    'start.scheduled': `2026-12-01T${scheduled}:00-05:00[America/New_York]`,
    'end.scheduled': '2026-12-01T23:00:00-05:00[America/New_York]',
    ...more,
  });
const lands = (clock: string, day = '01'): Values => ({
  'end.estimated': `2026-12-${day}T${clock}:00-05:00[America/New_York]`,
});
const NOON = '2026-12-01T15:00:00Z';

/** The alerts of the kind among what is told. */
function of(one: Story, kind: string): readonly string[] {
  return one.alerts.filter((alert) => alert.kind === kind).map(({ sentence }) => sentence);
}

function journey(...legs: readonly Leg[]): Story {
  return new Story(reservationOf('a', legs), NOON);
}

test('a connection becomes tight, then impossible, then possible again: each told once', () => {
  const one = journey(first(), onward('18:00'));
  one.say(lands('17:00'));
  assert.deepEqual(of(one, 'connection'), []);
  one.say(lands('17:20'));
  assert.match(
    of(one, 'connection')[0]!,
    /^DL 12 New York → Boston: the connection from LH 400 .* is tight, 40 min where 45 min/,
  );
  assert.equal(one.alerts.find(({ kind }) => kind === 'connection')?.severity, 'warning');
  one.say(lands('17:25'));
  assert.deepEqual(of(one, 'connection'), []);
  one.say(lands('17:45'));
  assert.match(of(one, 'connection')[0]!, /will hardly be reached from LH 400 .*: 15 min where 20 min/);
  one.say(lands('18:10'));
  assert.deepEqual(of(one, 'connection'), []);
  one.say({ 'start.estimated': '2026-12-01T20:00:00-05:00[America/New_York]' }, 'status', 1);
  assert.match(of(one, 'connection')[0]!, /can be reached from LH 400 .* again/);
  one.look();
  assert.deepEqual(one.alerts, []);
});

test('the minimum depends on the way: terminal, airport, town', () => {
  const at = (leg: Leg, landing: string): readonly string[] => {
    const one = journey(first(), leg);
    one.say(lands(landing));
    return of(one, 'connection');
  };
  assert.equal(at(onward('18:00'), '17:10').length, 0);
  assert.match(at(onward('18:00', { 'start.terminal': '1' }), '17:10')[0]!, /50 min where 1 h are/);
  assert.match(at(onward('19:40', { 'start.code': 'LGA' }), '17:00')[0]!, /2 h 40 min where 3 h are/);
  assert.match(at(onward('19:40', { 'start.code': 'LGA' }), '18:30')[0]!, /hardly/);
  // Another town is no connection.
  assert.equal(at(onward('18:00', { 'start.code': 'MIA' }), '18:30').length, 0);
});

test('a connection that was booked tight is no news until it loses time', () => {
  const one = journey(first(), onward('17:15'));
  assert.deepEqual(of(one, 'connection'), []);
  one.say(lands('16:44'));
  assert.deepEqual(of(one, 'connection'), []);
  one.say(lands('16:46'));
  assert.match(of(one, 'connection')[0]!, /tight/);
});

test('trains at one station change in minutes', () => {
  const train = (id: string, values: Values) =>
    legOf(id, 'train', { 'start.zone': 'Europe/Berlin', 'end.zone': 'Europe/Berlin', ...values });
  const one = journey(
    train('a', {
      number: 'ICE 1',
      'end.name': 'Köln Hbf',
      'start.scheduled': '2026-12-01T17:00:00',
      'end.scheduled': '2026-12-01T18:00:00',
    }),
    train('b', {
      number: 'RE 5',
      'start.name': 'Koeln Hbf',
      'start.scheduled': '2026-12-01T18:14:00',
      'end.scheduled': '2026-12-01T19:00:00',
    }),
  );
  // Two spellings of one station are not taken for one.
  one.say({ 'end.estimated': '2026-12-01T18:30:00' });
  assert.deepEqual(of(one, 'connection'), []);
  const two = journey(
    train('a', {
      number: 'ICE 1',
      'end.name': 'Köln Hbf',
      'start.scheduled': '2026-12-01T17:00:00',
      'end.scheduled': '2026-12-01T18:00:00',
    }),
    train('b', {
      number: 'RE 5',
      'start.name': 'KÖLN HBF',
      'start.scheduled': '2026-12-01T18:14:00',
      'end.scheduled': '2026-12-01T19:00:00',
    }),
  );
  two.say({ 'end.estimated': '2026-12-01T18:03:00' });
  assert.deepEqual(of(two, 'connection'), []);
  two.say({ 'end.estimated': '2026-12-01T18:06:00' });
  assert.match(of(two, 'connection')[0]!, /8 min where 10 min/);
  two.say({ 'end.estimated': '2026-12-01T18:20:00' });
  assert.match(of(two, 'connection')[0]!, /leaves before ICE 1.*arrives/);
});

test('a cancelled or diverted flight breaks what follows, unless another one leads there', () => {
  const one = journey(first(), onward('18:00'));
  one.say({ status: 'cancelled' }, 'booking');
  assert.match(of(one, 'connection')[0]!, /cannot be reached: LH 400 .* is cancelled/);
  const two = journey(first(), onward('18:00'));
  two.say({ operation: 'diverted' });
  assert.match(of(two, 'connection')[0]!, /may not be reached: LH 400 .* is diverted/);
  const other = legOf('c', 'flight', {
    ...FRA_JFK,
    number: '404',
    'end.scheduled': '2026-12-01T16:00:00-05:00[America/New_York]',
  });
  const three = journey(first(), onward('18:00'), other);
  three.say({ status: 'cancelled' }, 'booking');
  assert.deepEqual(of(three, 'connection'), []);
});

test('a flight booked elsewhere is missed too: told once, in the record of what is missed', () => {
  const one = new Story(reservationOf('a', [first()]), NOON);
  one.beside = [reservationOf('b', [onward('18:00')])];
  one.say(lands('17:55'));
  const [alert] = one.alerts.filter(({ kind }) => kind === 'connection');
  assert.deepEqual([alert?.reservation, alert?.leg], ['rsv_b', 'leg_b']);
  assert.deepEqual(one.tolds.get('rsv_b')?.facts['leg_b/reached']?.value, 'no');
  // The onward booking changes: seen from there it is the same fact.
  const other = new Story(one.beside[0]!, NOON);
  other.tolds.clear();
  for (const [id, told] of one.tolds) other.tolds.set(id, told);
  other.beside = [one.reservation];
  other.say({ 'start.gate': 'C1' });
  assert.deepEqual(of(other, 'connection'), []);
});

test('far apart, or the second before the first: no connection', () => {
  const one = journey(
    first(),
    onward('23:59', {
      'start.scheduled': '2026-12-02T06:00:00-05:00[America/New_York]',
      'end.scheduled': '2026-12-02T07:00:00-05:00[America/New_York]',
    }),
  );
  one.say(lands('05:30', '02'));
  assert.deepEqual(of(one, 'connection'), []);
  const two = journey(first(), onward('16:00'));
  two.say(lands('19:00'));
  assert.deepEqual(of(two, 'connection'), []);
});

const hotel = (more: Values = {}) =>
  legOf('h', 'stay', {
    name: 'The Jane',
    'start.locality': 'New York',
    'start.zone': 'America/New_York',
    'start.scheduled': '2026-12-01T15:00:00-05:00[America/New_York]',
    'end.scheduled': '2026-12-04T11:00:00-05:00[America/New_York]',
    ...more,
  });

test('so late that the reception may have closed: told with its hours where they are known', () => {
  const one = new Story(reservationOf('a', [first()]), NOON);
  one.beside = [reservationOf('h', [hotel()])];
  one.say(lands('22:00'));
  assert.deepEqual(of(one, 'knock-on'), []);
  one.say(lands('22:30'));
  assert.deepEqual(of(one, 'knock-on'), [
    'The Jane, New York: you would be there at 23:15; many receptions close at 23:00. Let them know.',
  ]);
  one.say(lands('23:30'));
  assert.deepEqual(of(one, 'knock-on'), []);
  one.say(lands('21:00'));
  assert.match(of(one, 'knock-on')[0]!, /in time again, at 21:45/);
  const two = new Story(reservationOf('a', [first()]), NOON);
  two.beside = [reservationOf('h', [hotel({ 'start.until': '20:00' })])];
  two.say(lands('19:30'));
  assert.match(of(two, 'knock-on')[0]!, /there at 20:15, after 20:00/);
  // Expected only; when it has landed, against hours that the hotel has named, it is certain.
  assert.equal(two.alerts.find(({ kind }) => kind === 'knock-on')?.certain, false);
  for (const [until, certain] of [['20:00', true] as const, [undefined, false] as const]) {
    const landed = new Story(reservationOf('a', [first()]), NOON);
    landed.beside = [reservationOf('h', [hotel(until === undefined ? {} : { 'start.until': until })])];
    landed.say({ 'end.actual': '2026-12-01T22:30:00-05:00[America/New_York]' });
    assert.equal(landed.alerts.find(({ kind }) => kind === 'knock-on')?.certain, certain);
  }
});

test('a reception open until after midnight, and an arrival the next morning', () => {
  const one = new Story(reservationOf('a', [first()]), NOON);
  one.beside = [reservationOf('h', [hotel({ 'start.until': '02:00' })])];
  one.say(lands('23:50'));
  assert.deepEqual(of(one, 'knock-on'), []);
  one.say(lands('01:30', '02'));
  assert.match(of(one, 'knock-on')[0]!, /there at 02:15, after 02:00/);
});

test('closing hours are those of the clock on the wall, also in the night the clocks change', () => {
  // Summer time ends in Berlin on 25 October at 03:00.
  const stay = legOf('h', 'stay', {
    name: 'Hotel Adler',
    'start.zone': 'Europe/Berlin',
    'start.scheduled': '2026-10-24',
    'end.scheduled': '2026-10-27',
    'start.until': '03:30',
  });
  const train = legOf('a', 'train', {
    number: 'IC 9',
    'start.zone': 'Europe/Berlin',
    'end.zone': 'Europe/Berlin',
    'start.scheduled': '2026-10-24T20:00:00+02:00[Europe/Berlin]',
    'end.scheduled': '2026-10-24T23:00:00+02:00[Europe/Berlin]',
  });
  const one = new Story(reservationOf('a', [train]), '2026-10-24T17:00:00Z');
  one.beside = [reservationOf('h', [stay])];
  // 02:40 the second time, and 45 minutes of way: 03:25.
  one.say({ 'end.estimated': '2026-10-25T02:40:00+01:00[Europe/Berlin]' });
  assert.deepEqual(of(one, 'knock-on'), []);
  one.say({ 'end.estimated': '2026-10-25T02:50:00+01:00[Europe/Berlin]' });
  assert.match(of(one, 'knock-on')[0]!, /there at 03:35, after 03:30/);
});

test('a rental desk waits an hour, or closes', () => {
  const car = (more: Values = {}) =>
    legOf('c', 'rental', {
      name: 'Hertz',
      'start.code': 'JFK',
      'start.scheduled': '2026-12-01T18:00:00-05:00[America/New_York]',
      ...more,
    });
  const one = new Story(reservationOf('a', [first()]), NOON);
  one.beside = [reservationOf('c', [car()])];
  one.say(lands('18:10'));
  assert.deepEqual(of(one, 'knock-on'), []);
  one.say(lands('18:30'));
  assert.match(
    of(one, 'knock-on')[0]!,
    /^The rental car \(Hertz\), New York: you would be at the desk at 19:15, booked was 18:00/,
  );
  const two = new Story(reservationOf('a', [first()]), NOON);
  two.beside = [reservationOf('c', [car({ 'start.until': '22:00' })])];
  two.say(lands('21:00'));
  assert.deepEqual(of(two, 'knock-on'), []);
  two.say(lands('21:30'));
  assert.match(of(two, 'knock-on')[0]!, /at the desk at 22:15, after it closes at 22:00/);
});

test('an arrival that was planned for after closing time is known to whoever booked it', () => {
  const night = first({ 'end.scheduled': '2026-12-01T22:50:00-05:00[America/New_York]' });
  const one = new Story(reservationOf('a', [night]), NOON);
  one.beside = [reservationOf('h', [hotel()])];
  one.say(lands('23:59'));
  assert.deepEqual(of(one, 'knock-on'), []);
});

test('held during an outage as everything else', () => {
  const one = journey(first(), onward('18:00'));
  one.tolds.set('rsv_a', {
    ...one.tolds.get('rsv_a')!,
    facts: {
      ...one.tolds.get('rsv_a')!.facts,
      'booking/unverified': { value: one.now - 60_000, certain: true, at: one.now },
    },
  });
  one.words = [
    {
      account: 'aero',
      thing: 'lh400',
      vendor: 'aero',
      own: false,
      checkedAt: one.now - 60_000,
      failing: true,
      asked: true,
      facts: {},
      legs: [],
    },
  ];
  assert.deepEqual(one.say(lands('17:55')), []);
});
