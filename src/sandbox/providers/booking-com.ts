import { createHash } from 'node:crypto';
import { cancelledBy, endDayAt } from '../scenario/state.ts';
import { MINUTE, type PlaceBooking, type Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * Booking.com's Demand API: every question a POST, up to a hundred orders in one, answered newest first and without those
 * it does not know. Only the first error is told. Who asks too often is shut out for a minute, and not told so.
 */
export interface BookingComFakeOptions {
  readonly token: string;
  readonly affiliateId: string;
}

type Json = Record<string, unknown>;

const IDS_MAX = 100;
const BLOCKED_MS = MINUTE;

/** Number of the reservation, as mails print it. */
export function reservationOf(one: PlaceBooking): string {
  return one.reference.replace(/\D/g, '');
}

/** Id of the order. */
export function orderOf(one: PlaceBooking): string {
  return BigInt(`0x${createHash('sha256').update(one.id).digest('hex').slice(0, 12)}`)
    .toString()
    .padStart(15, '5')
    .slice(0, 15);
}

export function bookingCom(scenario: Scenario, options: BookingComFakeOptions): Vendor {
  const places = scenario.bookings.filter((one): one is PlaceBooking => one.kind !== 'flight');
  let blockedUntil = Number.NEGATIVE_INFINITY;

  function refuse(call: Call): Reply | undefined {
    if (call.headers.authorization !== `Bearer ${options.token}`) return problem(call, 401, 'unauthorized');
    if (call.headers['x-affiliate-id'] !== options.affiliateId) return problem(call, 403, 'forbidden');
    if (call.at < blockedUntil) return problem(call, 429, 'too_many_requests');
    if (call.method !== 'POST') return problem(call, 405, 'method_not_allowed');
    if (!/json/.test(call.headers['content-type'] ?? '')) return problem(call, 415, 'unsupported_media_type');
    return undefined;
  }

  function details(call: Call, kind: PlaceBooking['kind'], instead?: readonly PlaceBooking[]): Reply {
    const { orders, reservations, extras } = (call.body ?? {}) as Record<string, unknown>;
    if ((orders === undefined) === (reservations === undefined)) return problem(call, 400, 'missing_parameter');
    const ids = (orders ?? reservations) as unknown;
    if (!Array.isArray(ids) || ids.length === 0 || ids.length > IDS_MAX) return problem(call, 400, 'invalid_parameter');
    const wanted = new Set(ids.map(String));
    const known = places.filter(
      (one) =>
        one.kind === kind &&
        one.bookedAt <= call.at &&
        wanted.has(orders === undefined ? reservationOf(one) : orderOf(one)),
    );
    const found = [...(instead ?? known)].sort((a, b) => b.bookedAt - a.bookedAt);
    const withDetails = Array.isArray(extras) && extras.includes('accommodation_details');
    const data = found.map((one) => (kind === 'stay' ? stay(one, call, withDetails) : car(one, call)));
    return { status: 200, body: { request_id: requestId(call), data } };
  }

  function route(call: Call): Route | undefined {
    const [version, ...rest] = call.path;
    const path = rest.join('/');
    if (!/^3\.\d$/.test(version ?? '')) return undefined;
    const kind = ({ 'orders/details/accommodations': 'stay', 'orders/details/cars': 'rental' } as const)[path];
    if (kind === undefined) return undefined;
    const body = call.body as { orders?: unknown[]; reservations?: unknown[] } | null | undefined;
    const ids = (body?.orders ?? body?.reservations ?? []) as unknown[];
    return {
      endpoint: `POST /${path}`,
      identifier: ids.length === 1 ? String(ids[0]) : `${ids.length} ids`,
      answer: () => details(call, kind),
      other: () =>
        details(call, kind, [
          places.find((one) => one.kind === kind && !ids.map(String).includes(reservationOf(one)))!,
        ]),
    };
  }

  return {
    name: 'booking-com',
    refuse,
    route,
    notFound: (call) => problem(call, 404, 'not_found'),
    tooMany: (call) => {
      blockedUntil = call.at + BLOCKED_MS;
      return problem(call, 429, 'too_many_requests');
    },
    failing: (call) => problem(call, call.noise.pick([500, 503]), 'internal_server_error'),
    headers: () => ({}),
  };
}

function stay(one: PlaceBooking, call: Call, withDetails: boolean): Json {
  const { place } = one;
  const cancelled = cancelledBy(one, call.at);
  const status = cancelled
    ? one.owners[0]! % 2 === 0
      ? 'cancelled_by_accommodation'
      : 'cancelled_by_guest'
    : call.noise.chance(0.1)
      ? 'being_reviewed'
      : 'booked';
  return {
    id: orderOf(one),
    reservation: Number(reservationOf(one)),
    status,
    accommodation: 10_004,
    checkin: one.startDay,
    checkout: endDayAt(one, call.at),
    ...(withDetails
      ? {
          accommodation_details: {
            name: place.name,
            telephone: place.phone,
            location: { address: place.street, city: -2_140_479, country: place.country.toLowerCase() },
          },
        }
      : {}),
    cancellation_details: cancelled ? { at: iso(one.cancelledAt!), fee: 0 } : null,
    products: [{ status, guests: one.passengers.map(({ given, family }) => ({ name: `${given} ${family}` })) }],
    ...(call.noise.chance(0.2) ? { loyalty_reward: null } : {}),
    // Opens the order to whoever has it.
    pin_code: '0000',
  };
}

function car(one: PlaceBooking, call: Call): Json {
  const where = { name: one.place.name, address: one.place.street, country: one.place.country.toLowerCase() };
  return {
    id: orderOf(one),
    reservation: reservationOf(one),
    status: cancelledBy(one, call.at) ? 'cancelled' : 'booked',
    pickup: { datetime: `${one.startDay}T${one.startTime}:00`, location: where },
    dropoff: { datetime: `${endDayAt(one, call.at)}T${one.endTime}:00`, location: where },
    supplier: { name: one.company },
    driver: { name: { first_name: one.passengers[0]!.given, last_name: one.passengers[0]!.family } },
  };
}

function problem(call: Call, status: number, id: string): Reply {
  return { status, body: { request_id: requestId(call), errors: [{ id, message: 'Words.' }] } };
}

function requestId(call: Call): string {
  return call.noise.text(26, '0123456789abcdefghjkmnpqrstvwxyz');
}

function iso(at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'second' });
}
