import { airportByCode } from '../../../domain/geo/airports.ts';
import { flightKey, localDay } from '../../../domain/keys.ts';
import { pointOf, textOf } from '../../../domain/leg-points.ts';
import type { Leg, Reservation } from '../../../domain/reservation.ts';
import { timeWriter } from '../../../domain/time/writer.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import type { Designator } from './asked.ts';

const HOUR = 3_600_000;
/** Until so long after landing belts and late corrections come. */
export const UNTIL_AFTER_MS = 3 * HOUR;
/** Longest flight, where no arrival is known. */
const FLIGHT_MS_MAX = 20 * HOUR;
/** A departure whose zone nobody knows lies within so much of its local time read as UTC. */
const ZONE_MS_MAX = 14 * HOUR;

/**
 * The flight legs of a reservation that can be asked about: number and scheduled day are known. Every flight-status
 * vendor gives them the same ids, so that one can stand in for another, or be asked for a second opinion. A seat that was
 * sold under a partner's number is asked about under the operator's, once a vendor has said whose flight it is: one
 * flight is one subject, under whatever numbers its travellers have it.
 *
 * @param fromBeforeMs from so long before departure the vendor has live data
 */
export function flightSubjects(reservation: Reservation, fromBeforeMs: number): readonly SubjectSpec[] {
  const specs = new Map<string, SubjectSpec>();
  for (const leg of reservation.legs) {
    const spec = leg.kind === 'flight' && !givenUp(reservation, leg) ? subjectOf(leg, fromBeforeMs) : undefined;
    if (spec !== undefined) specs.set(spec.id, spec);
  }
  return [...specs.values()];
}

/**
 * The seat on it is cancelled: how the flight or train runs is of no interest any more. (One that is cancelled is: it may
 * be put on again.) A mail that nobody vouches for does not end the watch.
 */
export function givenUp({ fields }: Reservation, leg: Leg): boolean {
  return [fields.status, leg.fields.status].some(
    (status) => status?.value === 'cancelled' && status.by.authority !== 'mail',
  );
}

function subjectOf(leg: Leg, fromBeforeMs: number): SubjectSpec | undefined {
  const day = localDay(textOf(leg.fields, 'start.scheduled'));
  const from = textOf(leg.fields, 'start.code')?.trim().toUpperCase() ?? '';
  const sold = namedIn(leg, 'carrier.code', 'number');
  if (sold === undefined || day === undefined) return undefined;
  const flown = namedIn(leg, 'operating.code', 'operating.number');
  // A booking system may name an operator that status vendors do not know: only what one of them has joined counts.
  const isResolved = flown !== undefined && leg.keys.includes(flightKey(flown.carrier, flown.number, day, from));
  const { carrier, number } = isResolved ? flown : sold;
  const to = textOf(leg.fields, 'end.code')?.trim().toUpperCase() ?? '';
  const start = pointOf(leg, 'start');
  const end = pointOf(leg, 'end');
  const unsure = start.at === undefined ? ZONE_MS_MAX : 0;
  const startAt = start.at ?? Temporal.PlainDate.from(day).toZonedDateTime('UTC').epochMilliseconds + 12 * HOUR;
  const endAt = Math.max(end.at ?? startAt + FLIGHT_MS_MAX, startAt) + unsure + UNTIL_AFTER_MS;
  const zone = (code: string, known: string | undefined) => (airportByCode(code) === undefined ? known : undefined);
  const startZone = zone(from, start.zone);
  const endZone = zone(to, end.zone);
  return {
    id: flightKey(carrier, number, day, from),
    label: `${carrier} ${number} of ${labelOf(day)}`,
    query: {
      carrier,
      number,
      day,
      ...(from === '' ? {} : { from }),
      ...(to === '' ? {} : { to }),
      ...(startZone === undefined ? {} : { startZone }),
      ...(endZone === undefined ? {} : { endZone }),
    },
    fromAt: startAt - fromBeforeMs - unsure,
    startAt,
    endAt,
  };
}

/** What the vendor would refuse is not asked. */
function namedIn(leg: Leg, carrierPath: string, numberPath: string): Designator | undefined {
  const carrier = textOf(leg.fields, carrierPath)?.trim().toUpperCase() ?? '';
  const number = textOf(leg.fields, numberPath)?.replace(/\s/g, '').toUpperCase().replace(/^0+/, '') ?? '';
  return /^[A-Z0-9]{2,3}$/.test(carrier) && /^\d{1,4}[A-Z]?$/.test(number) ? { carrier, number } : undefined;
}

/** `1 Dec` of `2026-12-01`. */
function labelOf(day: string): string {
  return timeWriter('en-GB').day(Temporal.PlainDate.from(day));
}
