import type { BookingClaim } from '../extract/claim.ts';
import type { Authority } from '../observation.ts';
import type { Trust, Verdict } from './verdict.ts';

/** With what authority a mail speaks. Only a proven one confirms, cancels and changes; all others claim. */
export function authorityOf(trust: Trust | undefined): Authority {
  return trust?.level === 'authentic' ? 'mail-proven' : 'mail';
}

/**
 * The trust in one booking that was read from a mail. What stands in an attached mail is believed as that mail is, and only
 * if all of the booking stands there: a wrapper must not add to what a genuine mail says.
 */
export function trustIn(claim: BookingClaim, verdict: Verdict | undefined): Trust | undefined {
  if (verdict === undefined) return undefined;
  const { attached } = verdict;
  if (attached === undefined) return plain(verdict);
  const places = [claim, ...claim.legs].flatMap(({ facts }) =>
    Object.values(facts).flatMap(({ evidence }) => (evidence === undefined ? [] : [evidence.where])),
  );
  const inside = places.filter((where) => FORWARDED.test(where)).length;
  const outside = places.filter((where) => !FORWARDED.test(where) && / part \d/.test(where)).length;
  if (inside > 0 && outside === 0) return plain(attached);
  const { level, sender, registered } = plain(verdict);
  // A mail that carries others vouches for its own words only where no other is mixed in.
  return { level: inside > 0 && level === 'authentic' ? 'plausible' : level, sender, registered };
}

const FORWARDED = /^forwarded mail, /;

function plain({ level, sender, registered }: Trust): Trust {
  return { level, sender, registered };
}
