import type { FactValue, Kind } from './facts.ts';
import { KINDS, TRANSPORT_KINDS } from './facts.ts';
import { airportByCode } from './geo/airports.ts';
import type { Fields, Leg, Reservation } from './reservation.ts';
import { epochMsOf, parseZoned } from './time/travel-time.ts';

/** What the views (REST, calendar, trips) read from a leg: its two points with the best known time, its words, its state. */

export interface Point {
  /** Best known: actual, else estimated, else scheduled. */
  readonly time: string | undefined;
  readonly basis: 'actual' | 'estimated' | 'scheduled' | undefined;
  readonly scheduled: string | undefined;
  /** Epoch ms, where the zone is known. */
  readonly at: number | undefined;
  readonly zone: string | undefined;
  /** Minutes against schedule; negative: earlier. */
  readonly lateMinutes: number | undefined;
  readonly code: string | undefined;
  readonly name: string | undefined;
  readonly city: string | undefined;
}

/** The text of a field, undefined where it is absent or empty. */
export function textOf(fields: Fields, path: string): string | undefined {
  const value: FactValue | undefined = fields[path]?.value;
  return value === undefined || value === null || value === '' ? undefined : String(value);
}

/** The start (departure, check-in, pick-up) or end (arrival, check-out, drop-off) of a leg. */
export function pointOf(leg: Pick<Leg, 'fields'> & Partial<Pick<Leg, 'kind'>>, side: 'start' | 'end'): Point {
  const { fields } = leg;
  const code = textOf(fields, `${side}.code`);
  const airport = code === undefined || code.length !== 3 ? undefined : airportByCode(code);
  const placeZone = textOf(fields, `${side}.zone`) ?? airport?.zone;
  const scheduled = textOf(fields, `${side}.scheduled`);
  const basis = (['actual', 'estimated', 'scheduled'] as const).find((b) => textOf(fields, `${side}.${b}`));
  const time = basis === undefined ? undefined : textOf(fields, `${side}.${basis}`);
  const at = epochMsOf(time, placeZone);
  const planned = epochMsOf(scheduled, placeZone);
  return {
    time,
    basis,
    scheduled,
    at,
    zone: zoneOf(time, placeZone),
    lateMinutes: latenessOf(leg, side, basis, at, planned, placeZone),
    code,
    name: textOf(fields, `${side}.name`) ?? airport?.name,
    city: textOf(fields, `${side}.locality`) ?? airport?.city,
  };
}

/**
 * Minutes against schedule. What providers call a flight's actual times are wheels-up and touch-down, while its schedule
 * is gate to gate: the last estimate says how late it was; taking off says nothing, touching down is close enough.
 */
function latenessOf(
  leg: Pick<Leg, 'fields'> & Partial<Pick<Leg, 'kind'>>,
  side: 'start' | 'end',
  basis: Point['basis'],
  at: number | undefined,
  planned: number | undefined,
  placeZone: string | undefined,
): number | undefined {
  const onRunway = leg.kind === 'flight' && basis === 'actual';
  const estimated = onRunway ? epochMsOf(textOf(leg.fields, `${side}.estimated`), placeZone) : undefined;
  const best = estimated ?? (onRunway && side === 'start' ? undefined : at);
  return best === undefined || planned === undefined ? undefined : Math.round((best - planned) / 60_000);
}

function zoneOf(time: string | undefined, placeZone: string | undefined): string | undefined {
  if (time === undefined) return placeZone;
  return parseZoned(time, placeZone)?.timeZoneId ?? placeZone;
}

/** `LH 400` of a flight, the train's number or name; undefined where nothing is printed on it. */
export function designatorOf(leg: Leg): string | undefined {
  const number = textOf(leg.fields, 'number');
  const carrier = textOf(leg.fields, 'carrier.code');
  if (number === undefined) return undefined;
  return carrier === undefined ? number : `${carrier} ${number}`;
}

/** One line for a leg: `LH 400 Frankfurt → New York`, `Stay at Hotel Adler, Vienna`. */
export function legTitle(leg: Leg): string {
  const start = pointOf(leg, 'start');
  const end = pointOf(leg, 'end');
  const from = start.city ?? start.name ?? start.code;
  const to = end.city ?? end.name ?? end.code;
  if (TRANSPORT_KINDS.includes(leg.kind) || leg.kind === 'taxi') {
    const what = designatorOf(leg) ?? textOf(leg.fields, 'name') ?? KIND_WORDS[leg.kind];
    if (from !== undefined && to !== undefined) return `${what} ${from} → ${to}`;
    return to === undefined ? what : `${what} to ${to}`;
  }
  const name = textOf(leg.fields, 'name') ?? start.name;
  const place = start.city !== undefined && start.city !== name ? `, ${start.city}` : '';
  switch (leg.kind) {
    case 'stay':
      return name === undefined ? `Stay${place === '' ? '' : ` in ${start.city}`}` : `Stay at ${name}${place}`;
    case 'rental':
      return `Car${name === undefined ? '' : ` from ${name}`}${place}`;
    default:
      return `${name ?? KIND_WORDS[leg.kind]}${place}`;
  }
}
const KIND_WORDS: Readonly<Record<Kind, string>> = {
  flight: 'Flight',
  train: 'Train',
  bus: 'Bus',
  boat: 'Ferry',
  stay: 'Stay',
  rental: 'Car',
  event: 'Event',
  restaurant: 'Table',
  taxi: 'Taxi',
};

/** True when booking or operation says so. */
export function legCancelled(leg: Leg): boolean {
  return textOf(leg.fields, 'status') === 'cancelled' || textOf(leg.fields, 'operation') === 'cancelled';
}

/** True when the booking says so, or every leg of it is. */
export function reservationCancelled(reservation: Reservation): boolean {
  if (textOf(reservation.fields, 'status') === 'cancelled') return true;
  return reservation.legs.length > 0 && reservation.legs.every(legCancelled);
}

export function reservationRemoved(reservation: Reservation): boolean {
  return reservation.fields.removed?.value === true;
}

/** Epoch ms of the first start and the last end; undefined where no time with a zone is known. */
export function spanOf(legs: readonly Leg[]): {
  readonly startsAt: number | undefined;
  readonly endsAt: number | undefined;
} {
  let startsAt: number | undefined;
  let endsAt: number | undefined;
  for (const leg of legs) {
    const start = pointOf(leg, 'start').at;
    const end = pointOf(leg, 'end').at ?? start;
    if (start !== undefined && (startsAt === undefined || start < startsAt)) startsAt = start;
    if (end !== undefined && (endsAt === undefined || end > endsAt)) endsAt = end;
  }
  return { startsAt, endsAt };
}

/** One line for the whole reservation: its first leg, and how many more; without legs, whose booking it is. */
export function reservationTitle(reservation: Reservation): string {
  const [first, ...rest] = reservation.legs;
  if (first !== undefined) return rest.length === 0 ? legTitle(first) : `${legTitle(first)} and ${rest.length} more`;
  const who = textOf(reservation.fields, 'provider.name');
  const reference = textOf(reservation.fields, 'reference');
  const kind = KINDS.find((one) => one === textOf(reservation.fields, 'kind'));
  const what = kind === undefined ? 'Booking' : `${KIND_WORDS[kind]} booking`;
  return `${what}${who === undefined ? '' : ` with ${who}`}${reference === undefined ? '' : ` ${reference}`}`;
}
