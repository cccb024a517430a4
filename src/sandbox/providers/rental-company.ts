import { createHmac } from 'node:crypto';
import { cancelledBy, endDayAt } from '../scenario/state.ts';
import type { PlaceBooking, Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * A small rental company with an interface of its own, as there are thousands: its key in a header, bookings by
 * confirmation number, "not found" with status 200, its own words for the state, local times without a zone. It is what
 * the tutorial of the any-agency connector adds.
 */
export function rentalCompany(scenario: Scenario, key: string): Vendor {
  const rentals = new Map(
    scenario.bookings.flatMap((one) => (one.kind === 'rental' ? [[one.reference.toUpperCase(), one] as const] : [])),
  );
  return {
    name: 'rental-company',
    refuse: (call) => (call.headers['x-api-key'] === key ? undefined : problem(401, 'KEY', 'Unknown key')),
    route: (call) => route(rentals, call),
    notFound: () => problem(404, 'PATH', 'No such path'),
    tooMany: (call, freeAt) => ({
      ...problem(429, 'BUSY', 'Too many questions'),
      headers: { 'retry-after': String(Math.max(1, Math.ceil((freeAt - call.at) / 1000))) },
    }),
    failing: () => problem(503, 'DOWN', 'Back soon'),
    headers: () => ({}),
  };
}

function route(rentals: ReadonlyMap<string, PlaceBooking>, call: Call): Route | undefined {
  const [area, number, ...rest] = call.path;
  if (area !== 'rentals' || number === undefined || rest.length > 0 || call.method !== 'GET') return undefined;
  return { endpoint: 'GET /rentals/{number}', identifier: number, answer: () => byNumber(rentals, call, number) };
}

function byNumber(rentals: ReadonlyMap<string, PlaceBooking>, call: Call, number: string): Reply {
  const one = rentals.get(number.toUpperCase());
  if (one === undefined || one.bookedAt > call.at)
    return { status: 200, body: { ok: false, reason: 'UNKNOWN_NUMBER' } };
  return { status: 200, body: { ok: true, served_by: `web-${call.noise.int(1, 9)}`, rental: view(one, call.at) } };
}

function view(one: PlaceBooking, at: number): Record<string, unknown> {
  const cancelled = cancelledBy(one, at);
  const moved = one.moved !== undefined && one.moved.at <= at;
  return {
    number: one.reference,
    revision: 1 + Number(moved) + Number(cancelled),
    state: cancelled ? 'CXL' : 'OPEN',
    pickup: { day: one.startDay, time: one.startTime, desk: deskOf(one) },
    return: { day: endDayAt(one, at), time: one.endTime, desk: deskOf(one) },
    drivers: one.passengers.map(({ given, family }) => ({ first: given, last: family })),
  };
}

function deskOf({ place }: PlaceBooking) {
  return { name: place.name, street: place.street, city: place.locality, country: place.country, phone: place.phone };
}

function problem(status: number, code: string, text: string): Reply {
  return { status, body: { ok: false, reason: code, text } };
}

/** How it signs what it posts: hex HMAC-SHA256 of the body, after a word. */
export function signRental(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
