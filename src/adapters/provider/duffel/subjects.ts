import { fold } from '../../../domain/facts.ts';
import { legKeys, localDay, providerBookingKey } from '../../../domain/keys.ts';
import { pointOf, textOf } from '../../../domain/leg-points.ts';
import type { Leg, Reservation } from '../../../domain/reservation.ts';
import { orderingMsOf } from '../../../domain/time/travel-time.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** How a booking stands is worth knowing until a day after its end. */
const UNTIL_AFTER_MS = DAY;
/** A reference that is not ours stays so; a day later the agency may have imported it. */
const LOOK_UP_MS = DAY;
/** Where no time is known yet (a booking registered by its id), it is followed until its first answer tells. */
export const FAR_MS = Date.UTC(2100);
/** A local time of an unknown zone lies within so much of the same time in UTC. */
const ZONE_MS_MAX = 14 * HOUR;

type Thing = 'order' | 'stay' | 'car';

/**
 * What to ask for a reservation: each booking that is known by its id at this account; where none is, a look-up by the
 * printed reference. A look-up needs something to compare (a flight and its day, a check-in day), because references are
 * used again and a stranger's booking must never be taken for this one.
 */
export function subjectsOf(reservation: Reservation, account: string): readonly SubjectSpec[] {
  const prefix = providerBookingKey(account, '');
  const ids = reservation.bookingKeys.flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  if (ids.length > 0) return ids.flatMap((id) => byId(id, reservation) ?? []);
  return lookUps(reservation);
}

function byId(id: string, reservation: Reservation): SubjectSpec | undefined {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) return undefined;
  const thing = thingOf(id, reservation);
  return {
    id: `${thing}:${id}`,
    label: `Duffel ${thing === 'order' ? 'order' : thing === 'stay' ? 'stay' : 'car booking'}`,
    query: { thing, id },
    ...timesOf(reservation.legs, 0),
  };
}

/** By the id's prefix; `bok_` is a stay's, but has been seen on cars too, so the legs have a word, and whoever added it. */
function thingOf(id: string, { legs, fields }: Reservation): Thing {
  if (id.startsWith('ord_')) return 'order';
  if (/^(boo|car)_/.test(id)) return 'car';
  const has = (kind: Leg['kind']) =>
    legs.length === 0 ? textOf(fields, 'kind') === kind : legs.some((leg) => leg.kind === kind);
  if (has('rental') && !has('stay')) return 'car';
  return has('flight') && !id.startsWith('bok_') ? 'order' : 'stay';
}

function lookUps(reservation: Reservation): SubjectSpec[] {
  const specs: SubjectSpec[] = [];
  for (const key of reservation.bookingKeys) {
    const [, family, reference = ''] = /^ref:(air|stay):([^:]+)$/.exec(key) ?? [];
    const legs = reservation.legs.filter((leg) => leg.kind === (family === 'air' ? 'flight' : 'stay'));
    const days = legs.flatMap((leg) => localDay(textOf(leg.fields, 'start.scheduled')) ?? []).sort();
    if (family === undefined || days[0] === undefined) continue;
    const times = timesOf(legs, DAY);
    if (family === 'air') {
      const flights = [...new Set(legs.flatMap(flightBases))].sort();
      if (!/^[a-z0-9]{5,8}$/.test(reference) || flights.length === 0) continue;
      specs.push({
        id: `reference:${reference}:${days[0]}`,
        label: 'Duffel look-up by reference',
        query: { thing: 'order-reference', reference: reference.toUpperCase(), flights: flights.join(' ') },
        ...times,
        everyMs: LOOK_UP_MS,
      });
    } else {
      specs.push({
        id: `stay-reference:${reference}:${days[0]}`,
        label: 'Duffel look-up by reference',
        query: { thing: 'stay-reference', reference, day: days[0] },
        ...times,
        everyMs: LOOK_UP_MS,
      });
    }
  }
  return specs;
}

/** `lh400:2026-12-01` of a flight: enough to see that an order has it too. */
function flightBases(leg: Leg): readonly string[] {
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
function timesOf(legs: readonly Leg[], early: number): Pick<SubjectSpec, 'fromAt' | 'startAt' | 'endAt'> {
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

/** Same reference whatever case and punctuation. */
export function sameReference(a: string | null | undefined, b: string): boolean {
  return a !== null && a !== undefined && fold(a) === fold(b);
}
