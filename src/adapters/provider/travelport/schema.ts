import { z } from 'zod';

/** What we read of Travelport's reservation and queue answers. A broken optional field counts as absent. */
const text = z.string().max(500).nullish().catch(undefined);
const number = z
  .union([z.string().max(20), z.number()])
  .transform(String)
  .nullish()
  .catch(undefined);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(500).nullish().catch(undefined);
/** An item that has not the documented form is left out of its list, the others stay. */
const items = <T extends z.ZodType>(item: T) =>
  z
    .array(z.unknown())
    .max(500)
    .nullish()
    .catch(undefined)
    .transform((all) => (all ?? []).flatMap((one) => item.safeParse(one).data ?? []));
const part = <T extends z.ZodRawShape>(shape: T) => z.object(shape).nullish().catch(undefined);
const type = z.string().max(100);

const place = part({ location: text, date: text, time: text, terminal: text });
const flight = z.object({
  id: text,
  FlightRef: text,
  carrier: text,
  number,
  operatingCarrier: text,
  equipment: text,
  Departure: place,
  Arrival: place,
});
export type TravelportFlight = z.infer<typeof flight>;
const segment = z.object({ id: text, sequence: number, FlightRef: text, Flight: flight.nullish().catch(undefined) });
export type TravelportSegment = z.infer<typeof segment>;

const vendorLocation = part({ code: text, rentalLocationName: text });
const rentalEnd = part({ date: text, time: text, VendorLocation: vendorLocation });
const country = z
  .union([z.string().max(60), z.object({ value: text }).transform(({ value }) => value)])
  .nullish()
  .catch(undefined);
const product = z.object({
  '@type': type,
  FlightSegment: items(segment),
  propertyName: text,
  PropertyAddress: part({ AddressLine: list(z.string().max(500)), City: text, PostalCode: text, Country: country }),
  DateRange: part({ start: text, end: text }),
  Vehicle: part({
    VehicleMakeModel: part({ code: text, vendorCode: text }),
    VehicleDateLocation: part({ RentalPickup: rentalEnd, RentalReturn: rentalEnd }),
  }),
});
export type TravelportProduct = z.infer<typeof product>;
const offer = z.object({ id: text, Product: items(product) });
export type TravelportOffer = z.infer<typeof offer>;

const locator = part({ value: text, source: text, sourceContext: text });
const offerStatus = part({
  '@type': text,
  Status: text,
  StatusAir: items(z.object({ flightRefs: list(z.string().max(100)), code: text, value: text })),
});
const held = part({ Locator: locator, OfferStatus: offerStatus });
const receipt = z.object({
  '@type': type,
  OfferRef: list(z.string().max(100)),
  Confirmation: held,
  Cancellation: held,
  Document: list(z.object({ Number: number, TravelerIdentifierRef: part({ id: text, value: text }) })),
});
export type TravelportReceipt = z.infer<typeof receipt>;
const traveler = z.object({
  id: text,
  Identifier: part({ value: text }),
  PersonName: part({ Given: text, Surname: text }),
});
export type TravelportTraveler = z.infer<typeof traveler>;

const problem = z.object({ StatusCode: z.coerce.number().int().nullish().catch(undefined), Message: text });
export type TravelportProblem = z.infer<typeof problem>;
const result = part({ status: text, Error: list(problem), Warning: list(problem) });
export type TravelportResult = z.infer<typeof result>;

export const reservation = z.object({
  Identifier: part({ value: text }),
  Offer: items(offer),
  Receipt: items(receipt),
  Traveler: items(traveler),
});
export type TravelportReservation = z.infer<typeof reservation>;

const whole = part({
  Reservation: reservation.nullish().catch(undefined),
  ReferenceList: items(z.object({ Flight: items(flight) })),
  Result: result,
});
export type TravelportWhole = NonNullable<z.infer<typeof whole>>;
const broken = part({ Result: result });

export const reservationAnswer = z.object({ ReservationResponse: whole, ErrorResponse: broken, Result: result });
export const queueAnswer = z.object({
  AgencyQueueResponse: part({
    Result: result,
    AgencyQueue: part({ QueueList: list(z.object({ Locator: locator })) }),
  }),
  ErrorResponse: broken,
  Result: result,
});
