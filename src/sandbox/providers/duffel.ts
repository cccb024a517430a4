import { createHash } from 'node:crypto';
import { type AirlineChange, changesOf } from '../scenario/pushes.ts';
import { indexOf } from '../scenario/state.ts';
import type { AirBooking, Booking, PlaceBooking, Scenario } from '../scenario/types.ts';
import { airlineChange, car, order, stay } from './duffel-objects.ts';
import type { WebhookDesk } from './duffel-webhooks.ts';
import { type Call, httpDate, type Reply, type Route, type Vendor } from './fake.ts';

/** The booking side: orders, stays, cars, changes by the airline, webhooks. Bodies and answers stand in `data`. */
export function duffel(scenario: Scenario, token: string, desk: WebhookDesk): Vendor {
  const index = indexOf(scenario);
  const flights = new Map(scenario.flights.map((flight) => [flight.id, flight]));
  const booked = new Map(
    scenario.bookings.flatMap((one) => (one.duffelId === undefined ? [] : [[one.duffelId, one] as const])),
  );
  const changes = (booking: AirBooking): readonly AirlineChange[] => changesOf(booking, flights);
  const visible = (call: Call): readonly Booking[] => [...booked.values()].filter((one) => one.bookedAt <= call.at);
  const orderView = (booking: AirBooking, call: Call): unknown =>
    order(index, booking, call.at, changes(booking), call.noise.int(0, 50_000));
  const withNoise = (data: unknown, call: Call): unknown =>
    call.noise.chance(0.2) ? { ...(data as object), carbon_label: { band: call.noise.pick(['A', 'B']) } } : data;

  function one(call: Call, kind: Booking['kind'], id: string, view: (booking: Booking) => unknown): Reply {
    const booking = booked.get(id);
    if (booking === undefined || booking.kind !== kind || booking.bookedAt > call.at) return missing(call);
    return { status: 200, body: { data: withNoise(view(booking), call) } };
  }

  function route(call: Call): Route | undefined {
    const [area, things, id, ...rest] = call.path;
    const key = `${call.method} /${area}/${things}${id === undefined ? '' : '/{id}'}`;
    const identifier = id ?? call.query.get('order_id') ?? call.query.get('booking_reference') ?? '*';
    const at = (endpoint: string, answer: () => Reply): Route => ({ endpoint, identifier, answer });
    if (area === 'air' && things === 'webhooks') return desk.route(call);
    if (rest.length > 0) return undefined;
    switch (key) {
      case 'GET /air/orders/{id}':
        return at(key, () => one(call, 'flight', id!, (booking) => orderView(booking as AirBooking, call)));
      case 'GET /air/orders':
        return at(key, () => {
          const reference = call.query.get('booking_reference');
          const name = call.query.getAll('passenger_name[]').map((text) => text.toLowerCase());
          const found = visible(call).filter(
            (booking) =>
              booking.kind === 'flight' &&
              (reference === null || booking.reference === reference) &&
              name.every((text) =>
                booking.passengers.some((p) => `${p.given} ${p.family}`.toLowerCase().includes(text)),
              ),
          );
          return page(call, found, (booking) => orderView(booking as AirBooking, call));
        });
      case 'GET /air/airline_initiated_changes':
        return at(key, () => {
          const wanted = call.query.get('order_id');
          const all = visible(call).flatMap((booking) =>
            booking.kind !== 'flight' || (wanted !== null && booking.duffelId !== wanted)
              ? []
              : changes(booking).flatMap((change) => (change.at <= call.at ? [{ booking, change }] : [])),
          );
          return page(call, all, ({ booking, change }) => airlineChange(index, booking, change));
        });
      case 'GET /stays/bookings/{id}':
        return at(key, () => one(call, 'stay', id!, (booking) => stay(booking as PlaceBooking, call.at)));
      case 'GET /cars/bookings/{id}':
        return at(key, () => one(call, 'rental', id!, (booking) => car(booking as PlaceBooking, call.at)));
      case 'GET /stays/bookings':
        return at(key, () =>
          page(
            call,
            visible(call).filter((b) => b.kind === 'stay'),
            (booking) => stay(booking as PlaceBooking, call.at),
          ),
        );
      default:
        return undefined;
    }
  }

  return {
    name: 'duffel',
    refuse: (call) => refuse(call, token),
    route,
    notFound: missing,
    tooMany: (call, freeAt, max) =>
      failure(call, 429, 'rate_limit_error', 'rate_limit_exceeded', 'Rate limit exceeded', {
        'ratelimit-limit': String(max),
        'ratelimit-remaining': '0',
        'ratelimit-reset': httpDate(freeAt),
      }),
    failing: (call) =>
      failure(call, call.noise.pick([500, 502, 503]), 'api_error', 'internal_server_error', 'Something went wrong'),
    headers: (call, quota) => ({
      'x-request-id': requestId(call),
      'ratelimit-limit': String(quota.max),
      'ratelimit-remaining': String(Math.max(0, quota.left)),
      'ratelimit-reset': httpDate(quota.freeAt),
    }),
  };
}

function refuse(call: Call, token: string): Reply | undefined {
  const { authorization, accept } = call.headers;
  if (authorization === undefined) {
    return failure(call, 401, 'authentication_error', 'missing_authorization_header', 'Missing authorization header');
  }
  if (authorization !== `Bearer ${token}`) {
    return failure(call, 401, 'authentication_error', 'access_token_not_found', 'Access token not found');
  }
  const version = call.headers['duffel-version'];
  if (version === undefined)
    return failure(call, 400, 'invalid_request_error', 'missing_version_header', 'Missing version');
  if (version !== 'v2')
    return failure(call, 400, 'invalid_request_error', 'unsupported_version', 'Unsupported version');
  if (accept !== undefined && !/application\/json|\*\/\*/.test(accept)) {
    return failure(call, 406, 'invalid_request_error', 'not_acceptable', 'Not acceptable');
  }
  if (call.body === null) return failure(call, 400, 'invalid_request_error', 'malformed_body', 'Body is not JSON');
  return undefined;
}

/** Pages by opaque cursors: `limit` 1 to 200, 50 unless told, `after` and `before`. */
function page<T>(call: Call, items: readonly T[], view: (item: T) => unknown): Reply {
  const limit = Number(call.query.get('limit') ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) {
    return failure(call, 422, 'validation_error', 'validation_invalid', 'Limit must be between 1 and 200');
  }
  const [after, before] = [call.query.get('after'), call.query.get('before')].map(fromCursor);
  if (Number.isNaN(after) || Number.isNaN(before)) {
    return failure(call, 422, 'validation_error', 'invalid_cursor', 'The cursor is not valid');
  }
  const start = after ?? (before === undefined ? 0 : Math.max(0, before - limit));
  const data = items.slice(start, start + limit).map(view);
  const end = start + data.length;
  const meta = { limit, before: start > 0 ? toCursor(start) : null, after: end < items.length ? toCursor(end) : null };
  return { status: 200, body: { data, meta } };
}

const toCursor = (position: number): string => Buffer.from(`sandbox:${position}`).toString('base64url');

function fromCursor(cursor: string | null | undefined): number | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const position = /^sandbox:(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.[1];
  return position === undefined ? Number.NaN : Number(position);
}

function missing(call: Call): Reply {
  return failure(call, 404, 'invalid_request_error', 'not_found', 'Resource not found');
}

export function failure(
  call: Call,
  status: number,
  type: string,
  code: string,
  title: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const error = { type, code, title, message: `${title}.`, documentation_url: 'https://docs.example/errors' };
  return { status, headers, body: { meta: { request_id: requestId(call), status }, errors: [error] } };
}

function requestId(call: Call): string {
  return createHash('sha256')
    .update(`${call.at}/${call.path.join('/')}`)
    .digest('base64url')
    .slice(0, 20);
}
