/**
 * Guard against a provider that suddenly says "cancelled" for everything (a broken feed, an account cut off), or moves
 * every plan (a zone mixed up, parts left out). When more than a twentieth of an account's subjects, and at least twenty,
 * turn like that within one round, further ones are held and asked again; each is published when it still says so at the
 * third look. A closed airport is thus told within minutes, a feed that lied for a minute is not told at all. The first
 * few are published: a handful is an ordinary day. Delays and gates are never held: they change by the hundred.
 */
export const HELD_MIN = 20;
export const HELD_SHARE = 0.05;
export const LOOKS_MIN = 3;
/** Between the looks. */
export const LOOK_AGAIN_MS = 50_000;

export interface MassChange {
  /** A subject turned: hold it? */
  turned(item: number, now: number): 'publish' | 'hold';
  /** It says again what it said before, or it is news of another kind. */
  cleared(item: number): void;
  readonly held: number;
}

/** `size`: subjects of the account, at this moment; `roundMs`: length of a round. */
export function createMassChange(size: () => number, roundMs: number): MassChange {
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
