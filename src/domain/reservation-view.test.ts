import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeBy } from './reconcile/observations.testing.ts';
import type { Attribution, Change, Leg, Reservation } from './reservation.ts';
import { bookingTitle, describeChange, describeChanges, legEnd, legStart, value } from './reservation-view.ts';

const { id: observation, source, authority, assertedAt, observedAt } = madeBy('obs_1', 'status', 'provider', 1);
const by: Attribution = { observation, source: { ...source, label: 'AeroDataBox' }, authority, assertedAt, observedAt };

const leg: Leg = {
  id: 'leg_1',
  kind: 'flight',
  keys: [],
  fields: Object.fromEntries(
    Object.entries({
      'carrier.code': 'LH',
      number: '400',
      'start.code': 'FRA',
      'end.code': 'JFK',
      'start.scheduled': '2026-12-01T13:55:00+01:00[Europe/Berlin]',
      'end.scheduled': '2026-12-01T16:45:00-05:00[America/New_York]',
      'end.estimated': '2026-12-01T17:20:00-05:00[America/New_York]',
      'start.gate': null,
    }).map(([path, said]) => [path, { value: said, by }]),
  ),
};

const say = (change: Change) => describeChange(change, leg);

test('a price is told once, with its currency; what only machines ask for is not told', () => {
  const by = {
    observation: 'obs_a',
    source: { kind: 'provider', ref: 'sub_a', label: 'Duffel' },
    authority: 'booking',
    assertedAt: '2026-11-01T00:00:00Z',
    observedAt: '2026-11-01T00:00:00Z',
  } as const;
  const fields = { 'price.amount': { value: '412.60', by }, 'price.currency': { value: 'EUR', by } };
  const reservation: Reservation = {
    ...{ id: 'rsv_a', tenant: 'tnt_a', traveller: 'trv_a', version: 2, bookingKeys: [], fields, legs: [] },
    ...{ observations: [], digest: '' },
  };
  assert.deepEqual(
    describeChanges(
      [
        { type: 'price', path: 'price.amount', to: '412.60', by },
        { type: 'price', path: 'price.currency', to: 'EUR', by },
        { type: 'details', path: 'bookedAt', to: '2026-10-11T09:33:00Z', by },
      ],
      reservation,
    ),
    ['The booking: the price is now 412.60 EUR'],
  );
});

test('sentences say what happened, in local time', () => {
  const sentences: readonly (readonly [Change, RegExp])[] = [
    [
      { type: 'delay', path: 'start.estimated', to: '2026-12-01T14:35:00+01:00[Europe/Berlin]', minutes: 40 },
      /^LH 400 Frankfurt.* → New York is now expected to leave at 14:35, 40 min late \(was 13:55\)$/,
    ],
    [
      // A feed that speaks UTC is told in the time of the place.
      { type: 'delay', path: 'end.estimated', to: '2026-12-02T05:10:00+00:00[UTC]', minutes: 445 },
      /is now expected to arrive at 00:10 on Wed 2 Dec, 7 h 25 min late \(was 16:45\)$/,
    ],
    [
      {
        type: 'delay',
        path: 'start.estimated',
        from: '2026-12-01T14:35:00+01:00[Europe/Berlin]',
        to: '2026-12-01T13:55:00+01:00[Europe/Berlin]',
        minutes: 0,
      },
      /is on time again: expected to leave at 13:55 \(was 14:35\)$/,
    ],
    [
      { type: 'delay', path: 'start.actual', to: '2026-12-01T13:50:00+01:00[Europe/Berlin]', minutes: -5 },
      /took off at 13:50$/,
    ],
    [{ type: 'delay', path: 'start.estimated', to: null }, /no new time to leave is given any more$/],
    [
      {
        type: 'schedule',
        path: 'start.scheduled',
        from: '2026-12-01T13:55:00+01:00[Europe/Berlin]',
        to: '2026-12-02T07:00:00+01:00[Europe/Berlin]',
      },
      /scheduled to leave at 07:00 on Wed 2 Dec \(was 13:55 on Tue 1 Dec\)$/,
    ],
    [{ type: 'gate', path: 'start.gate', from: 'A12', to: 'B3' }, /: gate B3 \(was A12\)$/],
    [{ type: 'terminal', path: 'end.terminal', to: '4' }, /: arrival terminal 4$/],
    [{ type: 'belt', path: 'end.belt', to: '7' }, /: baggage belt 7$/],
    [{ type: 'cancellation', path: 'status', to: 'cancelled', by }, /is cancelled \(AeroDataBox\)$/],
    [{ type: 'diversion', path: 'diverted.code', to: 'BOS' }, /is diverted to Boston.* \(BOS\)$/],
    [
      { type: 'gate', path: 'start.gate', from: 'A1', to: 'A2', besidePerson: true, by },
      /: AeroDataBox says the gate at the start A2; shown is still A1$/,
    ],
    [{ type: 'status', path: 'operation', to: 'constructor' }, /is now constructor$/],
  ];
  for (const [change, expected] of sentences) assert.match(say(change), expected);
});

test('hostile or missing values are told, not thrown', () => {
  for (const to of ['99:99', '2026-13-45', '', 'x'.repeat(300), 5, true, null]) {
    assert.ok(say({ type: 'delay', path: 'start.estimated', to }).length > 0);
    assert.ok(say({ type: 'schedule', path: 'end.scheduled', from: 'soon', to }).length > 0);
    assert.ok(describeChange({ type: 'details', path: '__proto__', to }).length > 0);
  }
});

test('a booking is named by what the traveller knows of it', () => {
  const reservation = {
    id: 'rsv_1',
    fields: { reference: { value: 'ABC123', by } },
    legs: [leg, { ...leg, id: 'leg_2' }],
  } as unknown as Reservation;
  assert.deepEqual(
    describeChanges(
      [{ type: 'cancellation' }, { type: 'gate', leg: 'leg_2', path: 'start.gate', to: 'B3' }],
      reservation,
    ).map((one) => one.replace(/ Frank.*York/, '')),
    ['The booking ABC123 is cancelled', 'LH 400: gate B3'],
  );
  assert.equal(describeChange({ type: 'cancellation' }), 'The booking is cancelled');
});

test('best known times; a withdrawn value is no value', () => {
  assert.equal(legStart(leg), '2026-12-01T13:55:00+01:00[Europe/Berlin]');
  assert.equal(legEnd(leg), '2026-12-01T17:20:00-05:00[America/New_York]');
  assert.equal(value(leg.fields, 'start.gate'), undefined);
  assert.equal(value(leg.fields, 'toString'), undefined);
});

test('a booking known by its provider id alone is called by it', () => {
  const reservation = { bookingKeys: ['id:agency:ord_1'], fields: {}, legs: [] } as unknown as Reservation;
  assert.equal(bookingTitle(reservation), 'the booking ord_1 at agency');
  assert.equal(
    describeChange({ type: 'created' }, undefined, undefined, reservation),
    'The booking ord_1 at agency was registered; its details are asked for',
  );
});
