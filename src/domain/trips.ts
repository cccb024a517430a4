import type { Kind } from './facts.ts';
import { fold, TRANSPORT_KINDS } from './facts.ts';
import { derivedId, type ReservationId } from './ids.ts';
import { legCancelled, type Point, pointOf } from './leg-points.ts';
import type { Leg } from './reservation.ts';
import { orderingMsOf } from './time/travel-time.ts';

/**
 * Trips: a traveller's legs that belong together. The rules, in this order, over the legs sorted by start:
 *
 *  1. A leg that starts within 48 hours of the end of what came before goes on the same trip.
 *  2. A stay, a rental or an event covers the time until its end, so a leg that starts while one lasts belongs to it,
 *     however long it is (a two-week hotel between two flights is one trip).
 *  3. A transport leg back to the place where the trip began ends it: a transport leg that starts there more than four
 *     hours later begins a new trip, even within the 48 hours (the weekly commuter has weekly trips).
 *  4. Legs without any time make no trip of their own: they come last, as one `undated` group.
 *
 * Cancelled legs stay in their trip, so that a traveller sees what fell away, but do not stretch or end it.
 * The id is that of the reservation and leg it starts with: a later leg does not change it.
 */
export const TRIP_GAP_MS = 48 * 3600 * 1000;
/** Shorter than this at home is a connection, not the end of a trip. */
export const HOME_TURN_MS = 4 * 3600 * 1000;

export interface TripLeg {
  readonly reservation: ReservationId;
  readonly leg: Leg;
}

export interface Trip<T extends TripLeg = TripLeg> {
  readonly id: string;
  readonly title: string;
  /** Epoch ms; undefined where no leg has a time with a zone. */
  readonly startsAt: number | undefined;
  readonly endsAt: number | undefined;
  readonly cancelled: boolean;
  /** In order of start. */
  readonly legs: readonly T[];
}

interface Placed<T> {
  readonly item: T;
  readonly start: Point;
  readonly end: Point;
  readonly from: number;
  readonly to: number;
  readonly cancelled: boolean;
  readonly transport: boolean;
}

/** Groups legs into trips, earliest first; pure, and independent of the order given. */
export function groupTrips<T extends TripLeg>(legs: readonly T[]): readonly Trip<T>[] {
  const placed = legs.map(place).sort(byStart);
  const groups: Placed<T>[][] = [];
  const undated: Placed<T>[] = [];
  let open:
    | { readonly group: Placed<T>[]; until: number; home: string | undefined; homeAt: number | undefined }
    | undefined;

  for (const one of placed) {
    if (!Number.isFinite(one.from)) {
      undated.push(one);
      continue;
    }
    const gap = open === undefined || one.from - open.until > TRIP_GAP_MS;
    const left =
      open?.homeAt !== undefined && one.transport && one.from - open.homeAt > HOME_TURN_MS && one.from >= open.until;
    if (open === undefined || gap || left) {
      open = { group: [], until: one.cancelled ? one.from : one.to, home: undefined, homeAt: undefined };
      groups.push(open.group);
    }
    open.group.push(one);
    if (one.cancelled) continue;
    open.until = Math.max(open.until, one.to);
    if (one.transport) {
      open.home ??= placeKey(one.start);
      if (open.home !== undefined && placeKey(one.end) === open.home) open.homeAt = one.to;
    }
  }
  if (undated.length > 0) groups.push(undated);
  return groups.map((group) => toTrip(group));
}

function place<T extends TripLeg>(item: T): Placed<T> {
  const start = pointOf(item.leg, 'start');
  const end = pointOf(item.leg, 'end');
  const from = orderingMsOf(start.time, start.zone);
  const to = orderingMsOf(end.time, end.zone ?? start.zone);
  return {
    item,
    start,
    end,
    from,
    to: Number.isFinite(to) ? Math.max(from, to) : from,
    cancelled: legCancelled(item.leg),
    transport: TRANSPORT_KINDS.includes(item.leg.kind),
  };
}

/** Same start: what moves you comes before where you stay; then by id, so that the order never depends on the input. */
function byStart<T extends TripLeg>(a: Placed<T>, b: Placed<T>): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  if (a.transport !== b.transport) return a.transport ? -1 : 1;
  return a.item.leg.id < b.item.leg.id ? -1 : a.item.leg.id > b.item.leg.id ? 1 : 0;
}

function placeKey(point: Point): string | undefined {
  const place = point.city ?? point.name ?? point.code;
  return place === undefined ? undefined : fold(place);
}

function toTrip<T extends TripLeg>(group: readonly Placed<T>[]): Trip<T> {
  const first = group[0]!;
  const standing = group.filter((one) => !one.cancelled);
  const times = (standing.length > 0 ? standing : group).flatMap((one) => [one.start.at, one.end.at]).filter(isNumber);
  return {
    id: derivedId('trip', first.item.reservation, first.item.leg.id),
    title: titleOf(standing.length > 0 ? standing : group),
    startsAt: times.length > 0 ? Math.min(...times) : undefined,
    endsAt: times.length > 0 ? Math.max(...times) : undefined,
    cancelled: standing.length === 0,
    legs: group.map((one) => one.item),
  };
}

/** Where one stays longest; else the farthest point before turning home; else what the first leg is. */
function titleOf<T extends TripLeg>(group: readonly Placed<T>[]): string {
  const stay = longest(group.filter((one) => one.item.leg.kind === 'stay'));
  const rides = group.filter((one) => one.transport);
  const home = rides[0] === undefined ? undefined : placeKey(rides[0].start);
  const turns = rides.filter((one) => placeKey(one.end) !== undefined && placeKey(one.end) !== home);
  // The destination is where the longest time passes before the next ride leaves.
  const target = longest(
    turns.map((one) => {
      const next = rides[rides.indexOf(one) + 1];
      return { ...one, from: one.to, to: next === undefined ? one.to + TRIP_GAP_MS : next.from };
    }),
  );
  const place = nameOf(stay?.start) ?? nameOf(target?.end);
  if (place !== undefined) return `Trip to ${place}`;
  const kind: Kind | undefined = group[0]?.item.leg.kind;
  const where = nameOf(group[0]?.start);
  return where === undefined ? (kind === undefined ? 'Trip' : `Trip (${kind})`) : `Trip in ${where}`;
}

function longest<T extends { readonly from: number; readonly to: number }>(spans: readonly T[]): T | undefined {
  let best: T | undefined;
  for (const span of spans) if (best === undefined || span.to - span.from > best.to - best.from) best = span;
  return best;
}

function nameOf(point: Point | undefined): string | undefined {
  return point?.city ?? point?.name ?? point?.code;
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}
