import { flightAt, indexOf } from '../scenario/state.ts';
import { AIRPORTS } from '../scenario/tables.ts';
import { DAY, type Flight, HOUR, type Scenario } from '../scenario/types.ts';
import type { Call, Reply, Route, Vendor } from './fake.ts';

/**
 * FlightAware's AeroAPI: several days for a bare number, the same flight twice when it is diverted, ICAO beside IATA, all
 * times in UTC, errors as `{title, reason, detail, status}`. It says `cancelled` where the tracking ended.
 */
export function aeroApi(scenario: Scenario, key: string): Vendor {
  return {
    name: 'aeroapi',
    refuse: (call) => {
      if (call.headers['x-apikey'] !== key) return failure(401, 'Unauthorized', 'Invalid or missing API key');
      if (call.method !== 'GET') return failure(405, 'Method Not Allowed', 'Only GET');
      return undefined;
    },
    route: (call) => route(scenario, call),
    notFound: () => failure(404, 'Not Found', 'Unknown resource'),
    // The real one documents no 429; a gateway before it sends this without a hint.
    tooMany: () => failure(429, 'Too Many Requests', 'Result set limit reached'),
    failing: (call) => failure(call.noise.pick([500, 502, 503]), 'Server Error', 'Try again later'),
    headers: () => ({}),
  };
}

function route(scenario: Scenario, call: Call): Route | undefined {
  const start = call.path.indexOf('flights');
  const [, ident, ...rest] = start < 0 ? [] : call.path.slice(start);
  if (ident === undefined || rest.length > 0) return undefined;
  return { endpoint: 'GET /flights/{ident}', identifier: ident, answer: () => byIdent(scenario, call, ident) };
}

function byIdent(scenario: Scenario, call: Call, ident: string): Reply {
  const [start, end] = ['start', 'end'].map((name) => Date.parse(call.query.get(name) ?? ''));
  const from = Number.isNaN(start!) ? call.at - 12 * DAY : start!;
  const to = Number.isNaN(end!) ? call.at + 2 * DAY : end!;
  if (to <= from) return failure(400, 'Bad Request', 'end must be after start');
  if (from < call.at - 10 * DAY - HOUR && !Number.isNaN(start!)) return failure(400, 'Bad Request', 'start is too old');
  if (to > call.at + 2 * DAY + HOUR) return failure(400, 'Bad Request', 'end is too far ahead');
  const flights = indexOf(scenario).flightsByNumber.get(ident.toUpperCase()) ?? [];
  const items = flights
    .filter((one) => {
      const { departureScheduled } = flightAt(one, call.at);
      return departureScheduled >= from && departureScheduled < to;
    })
    .flatMap((one) => views(one, call));
  const yesterday = items.length === 0 ? [] : earlier(items[0]!, Number.isNaN(start!));
  return { status: 200, body: { links: null, num_pages: 1, flights: [...items, ...yesterday] } };
}

/** A bare number brings other days of it too. */
function earlier(item: Record<string, unknown>, bare: boolean): readonly unknown[] {
  if (!bare) return [];
  const shift = (value: unknown) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? iso(Date.parse(value) - DAY) : value;
  const moved = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, shift(value)]));
  return [{ ...moved, fa_flight_id: `${item.fa_flight_id}-before` }];
}

function views(flight: Flight, call: Call): readonly Record<string, unknown>[] {
  const state = flightAt(flight, call.at);
  const one = view(flight, call);
  if (state.status !== 'Diverted') return [one];
  const elsewhere = AIRPORTS.find((airport) => ![flight.from, flight.to].includes(airport.code))!;
  return call.noise.chance(0.5)
    ? [one, { ...one, diverted: false, destination: airportOf(elsewhere.code) }]
    : [{ ...one, diverted: false, destination: airportOf(elsewhere.code) }, one];
}

function view(flight: Flight, call: Call): Record<string, unknown> {
  const state = flightAt(flight, call.at);
  const { noise } = call;
  const delayed = (state.departureEstimated ?? state.departureScheduled) - state.departureScheduled;
  return {
    ...(noise.chance(0.2) ? { foresight_predictions_available: true, route: null } : {}),
    ident: `X${flight.carrier}${flight.number}`,
    ident_icao: `X${flight.carrier}${flight.number}`,
    ident_iata: `${flight.carrier}${flight.number}`,
    fa_flight_id: `X${flight.carrier}${flight.number}-${Math.floor(flight.initial.departureScheduled / 1000)}-sandbox`,
    codeshares_iata: flight.codeshare === undefined ? [] : [`${flight.codeshare.carrier}${flight.codeshare.number}`],
    origin: airportOf(flight.from),
    destination: airportOf(flight.to),
    scheduled_out: iso(state.departureScheduled),
    estimated_out: iso(state.departureEstimated ?? state.departureScheduled),
    actual_out: null,
    actual_off: iso(state.departureActual),
    scheduled_in: iso(state.arrivalScheduled),
    estimated_in: iso(state.arrivalEstimated ?? state.arrivalScheduled),
    actual_on: iso(state.arrivalActual),
    actual_in: null,
    departure_delay: Math.round(delayed / 1000),
    terminal_origin: state.departureTerminal ?? null,
    gate_origin: state.departureGate ?? null,
    terminal_destination: state.arrivalTerminal ?? null,
    gate_destination: null,
    baggage_claim: state.belt ?? null,
    aircraft_type: flight.aircraft,
    cancelled: state.status === 'Canceled',
    diverted: state.status === 'Diverted',
    status: noise.pick(['Scheduled', 'En Route / On Time', 'Some new words']),
    progress_percent: noise.int(0, 100),
  };
}

function airportOf(code: string): Record<string, unknown> {
  const one = AIRPORTS.find((airport) => airport.code === code)!;
  return { code: `X${code}`, code_iata: code, timezone: one.zone, name: one.name, city: one.city };
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'second' });
}

function failure(status: number, title: string, detail: string): Reply {
  return { status, body: { title, reason: title.replaceAll(' ', '_').toUpperCase(), detail, status } };
}
