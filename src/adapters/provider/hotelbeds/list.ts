import { z } from 'zod';
import type { ChangedList } from '../../../ports/provider.ts';
import { bookingSubjectId } from '../booking/subjects.ts';
import type { HotelbedsBooking } from './schema.ts';

/**
 * The list of bookings by check-in: one call for a hundred, where a booking alone is a call of its own. It says how each
 * stands; who stands otherwise than at the last look is woken.
 */
export const PAGE = 100;
/** So many days from yesterday on; the vendor takes a month at most. */
const DAYS = 30;
const KNOWN_MAX = 5000;

const cursorSchema = z.object({
  /** First place of the next page, from 1. */
  from: z.int().min(1),
  /** `reference state` of the last whole look. */
  known: z.array(z.string().max(200)),
  /** The same, of the look that is under way. */
  seen: z.array(z.string().max(200)),
});
export type ListCursor = z.infer<typeof cursorSchema>;

/** What we wrote ourselves; anything else begins anew. */
export function readCursor(cursor: string | undefined): ListCursor {
  try {
    return cursorSchema.parse(JSON.parse(cursor ?? ''));
  } catch {
    return { from: 1, known: [], seen: [] };
  }
}

/** Query of the page at the cursor. `now`: epoch ms. */
export function listQuery({ from }: ListCursor, now: number): string {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO('UTC').toPlainDate();
  const range = { start: today.subtract({ days: 1 }), end: today.add({ days: DAYS - 1 }) };
  return new URLSearchParams({
    start: range.start.toString(),
    end: range.end.toString(),
    filterType: 'CHECKIN',
    status: 'ALL',
    from: String(from),
    to: String(from + PAGE - 1),
  }).toString();
}

/** @param total of the whole list */
export function pageTaken(
  cursor: ListCursor,
  page: readonly HotelbedsBooking[],
  total: number,
  isReference: RegExp,
): ChangedList {
  const known = new Set(cursor.known);
  const listed = page.flatMap((one) =>
    one.reference && isReference.test(one.reference)
      ? [{ id: one.reference, mark: `${one.reference} ${one.status} ${one.hotel?.checkIn} ${one.hotel?.checkOut}` }]
      : [],
  );
  const wakes = listed.filter(({ mark }) => !known.has(mark)).map(({ id }) => bookingSubjectId(id));
  const seen = [...cursor.seen, ...listed.map(({ mark }) => mark.slice(0, 200))].slice(0, KNOWN_MAX);
  const from = cursor.from + PAGE;
  const more = page.length > 0 && from <= Math.min(total, KNOWN_MAX);
  const next: ListCursor = more ? { from, known: cursor.known, seen } : { from: 1, known: seen, seen: [] };
  return { cursor: JSON.stringify(next), wakes: [...new Set(wakes)], more };
}
