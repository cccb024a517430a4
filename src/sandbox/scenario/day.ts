import { createHash } from 'node:crypto';
import { rng } from '../random.ts';
import { makeBookings, makePeople } from './bookings.ts';
import { makeFlights } from './flights.ts';
import { planMails } from './mails.ts';
import { planPushes } from './pushes.ts';
import { type DayOptions, type Fault, HOUR, MINUTE, type ProviderName, type Scenario } from './types.ts';

/** A small day, for the demo and the tests. */
export const SMALL_DAY = { seed: 1, travellers: 12, flights: 25, hours: 24 } as const;

/** 1 December 2026, 03:00 UTC: winter in the north, summer in the south, half of the world asleep. */
export const DEFAULT_START_AT = Date.UTC(2026, 11, 1, 3);

/**
 * One day at the airports of the world. Pure: equal options give an equal day.
 *
 * @param options `startAt` in epoch ms of sandbox time; `hours` at least 6, so that a flight has room for its story.
 */
export function makeDay(options: Partial<DayOptions> = {}): Scenario {
  const day: DayOptions = { ...SMALL_DAY, startAt: DEFAULT_START_AT, ...options };
  for (const [name, min] of Object.entries({ seed: 0, travellers: 1, flights: 1, hours: 6 })) {
    const value = day[name as keyof DayOptions];
    if (!Number.isInteger(value) || value < min)
      throw new RangeError(`${name} is ${value}; give a whole number from ${min}.`);
  }
  const people = makePeople(day);
  const flights = makeFlights(day);
  const bookings = makeBookings(day, people, flights);
  return {
    options: day,
    endAt: day.startAt + day.hours * HOUR,
    flights,
    people,
    bookings,
    mails: planMails(day, people, bookings, flights),
    pushes: planPushes(day, bookings, flights),
    faults: makeFaults(day),
  };
}

/** A quota wall and an outage a provider, and stretches in which some answers are slow or cut short. */
function makeFaults(options: DayOptions): readonly Fault[] {
  return (['aerodatabox', 'duffel'] as const).flatMap((provider: ProviderName) => {
    const draw = rng(options.seed, 'faults', provider);
    const window = (kind: Fault['kind'], part: number, minutes: number, share: number): Fault => {
      const from =
        options.startAt + Math.round(((part + draw.number() * 0.05) * options.hours * HOUR) / MINUTE) * MINUTE;
      return { provider, kind, from, to: from + minutes * MINUTE, share };
    };
    return [
      window('slow', 0.25, 20, 0.1),
      window('wall', 0.4, draw.int(3, 8), 1),
      window('truncated', 0.55, 15, 0.15),
      window('outage', 0.68, draw.int(3, 8), 1),
    ];
  });
}

/** Digest of a day: equal days have equal digests. */
export function digestOf(scenario: Scenario): string {
  return createHash('sha256').update(JSON.stringify(scenario)).digest('hex');
}
