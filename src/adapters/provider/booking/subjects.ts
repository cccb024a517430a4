import type { Answer } from '../../../contracts/topics.ts';
import { fold, type Kind } from '../../../domain/facts.ts';
import { legKeys, localDay, providerBookingKey } from '../../../domain/keys.ts';
import { pointOf, textOf } from '../../../domain/leg-points.ts';
import type { Leg, Reservation } from '../../../domain/reservation.ts';
import { orderingMsOf } from '../../../domain/time/travel-time.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';

/** What to ask a booking system for a reservation: the same for every vendor whose bookings have one id each. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** How a booking stands is worth knowing until a day after its end. */
const UNTIL_AFTER_MS = DAY;
/** A reference that is not ours stays so; a day later the agency may have imported it. */
export const LOOK_UP_MS = DAY;
/** Where no time is known yet (a booking registered by its id), it is followed until its first answer tells. */
export const FAR_MS = Date.UTC(2100);
/** A local time of an unknown zone lies within so much of the same time in UTC. */
const ZONE_MS_MAX = 14 * HOUR;

export interface BookingRules {
  /** Our name of the account. */
  readonly account: string;
  /** `Sabre booking`. */
  readonly label: string;
  /** What an id of this vendor looks like; anything else is not asked. */
  readonly id: RegExp;
  /** References that stand in mails may be ids of bookings here: looked up once a day, until one answers. */
  readonly lookUp?: { readonly kinds: readonly Kind[]; readonly reference: RegExp };
  /** What the vendor wants to know besides the id; undefined: without it, it cannot be asked. Default: nothing. */
  readonly more?: (reservation: Reservation) => Readonly<Record<string, string>> | undefined;
}

/**
 * Each booking that is known by its id at this account (key `id:<account>:<id>`); where none is, a look-up by the printed
 * reference. A look-up needs something to compare (a flight and its day, a first day), because references are used again
 * and a stranger's booking must never be taken for this one.
 */
export function bookingSubjects(reservation: Reservation, rules: BookingRules): readonly SubjectSpec[] {
  const more = rules.more === undefined ? {} : rules.more(reservation);
  if (more === undefined) return [];
  const prefix = providerBookingKey(rules.account, '');
  const ids = reservation.bookingKeys.flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  if (ids.length === 0) return lookUps(reservation, rules, more);
  return ids
    .filter((id) => rules.id.test(id))
    .map((id) => ({
      id: bookingSubjectId(id),
      label: rules.label,
      query: { id, ...more },
      ...timesOf(reservation.legs, 0),
    }));
}

/** Of a booking known by its id: what pushes and lists of changes wake. */
export function bookingSubjectId(id: string): string {
  return `booking:${id}`;
}

const FAMILY: Partial<Record<Kind, string>> = { flight: 'air', stay: 'stay', rental: 'rental', train: 'rail' };

function lookUps(
  reservation: Reservation,
  { lookUp, label }: BookingRules,
  more: Readonly<Record<string, string>>,
): SubjectSpec[] {
  const specs: SubjectSpec[] = [];
  for (const kind of lookUp?.kinds ?? []) {
    const legs = reservation.legs.filter((leg) => leg.kind === kind);
    const day = legs.flatMap((leg) => localDay(textOf(leg.fields, 'start.scheduled')) ?? []).sort()[0];
    const flights = [...new Set(legs.flatMap(flightBases))].sort();
    if (day === undefined || (kind === 'flight' && flights.length === 0)) continue;
    for (const key of reservation.bookingKeys) {
      const [, family, folded = ''] = /^ref:([a-z]+):([^:]+)/.exec(key) ?? [];
      const reference = printed(reservation, folded);
      if (family !== FAMILY[kind] || !lookUp?.reference.test(reference)) continue;
      specs.push({
        id: `reference:${folded}:${day}`,
        label: `${label} by reference`,
        query: { reference, day, ...(flights.length === 0 ? {} : { flights: flights.join(' ') }), ...more },
        ...timesOf(legs, DAY),
        everyMs: LOOK_UP_MS,
      });
    }
  }
  return specs;
}

/** The reference as it was printed, where it is known; keys have it folded. */
export function printed({ fields }: Pick<Reservation, 'fields'>, folded: string): string {
  const text = textOf(fields, 'reference')?.trim();
  return text !== undefined && fold(text) === folded ? text : folded.toUpperCase();
}

/** A booking found by a look-up is the one that was meant: it has the flight, or begins on the day. */
export function meantByLookUp(answer: Answer, { query }: SubjectSpec): boolean {
  if (query.flights !== undefined) {
    const flights = new Set(query.flights.split(' '));
    return answer.legs.some((leg) => leg.keys.some((key) => flights.has(flightBase(key) ?? '')));
  }
  return answer.legs.some((leg) => localDay(leg.facts['start.scheduled']?.value) === query.day);
}

/** `lh400:2026-12-01` of a flight: enough to see that an order has it too. */
export function flightBases(leg: Leg): readonly string[] {
  const of = (path: string) => textOf(leg.fields, path);
  return legKeys({
    kind: 'flight',
    carrier: of('carrier.code'),
    number: of('number'),
    start: of('start.scheduled'),
  }).flatMap((key) => flightBase(key) ?? []);
}

export function flightBase(key: string): string | undefined {
  return /^leg:flight:([^:-]+:\d{4}-\d{2}-\d{2}):/.exec(key)?.[1];
}

/** `early`: so long before the start asking ends (for look-ups, which then bring nothing any more); 0: a day after the end. */
export function timesOf(legs: readonly Leg[], early: number): Pick<SubjectSpec, 'fromAt' | 'startAt' | 'endAt'> {
  let startAt = Number.POSITIVE_INFINITY;
  let endAt = 0;
  for (const leg of legs) {
    const start = msOf(leg, 'start');
    const end = msOf(leg, 'end');
    if (start !== undefined) startAt = Math.min(startAt, start);
    const last = end ?? start;
    if (last !== undefined) endAt = Math.max(endAt, last);
  }
  if (!Number.isFinite(startAt)) return { fromAt: 0, startAt: FAR_MS, endAt: FAR_MS };
  return { fromAt: 0, startAt, endAt: early > 0 ? startAt - early : endAt + UNTIL_AFTER_MS };
}

function msOf(leg: Leg, side: 'start' | 'end'): number | undefined {
  const point = pointOf(leg, side);
  if (point.at !== undefined) return point.at;
  if (point.time === undefined) return undefined;
  const ms = orderingMsOf(point.time);
  return Number.isFinite(ms) ? ms + (side === 'start' ? -ZONE_MS_MAX : ZONE_MS_MAX) : undefined;
}
