import type { Answer } from '../../../contracts/topics.ts';
import { type FactWriter, factWriter, instantOf } from '../answer.ts';
import { type Asked, flightKeys } from '../flight-status/asked.ts';
import { operatorOf, zoneOf } from './identity.ts';
import type { AeroAirport, AeroFlight } from './schema.ts';

/** From so much on a departure is called delayed. */
const DELAYED_S = 15 * 60;
/** Belts are shown a while after landing. */
const BELT_KNOWN_MS = 30 * 60_000;
/** So long after its time nothing more comes: of one that landed without a belt, and of one that was cancelled. */
const SETTLED_MS = 3 * 3_600_000;

/**
 * AeroAPI's flight in our words. All its times are UTC. Actual times are those on the runway, as other vendors give them;
 * the gate's stand in where the runway's are missing.
 *
 * `cancelled` there means that the tracking ended, which is mostly, but not always, the airline's cancellation: so it is
 * told as uncertain until another source says it too.
 *
 * Number and airline are left out: travellers with a seat that a partner has sold follow the same flight, and keep theirs.
 */
export function toAnswer(
  flight: AeroFlight,
  divertedTo: AeroAirport,
  asked: Asked,
  fetchedAt: string,
  zones: { readonly start?: string | undefined; readonly end?: string | undefined } = {},
): Answer {
  const out = factWriter();
  const operator = operatorOf(flight, asked);
  out.put('operating.code', operator?.carrier, 'ident_iata', flight.ident_iata);
  out.put('operating.number', operator?.number, 'ident_iata', flight.ident_iata);
  const [operation, field] = operationOf(flight);
  out.put('operation', operation, field);
  out.put('aircraft', flight.aircraft_type ?? undefined, 'aircraft_type');
  putPlace(out, 'start', flight.origin, 'origin', zones.start);
  putPlace(out, 'end', flight.destination, 'destination', zones.end);
  out.put('start.terminal', flight.terminal_origin ?? undefined, 'terminal_origin');
  out.put('start.gate', flight.gate_origin ?? undefined, 'gate_origin');
  out.put('end.terminal', flight.terminal_destination ?? undefined, 'terminal_destination');
  out.put('end.gate', flight.gate_destination ?? undefined, 'gate_destination');
  out.put('end.belt', flight.baggage_claim ?? undefined, 'baggage_claim');
  out.put('diverted.code', divertedTo?.code_iata ?? undefined, 'destination.code_iata');
  putTimes(out, flight, 'start', zoneOf(flight.origin, zones.start), START);
  putTimes(out, flight, 'end', zoneOf(flight.destination, zones.end), END);
  const origin = flight.origin?.code_iata ?? asked.from;
  const keys = flightKeys([asked, operator], asked.day, [asked.from, origin]);
  return {
    authority: 'status',
    assertedAt: fetchedAt,
    bookingKeys: [],
    facts: {},
    legs: [{ kind: 'flight', keys, facts: out.facts }],
  };
}

type TimeField = Extract<keyof AeroFlight, `${string}_${'out' | 'off' | 'on' | 'in'}`>;
interface TimeFields {
  readonly scheduled: readonly TimeField[];
  readonly estimated: readonly TimeField[];
  readonly actual: readonly TimeField[];
}
const START: TimeFields = {
  scheduled: ['scheduled_out', 'scheduled_off'],
  estimated: ['estimated_out', 'estimated_off'],
  actual: ['actual_off', 'actual_out'],
};
const END: TimeFields = {
  scheduled: ['scheduled_in', 'scheduled_on'],
  estimated: ['estimated_in', 'estimated_on'],
  actual: ['actual_on', 'actual_in'],
};

function putTimes(
  out: FactWriter,
  flight: AeroFlight,
  side: 'start' | 'end',
  zone: string | undefined,
  fields: TimeFields,
): void {
  const first = (names: readonly TimeField[]) => names.find((name) => instantOf(flight[name]) !== undefined);
  const put = (what: keyof TimeFields, name: TimeField | undefined): void => {
    const at = name === undefined ? undefined : instantOf(flight[name]);
    if (at !== undefined) out.put(`${side}.${what}`, zonedOf(at, zone), name!, flight[name!]);
  };
  const scheduled = first(fields.scheduled);
  const estimated = first(fields.estimated);
  put('scheduled', scheduled);
  put('actual', first(fields.actual));
  // It always names an estimate; one that equals the plan says that nothing else is known, and takes an older one back.
  const same = scheduled && estimated && instantOf(flight[scheduled]) === instantOf(flight[estimated]);
  if (same) out.put(`${side}.estimated`, null, estimated);
  else put('estimated', estimated);
}

function zonedOf(at: string, zone: string | undefined): string {
  if (zone === undefined) return at;
  return Temporal.Instant.from(at).toZonedDateTimeISO(zone).toString({ smallestUnit: 'second' });
}

function putPlace(
  out: FactWriter,
  side: 'start' | 'end',
  place: AeroAirport,
  field: 'origin' | 'destination',
  known: string | undefined,
): void {
  out.put(`${side}.code`, place?.code_iata?.toUpperCase(), `${field}.code_iata`);
  out.put(`${side}.name`, place?.name ?? undefined, `${field}.name`);
  out.put(`${side}.zone`, zoneOf(place, known), `${field}.timezone`);
}

function operationOf(flight: AeroFlight): readonly [word: string, field: string] {
  if (flight.cancelled === true) return ['cancelled-uncertain', 'cancelled'];
  if (flight.diverted === true) return ['diverted', 'diverted'];
  if (flight.actual_in) return ['arrived', 'actual_in'];
  if (flight.actual_on) return ['arrived', 'actual_on'];
  if (flight.actual_off) return ['en-route', 'actual_off'];
  if (flight.actual_out) return ['departed', 'actual_out'];
  if ((flight.departure_delay ?? 0) >= DELAYED_S) return ['delayed', 'departure_delay'];
  return ['scheduled', 'scheduled_out'];
}

export function isFinal(flight: AeroFlight, now: number): boolean {
  const since = (text: string | null | undefined) => {
    const at = instantOf(text);
    return at === undefined ? 0 : now - Temporal.Instant.from(at).epochMilliseconds;
  };
  const landed = since(flight.actual_in ?? flight.actual_on);
  if (flight.actual_in || flight.actual_on) return landed >= (flight.baggage_claim ? BELT_KNOWN_MS : SETTLED_MS);
  return flight.cancelled === true && since(flight.scheduled_out ?? flight.scheduled_off) >= SETTLED_MS;
}
