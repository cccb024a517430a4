import { AUTHORITY } from '../observation.ts';
import type { Field } from '../reservation.ts';
import { best, type Claims, decide, fieldOf, LEVELS, outranks, type Said, saidAbout, withBeside } from './fields.ts';

export interface DecidedStatus {
  readonly booking: Field | undefined;
  readonly legs: readonly { readonly status: Field | undefined; readonly operation: Field | undefined }[];
}

/** What withheld mails say (withhold.ts): it may only ever stand beside. */
export interface Doubts {
  readonly booking: Claims;
  readonly legs: readonly Claims[];
}

/**
 * Status is the one field where booking and legs speak about each other.
 *
 *  - A leg's own word and a cancellation of the whole booking compete by rank: the booking's newer or more believed
 *    "cancelled" cancels the leg; a leg confirmed later, or by a more believed source, stands.
 *  - "confirmed" for the whole booking never revives a leg that was cancelled by itself; it only tells about legs of
 *    which nobody said anything.
 *  - A booking counts as cancelled only while no outside source has a higher-ranked word that one of its legs stands.
 *    If that source is of a higher authority, its word protects every leg: a mailed "cancelled" cannot beat the provider
 *    who holds the booking, and stays a claim.
 *  - A booking all of whose legs are cancelled is cancelled, unless something said of the booking itself is newer or more
 *    believed: an old "confirmed" that comes late says nothing new.
 *  - `operation: cancelled` from a mail is held to the same rule: it cannot beat a more believed status.
 *  - A "cancelled" that lost by authority, yet is newer than what won, is shown *beside* the status, so that the page
 *    can say so and the tracker can ask the provider at once.
 */
export function decideStatus(booking: Claims, legs: readonly Claims[], doubts?: Doubts): DecidedStatus {
  const doubtsOfBooking = doubts === undefined ? [] : saidAbout(doubts.booking, 'status');
  const doubtsOf = (index: number): readonly Said[] => {
    const own = doubts?.legs[index];
    return own === undefined
      ? doubtsOfBooking
      : [...doubtsOfBooking, ...saidAbout(own, 'status'), ...saidAbout(own, 'operation')];
  };
  const ofBooking = saidAbout(booking, 'status');
  const ofLegs = legs.map((leg) => saidAbout(leg, 'status'));
  const spoken = best(ofBooking);
  const cancelled = spoken !== undefined && isCancelled(spoken);
  const standing = best(ofLegs.flat().filter((said) => stands(said) && said.observation.authority !== 'person'));
  const contradicted = cancelled && standing !== undefined && outranks(standing, spoken);
  const overruled = contradicted && standing.level > spoken.level;
  const heard = ofLegs.map((own) =>
    (cancelled && !overruled) || (own.length === 0 && !cancelled) ? [...own, ...ofBooking] : own,
  );
  const gone = allGone(heard.map(best), spoken);
  const pool = contradicted ? [...ofBooking, standing] : gone === undefined ? ofBooking : [...ofBooking, gone];

  return {
    booking: challenged(decide('status', pool), best(pool), ofBooking, doubtsOfBooking),
    legs: legs.map((leg, index) =>
      decideLeg(heard[index]!, saidAbout(leg, 'operation'), [...ofLegs[index]!, ...ofBooking], doubtsOf(index)),
    ),
  };
}

/** The last word on a booking all of whose legs are cancelled, each by more than what is said of the booking itself. */
function allGone(legs: readonly (Said | undefined)[], booking: Said | undefined): Said | undefined {
  if (legs.length === 0) return undefined;
  const beyond = (said: Said | undefined): said is Said =>
    said !== undefined && isCancelled(said) && (booking === undefined || outranks(said, booking));
  return legs.every(beyond) ? best(legs.filter((said) => said !== undefined)) : undefined;
}

function decideLeg(
  heard: readonly Said[],
  running: readonly Said[],
  claimed: readonly Said[],
  doubts: readonly Said[],
) {
  const status = best(heard);
  const believed = (said: Said) =>
    !isCancelled(said) ||
    said.level >= BOOKING_LEVEL ||
    status === undefined ||
    !stands(status) ||
    said.level >= status.level;
  const disbelieved = running.filter((said) => !believed(said));
  return {
    status: challenged(decide('status', heard), status, [...claimed, ...disbelieved], doubts),
    operation: decide('operation', running.filter(believed)),
  };
}
const BOOKING_LEVEL = LEVELS.findIndex((authority) => AUTHORITY[authority] >= AUTHORITY.booking);

function isCancelled(said: Said): boolean {
  return said.value === 'cancelled';
}

function stands(said: Said): boolean {
  return said.value !== 'cancelled' && said.value !== null;
}

/** Puts the most believed, newer "cancelled" of a less believed source, or one that is not to be believed, beside the status. */
function challenged(
  field: Field | undefined,
  winner: Said | undefined,
  said: readonly Said[],
  doubts: readonly Said[],
): Field | undefined {
  if (field === undefined || winner === undefined || field.beside !== undefined || isCancelled(winner)) return field;
  const weaker = [...said.filter((one) => one.level < winner.level), ...doubts];
  const challenge = best(weaker.filter((one) => isCancelled(one) && one.at > winner.at));
  return challenge === undefined ? field : withBeside('status', fieldOf('status', winner), challenge);
}
