import { createHash, timingSafeEqual } from 'node:crypto';
import { cancelledBy, endDayAt } from '../scenario/state.ts';
import { MINUTE, type PlaceBooking, type Scenario } from '../scenario/types.ts';
import type { RapidDesk } from './expedia-notices.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * Expedia Rapid: calls signed by key, secret and the second, with headers that it insists on; itineraries opened by a
 * token or the booking's e-mail address; bookings of the last minutes with two fields only; parts of answers (206);
 * links that change with every answer; what is left of the minute in per cent; notices that did not arrive, told once.
 */
export interface ExpediaFakeOptions {
  readonly key: string;
  readonly secret: string;
  /** The address that the agency books with. */
  readonly email: string;
}

/** A booking can be found, but not yet read. */
const FRESH_MS = 3 * MINUTE;
/** Clocks differ. */
const WINDOW_MS = 5 * MINUTE;

export function expedia(scenario: Scenario, options: ExpediaFakeOptions, desk?: RapidDesk): Vendor {
  const stays = scenario.bookings.filter((one): one is PlaceBooking => one.kind === 'stay');
  const byId = new Map(stays.map((one) => [itineraryIdOf(one), one]));
  const byProperty = new Map(stays.map((one) => [propertyIdOf(one), one.place]));

  function itinerary(call: Call, id: string): Reply {
    const one = byId.get(id);
    const token = call.query.get('token');
    const email = call.query.get('email');
    if (token === null && email === null)
      return problem(400, 'invalid_input', 'An email address is needed where no token is given');
    const opens = one !== undefined && (token === tokenOf(one) || email?.toLowerCase() === options.email);
    if (one === undefined || one.bookedAt > call.at || !opens)
      return problem(404, 'resource_not_found', 'Itinerary was not found with provided request');
    return told(call, one);
  }

  function told(call: Call, one: PlaceBooking): Reply {
    const body = view(call, one, options.email);
    if (call.at < one.bookedAt + FRESH_MS) {
      const { itinerary_id, creation_date_time } = body;
      return { status: 200, body: { itinerary_id, creation_date_time } };
    }
    if (!call.noise.chance(0.05)) return { status: 200, body };
    const { rooms: _, ...part } = body;
    return { status: 206, body: part };
  }

  function byAffiliate(call: Call): Reply {
    const reference = call.query.get('affiliate_reference_id');
    if (!reference || call.query.get('email') === null)
      return problem(400, 'invalid_input', 'affiliate_reference_id and email are needed');
    const found = stays.filter(
      (one) => affiliateOf(one) === reference && one.bookedAt <= call.at && call.query.get('email') === options.email,
    );
    return { status: 200, body: found.map((one) => view(call, one, options.email)) };
  }

  function content(call: Call): Reply {
    const ids = call.query.getAll('property_id');
    if (call.query.get('language') === null || call.query.get('supply_source') === null)
      return problem(400, 'invalid_input', 'language and supply_source are needed');
    const found = ids.flatMap((id) => {
      const place = byProperty.get(id);
      if (place === undefined) return [];
      const address = { line_1: place.street, city: place.locality, country_code: place.country };
      return [[id, { property_id: id, name: place.name, phone: place.phone, address, ratings: {} }] as const];
    });
    return { status: 200, body: Object.fromEntries(found) };
  }

  function route(call: Call): Route | undefined {
    const [area, id, ...rest] = call.path[0] === 'v3' ? call.path.slice(1) : call.path;
    if (rest.length > 0) return undefined;
    if (area === 'itineraries' && call.method === 'GET') {
      if (id === undefined)
        return {
          endpoint: 'GET /itineraries',
          identifier: call.query.get('affiliate_reference_id') ?? '',
          answer: () => byAffiliate(call),
        };
      return {
        endpoint: 'GET /itineraries/{id}',
        identifier: id,
        answer: () => itinerary(call, id),
        // The number in the path is not looked at by the vendor: a wrong token shows another booking.
        other: () => told(call, stays.find((one) => itineraryIdOf(one) !== id && one.bookedAt <= call.at) ?? stays[0]!),
      };
    }
    if (area === 'properties' && id === 'content' && call.method === 'GET')
      return {
        endpoint: 'GET /properties/content',
        identifier: call.query.get('property_id') ?? '',
        answer: () => content(call),
      };
    if (area !== 'notifications' || id !== undefined || desk === undefined) return undefined;
    if (call.method === 'POST')
      return { endpoint: 'POST /notifications', identifier: 'test', answer: () => desk.test(call) };
    if (call.query.get('undeliverable') !== 'true') return undefined;
    return {
      endpoint: 'GET /notifications',
      identifier: '*',
      answer: () => ({ status: 200, body: desk.undelivered(call.at) }),
    };
  }

  return {
    name: 'expedia',
    refuse: (call) => refuse(call, options),
    route,
    notFound: () => problem(404, 'resource_not_found', 'No such resource'),
    tooMany: () => problem(429, 'too_many_requests', 'Too many requests in the last minute'),
    failing: (call) =>
      call.noise.pick([
        problem(503, 'service_unavailable', 'This service is currently unavailable'),
        problem(500, 'unknown_internal_error', 'An internal server error has occurred'),
      ]),
    headers: (_call, quota) => ({
      'rate-limit-minute': String(quota.max),
      'rate-limit-minute-remaining': String(Math.max(0, Math.floor((quota.left / quota.max) * 100))),
      'rate-limit-minute-reset': String(quota.freeAt),
      'rate-limit-reduction-status': 'inactive',
    }),
  };
}

function refuse(call: Call, options: ExpediaFakeOptions): Reply | undefined {
  if (!validSignature(call.headers.authorization, options, call.at))
    return problem(401, 'request_unauthenticated', 'The authorization header is missing or invalid');
  if (!/gzip/.test(call.headers['accept-encoding'] ?? ''))
    return problem(400, 'invalid_input', 'Accept-Encoding must be gzip', 'Accept-Encoding');
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(call.headers['customer-ip'] ?? ''))
    return problem(400, 'invalid_input', 'Customer-Ip is needed', 'Customer-Ip');
  if (!/^[^/ ]+\/\S+/.test(call.headers['user-agent'] ?? ''))
    return problem(400, 'invalid_input', 'User-Agent must be a name and a version', 'User-Agent');
  const forced = call.headers.test;
  if (forced === 'service_unavailable') return problem(503, 'service_unavailable', 'As asked for');
  if (forced === 'internal_server_error') return problem(500, 'unknown_internal_error', 'As asked for');
  return undefined;
}

/** `EAN apikey=…,signature=…,timestamp=…`. */
export function signRapid({ key, secret }: Pick<ExpediaFakeOptions, 'key' | 'secret'>, at: number): string {
  const seconds = Math.floor(at / 1000);
  const signature = createHash('sha512')
    .update(key + secret + seconds)
    .digest('hex');
  return `EAN APIKey=${key},Signature=${signature},timestamp=${seconds}`;
}

function validSignature(header: string | undefined, options: ExpediaFakeOptions, at: number): boolean {
  const [, key, signature = '', stamp] =
    /^EAN apikey=([^,]+),signature=([0-9a-f]{128}),timestamp=(\d+)$/i.exec(header ?? '') ?? [];
  const seconds = Number(stamp);
  if (key !== options.key || !(Math.abs(seconds * 1000 - at) <= WINDOW_MS)) return false;
  const wanted = createHash('sha512').update(`${options.key}${options.secret}${seconds}`).digest();
  return timingSafeEqual(wanted, Buffer.from(signature, 'hex'));
}

function view(call: Call, one: PlaceBooking, email: string) {
  const { noise } = call;
  const id = itineraryIdOf(one);
  const cancelled = cancelledBy(one, call.at);
  const guest = one.passengers[0]!;
  const token = noise.text(12, 'abcdefghjkmnpqrstuvwxyz23456789');
  return {
    itinerary_id: id,
    property_id: propertyIdOf(one),
    links: { cancel: { method: 'DELETE', href: `/v3/itineraries/${id}?token=${token}` } },
    email,
    creation_date_time: Temporal.Instant.fromEpochMilliseconds(one.bookedAt).toString(),
    affiliate_reference_id: affiliateOf(one),
    rooms: [
      {
        id: digits(`room ${one.id}`, 9),
        confirmation_id: { expedia: digits(`conf ${one.id}`, 10), property: one.reference.toUpperCase() },
        checkin: one.startDay,
        checkout: endDayAt(one, call.at),
        number_of_adults: one.passengers.length,
        given_name: guest.given,
        family_name: guest.family,
        status: cancelled ? 'canceled' : 'booked',
        rate: { refundable: true, cancel_penalties: [] },
      },
    ],
    ...(noise.chance(0.2) ? { impacted_fields: [], sustainability_score: 4, travel_purpose: 'unspecified' } : {}),
  };
}

export function itineraryIdOf(one: PlaceBooking): string {
  return `8${digits(`itinerary ${one.id} ${one.reference}`, 12)}`;
}

/** What the link of the booking's answer carries. */
export function tokenOf(one: PlaceBooking): string {
  return createHash('sha256').update(`token ${one.id} ${one.reference}`).digest('base64url');
}

export function affiliateOf(one: PlaceBooking): string {
  return `ACME-${one.reference.toUpperCase()}`;
}

function propertyIdOf({ place }: PlaceBooking): string {
  return digits(`property ${place.name} ${place.locality}`, 7);
}

function digits(text: string, count: number): string {
  const number = BigInt(`0x${createHash('sha256').update(text).digest('hex')}`);
  return (number % 10n ** BigInt(count)).toString().padStart(count, '1');
}

function problem(status: number, type: string, message: string, field?: string): Reply {
  const fields = field === undefined ? {} : { fields: [{ name: field, type: 'header' }] };
  return { status, body: { type, message, errors: [{ type, message, ...fields }] } };
}
