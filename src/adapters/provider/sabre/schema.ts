import { z } from 'zod';

/** What we read of Sabre's getBooking answer. A broken optional field counts as absent. */
const text = z.string().max(500).nullish().catch(undefined);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(200).nullish().catch(undefined);

const address = z.object({ street: text, city: text, postalCode: text, countryCode: text }).nullish().catch(undefined);
export type SabreAddress = z.infer<typeof address>;

const flightSchema = z.object({
  confirmationId: text,
  airlineCode: text,
  airlineName: text,
  flightNumber: z
    .union([z.string().max(10), z.number()])
    .transform(String)
    .nullish()
    .catch(undefined),
  operatingAirlineCode: text,
  fromAirportCode: text,
  toAirportCode: text,
  departureDate: text,
  departureTime: text,
  arrivalDate: text,
  arrivalTime: text,
  updatedDepartureDate: text,
  updatedDepartureTime: text,
  updatedArrivalDate: text,
  updatedArrivalTime: text,
  departureTerminalName: text,
  departureGate: text,
  arrivalTerminalName: text,
  arrivalGate: text,
  aircraftTypeName: text,
  seats: list(z.object({ number: text })),
  flightStatusCode: text,
});
export type SabreFlight = z.infer<typeof flightSchema>;

const hotelSchema = z.object({
  confirmationId: text,
  hotelName: text,
  address,
  checkInDate: text,
  checkInTime: text,
  checkOutDate: text,
  checkOutTime: text,
  hotelStatusCode: text,
});
export type SabreHotel = z.infer<typeof hotelSchema>;

const carSchema = z.object({
  confirmationId: text,
  vendorName: text,
  vendorCode: text,
  pickUpDate: text,
  pickUpTime: text,
  dropOffDate: text,
  dropOffTime: text,
  pickUpLocationCode: text,
  pickUpAddress: address,
  carStatusCode: text,
});
export type SabreCar = z.infer<typeof carSchema>;

const errorSchema = z.object({ category: text, type: text });
export type SabreError = z.infer<typeof errorSchema>;

export const bookingSchema = z.object({
  bookingId: text,
  request: z.object({ confirmationId: text }).nullish().catch(undefined),
  bookingSignature: text,
  travelers: list(z.object({ givenName: text, surname: text })),
  flights: list(flightSchema),
  hotels: list(hotelSchema),
  cars: list(carSchema),
  flightTickets: list(z.object({ number: text, travelerIndex: z.number().nullish().catch(undefined) })),
  errors: list(errorSchema),
});
export type SabreBooking = z.infer<typeof bookingSchema>;
