import { createHash } from 'node:crypto';
import { cancelledBy, flightAt, indexOf } from '../scenario/state.ts';
import { localTimeOf } from '../scenario/time.ts';
import { type AirBooking, HOUR, type Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * Sabre: tokens that end, bookings by locator (a read put as POST), errors inside status 200, warnings with parts missing,
 * a signature that stays while nothing changes, and a queue that lists what airlines changed. A gateway before it refuses
 * tokens with 401 and a code of its own.
 */
export interface SabreFakeOptions {
  readonly user: string;
  readonly pcc: string;
  readonly password: string;
  readonly queue: string;
}

const TOKEN_MS = HOUR / 2;

export function sabre(scenario: Scenario, options: SabreFakeOptions): Vendor {
  const index = indexOf(scenario);
  const booked = new Map(
    scenario.bookings.flatMap((one) => (one.kind === 'flight' ? [[one.reference.toUpperCase(), one] as const] : [])),
  );
  const tokens = new Map<string, number>();
  const valid = (token: string | undefined, at: number): boolean => (tokens.get(token ?? '') ?? 0) > at;

  function token(call: Call): Reply {
    if (call.headers.authorization !== `Basic ${secretOf(options)}`)
      return {
        status: 401,
        body: { error: 'invalid_client', error_description: 'Credentials are missing or invalid' },
      };
    if (new URLSearchParams(call.text).get('grant_type') !== 'client_credentials')
      return { status: 400, body: { error: 'unsupported_grant_type' } };
    const made = `T1${createHash('sha256').update(`${call.at}/${tokens.size}`).digest('base64url')}`;
    tokens.set(made, call.at + TOKEN_MS);
    return { status: 200, body: { access_token: made, token_type: 'bearer', expires_in: TOKEN_MS / 1000 } };
  }

  function getBooking(call: Call): Reply {
    const { confirmationId, returnOnly } = (call.body ?? {}) as { confirmationId?: unknown; returnOnly?: unknown };
    if (typeof confirmationId !== 'string') return errors('UNPARSEABLE_REQUEST', 'BAD_REQUEST');
    if (!/^[A-Z0-9]{6}$/.test(confirmationId)) return errors('INVALID_VALUE', 'BAD_REQUEST');
    const booking = booked.get(confirmationId);
    const request = { confirmationId };
    if (booking === undefined || booking.bookedAt > call.at)
      return errors('BOOKING_NOT_FOUND', 'RESOURCE_NOT_FOUND', request);
    const parts = Array.isArray(returnOnly) ? returnOnly : ['FLIGHTS', 'TRAVELERS'];
    const flights = booking.segments.map((_, i) => flightOf(booking, i, call));
    // A part that the inner system did not deliver: told as a warning, and simply not there.
    const missing = call.noise.chance(0.1);
    return {
      status: 200,
      body: {
        timestamp: iso(call.at),
        bookingId: confirmationId,
        bookingSignature: signatureOf(flights),
        ...(call.noise.chance(0.2) ? { contactInfo: { emails: [] }, isTicketed: null } : {}),
        ...(parts.includes('TRAVELERS')
          ? { travelers: booking.passengers.map(({ given, family }) => ({ givenName: given, surname: family })) }
          : {}),
        ...(parts.includes('FLIGHTS') && !missing ? { flights } : {}),
        ...(missing
          ? { errors: [{ category: 'WARNING', type: 'RESOURCE_UNAVAILABLE', description: 'Part missing' }] }
          : {}),
        request,
      },
    };
  }

  function flightOf(booking: AirBooking, i: number, call: Call): Record<string, unknown> {
    const segment = booking.segments[i]!;
    const flight = index.flight(segment.flight);
    const now = flightAt(flight, call.at);
    const split = (at: number, zone: string) => localTimeOf(at, zone).split('T') as [string, string];
    const sold = [
      split(flight.initial.departureScheduled, flight.fromZone),
      split(flight.initial.arrivalScheduled, flight.toZone),
    ] as const;
    const moved = now.departureScheduled !== flight.initial.departureScheduled;
    const to = [split(now.departureScheduled, flight.fromZone), split(now.arrivalScheduled, flight.toZone)] as const;
    return {
      itemId: String(i + 1),
      confirmationId: booking.reference,
      sourceType: 'ATPCO',
      airlineCode: segment.carrier,
      flightNumber: Number(segment.number),
      fromAirportCode: flight.from,
      toAirportCode: flight.to,
      departureDate: sold[0][0],
      departureTime: sold[0][1],
      arrivalDate: sold[1][0],
      arrivalTime: sold[1][1],
      ...(moved
        ? {
            updatedDepartureDate: to[0][0],
            updatedDepartureTime: to[0][1],
            updatedArrivalDate: to[1][0],
            updatedArrivalTime: to[1][1],
          }
        : {}),
      seats: segment.seats.map((number) => ({ number, statusCode: 'HK' })),
      flightStatusCode: cancelledBy(booking, call.at) ? 'HX' : moved ? 'TK' : 'HK',
      flightStatusName: 'Words',
    };
  }

  /** Whose flights were moved or cancelled so far; nothing is ever taken off. */
  function queue(call: Call): Reply {
    const given = /<BinarySecurityToken>([^<]*)</.exec(call.text)?.[1];
    if (!valid(given, call.at))
      return soap('<soap:Fault><faultcode>soap:Client.InvalidSecurityToken</faultcode></soap:Fault>', 500);
    if (!call.text.includes(`Number="${options.queue}"`) || !call.text.includes(`PseudoCityCode="${options.pcc}"`))
      return soap('<QueueAccessRS><ApplicationResults status="NotProcessed"/></QueueAccessRS>');
    const listed = [...booked.values()].filter(
      (one) =>
        one.bookedAt <= call.at &&
        (cancelledBy(one, call.at) ||
          one.segments.some(({ flight }) => {
            const found = index.flight(flight);
            return flightAt(found, call.at).departureScheduled !== found.initial.departureScheduled;
          })),
    );
    const lines = listed.map(
      (one, i) => `<Line Number="${i + 1}"><UniqueID ID="${one.reference.toUpperCase()}"/></Line>`,
    );
    return soap(
      `<QueueAccessRS Version="2.1.0"><stl:ApplicationResults status="Complete"/>${lines.join('')}</QueueAccessRS>`,
    );
  }

  function route(call: Call): Route | undefined {
    const path = call.path.join('/');
    if (call.method !== 'POST') return undefined;
    if (path === 'v2/auth/token')
      return { endpoint: 'POST /v2/auth/token', identifier: 'token', answer: () => token(call) };
    if (path === 'soap') return { endpoint: 'QueueAccessRQ', identifier: options.queue, answer: () => queue(call) };
    if (path !== 'v1/trip/orders/getBooking') return undefined;
    const identifier = String((call.body as { confirmationId?: unknown } | null)?.confirmationId ?? '');
    return { endpoint: 'POST getBooking', identifier, answer: () => getBooking(call) };
  }

  return {
    name: 'sabre',
    refuse: (call) => {
      if (call.path[0] !== 'v1') return undefined;
      if (valid(call.headers.authorization?.replace(/^Bearer /, ''), call.at)) return undefined;
      return { status: 401, body: { errorCode: 'ERR.2SG.SEC.INVALID_CREDENTIALS', status: 'NotProcessed' } };
    },
    route,
    notFound: () => ({ status: 404, body: { errorCode: 'ERR.2SG.GATEWAY.INVALID_SERVICE', status: 'NotProcessed' } }),
    tooMany: () => ({ status: 429, body: { errorCode: 'ERR.2SG.GATEWAY.REQUEST_THROTTLED', status: 'NotProcessed' } }),
    failing: (call) =>
      call.noise.pick([errors('INTERNAL_SERVER_TIMEOUT', 'APPLICATION_ERROR'), { status: 504, body: {} }]),
    headers: () => ({}),
  };
}

function secretOf({ user, pcc, password }: SabreFakeOptions): string {
  const b64 = (text: string) => Buffer.from(text).toString('base64');
  return b64(`${b64(`V1:${user}:${pcc}:AA`)}:${b64(password)}`);
}

function signatureOf(flights: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(flights)).digest('base64url');
}

function errors(type: string, category: string, request?: unknown): Reply {
  const one = { category, type, description: 'Words', fieldPath: null };
  return { status: 200, body: { timestamp: '2026-12-01T00:00:00', errors: [one], ...(request ? { request } : {}) } };
}

function soap(body: string, status = 200): Reply {
  const text = `<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:stl="http://services.sabre.com/STL/v01"><soap:Body>${body}</soap:Body></soap:Envelope>`;
  return { status, text: { type: 'text/xml;charset=utf-8', body: text } };
}

function iso(at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at).toString();
}
