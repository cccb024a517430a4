import type { Answer } from '../../../contracts/topics.ts';
import { flightKey } from '../../../domain/keys.ts';
import { factWriter } from '../answer.ts';
import { bookingAnswer, dayAndTime, putPerson, type SaidLeg, statusOfLegs, zoneFor } from '../booking/answer.ts';
import { segmentStatus } from '../booking/segment-status.ts';
import type { SabreAddress, SabreBooking, SabreCar, SabreFlight, SabreHotel } from './schema.ts';

/**
 * A booking in our words. Sabre has no state of the whole: it is confirmed while one segment is, and cancelled when all
 * say so. A part that is missing from the answer says nothing.
 */
export function toAnswer(booking: SabreBooking, id: string, account: string, fetchedAt: string): Answer {
  const legs = [
    ...(booking.flights ?? []).map((one, i) => flightLeg(one, booking, `flights[${i}]`)),
    ...(booking.hotels ?? []).map((one, i) => hotelLeg(one, booking, `hotels[${i}]`)),
    ...(booking.cars ?? []).map((one, i) => carLeg(one, booking, `cars[${i}]`)),
  ];
  const facts = factWriter();
  facts.put('reference', id, 'bookingId');
  const status = statusOfLegs(legs);
  // Where parts are missing, those that are there do not speak for the whole.
  const isWhole = (booking.errors ?? []).length === 0;
  facts.put('status', status === 'cancelled' && !isWhole ? undefined : status, 'flights.flightStatusCode');
  const airlines = new Set((booking.flights ?? []).map((one) => one.airlineCode));
  if (airlines.size === 1) facts.put('provider.code', [...airlines][0] ?? undefined, 'flights[0].airlineCode');
  const kind = legs[0]?.kind ?? 'flight';
  // The airline's own locator is what its mails print.
  const printed = (booking.flights ?? []).map((one) => one.confirmationId);
  const references = kind === 'flight' ? [id, ...printed] : [id];
  return bookingAnswer({ account, id, kind, references, assertedAt: fetchedAt, facts, legs });
}

function flightLeg(flight: SabreFlight, booking: SabreBooking, where: string): SaidLeg {
  const out = factWriter();
  const carrier = flight.airlineCode?.toUpperCase();
  const number = flight.flightNumber?.replace(/^0+/, '');
  out.put('carrier.code', carrier, `${where}.airlineCode`);
  out.put('number', number, `${where}.flightNumber`);
  out.put('operating.code', flight.operatingAirlineCode ?? undefined, `${where}.operatingAirlineCode`);
  out.put('aircraft', flight.aircraftTypeName ?? undefined, `${where}.aircraftTypeName`);
  out.put('status', segmentStatus(flight.flightStatusCode), `${where}.flightStatusCode`, flight.flightStatusCode);
  out.put('start.code', flight.fromAirportCode ?? undefined, `${where}.fromAirportCode`);
  out.put('end.code', flight.toAirportCode ?? undefined, `${where}.toAirportCode`);
  out.put('start.terminal', flight.departureTerminalName ?? undefined, `${where}.departureTerminalName`);
  out.put('start.gate', flight.departureGate ?? undefined, `${where}.departureGate`);
  out.put('end.terminal', flight.arrivalTerminalName ?? undefined, `${where}.arrivalTerminalName`);
  out.put('end.gate', flight.arrivalGate ?? undefined, `${where}.arrivalGate`);
  // What the airline moved holds; the day it was sold for is still how others know it.
  for (const [side, day, time, movedDay, movedTime, code] of [
    ['start', 'departureDate', 'departureTime', 'updatedDepartureDate', 'updatedDepartureTime', flight.fromAirportCode],
    ['end', 'arrivalDate', 'arrivalTime', 'updatedArrivalDate', 'updatedArrivalTime', flight.toAirportCode],
  ] as const) {
    const moved = flight[movedDay] || flight[movedTime];
    const at = dayAndTime(
      flight[movedDay] ?? flight[day],
      flight[movedTime] ?? flight[time],
      zoneFor({ airport: code }),
    );
    out.put(`${side}.scheduled`, at, `${where}.${moved ? movedDay : day}`);
  }
  const travellers = booking.travelers ?? [];
  for (const [i, one] of travellers.entries()) {
    const ticket = booking.flightTickets?.find((each) => each.travelerIndex === i + 1)?.number;
    const seat = travellers.length === 1 ? flight.seats?.[0]?.number : undefined;
    putPerson(out, { given: one.givenName, family: one.surname, seat, ticket }, `travelers[${i}]`);
  }
  const sold = flight.departureDate;
  const keys = carrier && number && sold ? [flightKey(carrier, number, sold, flight.fromAirportCode ?? '')] : [];
  return { kind: 'flight', out, keys };
}

function hotelLeg(hotel: SabreHotel, booking: SabreBooking, where: string): SaidLeg {
  const out = factWriter();
  const zone = zoneFor({ country: hotel.address?.countryCode });
  out.put('name', hotel.hotelName ?? undefined, `${where}.hotelName`);
  out.put('start.name', hotel.hotelName ?? undefined, `${where}.hotelName`);
  out.put('status', segmentStatus(hotel.hotelStatusCode), `${where}.hotelStatusCode`, hotel.hotelStatusCode);
  out.put('start.scheduled', dayAndTime(hotel.checkInDate, hotel.checkInTime, zone), `${where}.checkInDate`);
  out.put('end.scheduled', dayAndTime(hotel.checkOutDate, hotel.checkOutTime, zone), `${where}.checkOutDate`);
  putAddress(out, hotel.address, `${where}.address`);
  putTravellers(out, booking);
  return { kind: 'stay', out };
}

function carLeg(car: SabreCar, booking: SabreBooking, where: string): SaidLeg {
  const out = factWriter();
  const zone = zoneFor({ airport: car.pickUpLocationCode, country: car.pickUpAddress?.countryCode });
  out.put('name', car.vendorName ?? car.vendorCode ?? undefined, `${where}.vendorName`);
  out.put('status', segmentStatus(car.carStatusCode), `${where}.carStatusCode`, car.carStatusCode);
  out.put('start.code', car.pickUpLocationCode ?? undefined, `${where}.pickUpLocationCode`);
  out.put('start.scheduled', dayAndTime(car.pickUpDate, car.pickUpTime, zone), `${where}.pickUpDate`);
  out.put('end.scheduled', dayAndTime(car.dropOffDate, car.dropOffTime, zone), `${where}.dropOffDate`);
  putAddress(out, car.pickUpAddress, `${where}.pickUpAddress`);
  putTravellers(out, booking);
  return { kind: 'rental', out };
}

function putAddress(out: SaidLeg['out'], address: SabreAddress, where: string): void {
  out.put('start.street', address?.street ?? undefined, `${where}.street`);
  out.put('start.locality', address?.city ?? undefined, `${where}.city`);
  out.put('start.postal', address?.postalCode ?? undefined, `${where}.postalCode`);
  out.put('start.country', address?.countryCode ?? undefined, `${where}.countryCode`);
}

function putTravellers(out: SaidLeg['out'], booking: SabreBooking): void {
  for (const [i, one] of (booking.travelers ?? []).entries())
    putPerson(out, { given: one.givenName, family: one.surname }, `travelers[${i}]`);
}
