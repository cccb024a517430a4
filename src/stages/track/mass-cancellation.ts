/**
 * Guard against a provider that suddenly says "cancelled" for everything (a broken feed, an account cut off). When more
 * than a twentieth of an account's subjects, and at least twenty, turn cancelled within one round, further ones are held
 * and asked again; each is published when it still says so at the third look. A closed airport is thus told within the
 * freshness promise, a feed that lied for a minute is not told at all. The first few are published: a handful of
 * cancellations is an ordinary day.
 */
export const HELD_MIN = 20;
export const HELD_SHARE = 0.05;
export const LOOKS_MIN = 3;
/** Between the looks. */
export const LOOK_AGAIN_MS = 50_000;

export interface MassCancellation {
  /** A subject turned cancelled: hold it? */
  turned(item: number, now: number): 'publish' | 'hold';
  /** A subject is not cancelled (any more). */
  cleared(item: number): void;
  readonly held: number;
}

/** `size`: subjects of the account, at this moment; `roundMs`: length of a round. */
export function createMassCancellation(size: () => number, roundMs: number): MassCancellation {
  /** When each of the last ones turned, oldest first. */
  let turnedAt: number[] = [];
  const looks = new Map<number, number>();

  return {
    turned: (item, now) => {
      const seen = (looks.get(item) ?? 0) + 1;
      if (seen === 1) {
        turnedAt = turnedAt.filter((at) => now - at < roundMs && at <= now);
        turnedAt.push(now);
        if (turnedAt.length <= Math.max(HELD_MIN, HELD_SHARE * size())) return 'publish';
      }
      if (seen >= LOOKS_MIN) {
        looks.delete(item);
        return 'publish';
      }
      looks.set(item, seen);
      return 'hold';
    },
    cleared: (item) => {
      looks.delete(item);
    },
    get held() {
      return looks.size;
    },
  };
}
