import type { Rng } from '../random.ts';
import { cancelledBy, endDayAt, flightAt, type Index } from '../scenario/state.ts';
import { AIRPORTS } from '../scenario/tables.ts';
import { instantOf, localTimeOf, offsetTimeOf } from '../scenario/time.ts';
import type { AirBooking, Booking, MailPurpose, PlaceBooking } from '../scenario/types.ts';

/** A schema.org thing, as JSON-LD writes it; microdata is printed from the same. */
export interface Thing {
  readonly '@type': string;
  readonly [property: string]: string | Thing | undefined;
}

/** What the mail says: the booking as it was at `saidAt`, as schema.org reservations, one a passenger and leg. */
export function reservationNodes(
  index: Index,
  booking: Booking,
  purpose: MailPurpose,
  saidAt: number,
  draw: Rng,
): readonly Thing[] {
  const cancelled =
    purpose === 'cancellation' || purpose === 'bare-cancellation' || purpose === 'lie' || cancelledBy(booking, saidAt);
  const common = {
    reservationNumber: booking.reference,
    reservationStatus: `${draw.pick(['http://schema.org/Reservation', 'https://schema.org/Reservation', ''])}${cancelled ? 'Cancelled' : 'Confirmed'}`,
    ...(purpose !== 'confirmation' && draw.chance(0.5)
      ? { modifiedTime: Temporal.Instant.fromEpochMilliseconds(saidAt).toString() }
      : {}),
  };
  if (booking.kind === 'flight') return flightNodes(index, booking, purpose, saidAt, draw, common);
  return [booking.kind === 'stay' ? stayNode(booking, saidAt, common) : rentalNode(booking, saidAt, common)];
}

function flightNodes(
  index: Index,
  booking: AirBooking,
  purpose: MailPurpose,
  saidAt: number,
  draw: Rng,
  common: Record<string, string>,
): readonly Thing[] {
  if (purpose === 'bare-cancellation') {
    return [{ '@type': 'FlightReservation', ...common, underName: person(booking, 0) }];
  }
  // An offset is missing in some airlines' markup; the airport says the zone.
  const time = draw.chance(0.15) ? localTimeOf : offsetTimeOf;
  return booking.segments.flatMap((segment) => {
    const flight = index.flight(segment.flight);
    const state = flightAt(flight, saidAt);
    return booking.passengers.map(
      (_, at): Thing => ({
        '@type': 'FlightReservation',
        ...common,
        underName: person(booking, at),
        airplaneSeat: segment.seats[at],
        reservationFor: {
          '@type': 'Flight',
          flightNumber: draw.chance(0.2) ? `${segment.carrier}${segment.number}` : segment.number,
          airline: { '@type': 'Airline', name: segment.carrierName, iataCode: segment.carrier },
          departureAirport: airport(flight.from),
          departureTime: time(state.departureScheduled, flight.fromZone),
          ...(state.departureTerminal === undefined || draw.chance(0.4)
            ? {}
            : { departureTerminal: state.departureTerminal }),
          arrivalAirport: airport(flight.to),
          arrivalTime: time(state.arrivalScheduled, flight.toZone),
        },
      }),
    );
  });
}

function stayNode(booking: PlaceBooking, saidAt: number, common: Record<string, string>): Thing {
  return {
    '@type': 'LodgingReservation',
    ...common,
    underName: person(booking, 0),
    checkinTime: placeTime(booking, booking.startDay, booking.startTime),
    checkoutTime: placeTime(booking, endDayAt(booking, saidAt), booking.endTime),
    reservationFor: { '@type': 'LodgingBusiness', ...place(booking) },
  };
}

function rentalNode(booking: PlaceBooking, saidAt: number, common: Record<string, string>): Thing {
  const where: Thing = { '@type': 'Place', ...place(booking) };
  return {
    '@type': 'RentalCarReservation',
    ...common,
    underName: person(booking, 0),
    pickupTime: placeTime(booking, booking.startDay, booking.startTime),
    pickupLocation: where,
    dropoffTime: placeTime(booking, endDayAt(booking, saidAt), booking.endTime),
    dropoffLocation: where,
    reservationFor: {
      '@type': 'RentalCar',
      name: 'Compact',
      rentalCompany: { '@type': 'Organization', name: booking.company },
    },
  };
}

function placeTime(booking: PlaceBooking, day: string, time: string): string {
  return offsetTimeOf(instantOf(day, time, booking.place.zone), booking.place.zone);
}

function place({ place: where }: PlaceBooking): Record<string, string | Thing> {
  return {
    name: where.name,
    telephone: where.phone,
    address: {
      '@type': 'PostalAddress',
      streetAddress: where.street,
      addressLocality: where.locality,
      addressCountry: where.country,
    },
  };
}

function person(booking: Booking, at: number): Thing {
  const one = booking.passengers[at]!;
  return { '@type': 'Person', name: `${one.given} ${one.family}` };
}

function airport(code: string): Thing {
  return { '@type': 'Airport', name: AIRPORTS.find((one) => one.code === code)!.name, iataCode: code };
}
