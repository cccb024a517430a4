import type { Answer } from '../../../contracts/topics.ts';
import { countryCode } from '../../../domain/geo/airports.ts';
import { factWriter } from '../answer.ts';
import { bookingAnswer, dayAndTime, putPerson, type SaidLeg, statusOfLegs, zoneFor } from '../booking/answer.ts';
import type {
  TravelportFlight,
  TravelportOffer,
  TravelportProduct,
  TravelportReservation,
  TravelportSegment,
  TravelportWhole,
} from './schema.ts';
import { cancels, isCancellation, locatorsOf, statusByCode, statusByWord, supplierLocators } from './status.ts';

/**
 * A reservation with its flights, stays and cars in our words. There is no state of the whole: it is confirmed while one
 * part is, and cancelled when all say so or when the reservation's own locator stands in a cancellation and no offer is
 * left. An offer that is missing says nothing: cancelled reservations come without offers, but so do others.
 */
export function toAnswer(
  whole: TravelportWhole & { readonly Reservation: TravelportReservation },
  about: { readonly id: string; readonly account: string; readonly fetchedAt: string; readonly isWhole: boolean },
): Answer {
  const { Reservation: reservation } = whole;
  const flights = new Map(
    whole.ReferenceList.flatMap((one) => one.Flight).flatMap((one) => (one.id ? [[one.id, one] as const] : [])),
  );
  const legs = reservation.Offer.flatMap((offer, i) =>
    offer.Product.flatMap((product, j) => legsOf(reservation, offer, product, flights, `Offer[${i}].Product[${j}]`)),
  );
  const facts = factWriter();
  facts.put('reference', about.id, 'Receipt.Confirmation.Locator.value');
  putStatus(facts, reservation, legs, about.isWhole);
  const carriers = new Set(legs.flatMap(({ kind, out }) => (kind === 'flight' ? [out.facts['carrier.code']] : [])));
  const [carrier] = carriers;
  if (new Set([...carriers].map((one) => one?.value)).size === 1 && typeof carrier?.value === 'string')
    facts.put('provider.code', carrier.value, carrier.evidence?.where ?? 'Offer');
  const kind = legs[0]?.kind ?? 'flight';
  return bookingAnswer({
    account: about.account,
    id: about.id,
    kind,
    references: [about.id, ...printed(reservation, kind, legs)],
    assertedAt: about.fetchedAt,
    facts,
    legs,
  });
}

function putStatus(
  facts: SaidLeg['out'],
  { Offer, Receipt }: TravelportReservation,
  legs: readonly SaidLeg[],
  isWhole: boolean,
): void {
  const isGone = Offer.length === 0 && locatorsOf(Receipt.filter(isCancellation)).some(({ isOwn }) => isOwn);
  const status = statusOfLegs(legs);
  // Where parts are missing, those that are there do not speak for the whole.
  const ofParts = status === 'cancelled' && !isWhole ? undefined : status;
  facts.put('status', isGone ? 'cancelled' : ofParts, isGone ? 'Receipt.Cancellation' : 'Receipt.Confirmation');
}

/** What mails print: the carrier's own locator; where all is one stay or rental, its supplier's number. */
function printed(
  { Offer, Receipt }: TravelportReservation,
  kind: SaidLeg['kind'],
  legs: readonly SaidLeg[],
): readonly string[] {
  if (kind !== 'flight')
    return legs.every((leg) => leg.kind === kind) ? Offer.flatMap((offer) => supplierLocators(Receipt, offer)) : [];
  const carriers = new Set(legs.map(({ out }) => out.facts['carrier.code']?.value));
  return locatorsOf(Receipt).flatMap(({ value, source, isOwn }) => (!isOwn && carriers.has(source) ? [value] : []));
}

function legsOf(
  reservation: TravelportReservation,
  offer: TravelportOffer,
  product: TravelportProduct,
  flights: ReadonlyMap<string, TravelportFlight>,
  where: string,
): readonly SaidLeg[] {
  const isCancelled = cancels(reservation.Receipt, offer);
  switch (product['@type']) {
    case 'ProductAir':
      return product.FlightSegment.flatMap((segment, i) => {
        const ref = segment.FlightRef ?? segment.Flight?.FlightRef;
        const flight = segment.Flight?.carrier ? segment.Flight : ref ? flights.get(ref) : undefined;
        const at = `${where}.FlightSegment[${i}].Flight`;
        return flight === undefined ? [] : [flightLeg(reservation, flight, segment, isCancelled, at)];
      });
    case 'ProductHospitality':
      return [stayLeg(reservation, offer, product, isCancelled, where)];
    case 'ProductVehicle':
      return [carLeg(reservation, offer, product, isCancelled, where)];
    default:
      return [];
  }
}

const CANCELLED = { status: 'cancelled', raw: 'ReceiptCancellation' } as const;

function flightLeg(
  reservation: TravelportReservation,
  flight: TravelportFlight,
  segment: TravelportSegment,
  isCancelled: boolean,
  where: string,
): SaidLeg {
  const out = factWriter();
  const { Departure, Arrival } = flight;
  const said = isCancelled ? CANCELLED : statusByCode(reservation.Receipt, flight, segment);
  out.put('status', said?.status, 'Receipt.Confirmation.OfferStatus.StatusAir', said?.raw);
  out.put('carrier.code', flight.carrier?.toUpperCase(), `${where}.carrier`);
  out.put('number', flight.number?.replace(/^0+(?=.)/, ''), `${where}.number`, flight.number);
  out.put('operating.code', flight.operatingCarrier?.toUpperCase(), `${where}.operatingCarrier`);
  out.put('aircraft', flight.equipment ?? undefined, `${where}.equipment`);
  for (const [side, place, at] of [
    ['start', Departure, `${where}.Departure`],
    ['end', Arrival, `${where}.Arrival`],
  ] as const) {
    out.put(`${side}.code`, place?.location?.toUpperCase(), `${at}.location`);
    out.put(`${side}.terminal`, place?.terminal ?? undefined, `${at}.terminal`);
    const time = dayAndTime(place?.date, place?.time, zoneFor({ airport: place?.location }));
    out.put(`${side}.scheduled`, time, `${at}.date`);
  }
  putTravellers(out, reservation, true);
  return { kind: 'flight', out };
}

function stayLeg(
  reservation: TravelportReservation,
  offer: TravelportOffer,
  { propertyName, PropertyAddress: address, DateRange }: TravelportProduct,
  isCancelled: boolean,
  where: string,
): SaidLeg {
  const out = factWriter();
  const said = isCancelled ? CANCELLED : statusByWord(reservation.Receipt, offer, 'OfferStatusHospitality');
  out.put('status', said?.status, 'Receipt.Confirmation.OfferStatus.Status', said?.raw);
  out.put('name', propertyName ?? undefined, `${where}.propertyName`);
  out.put('start.name', propertyName ?? undefined, `${where}.propertyName`);
  out.put('start.scheduled', dayAndTime(DateRange?.start, undefined), `${where}.DateRange.start`);
  out.put('end.scheduled', dayAndTime(DateRange?.end, undefined), `${where}.DateRange.end`);
  out.put('start.street', address?.AddressLine?.join(', '), `${where}.PropertyAddress.AddressLine`);
  out.put('start.locality', address?.City ?? undefined, `${where}.PropertyAddress.City`);
  out.put('start.postal', address?.PostalCode ?? undefined, `${where}.PropertyAddress.PostalCode`);
  const country = address?.Country ? countryCode(address.Country) : undefined;
  out.put('start.country', country, `${where}.PropertyAddress.Country`, address?.Country);
  putTravellers(out, reservation, false);
  return { kind: 'stay', out };
}

function carLeg(
  reservation: TravelportReservation,
  offer: TravelportOffer,
  { Vehicle }: TravelportProduct,
  isCancelled: boolean,
  where: string,
): SaidLeg {
  const out = factWriter();
  const said = isCancelled ? CANCELLED : statusByWord(reservation.Receipt, offer, 'OfferStatusVehicle');
  out.put('status', said?.status, 'Receipt.Confirmation.OfferStatus.Status', said?.raw);
  const model = Vehicle?.VehicleMakeModel;
  out.put('name', model?.vendorCode ?? undefined, `${where}.Vehicle.VehicleMakeModel.vendorCode`);
  out.put('vehicle', model?.code ?? undefined, `${where}.Vehicle.VehicleMakeModel.code`);
  const { RentalPickup, RentalReturn } = Vehicle?.VehicleDateLocation ?? {};
  for (const [side, end, at] of [
    ['start', RentalPickup, `${where}.Vehicle.VehicleDateLocation.RentalPickup`],
    ['end', RentalReturn, `${where}.Vehicle.VehicleDateLocation.RentalReturn`],
  ] as const) {
    const code = end?.VendorLocation?.code?.toUpperCase();
    out.put(`${side}.code`, code, `${at}.VendorLocation.code`);
    out.put(`${side}.name`, end?.VendorLocation?.rentalLocationName ?? undefined, `${at}.VendorLocation`);
    out.put(`${side}.scheduled`, dayAndTime(end?.date, end?.time, zoneFor({ airport: code })), `${at}.date`);
  }
  putTravellers(out, reservation, false);
  return { kind: 'rental', out };
}

/** Given names end in a title: `ROSA MS`. */
const TITLE = /\s+(MR|MRS|MS|MISS|MSTR|DR|PROF)\.?$/i;

function putTravellers(out: SaidLeg['out'], { Traveler, Receipt }: TravelportReservation, isAir: boolean): void {
  const documents = isAir ? Receipt.flatMap((one) => one.Document ?? []) : [];
  for (const [i, one] of Traveler.entries()) {
    const ids = [one.id, one.Identifier?.value].filter(Boolean);
    const mine = documents.filter(({ TravelerIdentifierRef: ref }) =>
      ref ? ids.includes(ref.id) || ids.includes(ref.value) : Traveler.length === 1,
    );
    const { Given, Surname } = one.PersonName ?? {};
    const ticket = new Set(mine.map(({ Number: no }) => no)).size === 1 ? mine[0]!.Number : undefined;
    putPerson(out, { given: Given?.trim().replace(TITLE, ''), family: Surname, ticket }, `Traveler[${i}]`);
  }
}
