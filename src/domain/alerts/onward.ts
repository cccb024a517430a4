import { fold, TRANSPORT_KINDS } from '../facts.ts';
import type { ReservationId } from '../ids.ts';
import { type Point, pointOf, textOf } from '../leg-points.ts';
import { known } from '../reconcile/fields.ts';
import type { Leg, Reservation } from '../reservation.ts';
import { epochMsOf } from '../time/travel-time.ts';
import type { Told } from './alert.ts';
import { factOf, type News, toldOf } from './found.ts';
import { cancelledBy } from './grounds.ts';
import { clockAt, duration, type Language, legName } from './phrase.ts';
import {
  CONNECTION_LOSS_MIN,
  CONNECTION_MINUTES,
  CONNECTION_MS_MAX,
  DESK_WAITS_MS,
  RECEPTION_UNTIL,
  type Transfer,
  WAY_MS,
} from './rules.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A leg with the reservation it belongs to: what comes after one may be booked elsewhere. */
export interface Placed {
  readonly reservation: ReservationId;
  readonly leg: Leg;
}

/** News that belong to the record of the onward leg's reservation. */
export interface OnwardNews {
  readonly reservation: ReservationId;
  readonly news: News;
}

/**
 * What a late, cancelled or diverted leg means for what comes after it: the next leg, the hotel's check-in, the rental
 * desk. `reservations` are all of one traveller that lie near in time; the record of each is in `told`.
 */
export function onwardOf(
  reservations: readonly Reservation[],
  told: (reservation: ReservationId) => Told,
  language: Language,
  now: number,
): readonly OnwardNews[] {
  const placed = reservations.flatMap(({ id, legs, fields }) =>
    cancelledBy(fields).state === 'yes' || known(fields, 'removed') === true
      ? legs.map((leg) => ({ reservation: id, leg, off: true }))
      : legs.map((leg) => ({ reservation: id, leg, off: cancelledBy(leg.fields).state === 'yes' })),
  );
  const rides = placed.filter(({ leg }) => TRANSPORT_KINDS.includes(leg.kind));
  const found: OnwardNews[] = [];
  for (const onward of placed) {
    if (onward.off) continue;
    const before = toldOf(told(onward.reservation), factOf(onward.leg, 'reached'));
    const state = TRANSPORT_KINDS.includes(onward.leg.kind)
      ? connectionState(rides, onward.leg, language, now)
      : knockOnState(rides, onward.leg, language, now);
    if (state === undefined || state.value === (before?.value ?? 'yes')) continue;
    found.push({
      reservation: onward.reservation,
      news: {
        ...state.news,
        facts: [{ fact: factOf(onward.leg, 'reached'), value: state.value }],
        leg: onward.leg.id,
        by: state.because?.fields['end.estimated']?.by,
      },
    });
  }
  return found;
}

interface State {
  /** `yes`, `tight`, `no`, `late`: what the record holds. */
  readonly value: string;
  readonly news: Omit<News, 'facts' | 'leg' | 'by'>;
  readonly because: Leg | undefined;
}
interface Ride extends Placed {
  readonly off: boolean;
}

/** Undefined: there is no connection here, or nothing to say of it. */
function connectionState(rides: readonly Ride[], onward: Leg, language: Language, now: number): State | undefined {
  const start = pointOf(onward, 'start');
  const startAt = epochMsOf(start.scheduled, start.zone);
  if (startAt === undefined || start.at === undefined || start.basis === 'actual' || start.at < now - HOUR)
    return undefined;
  const into = rides
    .flatMap((ride) => {
      const end = pointOf(ride.leg, 'end');
      const endAt = epochMsOf(end.scheduled, end.zone);
      const transfer = ride.leg === onward ? undefined : transferOf(end, start, ride.leg, onward);
      if (endAt === undefined || transfer === undefined) return [];
      const plannedMs = startAt - endAt;
      return plannedMs <= 0 || plannedMs > CONNECTION_MS_MAX ? [] : [{ ...ride, end, transfer, plannedMs }];
    })
    .sort((a, b) => a.plannedMs - b.plannedMs);
  // Who was booked onto another flight still reaches it.
  const standing = into.find((ride) => !ride.off);
  const first = standing ?? into[0];
  if (first === undefined) return undefined;
  const params = { leg: legName(language, onward), first: legName(language, first.leg) };
  const news = { kind: 'connection', severity: 'critical', params } as const;
  if (standing === undefined) {
    const value = { value: 'no', because: first.leg };
    return { ...value, news: { ...news, certain: false, key: 'brokenByCancellation' } };
  }
  if (known(first.leg.fields, 'operation') === 'diverted')
    return { value: 'no', because: first.leg, news: { ...news, certain: false, key: 'brokenByDiversion' } };
  if (first.end.at === undefined) return undefined;
  const minutes = Math.floor((start.at - first.end.at) / MINUTE);
  const need = CONNECTION_MINUTES[first.transfer];
  const lost = Math.floor(first.plannedMs / MINUTE) - minutes;
  const said = { ...params, minutes: duration(language, Math.max(0, minutes)), least: duration(language, need.tight) };
  const at = { because: first.leg };
  // Both times are expectations: certain is only what has happened.
  const certain = first.end.basis === 'actual';
  if (lost >= CONNECTION_LOSS_MIN && minutes < need.least)
    return {
      ...at,
      value: 'no',
      news: {
        ...news,
        certain,
        key: minutes < 0 ? 'missed' : 'broken',
        params: { ...said, least: duration(language, need.least) },
      },
    };
  if (lost >= CONNECTION_LOSS_MIN && minutes < need.tight)
    return { ...at, value: 'tight', news: { ...news, severity: 'warning', certain, key: 'tight', params: said } };
  return { ...at, value: 'yes', news: { ...news, severity: 'info', certain, key: 'possible', params: said } };
}

/** Undefined: the two ends are not in one town as far as is known. */
function transferOf(end: Point, start: Point, first: Leg, onward: Leg): Transfer | undefined {
  const isSamePlace = end.code !== undefined && end.code === start.code;
  const isSameName = end.name !== undefined && start.name !== undefined && fold(end.name) === fold(start.name);
  if (!isSamePlace && !isSameName) {
    const isSameTown = end.city !== undefined && start.city !== undefined && fold(end.city) === fold(start.city);
    return isSameTown ? 'across-town' : undefined;
  }
  if (first.kind !== 'flight' && onward.kind !== 'flight') return 'same-station';
  const [out, into] = [textOf(first.fields, 'end.terminal'), textOf(onward.fields, 'start.terminal')];
  return out !== undefined && into !== undefined && fold(out) === fold(into) ? 'same-terminal' : 'same-airport';
}

/** Whether a late arrival comes after the reception or the desk has closed. Undefined: it has nothing to do with it. */
function knockOnState(rides: readonly Ride[], place: Leg, language: Language, now: number): State | undefined {
  if (place.kind !== 'stay' && place.kind !== 'rental') return undefined;
  const limit = limitOf(place);
  if (limit === undefined || now > limit.at + 12 * HOUR) return undefined;
  const before = rides
    .flatMap((ride) => {
      const end = pointOf(ride.leg, 'end');
      const plannedAt = epochMsOf(end.scheduled, end.zone);
      if (ride.off || plannedAt === undefined || end.at === undefined) return [];
      // What was planned to arrive too late is known to whoever booked it.
      return plannedAt < limit.dayAt || plannedAt + WAY_MS > limit.at ? [] : [{ ...ride, end, plannedAt }];
    })
    .sort((a, b) => b.plannedAt - a.plannedAt);
  const [last] = before;
  if (last === undefined) return undefined;
  const thereAt = last.end.at! + WAY_MS;
  const params = {
    leg: legName(language, place),
    time: clockAt(language, thereAt, limit.zone, limit.at),
    until: clockAt(language, limit.isKnown || place.kind === 'stay' ? limit.at : limit.bookedAt, limit.zone),
  };
  // Certain is what has happened, against hours that the place has named.
  const certain = limit.isKnown && last.end.basis === 'actual';
  const about = { kind: 'knock-on', certain, params } as const;
  if (thereAt <= limit.at)
    return { value: 'yes', because: last.leg, news: { ...about, severity: 'info', key: 'inTime' } };
  const stay = place.kind === 'stay';
  const known = stay ? 'lateForStay' : 'lateForDesk';
  return {
    value: 'late',
    because: last.leg,
    news: { ...about, severity: 'warning', key: limit.isKnown ? known : `${known}Perhaps` },
  };
}

interface Limit {
  /** Epoch ms until which one may come. */
  readonly at: number;
  /** Booked time; of a stay the start of check-in. */
  readonly bookedAt: number;
  /** From when on arrivals lead there: the booked day, or some hours before. */
  readonly dayAt: number;
  readonly zone: string;
  /** The place named its hours. */
  readonly isKnown: boolean;
}

/** By the clock on the wall of the place, whatever the clocks do that night. A closing hour before noon is the next day's. */
function limitOf(place: Leg): Limit | undefined {
  const start = pointOf(place, 'start');
  const { zone, scheduled } = start;
  if (zone === undefined || scheduled === undefined) return undefined;
  try {
    const day = Temporal.PlainDate.from(scheduled.slice(0, 10));
    const named = /^(\d{1,2}):(\d{2})/.exec(textOf(place.fields, 'start.until') ?? '')?.[0];
    const until = Temporal.PlainTime.from((named ?? RECEPTION_UNTIL).padStart(5, '0'));
    const closing = day
      .add({ days: until.hour < 12 ? 1 : 0 })
      .toZonedDateTime({ timeZone: zone, plainTime: until }).epochMilliseconds;
    const dayAt = day.toZonedDateTime(zone).epochMilliseconds;
    const bookedAt = epochMsOf(scheduled, zone) ?? dayAt;
    if (place.kind === 'stay') return { at: closing, bookedAt, dayAt, zone, isKnown: named !== undefined };
    if (scheduled.length === 10) return undefined;
    // A desk waits a while for who comes late, unless it closes.
    const at = named === undefined ? bookedAt + DESK_WAITS_MS : closing;
    return { at, bookedAt, dayAt: bookedAt - 12 * HOUR, zone, isKnown: named !== undefined };
  } catch {
    return undefined;
  }
}
