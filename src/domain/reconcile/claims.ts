import type { Kind } from '../facts.ts';
import type { LegClaim, Observation } from '../observation.ts';
import type { Reservation } from '../reservation.ts';
import { byText, canonicalJson } from './canonical.ts';

/** A claim about a leg together with who made it, as the join moves it around. */
export interface PlacedClaim {
  readonly observation: Observation;
  readonly claim: LegClaim;
  readonly kind: Kind;
  /** Keys that identify the leg by themselves. */
  readonly strong: readonly string[];
  /** Keys of a timetable leg without its origin: they fit every origin of the same number and day. */
  readonly weak: readonly string[];
  /** Strong and weak timetable keys without their origin: what a weak key is compared with. */
  readonly bases: readonly string[];
}

/** `leg:flight:lh400:2026-12-01:fra` -> `leg:flight:lh400:2026-12-01:`; undefined for keys that have no origin part. */
export function baseOf(key: string): string | undefined {
  return /^leg:[^:]*:[^:]+:\d{4}-\d{2}-\d{2}:/.exec(key)?.[0];
}

/** Made by the join for claims too vague to have a key (`leg:flight::…`): never a reason to join by itself. */
export function isVagueKey(key: string): boolean {
  return /^leg:[^:]*::/.test(key);
}

export function placeClaims(observation: Observation): PlacedClaim[] {
  return observation.legs.map((claim) => {
    const strong: string[] = [];
    const weak: string[] = [];
    const bases = new Set<string>();
    for (const key of claim.keys) {
      if (isVagueKey(key)) continue;
      const base = baseOf(key);
      if (base !== undefined) bases.add(base);
      (base === key ? weak : strong).push(key);
    }
    return { observation, claim, kind: claim.kind, strong, weak, bases: [...bases] };
  });
}

/**
 * Keys for a claim that has none and belongs to no booking: it is a leg by itself, named after its observation, so that
 * a person can still speak of it (a vague key in a person's claim counts as the key of that leg).
 */
export function soloKeys(placed: readonly PlacedClaim[]): PlacedClaim[] {
  const vague = placed.filter((one) => one.strong.length === 0 && one.weak.length === 0);
  if (vague.length === 0) return [...placed];
  const texts = new Map(vague.map((one) => [one, canonicalJson(one.claim)]));
  const inOrder = [...vague].sort((a, b) => byText(texts.get(a)!, texts.get(b)!));
  const positions = new Map(inOrder.map((one, position) => [one, position]));
  return placed.map((one) => {
    const position = positions.get(one);
    if (position === undefined) return one;
    const named = one.claim.keys.filter(isVagueKey);
    const own = `leg:${one.kind}::${one.observation.id}${position === 0 ? '' : `-${position}`}`;
    return { ...one, strong: named.length > 0 ? named : [own] };
  });
}

/**
 * The keys under which a store must find an observation again. Two observations of one traveller can only influence
 * each other through a chain of equal index keys, so the closure over them is all that a join has to see.
 */
export function indexKeys(observation: Observation): readonly string[] {
  const keys = new Set<string>(observation.bookingKeys);
  const placed = placeClaims(observation);
  for (const one of observation.bookingKeys.length > 0 ? placed : soloKeys(placed)) {
    for (const base of one.bases) keys.add(base);
    for (const key of one.strong) if (baseOf(key) === undefined) keys.add(key);
  }
  return [...keys].sort(byText);
}

/** Whether a reservation has the booking, or (for an observation without one) a leg, that the observation speaks of. */
export function speaksOf(observation: Observation, reservation: Pick<Reservation, 'bookingKeys' | 'legs'>): boolean {
  if (observation.bookingKeys.length > 0) {
    return observation.bookingKeys.some((key) => reservation.bookingKeys.includes(key));
  }
  const keys = reservation.legs.flatMap((leg) => leg.keys);
  return soloKeys(placeClaims(observation)).some((claim) =>
    keys.some(
      (key) => claim.strong.includes(key) || claim.bases.includes(key) || claim.weak.includes(baseOf(key) ?? key),
    ),
  );
}
