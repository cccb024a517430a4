import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ALERT_KINDS } from './alert.ts';
import { FRA_JFK, legOf, reservationOf, Story, type Values, wordOf } from './alerts.testing.ts';
import { decideAlerts, isOver, joinedTold, needsWords } from './decide.ts';

const flight = (more: Values = {}) => legOf('a', 'flight', { ...FRA_JFK, ...more });
const story = (more: Values = {}, at = '2026-11-20T10:00:00Z') => new Story(reservationOf('a', [flight(more)]), at);
const leaves = (clock: string): Values => ({ 'start.estimated': `2026-12-01T${clock}:00+01:00[Europe/Berlin]` });
const DAY_OF = '2026-12-01T08:00:00Z';
const KEYS = ['leg:flight:a'];

test('what was booked is known: the first look tells nothing', () => {
  const one = story({ 'start.gate': 'A1', 'start.terminal': '1', 'passenger.x.seat': '14A', aircraft: 'A359' });
  assert.deepEqual(one.alerts, []);
  assert.deepEqual(one.look(), []);
});

test('a delay is told from 15 minutes on, then at each step against what was told, and when it is gone', () => {
  const one = story().at(DAY_OF);
  one.look();
  assert.deepEqual(one.say(leaves('14:09')), []);
  assert.deepEqual(one.say(leaves('14:10')), ['LH 400 Frankfurt am Main → New York leaves 15 min late, at 14:10.']);
  assert.equal(one.alerts[0]?.kind, 'delay');
  assert.deepEqual(one.say(leaves('14:24')), []);
  assert.deepEqual(one.say(leaves('14:26')), ['LH 400 Frankfurt am Main → New York leaves 31 min late, at 14:26.']);
  assert.deepEqual(one.say(leaves('14:20')), []);
  assert.deepEqual(one.say(leaves('14:11')), ['LH 400 Frankfurt am Main → New York leaves 16 min late, at 14:11.']);
  assert.deepEqual(one.say(leaves('13:56')), ['LH 400 Frankfurt am Main → New York leaves on time again, at 13:56.']);
  assert.deepEqual(one.say(leaves('13:55')), []);
});

test('a delay that creeps by a minute a minute is told at each step, not never', () => {
  const one = story().at(DAY_OF);
  one.look();
  let told = 0;
  for (let late = 1; late <= 60; late++) {
    const clock = Temporal.PlainTime.from('13:55').add({ minutes: late }).toString().slice(0, 5);
    told += one.say(leaves(clock)).length;
  }
  assert.equal(told, 4);
});

test('departure and arrival are one sentence; a late arrival alone is another', () => {
  const one = story().at(DAY_OF);
  one.look();
  const both = one.say({ ...leaves('14:55'), 'end.estimated': '2026-12-01T17:30:00-05:00[America/New_York]' });
  assert.deepEqual(both, ['LH 400 Frankfurt am Main → New York leaves 1 h late, at 14:55. It arrives at 17:30.']);
  assert.deepEqual(one.say({ 'end.estimated': '2026-12-01T17:35:00-05:00[America/New_York]' }), []);
  one.say({ 'start.actual': '2026-12-01T15:10:00+01:00[Europe/Berlin]' });
  assert.deepEqual(one.say({ 'end.estimated': '2026-12-01T18:10:00-05:00[America/New_York]' }), [
    'LH 400 Frankfurt am Main → New York arrives 1 h 30 min late, at 18:10.',
  ]);
});

test('a delay past midnight names the day, by the clock of the place', () => {
  const one = story({ 'start.scheduled': '2026-12-01T23:30:00+01:00[Europe/Berlin]' }).at('2026-12-01T20:00:00Z');
  one.look();
  const [sentence] = one.say({ 'start.estimated': '2026-12-02T00:40:00+01:00[Europe/Berlin]' });
  assert.match(sentence!, /1 h 10 min late, at 00:40 on Wed/);
  assert.match(sentence!, /2 Dec/);
});

test('a delay over the end of summer time is counted in minutes, and shown on the clock of the wall', () => {
  // 02:50 CEST; clocks go back to 02:00 at 03:00 that night.
  const one = story(
    {
      'start.scheduled': '2026-10-25T02:50:00+02:00[Europe/Berlin]',
      'end.scheduled': '2026-10-25T09:00:00+01:00[Europe/Berlin]',
    },
    '2026-10-24T20:00:00Z',
  );
  const [sentence] = one.say({ 'start.estimated': '2026-10-25T02:30:00+01:00[Europe/Berlin]' });
  assert.match(sentence!, /leaves 40 min late, at 02:30\.$/);
});

test('times in UTC are shown on the clock of the airport', () => {
  const one = story().at(DAY_OF);
  one.look();
  assert.match(one.say({ 'start.estimated': '2026-12-01T13:55:00Z' })[0]!, /1 h late, at 14:55/);
});

test('one status feed alone says "cancelled": not confirmed; the second makes it certain, once', () => {
  const one = story().at(DAY_OF);
  one.words = [wordOf('aero', KEYS, { operation: 'cancelled' }), wordOf('aware', KEYS, { operation: 'scheduled' })];
  assert.deepEqual(one.say({ operation: 'cancelled' }), [
    'LH 400 Frankfurt am Main → New York may be cancelled: not confirmed. aero says so.',
  ]);
  assert.deepEqual([one.alerts[0]?.certain, one.alerts[0]?.severity], [false, 'warning']);
  assert.ok((one.last?.dueAt ?? 0) > one.now);
  assert.deepEqual(one.look(), []);
  one.words = [one.words[0]!, wordOf('aware', KEYS, { operation: 'cancelled' })];
  assert.deepEqual(one.look(), ['LH 400 Frankfurt am Main → New York is cancelled: this is confirmed now.']);
  assert.deepEqual([one.alerts[0]?.certain, one.alerts[0]?.severity], [true, 'critical']);
  assert.equal(one.last?.dueAt, undefined);
  assert.deepEqual(one.look(), []);
  one.words = [one.words[0]!];
  assert.deepEqual(one.look(), []);
});

test('who only saw that nothing moves any more is one voice of two: with another that is sure, it is certain', () => {
  const unsure = wordOf('aware', KEYS, { operation: 'cancelled-uncertain' });
  for (const first of ['cancelled', 'cancelled-uncertain']) {
    const one = story().at(DAY_OF);
    one.words = [unsure];
    assert.match(one.say({ operation: 'cancelled-uncertain' }, 'status', 0, 'aware')[0]!, /may be cancelled/);
    assert.equal(one.alerts[0]?.certain, false);
    one.words = [unsure, wordOf('aero', KEYS, { operation: 'cancelled' })];
    const account = first === 'cancelled' ? 'aero' : 'aware';
    assert.match(one.say({ operation: first }, 'status', 0, account)[0]!, /is cancelled: this is confirmed now/);
    assert.deepEqual([one.alerts[0]?.certain, one.alerts[0]?.severity], [true, 'critical']);
    assert.deepEqual(one.look(), []);
  }
});

test('two that are not sure make nothing certain, nor does one vendor that is sure and unsure', () => {
  const unsure = wordOf('aware', KEYS, { operation: 'cancelled-uncertain' });
  for (const other of [
    wordOf('aero', KEYS, { operation: 'cancelled-uncertain' }),
    wordOf('spare', KEYS, { operation: 'cancelled' }, { vendor: 'aware' }),
  ]) {
    const one = story().at(DAY_OF);
    one.words = [unsure, other];
    assert.match(one.say({ operation: 'cancelled-uncertain' }, 'status', 0, 'aware')[0]!, /may be cancelled/);
    assert.deepEqual(one.look(), []);
  }
  // Not even the word of who runs it, while it is not sure itself.
  const own = story().at(DAY_OF);
  assert.match(own.say({ operation: 'cancelled-uncertain' }, 'booking')[0]!, /may be cancelled/);
});

test('two accounts at one vendor are one voice', () => {
  const one = story().at(DAY_OF);
  one.words = [
    wordOf('aero', KEYS, { operation: 'cancelled' }, { vendor: 'aerodatabox' }),
    wordOf('spare', KEYS, { operation: 'cancelled' }, { vendor: 'aerodatabox' }),
  ];
  assert.match(one.say({ operation: 'cancelled' })[0]!, /not confirmed/);
});

test("the provider's own word is certain at once; two unproven mails never are", () => {
  for (const authority of ['booking', 'mail-proven'] as const) {
    const one = story().at(DAY_OF);
    assert.match(one.say({ status: 'cancelled' }, authority)[0]!, /is cancelled\.$/);
    assert.equal(one.alerts[0]?.certain, true);
  }
  const one = story().at(DAY_OF);
  assert.match(one.say({ status: 'cancelled' }, 'mail')[0]!, /not confirmed\. An unproven mail says so/);
  assert.deepEqual(one.say({ operation: 'cancelled' }, 'mail'), []);
});

test('a booking provider that says it too makes the word of one feed certain', () => {
  const one = story().at(DAY_OF);
  one.words = [wordOf('duffel', KEYS, { status: 'cancelled' }, { own: true })];
  assert.match(one.say({ operation: 'cancelled' })[0]!, /is cancelled\.$/);
});

test('not cancelled after all, and cancelled again', () => {
  const one = story().at(DAY_OF);
  one.say({ operation: 'cancelled' });
  assert.match(one.say({ operation: 'scheduled' })[0]!, /is not cancelled after all/);
  assert.deepEqual(one.look(), []);
  assert.match(one.say({ operation: 'cancelled' })[0]!, /may be cancelled/);
  const two = story().at(DAY_OF);
  two.say({ status: 'cancelled' }, 'booking');
  assert.match(two.say({ status: 'confirmed' }, 'booking')[0]!, /no longer cancelled/);
});

test('an unproven "cancelled" beside what stands is a maybe', () => {
  const one = story({ status: 'confirmed' }).at(DAY_OF);
  const [leg] = one.reservation.legs;
  const status = {
    ...leg!.fields.status!,
    beside: { value: 'cancelled', by: { ...leg!.fields.status!.by, authority: 'mail' as const } },
  };
  one.reservation = { ...one.reservation, legs: [{ ...leg!, fields: { ...leg!.fields, status } }] };
  assert.match(one.look()[0]!, /may be cancelled: not confirmed/);
});

test('a booking cancelled as a whole is told once, not once a leg; a delay of a cancelled flight never', () => {
  const legs = [flight(), legOf('b', 'flight', { ...FRA_JFK, number: '401' })];
  const one = new Story(reservationOf('a', legs, { reference: 'X7K2PQ', 'provider.name': 'Lufthansa' }), DAY_OF);
  const cancelled = {
    ...one.reservation.legs[0]!.fields,
    status: { value: 'cancelled', by: one.reservation.legs[0]!.fields.number!.by },
  };
  one.reservation = {
    ...one.reservation,
    legs: one.reservation.legs.map((leg) => ({ ...leg, fields: { ...leg.fields, status: cancelled.status } })),
  };
  assert.deepEqual(one.sayOfBooking({ status: 'cancelled' }), ['The booking Lufthansa X7K2PQ is cancelled.']);
  assert.deepEqual(one.say(leaves('15:55')), []);
  assert.deepEqual(one.say({ status: 'confirmed' }, 'booking'), []);
});

test('leaving earlier is not certain by one feed', () => {
  const one = story().at(DAY_OF);
  one.look();
  assert.match(one.say(leaves('13:30'))[0]!, /may leave 25 min early, at 13:30: not confirmed\. aero says so/);
  assert.equal(one.alerts[0]?.kind, 'early');
  one.words = [wordOf('aero', KEYS, leaves('13:30')), wordOf('aware', KEYS, leaves('13:33'))];
  assert.match(one.look()[0]!, /leaves 25 min early, at 13:30: this is confirmed now/);
  assert.deepEqual(one.look(), []);
  assert.match(one.say(leaves('13:55'))[0]!, /does not leave early after all: it leaves at 13:55/);
  one.words = [];
  assert.match(one.say(leaves('13:45'))[0]!, /may leave 10 min early/);
});

test('a schedule that moves is told from 10 minutes on; earlier is certain by the airline alone', () => {
  const moved = (clock: string) => ({ 'start.scheduled': `2026-12-01T${clock}:00+01:00[Europe/Berlin]` });
  const one = story();
  assert.deepEqual(one.say(moved('14:00'), 'booking'), []);
  assert.deepEqual(one.say(moved('14:05'), 'booking'), [
    'LH 400 Frankfurt am Main → New York is now scheduled to leave at 14:05 (was 13:55).',
  ]);
  assert.match(one.say(moved('13:40'), 'booking')[0]!, /scheduled to leave at 13:40 \(was 14:05\)/);
  assert.deepEqual([one.alerts[0]?.kind, one.alerts[0]?.certain], ['early', true]);
  const two = story();
  assert.match(two.say(moved('13:25'), 'status')[0]!, /may have been moved to leave earlier, at 13:25 .*not confirmed/);
  two.words = [wordOf('aero', KEYS, moved('13:25')), wordOf('aware', KEYS, moved('13:25'))];
  assert.match(two.look()[0]!, /leaves earlier, at 13:25: this is confirmed now/);
  assert.deepEqual(two.look(), []);
});

test('a schedule that only became more exact is no news', () => {
  const one = story({ 'start.scheduled': '2026-12-01', 'end.scheduled': '2026-12-01T16:40:00' });
  assert.deepEqual(one.say({ 'start.scheduled': '2026-12-01T13:55:00' }, 'booking'), []);
  assert.deepEqual(one.say(FRA_JFK, 'booking'), []);
  assert.match(
    one.say({ 'start.scheduled': '2026-12-02T13:55:00+01:00[Europe/Berlin]' }, 'booking')[0]!,
    /at 13:55 on Wed/,
  );
});

test('gate, terminal, belt, aircraft and seat: once each, in their time', () => {
  const one = story({ 'passenger.doejohn.seat': '14A', aircraft: 'A359', 'start.terminal': '1' });
  assert.deepEqual(one.say({ 'start.gate': 'B22' }), []);
  const opensAt = Temporal.Instant.from('2026-11-30T12:55:00Z').epochMilliseconds;
  assert.equal(one.last?.dueAt, opensAt);
  one.at(DAY_OF);
  assert.deepEqual(
    one.look().filter((sentence) => /gate/.test(sentence)),
    ['LH 400 Frankfurt am Main → New York: gate B22.'],
  );
  assert.deepEqual(one.say({ 'start.gate': 'Gate B 22', 'start.terminal': 'Terminal 1' }), []);
  assert.match(one.say({ 'start.gate': 'C3' })[0]!, /gate C3, no longer B22|gate C3, no longer Gate B 22/);
  assert.match(one.say({ 'start.terminal': '2' })[0]!, /terminal 2, no longer 1/);
  assert.match(one.say({ aircraft: 'B748' })[0]!, /aircraft is now B748 \(was A359\)/);
  assert.match(one.say({ 'passenger.doejohn.seat': '31C' })[0]!, /seat 31C, no longer 14A/);
  assert.deepEqual(one.say({ 'end.belt': '7' }), []);
  one.at('2026-12-01T21:00:00Z');
  assert.deepEqual(one.look(), ['LH 400 Frankfurt am Main → New York: baggage belt 7.']);
  assert.deepEqual(one.look(), []);
  assert.deepEqual(one.say({ 'start.actual': FRA_JFK['start.scheduled']!, 'start.gate': 'D1' }), []);
});

test('a diversion is told, and where to when it is known', () => {
  const one = story().at('2026-12-01T18:00:00Z');
  one.look();
  assert.match(one.say({ operation: 'diverted' })[0]!, /is diverted\.$/);
  assert.match(one.say({ 'diverted.code': 'BOS' })[0]!, /is diverted to BOS/);
  assert.equal(one.alerts[0]?.severity, 'critical');
  assert.deepEqual(one.look(), []);
});

test('check-in: by the clock 24 hours before, or by the word of the airline', () => {
  const one = story();
  const dueAt = one.last?.dueAt;
  assert.equal(dueAt, Temporal.Instant.from('2026-11-30T12:55:00Z').epochMilliseconds);
  one.now = dueAt!;
  assert.deepEqual(one.look(), ['LH 400 Frankfurt am Main → New York: check-in should be open now.']);
  assert.equal(one.alerts[0]?.certain, false);
  assert.deepEqual(one.say({ operation: 'check-in' }), []);
  const two = story().at('2026-11-29T10:00:00Z');
  assert.deepEqual(two.say({ operation: 'check-in' }), ['LH 400 Frankfurt am Main → New York: check-in is open.']);
  const late = story().at('2026-12-01T12:00:00Z');
  assert.deepEqual(late.look(), []);
});

test('a hotel or rental that is altered, and one that is cancelled', () => {
  const hotel = legOf('h', 'stay', {
    name: 'Hotel Adler',
    'start.locality': 'Wien',
    'start.zone': 'Europe/Vienna',
    'start.scheduled': '2026-12-01T15:00:00+01:00[Europe/Vienna]',
    'end.scheduled': '2026-12-03T11:00:00+01:00[Europe/Vienna]',
  });
  const one = new Story(reservationOf('h', [hotel]), '2026-11-20T10:00:00Z');
  assert.deepEqual(one.say({ 'start.scheduled': '2026-12-02T15:00:00+01:00[Europe/Vienna]' }, 'booking').length, 1);
  assert.match(one.alerts[0]!.sentence, /Hotel Adler, Wien now begins at 15:00 on Wed/);
  assert.deepEqual(one.say({ name: 'Hotel Adler Wien' }, 'booking'), []);
  assert.match(one.say({ name: 'Pension Maria' }, 'booking')[0]!, /is now at Pension Maria \(was Hotel Adler\)/);
  assert.match(one.say({ status: 'cancelled' }, 'booking')[0]!, /is cancelled/);
  const car = legOf('c', 'rental', {
    name: 'Sixt',
    vehicle: 'VW Golf',
    'start.name': 'Wien Flughafen',
    'start.scheduled': '2026-12-01T18:00:00+01:00[Europe/Vienna]',
  });
  const two = new Story(reservationOf('c', [car]), '2026-11-20T10:00:00Z');
  assert.match(two.say({ vehicle: 'Fiat 500' }, 'booking')[0]!, /the car is now Fiat 500 \(was VW Golf\)/);
});

test('what a person set is nobody’s news', () => {
  const one = story().at(DAY_OF);
  one.look();
  assert.deepEqual(one.say({ ...leaves('15:55'), 'start.gate': 'A1', status: 'cancelled' }, 'person'), []);
  assert.deepEqual(one.look(), []);
});

test('nobody answers about a near flight: unverified, news are held, and told as one at the end', () => {
  const one = story().at('2026-12-01T10:00:00Z');
  one.look();
  const silent = (checkedAt: string, failing: boolean, facts: Values = {}) => [
    wordOf('aero', KEYS, facts, { checkedAt: Temporal.Instant.from(checkedAt).epochMilliseconds, failing }),
  ];
  one.words = silent('2026-12-01T09:55:00Z', true);
  assert.deepEqual(one.look(), []);
  one.at('2026-12-01T10:05:00Z');
  assert.deepEqual(one.look(), [
    'LH 400 Frankfurt am Main → New York: unverified since 10:55. Nobody who could confirm it answers.',
  ]);
  assert.deepEqual(one.look(), []);
  assert.ok((one.last?.dueAt ?? 0) > one.now);
  assert.deepEqual(one.say({ 'start.gate': 'B5' }, 'mail'), []);
  assert.match(one.say({ 'start.terminal': '2', status: 'cancelled' }, 'booking')[0]!, /is cancelled\.$/);
  one.say({ status: 'confirmed' }, 'booking');
  one.words = silent('2026-12-01T10:40:00Z', false);
  one.at('2026-12-01T10:40:10Z');
  assert.deepEqual(one.say({ ...leaves('14:40'), 'start.gate': 'B7' }), []);
  one.at('2026-12-01T10:40:40Z');
  const [message, ...others] = one.look();
  assert.deepEqual(others, []);
  assert.match(message!, /is verified again; it was not since 10:55\. .*leaves 45 min late, at 14:40\. .*gate B7\./);
  assert.equal(one.alerts[0]?.kind, 'unverified');
  assert.deepEqual(one.look(), []);
});

test('an outage in which nothing changed ends with a word; one that is short, or far from any journey, is not told', () => {
  const one = story().at('2026-12-01T10:05:00Z');
  one.look();
  const at = (checkedAt: string, failing: boolean) => [
    wordOf('aero', KEYS, {}, { checkedAt: Temporal.Instant.from(checkedAt).epochMilliseconds, failing }),
  ];
  one.words = at('2026-12-01T09:54:00Z', true);
  assert.equal(one.look().length, 1);
  one.words = at('2026-12-01T10:10:00Z', false);
  one.at('2026-12-01T10:11:00Z');
  assert.match(one.look()[0]!, /verified again: nothing has changed since 10:54/);
  const far = story().at('2026-11-28T10:00:00Z');
  far.words = at('2026-11-28T08:00:00Z', true);
  assert.deepEqual(far.look(), []);
});

test('an account that stands by takes over: nothing is unverified; two flights are waited for together, not for ever', () => {
  const at = (instant: string) => Temporal.Instant.from(instant).epochMilliseconds;
  const word = (account: string, thing: string, checkedAt: string, failing: boolean) =>
    wordOf(account, KEYS, {}, { thing, checkedAt: at(checkedAt), failing });
  const one = story().at('2026-12-01T10:05:00Z');
  one.look();
  one.words = [word('aero', 'a', '2026-12-01T09:40:00Z', true), word('aware', 'a', '2026-12-01T10:03:00Z', false)];
  assert.deepEqual(one.look(), []);
  one.words = [word('aero', 'a', '2026-12-01T09:40:00Z', true), word('aware', 'a', '2026-12-01T09:50:00Z', true)];
  assert.match(one.look()[0]!, /unverified since 10:50/);
  one.words = [word('aero', 'a', '2026-12-01T10:09:00Z', false), word('aero', 'b', '2026-12-01T09:49:00Z', true)];
  one.at('2026-12-01T10:10:00Z');
  assert.deepEqual(one.say(leaves('14:40')), []);
  one.words = [word('aero', 'a', '2026-12-01T10:11:30Z', false), word('aero', 'b', '2026-12-01T09:49:00Z', true)];
  one.at('2026-12-01T10:11:40Z');
  assert.deepEqual(one.look(), []);
  one.at('2026-12-01T10:12:10Z');
  assert.match(one.look()[0]!, /verified again.*45 min late/);
});

test('thresholds of the traveller, and kinds that are not wanted: those stay untold and are told when they are wanted', () => {
  const one = story().at(DAY_OF);
  one.look();
  one.settings = { delay: { minutes: 40, stepMinutes: 60 }, gate: { on: false } };
  assert.deepEqual(one.say({ ...leaves('14:30'), 'start.gate': 'B1' }), []);
  assert.match(one.say(leaves('14:36'))[0]!, /41 min late/);
  assert.deepEqual(one.say(leaves('15:30')), []);
  one.settings = {};
  assert.deepEqual(one.look().length, 2);
});

test('nothing is told of what is over, or removed from view', () => {
  const one = story().at('2026-12-02T12:00:00Z');
  assert.deepEqual(one.say({ ...leaves('15:55'), operation: 'cancelled' }), []);
  assert.ok(isOver(one.reservation, one.now));
  assert.ok(!isOver(one.reservation, Temporal.Instant.from(DAY_OF).epochMilliseconds));
  const two = story().at(DAY_OF);
  assert.deepEqual(two.sayOfBooking({ removed: true }), []);
  assert.deepEqual(two.say({ operation: 'cancelled' }), []);
});

test('reservations that are joined remember what was told of each', () => {
  const one = story().at(DAY_OF);
  one.say({ 'start.gate': 'B1' });
  const told = one.tolds.get('rsv_a')!;
  const joined = joinedTold({ version: 3, facts: {}, alerts: [] }, [told]);
  assert.deepEqual(
    [joined.version, Object.keys(joined.facts).length > 0, joined.alerts.length],
    [3, true, told.alerts.length],
  );
});

test('words are read only where they can matter', () => {
  const one = story().at(DAY_OF);
  assert.equal(needsWords(one.reservation, one.tolds.get('rsv_a')!), false);
  one.say({ operation: 'cancelled' });
  assert.equal(needsWords(one.reservation, one.tolds.get('rsv_a')!), true);
});

test('whatever is said in whatever order: the same state looked at again tells nothing, and nothing certain has no grounds', () => {
  const clocks = ['13:20', '13:40', '13:55', '14:10', '14:30', '16:00'];
  const step = fc.record({
    clock: fc.constantFrom(...clocks),
    operation: fc.constantFrom('scheduled', 'cancelled', 'cancelled-uncertain', 'diverted', 'delayed'),
    gate: fc.constantFrom('A1', 'A2', 'B1'),
    authority: fc.constantFrom('status', 'mail', 'booking', 'mail-proven', 'person'),
    minutes: fc.integer({ min: 0, max: 30 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const one = story().at(DAY_OF);
      for (const { clock, operation, gate, authority, minutes } of steps) {
        one.now += minutes * 60_000;
        one.say({ ...leaves(clock), operation, 'start.gate': gate }, authority as never);
        for (const alert of one.alerts) {
          for (const { value, before } of alert.facts) assert.ok(before !== value || alert.certain);
          const grave = alert.kind === 'cancellation' || alert.facts.some(({ value }) => Number(value) < 0);
          if (grave && authority !== 'booking' && authority !== 'mail-proven') assert.equal(alert.certain, false);
          assert.ok(ALERT_KINDS.includes(alert.kind));
          assert.ok(!/[{}]|undefined/.test(alert.sentence), alert.sentence);
        }
        const again = decideAlerts(one.situation());
        assert.deepEqual(again.alerts, []);
      }
    }),
    { numRuns: 120, seed: 5 },
  );
});
