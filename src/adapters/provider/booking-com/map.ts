import type { Answer } from '../../../contracts/topics.ts';
import { countryCode } from '../../../domain/geo/airports.ts';
import { factWriter } from '../answer.ts';
import {
  bookingAnswer,
  dayAndTime,
  putPerson,
  type SaidLeg,
  statusOfLegs,
  timeSaid,
  zoneFor,
} from '../booking/answer.ts';
import type { BookingCar, BookingStay } from './schema.ts';

/** Orders in our words. A status that is not in the table is left open: it is never taken for a cancellation. */
const STATES: Readonly<Record<string, string>> = {
  booked: 'confirmed',
  confirmed: 'confirmed',
  stayed: 'confirmed',
  completed: 'confirmed',
  pending: 'pending',
  cancelled: 'cancelled',
  cancelled_by_guest: 'cancelled',
  cancelled_by_accommodation: 'cancelled',
};

interface About {
  /** How the account knows the order. */
  readonly id: string;
  readonly account: string;
  /** ISO instant. */
  readonly fetchedAt: string;
}

export function stayAnswer(stays: readonly BookingStay[], about: About): Answer {
  return answerOf('stay', stays, stays.map(stayLeg), about);
}

export function carAnswer(cars: readonly BookingCar[], about: About): Answer {
  return answerOf('rental', cars, cars.map(carLeg), about);
}

function answerOf(
  kind: 'stay' | 'rental',
  items: readonly (BookingStay | BookingCar)[],
  legs: readonly SaidLeg[],
  { id, account, fetchedAt }: About,
): Answer {
  const facts = factWriter();
  const reservations = [...new Set(items.flatMap((one) => one.reservation ?? []))];
  // What mails print is the number of the reservation.
  facts.put('reference', reservations.length === 1 ? reservations[0] : undefined, 'data[0].reservation');
  facts.put('status', statusOfLegs(legs), 'data.status');
  facts.put('provider.name', 'Booking.com', 'data');
  return bookingAnswer({ account, id, kind, references: reservations, assertedAt: fetchedAt, facts, legs });
}

function stayLeg({ status, checkin, checkout, accommodation_details: details, products }: BookingStay, i: number) {
  const out = factWriter();
  const where = `data[${i}]`;
  const at = `${where}.accommodation_details`;
  const zone = zoneFor({ country: details?.location?.country?.toUpperCase() });
  out.put('status', stateOf(status), `${where}.status`, status);
  out.put('name', details?.name ?? undefined, `${at}.name`);
  out.put('phone', details?.telephone ?? undefined, `${at}.telephone`);
  out.put('start.name', details?.name ?? undefined, `${at}.name`);
  out.put('start.scheduled', whenSaid(checkin, zone), `${where}.checkin`);
  out.put('end.scheduled', whenSaid(checkout, zone), `${where}.checkout`);
  putPlace(out, 'start', details?.location, `${at}.location`);
  for (const [j, product] of (products ?? []).entries())
    for (const guest of product.guests ?? []) putPerson(out, { given: guest.name }, `${where}.products[${j}].guests`);
  return { kind: 'stay', out } as const;
}

function carLeg({ status, pickup, dropoff, supplier, car, driver }: BookingCar, i: number) {
  const out = factWriter();
  const where = `data[${i}]`;
  out.put('status', stateOf(status), `${where}.status`, status);
  out.put('name', supplier?.name ?? car?.supplier?.name ?? undefined, `${where}.supplier.name`);
  out.put('vehicle', car?.name ?? undefined, `${where}.car.name`);
  for (const [side, end, at] of [
    ['start', pickup, `${where}.pickup`],
    ['end', dropoff, `${where}.dropoff`],
  ] as const) {
    const place = end?.location;
    const zone = zoneFor({ airport: place?.iata, country: place?.country?.toUpperCase() });
    const time = end?.datetime ? timeSaid(end.datetime, zone) : dayAndTime(end?.date, end?.time, zone);
    out.put(`${side}.scheduled`, time, at);
    out.put(`${side}.name`, place?.name ?? undefined, `${at}.location.name`);
    out.put(`${side}.code`, place?.iata?.toUpperCase(), `${at}.location.iata`);
    putPlace(out, side, place, `${at}.location`);
  }
  putPerson(out, { given: driver?.name?.first_name, family: driver?.name?.last_name }, `${where}.driver`);
  return { kind: 'rental', out } as const;
}

function putPlace(
  out: SaidLeg['out'],
  side: 'start' | 'end',
  place: NonNullable<BookingStay['accommodation_details']>['location'],
  where: string,
): void {
  out.put(`${side}.street`, place?.address ?? undefined, `${where}.address`);
  out.put(`${side}.locality`, place?.city ?? undefined, `${where}.city`);
  out.put(`${side}.postal`, place?.post_code ?? undefined, `${where}.post_code`);
  out.put(`${side}.country`, place?.country ? countryCode(place.country) : undefined, `${where}.country`);
}

/** Days of a stay are days at the place, whatever time of day stands beside them. */
function whenSaid(text: string | null | undefined, zone: string | undefined): string | undefined {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)$)?/.exec(text?.trim() ?? '') ?? [];
  return dayAndTime(day, time === '00:00:00' || time === '00:00' ? undefined : time, zone);
}

function stateOf(status: string | null | undefined): string | undefined {
  const known = status?.trim().toLowerCase() ?? '';
  return Object.hasOwn(STATES, known) ? STATES[known] : undefined;
}
