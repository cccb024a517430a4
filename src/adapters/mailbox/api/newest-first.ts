import { hash } from 'node:crypto';
import { z } from 'zod';

/**
 * Walks a mailbox from the newest mail back by the time of receipt instead of by page numbers, which slip when mails come
 * and go meanwhile: each page begins at the time at which the last one ended, and leaves out what was listed of that
 * time. A mail is never skipped; none is given twice but after a clock of the server went back.
 */
export const placeSchema = z.object({
  /** Time of receipt of the last mail listed, epoch ms. */
  at: z.number().optional(),
  /** Digests of the ids of that time which were listed. */
  seen: z.array(z.string()).optional(),
  /** More mails of one time than fit a page: so many of them are passed over. */
  skip: z.number().optional(),
});
export type Place = z.infer<typeof placeSchema>;

export interface Dated {
  readonly id: string;
  readonly receivedAt: number;
}

export interface Ask {
  /**
   * Received before this time, epoch ms, a whole second above the place: servers show seconds, whatever they compare.
   * Undefined: from the newest on.
   */
  readonly before: number | undefined;
  readonly skip: number;
  readonly limit: number;
}

/** `limitMax`: the largest page that the server gives. `more` false: nothing older is there. */
export async function newestFirst<T extends Dated>(
  place: Place,
  max: number,
  limitMax: number,
  ask: (ask: Ask) => Promise<readonly T[]>,
): Promise<{ readonly items: readonly T[]; readonly place: Place; readonly more: boolean }> {
  const seen = new Set(place.seen);
  const skip = place.skip ?? 0;
  const limit = Math.min(limitMax, max + seen.size);
  const top = place.at ?? Number.POSITIVE_INFINITY;
  const before = place.at === undefined ? undefined : (Math.floor(place.at / 1000) + 1) * 1000;
  const found = await ask({ before, skip, limit });
  const fresh = found.filter((one) => one.receivedAt < top || (one.receivedAt === top && !seen.has(mark(one.id))));
  const items = fresh.slice(0, max);
  const more = found.length >= limit || items.length < fresh.length;
  const at = items.at(-1)?.receivedAt;
  if (at === undefined) {
    // A whole page of what was listed: all of one time.
    return { items, place: more ? { ...place, skip: skip + found.length } : place, more };
  }
  const ofThatTime = items.filter((one) => one.receivedAt === at).map((one) => mark(one.id));
  const kept = at === place.at ? [...seen, ...ofThatTime] : ofThatTime;
  return { items, place: { at, seen: kept.slice(-SEEN_MAX), ...(at === place.at && skip > 0 ? { skip } : {}) }, more };
}

const SEEN_MAX = 400;

function mark(id: string): string {
  return hash('sha256', id, 'base64url').slice(0, 10);
}
