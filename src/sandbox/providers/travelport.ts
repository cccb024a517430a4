import { createHash } from 'node:crypto';
import { cancelledBy, endDayAt, flightAt, indexOf } from '../scenario/state.ts';
import { localTimeOf } from '../scenario/time.ts';
import { type AirBooking, DAY, HOUR, type PlaceBooking, type Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * Travelport: tokens for a form, reservations by locator with flights, stays and cars together, errors wrapped in status
 * 200, optional objects left out, a queue that lists what airlines changed. It insists on the header that names pseudo
 * city and core, and on being allowed to pack. A cancelled reservation loses its offers after a while; sometimes others come without theirs, too.
 */
export interface TravelportFakeOptions {
  readonly user: string;
  readonly password: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly pcc: string;
  /** `1G`, `1V`, `1P`. */
  readonly core: string;
  readonly queue: string;
}

/** A cancelled reservation shows its segments with a code first; so much later it comes without offers. */
const PURGED_MS = 4 * HOUR;

type Json = Record<string, unknown>;

/** What the reservation of a flight booking holds besides: stays and cars that its first owner has. */
export function sameTrip(scenario: Scenario, booking: AirBooking): readonly PlaceBooking[] {
  return scenario.bookings.filter(
    (one): one is PlaceBooking =>
      one.kind !== 'flight' && one.duffelId === undefined && one.owners[0] === booking.owners[0],
  );
}

export function travelport(scenario: Scenario, options: TravelportFakeOptions): Vendor {
  const index = indexOf(scenario);
  const air = scenario.bookings.filter((one): one is AirBooking => one.kind === 'flight');
  const booked = new Map(air.map((one) => [one.reference.toUpperCase(), one]));
  const tokens = new Map<string, number>();

  function token(call: Call): Reply {
    const form = new URLSearchParams(call.text);
    const wanted = {
      grant_type: 'password',
      username: options.user,
      password: options.password,
      client_id: options.clientId,
      client_secret: options.clientSecret,
    };
    const wrong = Object.entries(wanted).some(([name, value]) => form.get(name) !== value);
    if (wrong) return { status: 401, body: { error: 'invalid_grant', error_description: 'Words' } };
    const made = createHash('sha256').update(`${call.at}/${tokens.size}`).digest('base64url');
    tokens.set(made, call.at + DAY);
    return { status: 200, body: { access_token: made, token_type: 'Bearer', expires_in: DAY / 1000 } };
  }

  function refuse(call: Call): Reply | undefined {
    if (call.path[0] !== '11') return undefined;
    const { authorization, 'tvp-pcc-core': place, 'accept-encoding': encoding } = call.headers;
    if ((tokens.get(authorization?.replace(/^Bearer /, '') ?? '') ?? 0) <= call.at) return problem(401, 'Words', 401);
    if (place !== `${options.pcc}_${options.core}`) return problem(403, 'Access group or PCC is required', 403);
    if (!encoding?.includes('gzip')) return problem(400, 'Accept-Encoding is required', 400);
    return undefined;
  }

  function byLocator(call: Call, locator: string): Reply {
    if (!/^[A-Z0-9]{5,6}$/.test(locator)) return problem(400, 'Locator is not valid');
    const booking = booked.get(locator);
    if (booking === undefined || booking.bookedAt > call.at) return problem(404, 'RESERVATION NOT FOUND');
    return { status: 200, body: view(booking, locator, call) };
  }

  function view(booking: AirBooking, locator: string, call: Call): Json {
    const cancelled = cancelledBy(booking, call.at);
    const gone = cancelled && booking.cancelledAt! <= call.at - PURGED_MS;
    const airMissing = !gone && call.noise.chance(0.1);
    const places = sameTrip(scenario, booking).filter((one) => one.bookedAt <= call.at);
    const flights = booking.segments.map((_, i) => flightOf(booking, i, call));
    const isMoved = (i: number): boolean => {
      const flight = index.flight(booking.segments[i]!.flight);
      return flightAt(flight, call.at).departureScheduled !== flight.initial.departureScheduled;
    };
    const codeOf = (i: number): Json => {
      const [code, value] = cancelled ? ['HX', 'Cancelled'] : isMoved(i) ? ['TK', 'Confirmed'] : ['HK', 'Confirmed'];
      return { flightRefs: [`Flight_0${i + 1}`], code, value };
    };
    const own = { value: locator, source: options.core, creationDate: '2026-10-01' };
    const hold = {
      '@type': 'ReceiptConfirmation',
      Confirmation: {
        '@type': 'ConfirmationHold',
        Locator: {
          ...own,
          ...(call.noise.chance(0.5) ? { locatorType: 'PNR Locator', sourceContext: 'Travelport' } : {}),
        },
        OfferStatus: { '@type': 'OfferStatusAir', StatusAir: flights.map((_, i) => codeOf(i)) },
      },
    };
    const Offer = [
      ...(airMissing
        ? []
        : [
            {
              '@type': 'Offer',
              id: 'offer_1',
              Product: flights.map((Flight, i) => ({
                '@type': 'ProductAir',
                id: `product_${i + 1}`,
                FlightSegment: [{ sequence: i + 1, Flight }],
              })),
            },
          ]),
      ...places.map((place, i) => offerOf(place, `offer_${i + 2}`, call)),
    ];
    const Reservation = {
      '@type': 'ReservationDetail',
      Identifier: {
        authority: 'Travelport',
        value: createHash('sha256').update(booking.id).digest('hex').slice(0, 32),
      },
      Traveler: booking.passengers.map(({ given, family }, i) => ({
        id: `trav_${i + 1}`,
        PersonName: { Given: `${given} ${call.noise.pick(['MR', 'MS'])}`, Surname: family },
      })),
      ...(gone
        ? {
            Receipt: [{ '@type': 'ReceiptCancellation', Cancellation: { '@type': 'CancellationHold', Locator: own } }],
          }
        : {
            Offer,
            Receipt: [hold, ...places.map((place, i) => receiptOf(place, `offer_${i + 2}`, call))],
          }),
      ...(call.noise.chance(0.2) ? { ReservationComment: [{ commentSource: 'Agency' }] } : {}),
    };
    return {
      ReservationResponse: {
        '@type': 'ReservationResponse',
        transactionId: call.noise.text(12, '0123456789abcdef'),
        Reservation,
        ...(airMissing
          ? { Result: { '@type': 'Result', Warning: [{ StatusCode: 200, Message: 'A part could not be read' }] } }
          : {}),
      },
    };
  }

  function flightOf(booking: AirBooking, i: number, call: Call): Json {
    const segment = booking.segments[i]!;
    const flight = index.flight(segment.flight);
    const now = flightAt(flight, call.at);
    const end = (at: number, zone: string, location: string, terminal: string | undefined): Json => {
      const [date, time] = localTimeOf(at, zone).split('T');
      return { location, date, time, ...(terminal === undefined || call.noise.chance(0.3) ? {} : { terminal }) };
    };
    return {
      '@type': 'FlightDetail',
      id: `Flight_0${i + 1}`,
      carrier: segment.carrier,
      number: segment.number,
      ...(call.noise.chance(0.5) ? { operatingCarrier: flight.carrier, equipment: flight.aircraft } : {}),
      Departure: end(now.departureScheduled, flight.fromZone, flight.from, flight.initial.departureTerminal),
      Arrival: end(now.arrivalScheduled, flight.toZone, flight.to, flight.initial.arrivalTerminal),
    };
  }

  function offerOf(one: PlaceBooking, id: string, call: Call): Json {
    const { place } = one;
    const end = endDayAt(one, call.at);
    const hotel = {
      '@type': 'ProductHospitality',
      propertyName: place.name,
      PropertyAddress: { AddressLine: [place.street], City: place.locality, Country: { value: place.country } },
      DateRange: { start: one.startDay, end },
    };
    const where = (date: string, time: string): Json => ({
      date,
      time: `${time}:00`,
      VendorLocation: { rentalLocationName: place.name },
    });
    const car = {
      '@type': 'ProductVehicle',
      Vehicle: {
        VehicleMakeModel: { code: 'ECAR', vendorCode: one.company },
        VehicleDateLocation: {
          RentalPickup: where(one.startDay, one.startTime),
          RentalReturn: where(end, one.endTime),
        },
      },
    };
    return { '@type': 'Offer', id, Product: [{ id: 'product_1', ...(one.kind === 'stay' ? hotel : car) }] };
  }

  function receiptOf(one: PlaceBooking, id: string, call: Call): Json {
    const cancelled = cancelledBy(one, call.at);
    const Locator = {
      value: one.reference,
      source: 'XX',
      sourceContext: 'Supplier',
      locatorType: 'Confirmation Number',
    };
    const type = one.kind === 'stay' ? 'OfferStatusHospitality' : 'OfferStatusVehicle';
    const OfferStatus = { '@type': type, Status: cancelled ? 'Cancelled' : 'Confirmed' };
    return cancelled
      ? { '@type': 'ReceiptCancellation', OfferRef: [id], Cancellation: { Locator, OfferStatus } }
      : { '@type': 'ReceiptConfirmation', OfferRef: [id], Confirmation: { Locator, OfferStatus } };
  }

  /** Whose flights were moved or cancelled so far; nothing is ever taken off. */
  function queue(call: Call): Reply {
    const asked = (call.body as { Queue?: { value?: unknown; pccOverride?: unknown }[] } | null)?.Queue?.[0];
    if (String(asked?.value) !== options.queue || asked?.pccOverride !== options.pcc)
      return problem(400, 'Queue is not valid');
    const listed = air.filter(
      (one) =>
        one.bookedAt <= call.at &&
        (cancelledBy(one, call.at) ||
          one.segments.some(({ flight: id }) => {
            const flight = index.flight(id);
            return flightAt(flight, call.at).departureScheduled !== flight.initial.departureScheduled;
          })),
    );
    const QueueList = listed.map((one) => ({
      '@type': 'QueueList',
      Name: one.passengers[0]!.family.toUpperCase(),
      Locator: { value: one.reference.toUpperCase(), source: options.core, sourceContext: 'Travelport' },
    }));
    return {
      status: 200,
      body: { AgencyQueueResponse: { Result: { status: 'Complete' }, AgencyQueue: { Queue: [asked], QueueList } } },
    };
  }

  function route(call: Call): Route | undefined {
    const path = `${call.method} ${call.path.join('/')}`;
    if (path === 'POST oauth/token')
      return { endpoint: 'POST /oauth/token', identifier: 'token', answer: () => token(call) };
    if (path === 'POST 11/air/queue/queue/list')
      return { endpoint: 'POST /queue/queue/list', identifier: options.queue, answer: () => queue(call) };
    const locator = /^GET 11\/air\/book\/reservation\/reservations\/([^/]+)$/.exec(path)?.[1];
    if (locator === undefined) return undefined;
    return {
      endpoint: 'GET /reservations/{locator}',
      identifier: locator,
      answer: () => byLocator(call, locator),
      other: () => byLocator(call, air.find((one) => one.reference.toUpperCase() !== locator)!.reference.toUpperCase()),
    };
  }

  return {
    name: 'travelport',
    refuse,
    route,
    notFound: () => problem(404, 'No such resource', 404),
    tooMany: () => problem(429, 'Too many requests', 429),
    failing: (call) => call.noise.pick([problem(500, 'Host did not answer'), problem(503, 'Words', 503)]),
    headers: (call) => ({ e2etrackingid: call.noise.text(16, '0123456789abcdef') }),
  };
}

/** Most come with status 200. */
function problem(StatusCode: number, Message: string, status = 200): Reply {
  const Result = {
    '@type': 'Result',
    status: 'Not processed',
    Error: [{ '@type': 'ErrorDetail', StatusCode, Message }],
  };
  return { status, body: status === 200 ? { ReservationResponse: { Result } } : { ErrorResponse: { Result } } };
}
