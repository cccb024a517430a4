import type { Answer } from '../../../contracts/topics.ts';
import { type Kind, personKey } from '../../../domain/facts.ts';
import { zoneOfCountry } from '../../../domain/geo/airports.ts';
import { legKeys, providerBookingKey, referenceKey } from '../../../domain/keys.ts';
import { type FactWriter, factWriter, instantOf } from '../answer.ts';
import { zonedOf } from './order.ts';
import type { Address, Car, CarPlace, Stay } from './schema.ts';

/**
 * Stays and cars: one leg each. Their days and times are local and come without a zone; a country with a single zone
 * gives it, elsewhere they stay local. Neither object says when it was last changed, so the time of the answer counts.
 */

export function stayAnswer(stay: Stay, account: string, fetchedAt: string): Answer {
  const { accommodation } = stay;
  const hours = accommodation.check_in_information;
  const address = accommodation.location?.address;
  const leg = factWriter();
  leg.put('status', stay.status === 'unknown' ? undefined : stay.status, 'status');
  leg.put('name', accommodation.name ?? undefined, 'accommodation.name');
  leg.put('phone', accommodation.phone_number ?? undefined, 'accommodation.phone_number');
  leg.put('start.name', accommodation.name ?? undefined, 'accommodation.name');
  putAddress(leg, 'start', address, 'accommodation.location.address');
  const zone = zoneOf(address);
  const start = timeOf(stay.check_in_date, hours?.check_in_after_time, zone);
  leg.put('start.scheduled', start, 'check_in_date', stay.check_in_date);
  leg.put('end.scheduled', timeOf(stay.check_out_date, hours?.check_out_before_time, zone), 'check_out_date');
  for (const [index, guest] of (stay.guests ?? []).entries()) putPerson(leg, guest, `guests[${index}]`);
  const name = accommodation.name ?? undefined;
  return answer('stay', stay, account, fetchedAt, name, leg, legKeys({ kind: 'stay', name, start }));
}

export function carAnswer(car: Car, account: string, fetchedAt: string): Answer {
  const leg = factWriter();
  const name = car.supplier?.name ?? undefined;
  leg.put('status', car.status === 'unknown' ? undefined : car.status, 'status');
  leg.put('name', name, 'supplier.name');
  leg.put('vehicle', car.car?.name ?? car.car?.category ?? undefined, 'car.name');
  leg.put('phone', car.pickup_location?.phone_number ?? undefined, 'pickup_location.phone_number');
  const start = putPoint(leg, 'start', car.pickup_location, car.pickup_date, car.pickup_time, 'pickup');
  putPoint(leg, 'end', car.dropoff_location, car.dropoff_date, car.dropoff_time, 'dropoff');
  if (car.driver) putPerson(leg, car.driver, 'driver');
  const from = car.pickup_location?.name ?? undefined;
  return answer('rental', car, account, fetchedAt, name, leg, legKeys({ kind: 'rental', name, from, start }));
}

function answer(
  kind: Kind,
  booking: Stay | Car,
  account: string,
  fetchedAt: string,
  company: string | undefined,
  leg: FactWriter,
  keys: readonly string[],
): Answer {
  const facts = factWriter();
  const cancelled = Boolean(booking.cancelled_at);
  const status = cancelled ? 'cancelled' : booking.status === 'unknown' ? undefined : booking.status;
  facts.put('status', status, cancelled ? 'cancelled_at' : 'status', booking.cancelled_at);
  if (cancelled) leg.put('status', 'cancelled', 'cancelled_at', booking.cancelled_at);
  facts.put('reference', booking.reference ?? undefined, 'reference');
  facts.put('provider.name', company, kind === 'stay' ? 'accommodation.name' : 'supplier.name');
  facts.put('bookedAt', instantOf(booking.confirmed_at), 'confirmed_at', booking.confirmed_at);
  if ('total_amount' in booking) {
    facts.put('price.amount', booking.total_amount ?? undefined, 'total_amount');
    facts.put('price.currency', booking.total_currency ?? undefined, 'total_currency');
  }
  const reference = booking.reference ? referenceKey(kind, booking.reference, company) : undefined;
  return {
    authority: 'booking',
    assertedAt: fetchedAt,
    bookingKeys: [providerBookingKey(account, booking.id), ...(reference === undefined ? [] : [reference])],
    facts: facts.facts,
    legs: [{ kind, keys: [...keys], facts: leg.facts }],
  };
}

function putPoint(
  leg: FactWriter,
  side: 'start' | 'end',
  place: CarPlace,
  day: string | null | undefined,
  time: string | null | undefined,
  word: 'pickup' | 'dropoff',
): string | undefined {
  const at = timeOf(day, time, zoneOf(place?.address));
  leg.put(`${side}.scheduled`, at, `${word}_date`, day);
  leg.put(`${side}.name`, place?.name ?? undefined, `${word}_location.name`);
  putAddress(leg, side, place?.address, `${word}_location.address`);
  return at;
}

function putAddress(leg: FactWriter, side: 'start' | 'end', address: Address, where: string): void {
  if (!address) return;
  const line = [address.line_one, [address.postal_code, address.city_name].filter(Boolean).join(' '), address.region];
  leg.put(`${side}.address`, line.filter(Boolean).join(', '), where);
  leg.put(`${side}.street`, address.line_one ?? undefined, `${where}.line_one`);
  leg.put(`${side}.locality`, address.city_name ?? undefined, `${where}.city_name`);
  leg.put(`${side}.postal`, address.postal_code ?? undefined, `${where}.postal_code`);
  leg.put(`${side}.country`, address.country_code ?? undefined, `${where}.country_code`);
  leg.put(`${side}.zone`, zoneOf(address), `${where}.country_code`, address.country_code);
}

function zoneOf(address: Address): string | undefined {
  return address?.country_code ? zoneOfCountry(address.country_code) : undefined;
}

/** `2026-12-01` and `15:00`; the day alone where there is no hour. */
function timeOf(
  day: string | null | undefined,
  time: string | null | undefined,
  zone: string | undefined,
): string | undefined {
  if (!day || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  return (time ? zonedOf(`${day}T${time}`, zone) : undefined) ?? day;
}

function putPerson(
  leg: FactWriter,
  person: { readonly given_name?: string | null | undefined; readonly family_name?: string | null | undefined },
  where: string,
): void {
  const name = [person.given_name, person.family_name].filter(Boolean).join(' ');
  if (name !== '') leg.put(`passenger.${personKey(name)}.name`, name, where);
}
