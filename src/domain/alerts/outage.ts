import { pointOf } from '../leg-points.ts';
import type { Leg, Reservation } from '../reservation.ts';
import type { Told } from './alert.ts';
import { factOf, toldOf } from './found.ts';
import { cancelledBy, type Word } from './grounds.ts';

/** A journey is near from so long before its start, ms. */
const NEAR_MS = 12 * 3_600_000;
/** What all of them say is waited for so long after the first answers again. */
const OTHERS_MS = 120_000;
/** ... and so long for what they say to be worked through. */
export const SETTLE_MS = 30_000;
export const LOOK_MS = 60_000;

const FACT = factOf(undefined, 'unverified');
/** Since when somebody answers again. */
const ANSWERING = factOf(undefined, 'answering');

/** Whether what is known of a reservation is confirmed by those who could. */
export type Verification =
  | { readonly state: 'verified' }
  /** Nobody answers; nothing of it was told yet. Epoch ms of the last answer. */
  | { readonly state: 'lost'; readonly since: number; readonly leg: Leg }
  /** It was told, and goes on: news are held. */
  | { readonly state: 'held'; readonly since: number; readonly isAnswering: boolean }
  /** It was told, and they answer again. */
  | { readonly state: 'back'; readonly since: number; readonly leg: Leg | undefined };

/**
 * `minutes`: so long nobody must have answered. Where live status is asked of someone, it is their word that counts, not
 * that of whoever sold the booking.
 */
export function verificationOf(
  reservation: Reservation,
  told: Told,
  words: readonly Word[],
  minutes: number,
  now: number,
): Verification {
  const held = toldOf(told, FACT)?.value;
  const leg = nearLeg(reservation, now);
  const asked = words.filter((one) => one.asked);
  const live = asked.filter((one) => !one.own);
  const who = live.length > 0 ? live : asked;
  // One account is asked about a thing, others stand by: it is the newest answer of any of them that counts.
  const things = [...Map.groupBy(who, ({ thing }) => thing).values()].map((accounts) => ({
    at: Math.max(...accounts.map((one) => one.checkedAt ?? Number.NEGATIVE_INFINITY)),
    isFailing: accounts.some(({ failing }) => failing),
  }));
  if (typeof held === 'number') {
    const fresh = things.filter(({ at }) => at > held);
    const answeringAt = Number(toldOf(told, ANSWERING)?.value || now);
    const isBack = fresh.length > 0 && (fresh.length === things.length || now - answeringAt >= OTHERS_MS);
    const isSettled = now - Math.max(...fresh.map(({ at }) => at)) >= SETTLE_MS || now - answeringAt >= SETTLE_MS;
    // Over, or asked of nobody any more: nothing is left to wait for.
    if (leg === undefined || things.length === 0 || (isBack && isSettled)) return { state: 'back', since: held, leg };
    return { state: 'held', since: held, isAnswering: fresh.length > 0 };
  }
  const silent = things.filter(({ at, isFailing }) => isFailing && at <= now - minutes * 60_000);
  const since = Math.min(...silent.map(({ at }) => at));
  if (leg === undefined || !Number.isFinite(since)) return { state: 'verified' };
  return { state: 'lost', since, leg };
}

export function isHeld(told: Told): boolean {
  return typeof toldOf(told, FACT)?.value === 'number';
}

/** The fact in the record: epoch ms of the last answer before the outage, or false when it is over. */
export function unverifiedFact(since: number | false) {
  return { fact: FACT, value: since };
}

/** In the record while an outage ends: when the first was seen to answer again (epoch ms), or false. */
export function answeringFact(told: Told, at: number | false) {
  const held = toldOf(told, ANSWERING)?.value;
  if (at === false) return held === undefined || held === false ? [] : [{ fact: ANSWERING, value: false }];
  return typeof held === 'number' ? [] : [{ fact: ANSWERING, value: at }];
}

/** The next leg that is near or under way and takes place. */
function nearLeg(reservation: Reservation, now: number): Leg | undefined {
  return reservation.legs.find((leg) => {
    const [start, end] = [pointOf(leg, 'start'), pointOf(leg, 'end')];
    const from = start.at ?? end.at;
    const until = end.at ?? start.at;
    if (from === undefined || until === undefined || cancelledBy(leg.fields).state === 'yes') return false;
    return from - NEAR_MS <= now && now <= until;
  });
}
