import type { Observation } from '../observation.ts';
import { baseOf, type PlacedClaim, placeClaims, soloKeys } from './claims.ts';
import { components } from './union-find.ts';

/** One booking before anything is decided: who speaks of it as a whole, and every claim about its legs. */
export interface Draft {
  readonly bookingKeys: ReadonlySet<string>;
  /** Observations whose booking-level facts count here. */
  readonly speakers: Set<Observation>;
  readonly claims: PlacedClaim[];
}

/** Splits a traveller's observations (each once) into bookings. */
export function groupBookings(observations: readonly Observation[]): Draft[] {
  const keyed = observations.filter((one) => one.bookingKeys.length > 0);
  const legOnly = observations.filter((one) => one.bookingKeys.length === 0);
  const bookings = components(keyed, (one) => one.bookingKeys).map(
    (members): Draft => ({
      bookingKeys: new Set(members.flatMap((one) => one.bookingKeys)),
      speakers: new Set(members),
      claims: members.flatMap(placeClaims),
    }),
  );
  return [...bookings, ...attachLegOnly(bookings, legOnly)];
}

/** A set of claims without a booking that speak of one leg, and the bookings that have this leg. */
interface Floating {
  readonly claims: PlacedClaim[];
  readonly bookings: Set<Draft>;
}

/**
 * Claims without a booking go to every booking with a matching leg. What matches nothing forms bookings of its own,
 * connected by shared legs and shared mails; but a provider's word alone is no booking: nobody said we travel with it.
 */
function attachLegOnly(bookings: readonly Draft[], legOnly: readonly Observation[]): Draft[] {
  const byStrongKey = new Index<Draft>();
  const byBase = new Index<Draft>();
  const byWeakBase = new Index<Draft>();
  for (const booking of bookings) {
    for (const claim of booking.claims) {
      for (const key of claim.strong) byStrongKey.add(key, booking);
      for (const base of claim.bases) byBase.add(base, booking);
      for (const key of claim.weak) byWeakBase.add(key, booking);
    }
  }

  const claims = legOnly.flatMap((one) => soloKeys(placeClaims(one)));
  const legs = components(
    claims.filter((claim) => claim.strong.length > 0),
    (claim) => claim.strong,
  ).map((members): Floating => {
    const found = new Set<Draft>();
    for (const claim of members) {
      for (const key of claim.strong) {
        for (const booking of byStrongKey.get(key)) found.add(booking);
        for (const booking of byWeakBase.get(baseOf(key) ?? '')) found.add(booking);
      }
      for (const key of claim.weak) for (const booking of byBase.get(key)) found.add(booking);
    }
    return { claims: members, bookings: found };
  });

  const legsByBase = new Index<Floating>();
  for (const leg of legs) for (const claim of leg.claims) for (const base of claim.bases) legsByBase.add(base, leg);
  const homeless: PlacedClaim[] = [];
  const guests: [Floating, PlacedClaim][] = [];
  for (const claim of claims.filter((one) => one.strong.length === 0)) {
    const found = new Set(claim.weak.flatMap((key) => [...byBase.get(key)]));
    const matching = new Set(claim.weak.flatMap((key) => [...legsByBase.get(key)]));
    if (found.size === 0 && matching.size === 0) homeless.push(claim);
    for (const leg of matching) guests.push([leg, claim]);
    for (const booking of found) join(booking, [claim]);
  }
  for (const [leg, claim] of guests) leg.claims.push(claim);
  for (const members of components(homeless, (claim) => claim.weak))
    legs.push({ claims: members, bookings: new Set() });

  const own: Floating[] = [];
  for (const leg of legs) {
    if (leg.bookings.size === 0) own.push(leg);
    for (const booking of leg.bookings) join(booking, leg.claims);
  }
  return ownBookings(own.filter((leg) => leg.claims.some(isVoucher)));
}

function ownBookings(legs: readonly Floating[]): Draft[] {
  const connected = components(legs, (leg) => leg.claims.filter(isVoucher).map((claim) => claim.observation.id));
  return connected.map((members) => {
    const draft: Draft = { bookingKeys: new Set(), speakers: new Set(), claims: [] };
    for (const leg of members) join(draft, leg.claims);
    return draft;
  });
}

/** A mail, a calendar file or a person vouches that the traveller has this leg; a status feed does not. */
function isVoucher(claim: PlacedClaim): boolean {
  return claim.observation.source.kind !== 'provider';
}

/** A claim may come by several ways; it counts once. */
function join(draft: Draft, claims: readonly PlacedClaim[]): void {
  for (const claim of claims) {
    draft.claims.push(claim);
    if (isVoucher(claim)) draft.speakers.add(claim.observation);
  }
}

class Index<T> {
  readonly #byKey = new Map<string, Set<T>>();
  add(key: string, item: T): void {
    const held = this.#byKey.get(key);
    if (held) held.add(item);
    else this.#byKey.set(key, new Set([item]));
  }
  get(key: string): ReadonlySet<T> {
    return this.#byKey.get(key) ?? NOTHING;
  }
}
const NOTHING: ReadonlySet<never> = new Set();
