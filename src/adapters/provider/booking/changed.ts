import type { ChangedList } from '../../../ports/provider.ts';
import { bookingSubjectId } from './subjects.ts';

/** More than this on an agency's queues is a backlog that nobody works off; the slow poll finds those beyond. */
const KNOWN_MAX = 5000;

/**
 * From a list that says who is on it, not what is new: whoever was not on it at the last look is woken. Nothing is ever
 * taken off such a list by us, that is the agency's own work.
 *
 * @param locators sorted
 */
export function changedSince(cursor: string | undefined, locators: readonly string[]): ChangedList {
  const known = new Set(cursor === undefined ? [] : cursor.split(' '));
  const listed = locators.slice(0, KNOWN_MAX);
  return {
    cursor: listed.join(' '),
    wakes: listed.filter((id) => !known.has(id)).map(bookingSubjectId),
    more: false,
  };
}
