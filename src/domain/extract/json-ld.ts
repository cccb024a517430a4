import { type Fact, type Facts, type Kind, TRANSPORT_KINDS } from '../facts.ts';
import type { LegClaim } from '../observation.ts';
import type { BookingClaim } from './claim.ts';

/** A schema.org node. */
export type JsonLd = { readonly [key: string]: string | number | JsonLd | readonly JsonLd[] };

const TYPES: Readonly<Record<Kind, readonly [reservation: string, subject: string]>> = {
  flight: ['FlightReservation', 'Flight'],
  train: ['TrainReservation', 'TrainTrip'],
  bus: ['BusReservation', 'BusTrip'],
  boat: ['BoatReservation', 'BoatTrip'],
  stay: ['LodgingReservation', 'LodgingBusiness'],
  rental: ['RentalCarReservation', 'RentalCar'],
  event: ['EventReservation', 'Event'],
  restaurant: ['FoodEstablishmentReservation', 'FoodEstablishment'],
  taxi: ['TaxiReservation', 'TaxiService'],
};
const STATUSES: Readonly<Record<string, string>> = {
  confirmed: 'https://schema.org/ReservationConfirmed',
  pending: 'https://schema.org/ReservationPending',
  hold: 'https://schema.org/ReservationHold',
  cancelled: 'https://schema.org/ReservationCancelled',
};
/** Family part of a booking key to the kind that a claim without legs is printed as. */
const FAMILIES: Readonly<Record<string, Kind>> = {
  air: 'flight',
  rail: 'train',
  road: 'bus',
  sea: 'boat',
  stay: 'stay',
  rental: 'rental',
  event: 'event',
  table: 'restaurant',
  taxi: 'taxi',
};

/** Claims as schema.org reservations: one for each leg and passenger; one for a booking whose legs are not named. */
export function toJsonLd(claims: readonly BookingClaim[]): readonly JsonLd[] {
  return claims.flatMap((claim) => {
    if (claim.legs.length === 0) {
      const kind = FAMILIES[claim.bookingKeys[0]?.split(':')[1] ?? ''];
      return kind === undefined ? [] : [node({ '@type': TYPES[kind][0], ...bookingNode(claim.facts, {}) })];
    }
    return claim.legs.flatMap((leg) => legNodes(claim, leg));
  });
}

function legNodes(claim: BookingClaim, leg: LegClaim): readonly JsonLd[] {
  const people = [...new Set(Object.keys(leg.facts).flatMap((path) => /^passenger\.([^.]+)\./.exec(path)?.[1] ?? []))];
  return (people.length === 0 ? [undefined] : people).map((person) =>
    node({
      '@type': TYPES[leg.kind][0],
      ...bookingNode(claim.facts, leg.facts),
      ...legNode(leg),
      ...(person === undefined ? {} : passengerNode(leg, person)),
    }),
  );
}

function value(facts: Facts, path: string): string {
  const fact: Fact | undefined = Object.hasOwn(facts, path) ? facts[path] : undefined;
  return fact === undefined || fact.value === null ? '' : String(fact.value);
}

/** Leaves out what is empty, so that no property is claimed that the document does not state. */
function node(properties: Readonly<Record<string, JsonLd | readonly JsonLd[] | string | number | undefined>>): JsonLd {
  const entries = Object.entries(properties).filter(([, one]) => {
    if (one === undefined || one === '') return false;
    return typeof one !== 'object' || Object.keys(one).some((key) => key !== '@type');
  });
  const top = properties['@type'] !== undefined && String(properties['@type']).endsWith('Reservation');
  return { ...(top ? { '@context': 'https://schema.org' } : {}), ...(Object.fromEntries(entries) as JsonLd) };
}

function bookingNode(facts: Facts, leg: Facts): Readonly<Record<string, JsonLd | string | undefined>> {
  return {
    reservationNumber: value(facts, 'reference'),
    reservationStatus: STATUSES[value(leg, 'status') || value(facts, 'status')],
    totalPrice: value(facts, 'price.amount'),
    priceCurrency: value(facts, 'price.currency'),
    bookingTime: value(facts, 'bookedAt'),
    bookingAgent: node({ '@type': 'Organization', name: value(facts, 'agent.name') }),
    modifyReservationUrl: value(facts, 'url.manage'),
    checkinUrl: value(facts, 'url.checkin'),
    ...(Object.keys(leg).length === 0
      ? {
          provider: node({
            '@type': 'Organization',
            name: value(facts, 'provider.name'),
            iataCode: value(facts, 'provider.code'),
          }),
        }
      : {}),
  };
}

/** ISO 8601 without the zone name, which schema.org readers do not know. */
function time(facts: Facts, path: string): string {
  return value(facts, path).replace(/\[[^\]]*\]$/, '');
}

function placeNode(facts: Facts, side: 'start' | 'end', type: string): JsonLd {
  const parts = {
    street: value(facts, `${side}.street`),
    locality: value(facts, `${side}.locality`),
    postal: value(facts, `${side}.postal`),
  };
  const split = parts.street !== '' || parts.locality !== '' || parts.postal !== '';
  const code = value(facts, `${side}.code`);
  return node({
    '@type': type,
    name: value(facts, `${side}.name`),
    ...(type === 'Airport' ? { iataCode: code } : { identifier: code }),
    address:
      split || value(facts, `${side}.address`) === ''
        ? node({
            '@type': 'PostalAddress',
            streetAddress: parts.street,
            postalCode: parts.postal,
            addressLocality: parts.locality,
            addressCountry: value(facts, `${side}.country`),
          })
        : value(facts, `${side}.address`),
  });
}

const RIDES = {
  flight: { stop: 'Airport', place: 'Airport', number: 'flightNumber', name: '', gate: 'Gate', platform: '' },
  train: {
    stop: 'Station',
    place: 'TrainStation',
    number: 'trainNumber',
    name: 'trainName',
    gate: '',
    platform: 'Platform',
  },
  bus: { stop: 'BusStop', place: 'BusStop', number: 'busNumber', name: 'busName', gate: '', platform: 'Platform' },
  boat: { stop: 'BoatTerminal', place: 'BoatTerminal', number: 'boatNumber', name: 'boatName', gate: '', platform: '' },
} as const;

function legNode(leg: LegClaim): Readonly<Record<string, JsonLd | string | undefined>> {
  const { facts, kind } = leg;
  const subject = TYPES[kind][1];
  if (TRANSPORT_KINDS.includes(kind)) return { reservationFor: rideNode(facts, kind as keyof typeof RIDES, subject) };
  const start = time(facts, 'start.scheduled');
  const end = time(facts, 'end.scheduled');
  switch (kind) {
    case 'stay':
      return {
        checkinTime: start,
        checkoutTime: end,
        reservationFor: node({
          ...placeNode(facts, 'start', subject),
          '@type': subject,
          name: value(facts, 'name'),
          telephone: value(facts, 'phone'),
        }),
      };
    case 'rental':
      return {
        pickupTime: start,
        dropoffTime: end,
        pickupLocation: placeNode(facts, 'start', 'Place'),
        dropoffLocation: placeNode(facts, 'end', 'Place'),
        reservationFor: node({
          '@type': subject,
          name: value(facts, 'vehicle'),
          rentalCompany: node({ '@type': 'Organization', name: value(facts, 'name') }),
        }),
      };
    case 'taxi':
      return {
        pickupTime: start,
        pickupLocation: placeNode(facts, 'start', 'Place'),
        reservationFor: node({
          '@type': subject,
          provider: node({ '@type': 'Organization', name: value(facts, 'name') }),
        }),
      };
    case 'restaurant':
      return {
        startTime: start,
        endTime: end,
        reservationFor: node({
          ...placeNode(facts, 'start', subject),
          name: value(facts, 'name'),
          telephone: value(facts, 'phone'),
        }),
      };
    default:
      return {
        reservationFor: node({
          '@type': subject,
          name: value(facts, 'name'),
          startDate: start,
          endDate: end,
          location: placeNode(facts, 'start', 'Place'),
        }),
      };
  }
}

function rideNode(facts: Facts, kind: keyof typeof RIDES, subject: string): JsonLd {
  const words = RIDES[kind];
  const scheduled = time(facts, 'start.scheduled');
  const dayOnly = /^\d{4}-\d{2}-\d{2}$/.test(scheduled);
  const carrier = node({
    '@type': kind === 'flight' ? 'Airline' : 'Organization',
    name: value(facts, 'carrier.name'),
    iataCode: value(facts, 'carrier.code'),
  });
  return node({
    '@type': subject,
    [words.number]: value(facts, 'number'),
    ...(words.name === '' ? {} : { [words.name]: value(facts, 'name') }),
    [kind === 'flight' ? 'airline' : 'provider']: carrier,
    ...(kind === 'flight'
      ? { operatedBy: node({ '@type': 'Airline', iataCode: value(facts, 'operating.code') }) }
      : {}),
    [`departure${words.stop}`]: placeNode(facts, 'start', words.place),
    [`arrival${words.stop}`]: placeNode(facts, 'end', words.place),
    ...(dayOnly ? { departureDay: scheduled } : { departureTime: scheduled }),
    arrivalTime: time(facts, 'end.scheduled'),
    boardingTime: time(facts, 'start.boarding'),
    departureTerminal: value(facts, 'start.terminal'),
    arrivalTerminal: value(facts, 'end.terminal'),
    departureGate: value(facts, 'start.gate'),
    arrivalGate: value(facts, 'end.gate'),
    departurePlatform: value(facts, 'start.platform'),
    arrivalPlatform: value(facts, 'end.platform'),
  });
}

function passengerNode(leg: LegClaim, person: string): Readonly<Record<string, JsonLd | string | undefined>> {
  const of = (what: string) => value(leg.facts, `passenger.${person}.${what}`);
  const seat = node({ '@type': 'Seat', seatNumber: of('seat'), seatSection: of('section'), seatRow: of('row') });
  return {
    underName: node({ '@type': 'Person', name: of('name') }),
    reservedTicket: node({
      '@type': 'Ticket',
      ticketNumber: of('ticket'),
      ...(leg.kind === 'flight' ? {} : { ticketedSeat: seat }),
    }),
    ...(leg.kind === 'flight' ? { airplaneSeat: of('seat') } : {}),
    boardingGroup: of('group'),
    passengerSequenceNumber: of('sequence'),
  };
}
