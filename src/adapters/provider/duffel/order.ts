import type { Answer } from '../../../contracts/topics.ts';
import { personKey } from '../../../domain/facts.ts';
import { airportByCode } from '../../../domain/geo/airports.ts';
import { legKeys, providerBookingKey, referenceKey } from '../../../domain/keys.ts';
import { type FactWriter, factWriter, instantOf } from '../answer.ts';
import type { AirlineChange, AirPlace, Order, Segment, Slice } from './schema.ts';

/** A flight order with what the airline changed since. Times are local; their zone stands beside the airport. */

type Leg = Answer['legs'][number];

/**
 * @param changes airline-initiated changes of this order, in any order
 * @param fetchedAt ISO instant
 */
export function orderAnswer(
  order: Order,
  changes: readonly AirlineChange[],
  account: string,
  fetchedAt: string,
): Answer {
  const booking = factWriter();
  const cancelled = Boolean(order.cancelled_at);
  const hold = order.payment_status?.awaiting_payment === true;
  const status = cancelled ? 'cancelled' : hold ? 'hold' : 'confirmed';
  booking.put('status', status, cancelled ? 'cancelled_at' : hold ? 'payment_status' : 'id', order.cancelled_at);
  booking.put('reference', order.booking_reference ?? undefined, 'booking_reference');
  booking.put('provider.name', order.owner?.name ?? undefined, 'owner.name');
  booking.put('provider.code', order.owner?.iata_code ?? undefined, 'owner.iata_code');
  booking.put('price.amount', order.total_amount ?? undefined, 'total_amount');
  booking.put('price.currency', order.total_currency ?? undefined, 'total_currency');
  booking.put('bookedAt', instantOf(order.created_at), 'created_at', order.created_at);
  const reference = order.booking_reference ? referenceKey('flight', order.booking_reference) : undefined;
  return {
    authority: 'booking',
    assertedAt: assertedAt(order.synced_at, fetchedAt),
    bookingKeys: [providerBookingKey(account, order.id), ...(reference === undefined ? [] : [reference])],
    facts: booking.facts,
    legs: legsOf(order, changes, status),
  };
}

/** Younger than this, `synced_at` only says that the answer is fresh. */
const FRESH_MS = 60_000;

function assertedAt(syncedAt: string | null | undefined, fetchedAt: string): string {
  const synced = instantOf(syncedAt);
  if (synced === undefined) return fetchedAt;
  const age = Temporal.Instant.from(synced).until(fetchedAt).total('milliseconds');
  return age < FRESH_MS ? fetchedAt : synced;
}

/**
 * The order's own segments, then what the airline changed:
 *  - while nobody answered a change, what it adds holds already: its times go over the order's, and a flight that the
 *    order does not show yet is `pending`;
 *  - what a change removed, and what neither the order nor a later change brings back, is cancelled.
 */
function legsOf(order: Order, changes: readonly AirlineChange[], status: string): Leg[] {
  const legs = new Map<string, Leg>();
  const key = (leg: Leg) => leg.keys[0] ?? '';
  for (const { segment, where } of segmentsOf(order.slices, 'slices')) {
    const leg = toLeg(order, segment, where, status);
    legs.set(key(leg), leg);
  }
  const gone = new Map<string, Leg>();
  const inOrder = [...changes].sort((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? ''));
  for (const change of inOrder) {
    const at = `airline_initiated_changes[${change.id}]`;
    for (const { segment, where } of segmentsOf(change.removed, `${at}.removed`)) {
      const leg = toLeg(order, segment, where, 'cancelled');
      gone.set(key(leg), leg);
    }
    for (const { segment, where } of segmentsOf(change.added, `${at}.added`)) {
      const leg = toLeg(order, segment, where, 'pending');
      gone.delete(key(leg));
      if (status === 'cancelled' || (change.action_taken ?? null) !== null) continue;
      const held = legs.get(key(leg));
      if (held === undefined) legs.set(key(leg), leg);
      // The order's status and passengers stand; the times and terminals are the airline's newest.
      else legs.set(key(leg), { ...held, facts: { ...leg.facts, ...passengersOf(held), ...statusOf(held) } });
    }
  }
  for (const [id, leg] of gone) if (!legs.has(id)) legs.set(id, leg);
  return [...legs.values()].filter((leg) => leg.keys.length > 0);
}

function statusOf(leg: Leg): Leg['facts'] {
  return leg.facts.status === undefined ? {} : { status: leg.facts.status };
}

function passengersOf(leg: Leg): Leg['facts'] {
  return Object.fromEntries(Object.entries(leg.facts).filter(([path]) => path.startsWith('passenger.')));
}

function segmentsOf(slices: readonly Slice[], where: string): { segment: Segment; where: string }[] {
  return slices.flatMap((slice, s) =>
    slice.segments.map((segment, i) => ({ segment, where: `${where}[${s}].segments[${i}]` })),
  );
}

function toLeg(order: Order, segment: Segment, where: string, status: string): Leg {
  const out = factWriter();
  const carrier = segment.marketing_carrier?.iata_code ?? segment.operating_carrier?.iata_code ?? undefined;
  const printed = segment.marketing_carrier_flight_number ?? segment.operating_carrier_flight_number ?? undefined;
  const number = printed?.replace(/^0+(?=.)/, '');
  const operating = segment.operating_carrier_flight_number?.replace(/^0+(?=.)/, '');
  out.put('status', status, where);
  out.put('carrier.code', carrier, `${where}.marketing_carrier.iata_code`);
  out.put('carrier.name', segment.marketing_carrier?.name ?? undefined, `${where}.marketing_carrier.name`);
  out.put('number', number, `${where}.marketing_carrier_flight_number`, printed);
  out.put('operating.code', segment.operating_carrier?.iata_code ?? undefined, `${where}.operating_carrier.iata_code`);
  out.put('operating.number', operating, `${where}.operating_carrier_flight_number`);
  out.put('aircraft', segment.aircraft?.name ?? undefined, `${where}.aircraft.name`);
  const start = putEnd(out, 'start', segment.origin, segment.departing_at, `${where}.origin`, `${where}.departing_at`);
  putEnd(out, 'end', segment.destination, segment.arriving_at, `${where}.destination`, `${where}.arriving_at`);
  out.put('start.terminal', segment.origin_terminal ?? undefined, `${where}.origin_terminal`);
  out.put('end.terminal', segment.destination_terminal ?? undefined, `${where}.destination_terminal`);
  putPassengers(out, order, segment, where);
  const from = segment.origin?.iata_code ?? undefined;
  const to = segment.destination?.iata_code ?? undefined;
  return { kind: 'flight', keys: [...legKeys({ kind: 'flight', carrier, number, from, to, start })], facts: out.facts };
}

function putEnd(
  out: FactWriter,
  side: 'start' | 'end',
  place: AirPlace,
  local: string | null | undefined,
  placeAt: string,
  timeAt: string,
): string | undefined {
  const code = place?.iata_code?.toUpperCase();
  const zone = place?.time_zone ?? (code === undefined ? undefined : airportByCode(code)?.zone);
  const time = zonedOf(local, zone);
  out.put(`${side}.scheduled`, time, timeAt, local);
  out.put(`${side}.code`, code, `${placeAt}.iata_code`);
  out.put(`${side}.name`, place?.name ?? undefined, `${placeAt}.name`);
  out.put(`${side}.locality`, place?.city_name ?? undefined, `${placeAt}.city_name`);
  out.put(`${side}.country`, place?.iata_country_code ?? undefined, `${placeAt}.iata_country_code`);
  out.put(`${side}.zone`, zone, `${placeAt}.time_zone`);
  return time;
}

/** A local time with its zone; without one it stays local; what is no time is left out. */
export function zonedOf(local: string | null | undefined, zone: string | null | undefined): string | undefined {
  if (!local) return undefined;
  try {
    const plain = Temporal.PlainDateTime.from(local);
    if (!zone) return plain.toString({ smallestUnit: 'second' });
    return plain.toZonedDateTime(zone).toString({ smallestUnit: 'second' });
  } catch {
    return undefined;
  }
}

function putPassengers(out: FactWriter, order: Order, segment: Segment, where: string): void {
  const people = order.passengers ?? [];
  const nameOf = (person: (typeof people)[number]) => [person.given_name, person.family_name].filter(Boolean).join(' ');
  for (const [index, person] of people.entries()) {
    const name = nameOf(person);
    if (name === '') continue;
    const path = `passenger.${personKey(name)}`;
    out.put(`${path}.name`, name, `passengers[${index}]`);
    const ticket = order.documents?.find(
      (one) => one.type === 'electronic_ticket' && (one.passenger_ids ?? []).includes(person.id ?? ''),
    );
    out.put(`${path}.ticket`, ticket?.unique_identifier ?? undefined, 'documents.unique_identifier');
    const seated = segment.passengers ?? [];
    const place = seated.findIndex(
      (one) => one.passenger_id === person.id || one.passenger_id === `passenger_${index}`,
    );
    const own = seated[place];
    if (own === undefined) continue;
    out.put(`${path}.seat`, own.seat?.designator ?? undefined, `${where}.passengers[${place}].seat.designator`);
    out.put(
      `${path}.class`,
      own.cabin_class_marketing_name ?? own.cabin_class ?? undefined,
      `${where}.passengers[${place}].cabin_class`,
    );
  }
}
