import { createHash } from 'node:crypto';
import type { AirlineChange } from '../scenario/pushes.ts';
import { cancelledBy, endDayAt, flightAt, type Index } from '../scenario/state.ts';
import { AIRPORTS } from '../scenario/tables.ts';
import { localTimeOf } from '../scenario/time.ts';
import type { AirBooking, PlaceBooking, Segment } from '../scenario/types.ts';

/** Duffel's objects, filled from the scenario as it stands at an instant. */

type Json = Record<string, unknown>;

export function order(
  index: Index,
  booking: AirBooking,
  at: number,
  changes: readonly AirlineChange[],
  aged: number,
): Json {
  const cancelled = cancelledBy(booking, at);
  const known = changes.filter((change) => change.at <= at);
  return {
    id: booking.duffelId,
    live_mode: false,
    booking_reference: booking.reference,
    // Less than a minute old: fresh. Differs from call to call, as there.
    synced_at: instant(at - aged),
    created_at: instant(booking.bookedAt),
    cancelled_at: cancelled ? instant(booking.cancelledAt!) : null,
    cancellation: cancelled
      ? {
          id: `ore_${booking.duffelId!.slice(4)}`,
          order_id: booking.duffelId,
          confirmed_at: instant(booking.cancelledAt!),
          live_mode: false,
        }
      : null,
    airline_initiated_changes: known.map((change) => airlineChange(index, booking, change)),
    available_actions: cancelled ? [] : ['cancel', 'change'],
    owner: carrier(booking.segments[0]!.carrier, booking.segments[0]!.carrierName),
    total_amount: '412.60',
    total_currency: 'EUR',
    passengers: booking.passengers.map((one, place) => ({
      id: passengerId(booking, place),
      type: 'adult',
      title: null,
      given_name: one.given,
      family_name: one.family,
    })),
    documents: booking.passengers.map((_, place) => ({
      type: 'electronic_ticket',
      unique_identifier: ticket(booking, place),
      passenger_ids: [passengerId(booking, place)],
    })),
    slices: booking.segments.map((segment, place) => slice(index, booking, segment, place, at)),
    metadata: {},
  };
}

/** `airline_initiated_change`: what was there before and what is there now, with new ids. */
export function airlineChange(index: Index, booking: AirBooking, change: AirlineChange): Json {
  const place = booking.segments.findIndex((segment) => segment.flight === change.flight.id);
  const segment = booking.segments[place]!;
  return {
    id: change.id,
    order_id: booking.duffelId,
    created_at: instant(change.at),
    updated_at: instant(change.at),
    action_taken: null,
    action_taken_at: null,
    available_actions: ['accept', 'cancel'],
    travel_agent_ticket: null,
    removed: [slice(index, booking, segment, place, change.at - 1)],
    added: [slice(index, booking, segment, place, change.at)],
  };
}

function slice(index: Index, booking: AirBooking, segment: Segment, place: number, at: number): Json {
  const flight = index.flight(segment.flight);
  const state = flightAt(flight, at);
  // A new schedule is a new slice with a new segment; nothing else here changes ids.
  const version = String(state.departureScheduled);
  const duration = Temporal.Duration.from({ minutes: (state.arrivalScheduled - state.departureScheduled) / 60_000 });
  const ends = { origin: airport(flight.from), destination: airport(flight.to) };
  return {
    id: id('sli', booking.id, place, version),
    ...ends,
    origin_type: 'airport',
    destination_type: 'airport',
    duration: duration.round({ largestUnit: 'hours' }).toString(),
    segments: [
      {
        id: id('seg', booking.id, place, version),
        ...ends,
        // Terminals as planned: what moves on the day is the status feed's business.
        origin_terminal: flight.initial.departureTerminal ?? null,
        destination_terminal: flight.initial.arrivalTerminal ?? null,
        departing_at: localTimeOf(state.departureScheduled, flight.fromZone),
        arriving_at: localTimeOf(state.arrivalScheduled, flight.toZone),
        duration: duration.round({ largestUnit: 'hours' }).toString(),
        marketing_carrier: carrier(segment.carrier, segment.carrierName),
        marketing_carrier_flight_number: segment.number,
        operating_carrier: carrier(flight.carrier, flight.carrierName),
        operating_carrier_flight_number: flight.number,
        aircraft: { id: id('arc', flight.aircraft), name: flight.aircraft, iata_code: null },
        stops: [],
        passengers: booking.passengers.map((_, seat) => ({
          passenger_id: passengerId(booking, seat),
          cabin_class: 'economy',
          cabin_class_marketing_name: 'Economy',
          baggages: [{ type: 'checked', quantity: 1 }],
          seat: { designator: segment.seats[seat], name: 'Seat', disclosures: [] },
        })),
      },
    ],
  };
}

export function stay(booking: PlaceBooking, at: number): Json {
  const { place } = booking;
  const cancelled = cancelledBy(booking, at);
  return {
    id: booking.duffelId,
    live_mode: false,
    reference: booking.reference,
    status: cancelled ? 'cancelled' : 'confirmed',
    confirmed_at: instant(booking.bookedAt),
    cancelled_at: cancelled ? instant(booking.cancelledAt!) : null,
    check_in_date: booking.startDay,
    check_out_date: endDayAt(booking, at),
    guests: booking.passengers.map((one) => ({ given_name: one.given, family_name: one.family })),
    rooms: 1,
    accommodation: {
      id: id('acc', place.name),
      name: place.name,
      phone_number: place.phone,
      email: null,
      location: location(booking),
      check_in_information: { check_in_after_time: booking.startTime, check_out_before_time: booking.endTime },
      amenities: [],
      key_collection: null,
    },
    key_collection: null,
    metadata: null,
  };
}

export function car(booking: PlaceBooking, at: number): Json {
  const cancelled = cancelledBy(booking, at);
  const where = {
    name: booking.place.name,
    ...location(booking),
    phone_number: booking.place.phone,
    access: null,
    additional_information: [],
    opening_hours: [],
  };
  const [driver] = booking.passengers;
  return {
    id: booking.duffelId,
    live_mode: false,
    reference: booking.reference,
    status: cancelled ? 'cancelled' : 'confirmed',
    confirmed_at: instant(booking.bookedAt),
    cancelled_at: cancelled ? instant(booking.cancelledAt!) : null,
    pickup_date: booking.startDay,
    pickup_time: booking.startTime,
    dropoff_date: endDayAt(booking, at),
    dropoff_time: booking.endTime,
    pickup_location: where,
    dropoff_location: where,
    supplier: { name: booking.company, logo_url: null },
    car: {
      name: 'Compact',
      category: 'compact',
      type: 'two_four_door',
      transmission: 'manual',
      fuel: 'petrol',
      air_conditioning: true,
    },
    driver: { given_name: driver!.given, family_name: driver!.family },
    payment_type: 'postpaid',
  };
}

function location({ place }: PlaceBooking): Json {
  return {
    geographic_coordinates: { latitude: place.lat, longitude: place.lon },
    address: {
      line_one: place.street,
      city_name: place.locality,
      postal_code: null,
      region: null,
      country_code: place.country,
    },
  };
}

function airport(code: string): Json {
  const one = AIRPORTS.find((candidate) => candidate.code === code)!;
  return {
    id: `arp_${code.toLowerCase()}_${one.country.toLowerCase()}`,
    type: 'airport',
    iata_code: one.code,
    name: one.name,
    city_name: one.city,
    city: null,
    iata_city_code: one.code,
    iata_country_code: one.country,
    latitude: one.lat,
    longitude: one.lon,
    time_zone: one.zone,
  };
}

function carrier(code: string, name: string): Json {
  return { id: id('arl', code), iata_code: code, name };
}

function passengerId(booking: AirBooking, place: number): string {
  return id('pas', booking.id, place);
}

/** 13 digits under the airline code 999, which no airline has. */
function ticket(booking: AirBooking, place: number): string {
  const digits = BigInt(`0x${createHash('sha256').update(`${booking.id}/${place}`).digest('hex').slice(0, 12)}`);
  return `999${digits.toString().padStart(10, '0').slice(0, 10)}`;
}

function id(prefix: string, ...parts: readonly (string | number)[]): string {
  return `${prefix}_0000${createHash('sha256').update(parts.join('/')).digest('base64url').replace(/[-_]/g, 'x').slice(0, 18)}`;
}

function instant(at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.min(at, Number.MAX_SAFE_INTEGER)).toString({
    smallestUnit: 'microsecond',
  });
}
