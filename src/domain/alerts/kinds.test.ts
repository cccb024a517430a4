import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALERT_KINDS, type AlertKind } from './alert.ts';
import { FRA_JFK, legOf, reservationOf, Story, type Values, wordOf } from './alerts.testing.ts';

/** What brings about each kind: fields of the flight by its status feed, unless it says otherwise. */
const CASES: Readonly<Record<AlertKind, (story: Story) => unknown>> = {
  cancellation: (one) => one.say({ status: 'cancelled' }, 'booking'),
  reinstated: (one) => {
    one.say({ status: 'cancelled' }, 'booking');
    one.say({ status: 'confirmed' }, 'booking');
  },
  diversion: (one) => one.say({ operation: 'diverted', 'diverted.code': 'BOS' }),
  early: (one) => one.say({ 'start.estimated': '2026-12-01T13:30:00+01:00[Europe/Berlin]' }),
  delay: (one) => one.say({ 'start.estimated': '2026-12-01T14:55:00+01:00[Europe/Berlin]' }),
  schedule: (one) => one.say({ 'start.scheduled': '2026-12-01T14:25:00+01:00[Europe/Berlin]' }, 'booking'),
  altered: (one) => one.say({ 'end.code': 'EWR' }, 'booking'),
  gate: (one) => one.say({ 'start.gate': 'B22' }),
  terminal: (one) => one.say({ 'start.terminal': '2' }),
  belt: (one) => one.at('2026-12-01T21:00:00Z').say({ 'end.belt': '7' }),
  aircraft: (one) => one.say({ aircraft: 'A340' }),
  seat: (one) => one.say({ 'passenger.rosa.seat': '31F' }, 'booking'),
  'check-in': (one) => one.look(),
  connection: (one) => one.say({ 'end.estimated': '2026-12-01T18:00:00-05:00[America/New_York]' }),
  'knock-on': (one) => one.say({ 'end.estimated': '2026-12-01T23:30:00-05:00[America/New_York]' }),
  unverified: (one) => {
    const keys = one.reservation.legs[0]!.keys;
    one.words = [wordOf('aero', keys, {}, { failing: true, checkedAt: one.now - 20 * 60_000 })];
    one.look();
  },
};

const flight: Values = { ...FRA_JFK, 'start.terminal': '1', aircraft: 'B748', 'passenger.rosa.seat': '14A' };
const onward = legOf('b', 'flight', {
  'carrier.code': 'DL',
  number: '12',
  'start.code': 'JFK',
  'end.code': 'BOS',
  'start.scheduled': '2026-12-01T18:30:00-05:00[America/New_York]',
  'end.scheduled': '2026-12-01T19:50:00-05:00[America/New_York]',
});
const hotel = legOf('h', 'stay', {
  name: 'The Jane',
  'start.zone': 'America/New_York',
  'start.scheduled': '2026-12-01',
  'end.scheduled': '2026-12-03',
});

for (const kind of ALERT_KINDS) {
  test(`${kind}: told in every language, with all that it names; and not where it is switched off`, () => {
    for (const locale of ['en', 'de', 'fr', 'es', 'it', 'nl', 'pt']) {
      const play = (on: boolean): Story => {
        // Seen first days before, when nothing of it is news.
        const story = new Story(reservationOf('a', [legOf('a', 'flight', flight)]), '2026-11-28T08:00:00Z');
        story.locale = locale;
        story.settings = { [kind]: { on } };
        if (kind === 'connection') story.beside = [reservationOf('b', [onward])];
        if (kind === 'knock-on') story.beside = [reservationOf('h', [hotel])];
        CASES[kind](story.at('2026-12-01T10:00:00Z'));
        return story;
      };
      const told = play(true).alerts.filter((one) => one.kind === kind);
      assert.equal(told.length, 1, locale);
      assert.match(told[0]!.sentence, /^[^{}]{10,}$/u, locale);
      assert.deepEqual(
        play(false).alerts.filter((one) => one.kind === kind),
        [],
      );
    }
  });
}
