import { flightAt, flightChangedAt, indexOf } from '../scenario/state.ts';
import { AIRPORTS } from '../scenario/tables.ts';
import { localDayOf, zoned } from '../scenario/time.ts';
import { DAY, type Flight, HOUR, type Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/** The flight-status feed. Answers are arrays, 204 is "nothing", times are in minutes, errors are `{message}`. */
export function aeroDataBox(scenario: Scenario, key: string): Vendor {
  return {
    name: 'aerodatabox',
    refuse: (call) => refuse(call, key),
    route: (call) => route(scenario, call),
    notFound: () => ({ status: 404, body: { message: 'Resource not found' } }),
    tooMany: (call, freeAt) => ({
      status: 429,
      headers: { 'retry-after': String(Math.max(1, Math.ceil((freeAt - call.at) / 1000))) },
      body: { message: 'You have exceeded the rate limit of your plan' },
    }),
    failing: (call) => ({ status: call.noise.pick([500, 503]), body: { message: 'Service is not available' } }),
    headers: (call, quota) => ({
      'x-ratelimit-requests-limit': String(quota.max),
      'x-ratelimit-requests-remaining': String(Math.max(0, quota.left)),
      'x-ratelimit-requests-reset': String(Math.ceil((quota.freeAt - call.at) / 1000)),
    }),
  };
}

/** Either marketplace: one header for the key, or RapidAPI's pair of key and host. */
function refuse(call: Call, key: string): Reply | undefined {
  const rapid = call.headers['x-rapidapi-key'];
  const given = call.headers['x-api-market-key'] ?? rapid;
  if (given === undefined) return { status: 401, body: { message: 'Missing API key' } };
  if (given !== key) return { status: 401, body: { message: 'Invalid API key' } };
  if (rapid !== undefined && call.headers['x-rapidapi-host'] === undefined) {
    return { status: 400, body: { message: 'Missing X-RapidAPI-Host' } };
  }
  if (call.method !== 'GET') return { status: 405, body: { message: 'Method not allowed' } };
  return undefined;
}

function route(scenario: Scenario, call: Call): Route | undefined {
  // Behind a marketplace the paths begin with its own prefix.
  const start = call.path.indexOf('flights');
  const [, by, param, day, ...rest] = start < 0 ? [] : call.path.slice(start);
  if (by === undefined || param === undefined) return undefined;
  if (by.toLowerCase() === 'airports') return board(scenario, call, call.path.slice(start + 2));
  if (by.toLowerCase() !== 'number' || rest.length > 0) return undefined;
  const number = param.replace(/\s+/g, '').toUpperCase();
  return {
    endpoint: `GET /flights/number/{number}${day === undefined ? '' : '/{date}'}`,
    identifier: day === undefined ? number : `${number}/${day}`,
    answer: () => byNumber(scenario, call, number, day),
  };
}

function byNumber(scenario: Scenario, call: Call, number: string, day: string | undefined): Reply {
  if (!/^[A-Z0-9]{2}[A-Z]?\d{1,4}[A-Z]?$/.test(number)) return bad('Flight number is not valid');
  if (day !== undefined && !isDay(day)) return bad('Date is not valid');
  const role = (call.query.get('dateLocalRole') ?? 'Both').toLowerCase();
  if (!['departure', 'arrival', 'both'].includes(role)) return bad('dateLocalRole is not valid');
  const flights = (indexOf(scenario).flightsByNumber.get(number) ?? []).filter((flight) => {
    const { departureScheduled, arrivalScheduled } = flightAt(flight, call.at);
    const leaves = localDayOf(departureScheduled, flight.fromZone);
    const lands = localDayOf(arrivalScheduled, flight.toZone);
    const wanted = day ?? localDayOf(call.at, flight.fromZone);
    return (role !== 'arrival' && leaves === wanted) || (role !== 'departure' && lands === wanted);
  });
  const items = flights.flatMap((flight) => itemsOf(scenario, flight, number, call));
  return items.length === 0 ? { status: 204 } : { status: 200, body: items };
}

/** The flight under the number asked for and, for half of the codeshares, under the partner's number too. */
function itemsOf(scenario: Scenario, flight: Flight, number: string, call: Call): readonly unknown[] {
  const own = item(scenario, flight, flight, call);
  const { codeshare } = flight;
  if (codeshare === undefined) return [own];
  const sold = item(scenario, flight, codeshare, call);
  const askedAsSold = number === `${codeshare.carrier}${codeshare.number}`;
  const both = Number(flight.number) % 2 === 0;
  return askedAsSold ? (both ? [sold, own] : [sold]) : both ? [sold, own] : [own];
}

interface Designator {
  readonly carrier: string;
  readonly carrierName: string;
  readonly number: string;
}

function item(scenario: Scenario, flight: Flight, as: Designator, call: Call): Record<string, unknown> {
  const state = flightAt(flight, call.at);
  const shared = flight.codeshare !== undefined;
  const { noise } = call;
  const live = Math.abs(state.departureScheduled - call.at) < 72 * HOUR;
  const quality = ['Basic', ...(live ? ['Live'] : []), ...(noise.chance(0.1) ? ['Inferred'] : [])];
  return {
    ...(noise.chance(0.2) ? { emissionsKg: noise.int(40, 900), reviewedBy: null } : {}),
    departure: {
      airport: airport(flight.from),
      scheduledTime: time(state.departureScheduled, flight.fromZone),
      ...optional('revisedTime', state.departureEstimated, flight.fromZone),
      ...optional('runwayTime', state.departureActual, flight.fromZone),
      ...given('terminal', state.departureTerminal),
      ...given('checkInDesk', state.desk),
      ...given('gate', state.departureGate),
      quality,
    },
    arrival: {
      airport: airport(flight.to),
      scheduledTime: time(state.arrivalScheduled, flight.toZone),
      ...optional('revisedTime', state.arrivalEstimated, flight.toZone),
      ...optional('runwayTime', state.arrivalActual, flight.toZone),
      ...given('terminal', state.arrivalTerminal),
      ...given('baggageBelt', state.belt),
      quality,
      ...(noise.chance(0.1) ? { carousel: { side: 'left' } } : {}),
    },
    lastUpdatedUtc: minutes(flightChangedAt(flight, call.at, scenario.options.startAt - DAY), 'UTC').replace(
      '+00:00',
      'Z',
    ),
    number: `${as.carrier} ${as.number}`,
    status: state.status,
    codeshareStatus: shared
      ? as === flight
        ? 'IsOperator'
        : 'IsCodeshared'
      : noise.pick(['IsOperator', 'Unknown', 'Pooled']),
    isCargo: false,
    aircraft: { model: flight.aircraft },
    airline: { name: as.carrierName, iata: as.carrier },
  };
}

/** Everything that leaves or lands at an airport in at most twelve hours. */
function board(scenario: Scenario, call: Call, path: readonly string[]): Route | undefined {
  const [codeType, code = '', from = '', to = ''] = path;
  if (codeType?.toLowerCase() !== 'iata') return undefined;
  const answer = (): Reply => {
    const zone = AIRPORTS.find((one) => one.code === code.toUpperCase())?.zone;
    if (zone === undefined) return { status: 204 };
    const [start, end] = [from, to].map((text) => {
      try {
        return Temporal.PlainDateTime.from(text).toZonedDateTime(zone).epochMilliseconds;
      } catch {
        return Number.NaN;
      }
    }) as [number, number];
    if (!(end > start)) return bad('Time range is not valid');
    if (end - start > 12 * HOUR) return bad('Time range must not exceed 12 hours');
    const leg = (one: Flight): unknown => item(scenario, one, one, call);
    const inside = (at: number): boolean => at >= start && at <= end;
    return {
      status: 200,
      body: {
        departures: scenario.flights
          .filter((one) => one.from === code.toUpperCase() && inside(flightAt(one, call.at).departureScheduled))
          .map(leg),
        arrivals: scenario.flights
          .filter((one) => one.to === code.toUpperCase() && inside(flightAt(one, call.at).arrivalScheduled))
          .map(leg),
      },
    };
  };
  return { endpoint: 'GET /flights/airports/{iata}/{from}/{to}', identifier: `${code}/${from}/${to}`, answer };
}

function airport(code: string): Record<string, unknown> {
  const one = AIRPORTS.find((candidate) => candidate.code === code)!;
  return {
    iata: one.code,
    name: one.name,
    municipalityName: one.city,
    location: { lat: one.lat, lon: one.lon },
    countryCode: one.country,
    timeZone: one.zone,
  };
}

function time(at: number, zone: string): { readonly utc: string; readonly local: string } {
  return { utc: minutes(at, 'UTC').replace('+00:00', 'Z'), local: minutes(at, zone) };
}

/** `2026-12-01 10:05+01:00`. */
function minutes(at: number, zone: string): string {
  return zoned(at, zone).toString({ smallestUnit: 'minute', timeZoneName: 'never' }).replace('T', ' ');
}

function optional(name: string, at: number | undefined, zone: string): Record<string, unknown> {
  return at === undefined ? {} : { [name]: time(at, zone) };
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function isDay(text: string): boolean {
  try {
    return /^\d{4}-\d{2}-\d{2}$/.test(text) && Temporal.PlainDate.from(text).toString() === text;
  } catch {
    return false;
  }
}

function bad(text: string): Reply {
  return { status: 400, body: { message: text } };
}
