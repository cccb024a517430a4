import { localDay } from '../../../domain/keys.ts';
import { textOf } from '../../../domain/leg-points.ts';
import type { Reservation } from '../../../domain/reservation.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';

/**
 * The list of bookings by check-in: one call for a hundred, where a booking alone is a call of its own and fifty calls are
 * all of a day. It is read as a board on which every booking of a month stands; what it says of each is less than the
 * booking itself does, but its state and its days.
 */
export const PAGE = 100;
/** A month with more than a thousand bookings: those beyond are asked alone. */
export const PAGES_MAX = 10;
/** The vendor takes a month at most. */
const DAYS = 30;
/** Of bookings whose check-in is not known yet: they are looked for among those that come next. */
const NEXT = 'next';

/** What a subject says besides its id: the day of check-in, where it is known. */
export function checkInOf({ legs }: Reservation): Readonly<Record<string, string>> {
  const days = legs
    .filter((leg) => leg.kind === 'stay')
    .flatMap((leg) => localDay(textOf(leg.fields, 'start.scheduled')) ?? [])
    .sort();
  return days[0] === undefined ? {} : { checkIn: days[0] };
}

/** Pure. A look-up compares more than the list says, so it stands on none. */
export function boardKeyOf({ query }: SubjectSpec): string | undefined {
  if (query.id === undefined) return undefined;
  if (query.checkIn === undefined) return NEXT;
  const day = Temporal.PlainDate.from(query.checkIn);
  const first = day.subtract({ days: epochDay(day) % DAYS });
  return first.toString();
}

/** Query of one page of a board. `now`: epoch ms; `from`: place of its first, from 1. */
export function boardQuery(key: string, from: number, now: number): string {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO('UTC').toPlainDate();
  const start = key === NEXT ? today.subtract({ days: 1 }) : Temporal.PlainDate.from(key);
  return new URLSearchParams({
    start: start.toString(),
    end: start.add({ days: DAYS - 1 }).toString(),
    filterType: 'CHECKIN',
    status: 'ALL',
    from: String(from),
    to: String(from + PAGE - 1),
  }).toString();
}

function epochDay(day: Temporal.PlainDate): number {
  return day.since('1970-01-01', { largestUnit: 'days' }).days;
}
