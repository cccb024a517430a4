import { ID_ALPHABET, LOCATOR_ALPHABET, type Rng, rng } from '../random.ts';
import { AIRPORTS, FAMILY_NAMES, GIVEN_NAMES, HOTEL_NAMES, RENTAL_COMPANIES, STREETS } from './tables.ts';
import { addDays, instantOf, localDayOf } from './time.ts';
import {
  type AirBooking,
  type Booking,
  DAY,
  type DayOptions,
  type Flight,
  HOUR,
  MINUTE,
  type Passenger,
  type Person,
  type PlaceBooking,
  type Segment,
} from './types.ts';

export function makePeople(options: DayOptions): readonly Person[] {
  return Array.from({ length: options.travellers }, (_, index) => {
    const draw = rng(options.seed, 'person', index);
    return {
      index,
      given: draw.pick(GIVEN_NAMES),
      family: draw.pick(FAMILY_NAMES),
      zone: draw.pick(AIRPORTS).zone,
      locale: draw.pick(['en', 'de', 'fr', 'es']),
    };
  });
}

/**
 * One flight booking a traveller, spread so that every flight has someone on it; some hold a second one, and beds and
 * cars besides. A part is booked through Duffel, and of these a part is known to Tripwatch only from the agency.
 */
export function makeBookings(
  options: DayOptions,
  people: readonly Person[],
  flights: readonly Flight[],
): readonly Booking[] {
  const bookings: Booking[] = [];
  const references = new Set<string>();
  const flown = new Map<number, Set<string>>();
  // Where seats are few, the flights with a story come first.
  const shuffled = rng(options.seed, 'order').sample(flights, flights.length);
  const order = [
    ...shuffled.filter((one) => one.script !== 'plain'),
    ...shuffled.filter((one) => one.script === 'plain'),
  ];
  const scheduleChange = flights.find((flight) => flight.script === 'schedule-change');
  const seats = options.travellers + Math.ceil(options.travellers * 0.15);
  for (let index = 0; index < seats && order.length > 0; index++) {
    const draw = rng(options.seed, 'air', index);
    const owner = people[index % people.length]!;
    const first = order[index % order.length]!;
    const mate = people.length > 2 && draw.chance(0.1) ? people[(owner.index + 1) % people.length] : undefined;
    const owners = [owner, ...(mate === undefined ? [] : [mate])];
    const legs = [first, ...onward(draw, first, flights)];
    const taken = owners.map((one) => flown.get(one.index) ?? new Set<string>());
    if (legs.some((leg) => taken.some((set) => set.has(leg.id)))) continue;
    for (const [at, one] of owners.entries()) {
      flown.set(one.index, new Set([...taken[at]!, ...legs.map((leg) => leg.id)]));
    }
    const throughDuffel = draw.chance(0.25) || legs.some((leg) => leg === scheduleChange);
    bookings.push(airBooking(options, draw, { index, owners, legs, throughDuffel, references }));
  }
  for (const person of people) {
    const draw = rng(options.seed, 'places', person.index);
    if (draw.chance(0.4)) bookings.push(placeBooking(options, draw, 'stay', person, bookings, flights));
    if (draw.chance(0.15)) bookings.push(placeBooking(options, draw, 'rental', person, bookings, flights));
  }
  return bookings;
}

/** A second leg from where the first one lands, or else later from elsewhere (an open jaw). */
function onward(draw: Rng, first: Flight, flights: readonly Flight[]): readonly Flight[] {
  if (!draw.chance(0.35)) return [];
  const after = first.initial.arrivalScheduled + 90 * MINUTE;
  const later = flights.filter((one) => one.initial.departureScheduled >= after && one.number !== first.number);
  const connecting = later.filter((one) => one.from === first.to);
  if (connecting.length > 0) return [draw.pick(connecting)];
  return later.length > 0 && draw.chance(0.5) ? [draw.pick(later)] : [];
}

interface AirDraft {
  readonly index: number;
  readonly owners: readonly Person[];
  readonly legs: readonly Flight[];
  readonly throughDuffel: boolean;
  readonly references: Set<string>;
}

function airBooking(options: DayOptions, draw: Rng, draft: AirDraft): AirBooking {
  const { owners, legs, references } = draft;
  const passengers: Passenger[] = owners.map(({ given, family }) => ({ given, family }));
  const family = draw.chance(0.2) ? draw.int(1, 3) : 0;
  for (const given of draw.sample(GIVEN_NAMES, family + 3)) {
    if (passengers.length >= owners.length + family) break;
    if (!passengers.some((one) => one.given === given)) passengers.push({ given, family: passengers[0]!.family });
  }
  const segments = legs.map((flight): Segment => {
    const sold = flight.codeshare !== undefined && draw.chance(0.4) ? flight.codeshare : flight;
    const row = draw.int(3, 40);
    return {
      flight: flight.id,
      carrier: sold.carrier,
      carrierName: sold.carrierName,
      number: sold.number,
      seats: passengers.map((_, at) => `${row + Math.floor(at / 6)}${'ABCDEF'[at % 6]}`),
    };
  });
  const cancels = draw.chance(0.05);
  const first = legs[0]!.initial.departureScheduled;
  return {
    kind: 'flight',
    id: `air-${draft.index}`,
    reference: reference(draw, references),
    owners: owners.map((one) => one.index),
    passengers,
    bookedAt: bookedAt(options, draw),
    ...(cancels
      ? { cancelledAt: between(draw, options.startAt + 0.4 * (first - options.startAt), first - 75 * MINUTE) }
      : {}),
    ...(draft.throughDuffel ? throughDuffel(options, draw, 'ord') : {}),
    segments,
  };
}

/** A bed or a car where the person lands, or anywhere. */
function placeBooking(
  options: DayOptions,
  draw: Rng,
  kind: 'stay' | 'rental',
  person: Person,
  bookings: readonly Booking[],
  flights: readonly Flight[],
): PlaceBooking {
  const trip = bookings.find((one) => one.kind === 'flight' && one.owners.includes(person.index));
  const last = trip?.kind === 'flight' ? flights.find((one) => one.id === trip.segments.at(-1)!.flight) : undefined;
  const airport = AIRPORTS.find((one) => one.code === last?.to) ?? draw.pick(AIRPORTS);
  const startDay = addDays(localDayOf(options.startAt, airport.zone), draw.int(1, 2));
  const nights = draw.int(1, 6);
  const company = kind === 'stay' ? draw.pick(HOTEL_NAMES) : draw.pick(RENTAL_COMPANIES);
  const startTime = kind === 'stay' ? '15:00' : draw.pick(['09:30', '12:00', '18:15']);
  const starts = instantOf(startDay, startTime, airport.zone);
  const changes = draw.number();
  const changeAt = between(
    draw,
    options.startAt + 0.45 * options.hours * HOUR,
    options.startAt + 0.85 * options.hours * HOUR,
  );
  return {
    kind,
    id: `${kind}-${person.index}`,
    reference: kind === 'stay' ? draw.text(9, '123456789') : `R${draw.text(8, '0123456789')}`,
    owners: [person.index],
    passengers: [{ given: person.given, family: person.family }],
    bookedAt: bookedAt(options, draw),
    ...(changes < 0.15 && changeAt < starts ? { cancelledAt: changeAt } : {}),
    ...(changes > 0.88 ? { moved: { at: changeAt, endDay: addDays(startDay, nights + 1) } } : {}),
    ...(draw.chance(0.3) ? throughDuffel(options, draw, kind === 'stay' ? 'bok' : 'boo') : {}),
    place: {
      name: kind === 'stay' ? `${company} ${airport.city}` : `${company} ${airport.city} Airport`,
      street: `${draw.int(1, 180)} ${draw.pick(STREETS)}`,
      locality: airport.city,
      country: airport.country,
      zone: airport.zone,
      // 555-01xx: reserved for examples.
      phone: `+1 202 555 01${draw.text(2, '0123456789')}`,
      lat: airport.lat,
      lon: airport.lon,
    },
    company,
    startDay,
    startTime,
    endDay: addDays(startDay, nights),
    endTime: kind === 'stay' ? '11:00' : draw.pick(['08:00', '16:45']),
  };
}

function throughDuffel(options: DayOptions, draw: Rng, prefix: string): { duffelId: string; registeredAt: number } {
  return {
    duffelId: `${prefix}_0000${draw.text(18, ID_ALPHABET)}`,
    registeredAt: minute(options.startAt + draw.int(5, Math.max(6, options.hours * 6)) * MINUTE),
  };
}

function reference(draw: Rng, taken: Set<string>): string {
  for (;;) {
    const text = draw.text(6, LOCATOR_ALPHABET);
    if (taken.has(text) || !/[A-Z]/.test(text)) continue;
    taken.add(text);
    return text;
  }
}

function bookedAt(options: DayOptions, draw: Rng): number {
  return minute(options.startAt - draw.int(1, 60) * DAY - draw.int(0, 1439) * MINUTE);
}

function between(draw: Rng, from: number, to: number): number {
  return minute(from + draw.number() * Math.max(0, to - from));
}

function minute(at: number): number {
  return Math.round(at / MINUTE) * MINUTE;
}
