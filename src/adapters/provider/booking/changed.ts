import { z } from 'zod';
import type { ChangedList } from '../../../ports/provider.ts';
import { bookingSubjectId } from './subjects.ts';

/** More than this on a queue is a backlog that nobody works off; the slow poll finds those beyond. */
const KNOWN_MAX = 5000;

const cursorSchema = z.object({
  /** Whose turn it is. */
  queue: z.int().min(0),
  /** Who was on each at the last look. */
  known: z.record(z.string(), z.array(z.string())),
});

/**
 * One look at the next of an agency's queues: one call. A queue says who is on it, not what is new: whoever was not on it
 * at the last look is woken. Nothing is ever taken off by us, that is the agency's own work.
 *
 * @param list one queue's locators
 */
export async function lookAtQueues(
  cursor: string | undefined,
  queues: readonly string[],
  list: (queue: string) => Promise<readonly string[]>,
): Promise<ChangedList> {
  const { queue: turn, known } = readCursor(cursor);
  const at = turn < queues.length ? turn : 0;
  const queue = queues[at]!;
  const listed = [...new Set(await list(queue))].sort().slice(0, KNOWN_MAX);
  const before = new Set(known[queue] ?? []);
  // A queue that is no longer looked at is forgotten.
  const kept = Object.fromEntries(queues.flatMap((name) => (known[name] ? [[name, known[name]]] : [])));
  const more = at + 1 < queues.length;
  return {
    cursor: JSON.stringify({ queue: more ? at + 1 : 0, known: { ...kept, [queue]: listed } }),
    wakes: listed.filter((id) => !before.has(id)).map(bookingSubjectId),
    more,
  };
}

/** What we wrote ourselves; anything else begins anew. */
function readCursor(cursor: string | undefined): z.infer<typeof cursorSchema> {
  try {
    return cursorSchema.parse(JSON.parse(cursor ?? ''));
  } catch {
    return { queue: 0, known: {} };
  }
}
