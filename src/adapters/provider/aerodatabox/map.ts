import type { Answer } from '../../../contracts/topics.ts';
import { airportByCode } from '../../../domain/geo/airports.ts';
import { type FactWriter, factWriter, instantOf } from '../answer.ts';
import { type Asked, type Designator, flightKeys } from '../flight-status/asked.ts';
import { validZone } from '../flight-status/zone.ts';
import type { Flight, Side, SideTime } from './schema.ts';

/** AeroDataBox's states in our words (see `operation` in domain/facts.ts). */
const OPERATION: Readonly<Record<Flight['status'], string>> = {
  Unknown: 'unknown',
  Expected: 'scheduled',
  CheckIn: 'check-in',
  Boarding: 'boarding',
  GateClosed: 'gate-closed',
  Delayed: 'delayed',
  Departed: 'departed',
  EnRoute: 'en-route',
  Approaching: 'approaching',
  Arrived: 'arrived',
  Canceled: 'cancelled',
  CanceledUncertain: 'cancelled-uncertain',
  Diverted: 'diverted',
};
const HAS_LEFT = new Set<Flight['status']>(['Departed', 'EnRoute', 'Approaching', 'Arrived', 'Diverted']);
const HAS_LANDED = new Set<Flight['status']>(['Arrived']);

/** Belts are shown a while after landing; half an hour later nothing more is to be known. */
const BELT_KNOWN_MS = 30 * 60_000;
/** So long after its time, a cancelled flight is not put on again. */
const CANCELLED_MS = 3 * 3_600_000;

/**
 * `zones`: what the reservation knows, for airports that neither we nor the vendor know. Number and airline of the
 * operator are left out: travellers with a seat that a partner has sold follow the same flight, and keep their number.
 */
export function toAnswer(
  flight: Flight,
  asked: Asked,
  fetchedAt: string,
  zones: { readonly start?: string | undefined; readonly end?: string | undefined } = {},
  operator?: Designator,
): Answer {
  const updated = instantOf(flight.lastUpdatedUtc);
  const out = factWriter();
  out.put('operating.code', operator?.carrier, 'codeshareStatus');
  out.put('operating.number', operator?.number, 'codeshareStatus');
  out.put('operation', OPERATION[flight.status], 'status', flight.status);
  out.put('aircraft', flight.aircraft?.model, 'aircraft.model');
  putSide(out, 'start', flight.departure, zones.start, HAS_LEFT.has(flight.status), updated);
  putSide(out, 'end', flight.arrival, zones.end, HAS_LANDED.has(flight.status), updated);
  out.put('start.desk', flight.departure?.checkInDesk, 'departure.checkInDesk');
  out.put('end.belt', flight.arrival?.baggageBelt, 'arrival.baggageBelt');
  const origin = flight.departure?.airport?.iata ?? asked.from;
  const keys = flightKeys([asked, operator], asked.day, [asked.from, origin]);
  return {
    authority: 'status',
    assertedAt: updated ?? fetchedAt,
    bookingKeys: [],
    facts: {},
    legs: [{ kind: 'flight', keys, facts: out.facts }],
  };
}

function putSide(
  out: FactWriter,
  side: 'start' | 'end',
  from: Side | undefined,
  knownZone: string | undefined,
  happened: boolean,
  updated: string | undefined,
): void {
  if (from === undefined) return;
  const at = side === 'start' ? 'departure' : 'arrival';
  const code = from.airport?.iata?.toUpperCase();
  const zone = validZone((code && airportByCode(code)?.zone) || from.airport?.timeZone || knownZone);
  const put = (path: string, time: SideTime | undefined, field: string) =>
    out.put(path, timeOf(time, zone), `${at}.${field}`, time?.local);
  out.put(`${side}.code`, code, `${at}.airport.iata`);
  out.put(`${side}.name`, from.airport?.name, `${at}.airport.name`);
  out.put(`${side}.zone`, zone, `${at}.airport.timeZone`);
  out.put(`${side}.terminal`, from.terminal, `${at}.terminal`);
  out.put(`${side}.gate`, from.gate, `${at}.gate`);
  put(`${side}.scheduled`, from.scheduledTime, 'scheduledTime');

  // The time on the runway is an expectation until it has come.
  const runway = instantOf(from.runwayTime?.utc);
  const actual = runway !== undefined && (happened || (updated !== undefined && runway <= updated));
  if (actual) put(`${side}.actual`, from.runwayTime, 'runwayTime');
  const estimate = (['revisedTime', 'predictedTime', 'runwayTime'] as const).find(
    (field) => timeOf(from[field], zone) !== undefined && !(field === 'runwayTime' && actual),
  );
  if (estimate !== undefined) put(`${side}.estimated`, from[estimate], estimate);
  // A live feed that names no other time takes back the one it named before.
  else if (from.quality?.includes('Live')) out.put(`${side}.estimated`, null, `${at}.revisedTime`);
}

/** `{utc, local}` as a time with its zone; without a known zone the offset is what is left of it. */
function timeOf(time: SideTime | undefined, zone: string | undefined): string | undefined {
  const instant = instantOf(time?.utc) ?? instantOf(time?.local);
  if (instant === undefined) return undefined;
  const where = zone ?? /[+-]\d{2}:?\d{2}$/.exec(time?.local ?? '')?.[0];
  if (where === undefined) return instant;
  return Temporal.Instant.from(instant)
    .toZonedDateTimeISO(where)
    .toString({
      smallestUnit: 'second',
      timeZoneName: zone === undefined ? 'never' : 'auto',
    });
}

/** Nothing more will be known: landed with its belt for half an hour, or cancelled and its time long gone. */
export function isFinal(flight: Flight, now: number): boolean {
  const ms = (time: SideTime | undefined) => {
    const instant = instantOf(time?.utc);
    return instant === undefined ? undefined : Temporal.Instant.from(instant).epochMilliseconds;
  };
  if (flight.status === 'Arrived') {
    const landed = ms(flight.arrival?.runwayTime) ?? ms(flight.arrival?.revisedTime);
    return landed !== undefined && flight.arrival?.baggageBelt !== undefined && now >= landed + BELT_KNOWN_MS;
  }
  const planned = ms(flight.departure?.scheduledTime);
  return flight.status === 'Canceled' && planned !== undefined && now >= planned + CANCELLED_MS;
}
