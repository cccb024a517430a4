/**
 * Finds the rate that a provider lets through where it does not say, or says something else than it does. Before the
 * first refusal there is no bound (or a slow start, where nothing at all is known). A refusal gives one: what was let
 * through since the last refusal, a little less. Then the rate
 *
 *   returns to just below that wall in `SETTLE_MS`, stays there for `HOLD_MS`, and then grows faster and faster,
 *
 * so that in a steady state a call in some hundreds is refused, and a limit that doubles is found within a minute. Calls
 * are spread evenly at the rate. It grows only while the rate is what holds us back: what was not tried says nothing.
 * Pure: the time is given, ms.
 */
export interface RateLearner {
  /** Calls a second it lets through; Infinity: nothing was learned. */
  perSecond(now: number): number;
  /** When the next call may go; `now` or before: at once. */
  admitsAt(now: number): number;
  /** A call begins. */
  began(now: number): void;
  /** A call was let through. */
  accepted(now: number, beganAt: number): void;
  /** A call was refused. False: it began before the last cut, so it hit the same wall. `restsMs`: nothing is asked so long. */
  refused(now: number, beganAt: number, restsMs?: number): boolean;
  snapshot(now: number): Learned | undefined;
  restore(learned: Learned, now: number): void;
}

/** What outlives a restart. */
export interface Learned {
  /** Calls a second. */
  readonly wall: number;
  /** Epoch ms. */
  readonly at: number;
}

export interface RateLearnerOptions {
  /** Calls a second that are known not to be exceeded; Infinity: nothing is known, so it begins slowly. */
  readonly knownPerSecond: number;
  readonly now: number;
}

/** A cut goes below the wall, so that what the provider's bucket lacks comes back. */
const CUT = 0.92;
const HELD = 0.98;
const SETTLE_MS = 5_000;
const HOLD_MS = 24_000;
/** ... and for so many calls: where few are made, a refusal must still be one of many. */
const HOLD_CALLS = 130;
const HOLD_MS_MAX = 300_000;
/** Growth after that, as a share of the wall per s². */
const GROWTH = 0.0014;
/** Without any limit known: the first rate, and how it grows while it is all let through. */
const START_PER_SECOND = 2;
const START_DOUBLES_MS = 3_000;
/** However often it is refused, it keeps asking so often, so that it can find out: a share of what is known, or this. */
export const RATE_MIN = 1 / 60;
const KNOWN_SHARE_MIN = 1 / 32;
/** Evenly spread calls may bunch by so much time. */
const BUNCH_MS = 100;
const WINDOWS_MS = 20_000;
/** No bucket of a second that is asked again after a second is shut so long; and windows of so long are told whole. */
const SHUT_MS = 2_500;
const WHOLE_MS = 25_000;
/** A wall that was shut for hours for another reason must not leave us with next to nothing. */
const WINDOW_SHARE_MIN = 0.05;
/** Looked back to tell the present rate, in slices. */
const SLICE_MS = 500;
const SLICES = 10;
/** A wall that nobody hit for so long is forgotten. */
const FORGET_MS = 24 * 3_600_000;

export function createRateLearner({ knownPerSecond, now: startAt }: RateLearnerOptions): RateLearner {
  /** Undefined: no wall was met yet. */
  let wall: number | undefined;
  const least = knownPerSecond === Number.POSITIVE_INFINITY ? RATE_MIN : knownPerSecond * KNOWN_SHARE_MIN;
  let startRate = knownPerSecond === Number.POSITIVE_INFINITY ? START_PER_SECOND : Number.POSITIVE_INFINITY;
  /** Time under the present wall during which the rate held us back. */
  let grownMs = 0;
  let cutAt = Number.NEGATIVE_INFINITY;
  let countsFrom = startAt;
  let cuts = 0;
  let acceptedSinceCut = 0;
  let restedMs = 0;
  /** The last cut, until a call is let through again: since when, how many were let through before, and at what rate. */
  let shut: { readonly from: number; readonly accepted: number; readonly before: number } | undefined;
  let reopenedAt = knownPerSecond === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : startAt;
  /** When the rate held a call back last, and until when growth was counted. */
  let pressedAt = Number.NEGATIVE_INFINITY;
  let countedAt = startAt;
  /** Theoretical time of the next call. */
  let nextAt = Number.NEGATIVE_INFINITY;
  const slices = new Float64Array(SLICES);
  let slice = Math.floor(startAt / SLICE_MS);

  function rate(): number {
    if (wall === undefined) return startRate;
    // A wall that was hit again while it was looked for is a guess: how much it lets through is tried sooner.
    const surely = cuts > 1 ? 1 / 3 : 1;
    const holdMs = surely * Math.min(HOLD_MS_MAX, Math.max(HOLD_MS, (HOLD_CALLS / wall) * 1000));
    const settled = CUT + (HELD - CUT) * Math.min(1, grownMs / SETTLE_MS);
    const beyond = Math.max(0, grownMs - SETTLE_MS - holdMs) / 1000;
    return Math.max(least, wall * (settled + GROWTH * beyond * beyond));
  }

  function turnSlices(now: number): void {
    const is = Math.floor(now / SLICE_MS);
    if (is < slice || is - slice > SLICES) slices.fill(0);
    else for (let i = slice + 1; i <= is; i++) slices[i % SLICES] = 0;
    slice = is;
  }

  /** Calls let through a second, lately. */
  function lately(now: number): number {
    turnSlices(now);
    const since = Math.max(SLICE_MS, Math.min((SLICES - 1) * SLICE_MS + (now % SLICE_MS), now - startAt));
    let sum = 0;
    for (const count of slices) sum += count;
    return (sum * 1000) / since;
  }

  /**
   * Shut for longer than a bucket needs: it counts in windows, and from one opening to the next lie whole ones. Where
   * that was a short time, they were full, and what was let through in them is the limit; the rate of the seconds before
   * the wall says nothing of it.
   */
  function reopened(at: number): void {
    if (
      shut !== undefined &&
      wall !== undefined &&
      at - shut.from >= SHUT_MS &&
      at > reopenedAt &&
      at - reopenedAt < WHOLE_MS
    ) {
      const average = (shut.accepted * 1000) / (at - reopenedAt);
      wall = Math.max(least, Math.min(wall, Math.max(average, shut.before * WINDOW_SHARE_MIN)));
    }
    shut = undefined;
    reopenedAt = at;
  }

  const isPressed = (now: number): boolean => now - pressedAt < 1000 && now >= pressedAt;

  return {
    perSecond: () => rate(),
    admitsAt: (now) => {
      const perSecond = rate();
      if (perSecond === Number.POSITIVE_INFINITY) return now;
      // A clock that was set back locks nothing for longer than the time between two calls.
      if (nextAt > now + 2000 / perSecond + BUNCH_MS) nextAt = now;
      if (nextAt - BUNCH_MS <= now) return now;
      pressedAt = now;
      return nextAt - BUNCH_MS;
    },
    began: (now) => {
      const perSecond = rate();
      if (perSecond !== Number.POSITIVE_INFINITY) nextAt = Math.max(nextAt, now) + 1000 / perSecond;
    },
    accepted: (now, beganAt) => {
      turnSlices(now);
      slices[slice % SLICES]!++;
      if (beganAt >= cutAt) {
        if (acceptedSinceCut === 0 && shut !== undefined) reopened(beganAt);
        acceptedSinceCut++;
      }
      const stepMs = Math.min(1000, Math.max(0, now - countedAt));
      countedAt = now;
      if (!isPressed(now)) {
        if (wall !== undefined && now - cutAt > FORGET_MS) wall = undefined;
        return;
      }
      if (wall === undefined) startRate *= 2 ** (stepMs / START_DOUBLES_MS);
      else {
        grownMs += stepMs;
        // Beyond what is known to hold anyway, it bounds nothing.
        if (rate() > knownPerSecond) wall = undefined;
      }
    },
    refused: (now, beganAt, restsMs = 0) => {
      if (beganAt < cutAt) return false;
      if (wall !== undefined && acceptedSinceCut === 0 && cuts > 0) {
        // Nothing was let through since: it is still closed, and says nothing new about how much it lets through.
        restedMs += restsMs;
        cutAt = now;
        return false;
      }
      const recent = lately(now);
      // A wall that is hit soon again counts its calls in windows: the time that it was shut belongs to them.
      const wholeMs = now - countsFrom;
      const sinceMs = wholeMs < WINDOWS_MS ? wholeMs : wholeMs - restedMs;
      const average = sinceMs >= SLICE_MS ? (acceptedSinceCut * 1000) / sinceMs : recent;
      const before = Math.min(rate(), Math.max(recent, average, least));
      // Refused again right after a cut: the wall is far lower, and what got through since says where.
      const again = cuts > 0 && sinceMs < SETTLE_MS;
      cuts = again ? cuts + 1 : 1;
      const seen = again ? Math.min(average, before * (cuts > 2 ? 0.6 : 0.85)) : Math.max(average, recent * 0.87);
      wall = Math.max(least, Math.min(before, Math.max(seen, before * 0.4)));
      shut = { from: now, accepted: acceptedSinceCut, before };
      startRate = Number.POSITIVE_INFINITY;
      grownMs = 0;
      acceptedSinceCut = 0;
      // While we rest, the provider's bucket fills for a second at most; the rest of the time says nothing.
      restedMs = Math.max(0, restsMs - 1000);
      cutAt = now;
      countsFrom = now;
      nextAt = now + 1000 / rate();
      return true;
    },
    snapshot: (now) => (wall === undefined ? undefined : { wall: Math.min(wall, rate()), at: Math.trunc(now) }),
    restore: (learned, now) => {
      if (!(learned.wall > 0) || Math.abs(now - learned.at) > FORGET_MS) return;
      wall = Math.max(least, Math.min(learned.wall, knownPerSecond));
      startRate = Number.POSITIVE_INFINITY;
      cutAt = now;
    },
  };
}
