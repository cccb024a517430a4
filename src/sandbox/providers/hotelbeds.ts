import { createHash } from 'node:crypto';
import { cancelledBy, endDayAt } from '../scenario/state.ts';
import { DAY, MINUTE, type PlaceBooking, type Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * Hotelbeds: signatures that are good for some minutes, a booking alone or a page of them by check-in, names gone from
 * what is cancelled, and a gateway in front that answers 403 for a wrong signature as for a spent quota: which it is
 * stands in a header, the body is no JSON.
 */
export interface HotelbedsFakeOptions {
  readonly key: string;
  readonly secret: string;
  /** 50 for keys that try it out. */
  readonly quotaPerDay: number;
  /** The gateway of newer keys tells how the quota stands. */
  readonly tellsQuota?: boolean;
}

type Json = Record<string, unknown>;

const SIGNED_MS = 5 * MINUTE;

/** `123-456789`. */
export function hotelbedsReference(one: PlaceBooking): string {
  return `${one.reference.slice(0, 3)}-${one.reference.slice(3)}`;
}

export function hotelbeds(scenario: Scenario, options: HotelbedsFakeOptions): Vendor {
  const stays = scenario.bookings.filter((one): one is PlaceBooking => one.kind === 'stay');
  const booked = new Map(stays.map((one) => [hotelbedsReference(one), one]));
  let [day, used] = [-1, 0];

  function refuse(call: Call): Reply | undefined {
    if (call.headers['api-key'] !== options.key) return gateway('ERR_403_DEVELOPER_INACTIVE', 'Developer Inactive');
    if (!isSigned(call)) return gateway('ERR_403_NOT_AUTHORIZED', 'Not Authorized');
    const today = Math.floor(call.at / DAY);
    if (today !== day) [day, used] = [today, 0];
    used++;
    return used > options.quotaPerDay ? gateway('ERR_403_DEVELOPER_OVER_RATE', 'Developer Over Rate') : undefined;
  }

  function isSigned(call: Call): boolean {
    const seconds = Math.floor(call.at / 1000);
    const given = call.headers['x-signature'];
    for (let off = -SIGNED_MS / 1000; off <= SIGNED_MS / 1000; off++) {
      const text = `${options.key}${options.secret}${seconds + off}`;
      if (createHash('sha256').update(text).digest('hex') === given) return true;
    }
    return false;
  }

  function one(call: Call, reference: string): Reply {
    const found = booked.get(reference);
    if (found === undefined || found.bookedAt > call.at) {
      const error = { code: 'INVALID_DATA', message: 'Booking not found' };
      return call.noise.chance(0.5)
        ? { status: 404, body: { auditData: audit(call), error } }
        : { status: 200, body: { auditData: audit(call), error } };
    }
    return { status: 200, body: { auditData: audit(call), booking: whole(found, call) } };
  }

  function list(call: Call): Reply {
    const of = (name: string) => call.query.get(name) ?? '';
    const [from, to] = [Number(of('from') || 1), Number(of('to') || 25)];
    const days = (Date.parse(of('end')) - Date.parse(of('start'))) / DAY;
    if (of('filterType') !== 'CHECKIN' || !(days >= 0 && days <= 31) || !(from >= 1 && to >= from))
      return { status: 400, body: { auditData: audit(call), error: { code: 'INVALID_DATA', message: 'Words' } } };
    const fitting = stays.filter(
      (each) =>
        each.bookedAt <= call.at &&
        each.startDay >= of('start') &&
        each.startDay <= of('end') &&
        (of('status') !== 'CANCELLED' || cancelledBy(each, call.at)),
    );
    const bookings = fitting.slice(from - 1, to).map((each) => summaryOf(each, call));
    return { status: 200, body: { auditData: audit(call), bookings: { from, to, total: fitting.length, bookings } } };
  }

  function route(call: Call): Route | undefined {
    const [api, version, things, reference, ...rest] = call.path;
    if (call.method !== 'GET' || api !== 'hotel-api' || version !== '1.0' || things !== 'bookings' || rest.length > 0)
      return undefined;
    if (reference === undefined)
      return { endpoint: 'GET /bookings', identifier: call.query.get('from') ?? '1', answer: () => list(call) };
    return {
      endpoint: 'GET /bookings/{reference}',
      identifier: reference,
      answer: () => one(call, reference),
      other: () => one(call, hotelbedsReference(stays.find((each) => hotelbedsReference(each) !== reference)!)),
    };
  }

  return {
    name: 'hotelbeds',
    refuse,
    route,
    notFound: () => gateway('ERR_596_SERVICE_NOT_FOUND', 'Service Not Found', 596),
    tooMany: (call, freeAt) =>
      freeAt - call.at > MINUTE
        ? gateway('ERR_403_DEVELOPER_OVER_RATE', 'Developer Over Rate')
        : {
            ...gateway('ERR_403_DEVELOPER_OVER_QPS', 'Developer Over Qps'),
            headers: { ...gatewayHeaders('ERR_403_DEVELOPER_OVER_QPS'), 'retry-after': '1' },
          },
    failing: (call) => ({
      status: call.noise.pick([500, 503]),
      body: { auditData: audit(call), error: { code: 'SYSTEM_ERROR', message: 'Words' } },
    }),
    headers: (call) =>
      options.tellsQuota === true
        ? {
            'x-packagekey-quota-allotted': String(options.quotaPerDay),
            'x-packagekey-quota-current': String(used),
            'x-packagekey-quota-reset': new Date((Math.floor(call.at / DAY) + 1) * DAY).toUTCString(),
          }
        : {},
  };
}

function summaryOf(one: PlaceBooking, call: Call): Json {
  const cancelled = cancelledBy(one, call.at);
  return {
    reference: hotelbedsReference(one),
    clientReference: `AGENCY${one.owners[0]}`,
    creationDate: iso(one.bookedAt),
    status: cancelled ? 'CANCELLED' : 'CONFIRMED',
    ...(cancelled ? { cancellationReference: `CXL${one.reference}` } : {}),
    hotel: { code: 1, name: one.place.name, checkIn: one.startDay, checkOut: endDayAt(one, call.at) },
  };
}

function whole(one: PlaceBooking, call: Call): Json {
  const cancelled = cancelledBy(one, call.at);
  const summary = summaryOf(one, call);
  const [holder] = one.passengers;
  const paxes = one.passengers.map(({ given, family }) => ({ roomId: 1, type: 'AD', name: given, surname: family }));
  return {
    ...summary,
    ...(call.noise.chance(0.1) && !cancelled ? { status: 'UNDER_REVIEW' } : {}),
    modificationPolicies: { cancellation: !cancelled, modification: !cancelled },
    holder: cancelled ? {} : { name: holder!.given, surname: holder!.family },
    hotel: {
      ...(summary.hotel as Json),
      destinationName: one.place.locality,
      rooms: [{ status: summary.status, name: 'DOUBLE', paxes: cancelled ? [{ roomId: 1, type: 'AD' }] : paxes }],
    },
    ...(call.noise.chance(0.2) ? { invoiceCompany: {} } : {}),
    totalNet: 211.4,
    currency: 'EUR',
  };
}

function audit(call: Call): Json {
  return {
    processTime: String(call.noise.int(10, 900)),
    timestamp: iso(call.at),
    serverId: call.noise.text(8, 'ABCDEF'),
  };
}

function gatewayHeaders(code: string): Readonly<Record<string, string>> {
  return { 'x-mashery-error-code': code };
}

function gateway(code: string, words: string, status = 403): Reply {
  return { status, headers: gatewayHeaders(code), text: { type: 'text/xml', body: `<h1>${words}</h1>` } };
}

function iso(at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'second' });
}
