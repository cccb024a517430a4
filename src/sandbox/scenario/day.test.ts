import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, makeDay } from './day.ts';
import { flightAt, indexOf } from './state.ts';
import { localDayOf } from './time.ts';
import { DAY, HOUR, MINUTE, type Script } from './types.ts';

const small = makeDay();

test('the same seed gives the same day; another seed another', () => {
  assert.equal(digestOf(makeDay({ seed: 7 })), digestOf(makeDay({ seed: 7 })));
  assert.notEqual(digestOf(makeDay({ seed: 7 })), digestOf(makeDay({ seed: 8 })));
  assert.notEqual(digestOf(makeDay({ seed: 7, hours: 12 })), digestOf(makeDay({ seed: 7 })));
});

test('a small day has one of everything', () => {
  const scripts = new Set(small.flights.map((flight) => flight.script));
  const all: readonly Script[] = [
    'gate-change',
    'delay-growing',
    'delay-recovers',
    'terminal-change',
    'cancelled',
    'reinstated',
    'diverted',
    'past-midnight',
    'schedule-change',
  ];
  for (const script of all) assert.ok(scripts.has(script), script);
  assert.ok(small.bookings.some((one) => one.duffelId !== undefined));
  assert.equal(small.people.length, 12);
  assert.equal(small.flights.length, 25);
});

test('wrong options are refused with the value and what to give', () => {
  assert.throws(() => makeDay({ travellers: 0 }), /travellers is 0; give a whole number from 1/);
  assert.throws(() => makeDay({ hours: 2.5 }), /hours is 2.5/);
});

for (const options of [
  { seed: 1 },
  { seed: 2, hours: 6 },
  { seed: 3, travellers: 300, flights: 80 },
  { seed: 4, hours: 48 },
]) {
  const day = makeDay(options);

  test(`flights live in order: ${JSON.stringify(options)}`, () => {
    assert.equal(new Set(day.flights.map((flight) => flight.id)).size, day.flights.length);
    for (const flight of day.flights) {
      const { initial } = flight;
      assert.ok(initial.arrivalScheduled - initial.departureScheduled >= 40 * MINUTE, flight.id);
      assert.ok(initial.departureScheduled > day.options.startAt + HOUR && initial.departureScheduled < day.endAt);
      let last = 0;
      for (const step of flight.steps) {
        assert.ok(step.at > last && step.at % MINUTE === 0, `${flight.id}: whole minutes, one after the other`);
        last = step.at;
      }
      const states = flight.steps.map((step) => flightAt(flight, step.at).status);
      const boarding = states.indexOf('Boarding');
      const airborne = states.indexOf('EnRoute');
      if (flight.script === 'cancelled') assert.equal(states.at(-1), 'Canceled', flight.id);
      else assert.ok(boarding >= 0 && boarding < airborne, `${flight.id} boards before it flies`);
      if (flight.script === 'diverted') assert.equal(states.at(-1), 'Diverted');
      if (flight.script === 'reinstated') {
        assert.ok(states.includes('Canceled') && states.at(-1) === 'Arrived', flight.id);
        assert.equal(states[states.indexOf('Canceled') + 1], 'Expected', `${flight.id} is off until it flies again`);
      }
      const late = states.lastIndexOf('Delayed');
      assert.ok(late < 0 || late < airborne, `${flight.id} is not delayed after take-off`);
      // The day is part of the flight's name: a new schedule stays on it.
      for (const step of flight.steps) {
        const at = step.set.departureScheduled;
        if (at !== undefined) assert.equal(localDayOf(at, flight.fromZone), flight.day, flight.id);
      }
    }
  });

  test(`bookings and mails make sense: ${JSON.stringify(options)}`, () => {
    const index = indexOf(day);
    assert.equal(new Set(day.bookings.map((one) => `${one.kind}${one.reference}`)).size, day.bookings.length);
    const flown = new Set<string>();
    for (const booking of day.bookings) {
      assert.ok(booking.passengers.length >= booking.owners.length);
      if (booking.kind !== 'flight') continue;
      for (const segment of booking.segments) {
        const flight = index.flight(segment.flight);
        assert.ok([flight.carrier, flight.codeshare?.carrier].includes(segment.carrier));
        for (const owner of booking.owners) {
          assert.ok(!flown.has(`${owner}/${flight.id}`), 'nobody is twice on a flight');
          flown.add(`${owner}/${flight.id}`);
        }
      }
    }
    const ids = new Set(day.mails.map((plan) => plan.id));
    assert.equal(ids.size, day.mails.length);
    let last = 0;
    for (const plan of day.mails) {
      assert.ok(plan.at >= last && plan.at > day.options.startAt, plan.id);
      assert.ok(plan.saidAt <= plan.at + DAY, plan.id);
      last = plan.at;
      if (plan.sameAs !== undefined) assert.ok(ids.has(plan.sameAs));
    }
  });
}

test('a departure slips past midnight at its origin', () => {
  const slipped = [1, 2, 3].flatMap((seed) =>
    makeDay({ seed }).flights.filter(
      (flight) =>
        flight.script === 'past-midnight' &&
        localDayOf(flightAt(flight, Number.MAX_SAFE_INTEGER).departureEstimated!, flight.fromZone) > flight.day,
    ),
  );
  assert.ok(slipped.length >= 2);
});

test('a big day has disorder, repeats, lies, codeshares and one number that flies on', () => {
  const day = makeDay({ seed: 9, travellers: 400, flights: 120 });
  const first = (id: string, purpose: string) =>
    day.mails.find((m) => m.booking === id && m.purpose === purpose)?.at ?? Infinity;
  assert.ok(day.bookings.some((one) => first(one.id, 'cancellation') < first(one.id, 'confirmation')));
  assert.ok(day.mails.some((m) => m.sameAs !== undefined) && day.mails.some((m) => m.purpose === 'lie'));
  assert.ok(day.mails.some((m) => m.purpose === 'change') && day.mails.some((m) => m.purpose === 'bare-cancellation'));
  assert.ok([...indexOf(day).flightsByNumber.values()].some((flights) => flights.length === 2));
  const sold = day.bookings.flatMap((one) => (one.kind === 'flight' ? one.segments : []));
  assert.ok(sold.some((one) => indexOf(day).flight(one.flight).carrier !== one.carrier));
  assert.ok(day.bookings.some((one) => one.kind === 'flight' && one.segments.length > 1));
  assert.ok(day.bookings.some((one) => one.owners.length > 1));
  const pushed = new Set(day.pushes.map((push) => push.eventId));
  assert.ok(pushed.size < day.pushes.length, 'some come twice');
  assert.ok(
    day.pushes.some((push) => push.at - push.createdAt > 60_000),
    'some come late',
  );
});
