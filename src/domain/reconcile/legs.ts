import { fold, type Kind, TRANSPORT_KINDS } from '../facts.ts';
import type { LegClaim } from '../observation.ts';
import { isVagueKey, type PlacedClaim } from './claims.ts';
import { UnionFind } from './union-find.ts';

/** The claims of one booking that speak of the same leg. */
export interface LegDraft {
  readonly kind: Kind;
  readonly keys: ReadonlySet<string>;
  readonly claims: ReadonlySet<PlacedClaim>;
}

/**
 * Sorts the claims of one booking into legs:
 *  1. claims that share a key are one leg;
 *  2. a stay (event, table, taxi) at one place, and a rental, is one leg even if its first day moved, as long as no
 *     single source lists two of them: a changed date must not double the stay;
 *  3. a number and day without an origin goes to every leg it fits;
 *  4. a claim too vague for a key goes to the booking's only leg of its kind, or is a leg by itself.
 * Each rule looks at all claims at once, so their order does not matter.
 */
export function formLegs(claims: readonly PlacedClaim[]): LegDraft[] {
  const distinct = [...new Set(claims)];
  const legs = joinByKeys(distinct.filter((claim) => claim.strong.length > 0));
  const unfitted = placeWeak(
    legs,
    distinct.filter((claim) => claim.strong.length === 0 && claim.weak.length > 0),
  );
  const keyed = [...legs, ...unfitted];
  return [
    ...keyed,
    ...placeVague(
      keyed,
      distinct.filter((claim) => claim.strong.length === 0 && claim.weak.length === 0),
    ),
  ].map(toDraft);
}

interface Growing {
  readonly claims: Set<PlacedClaim>;
  readonly vagueKey?: string;
}

function joinByKeys(claims: readonly PlacedClaim[]): Growing[] {
  const sets = new UnionFind();
  const byKey = new Map<string, number>();
  claims.forEach((claim) => {
    const element = sets.add();
    for (const key of claim.strong) {
      const other = byKey.get(key);
      if (other === undefined) byKey.set(key, element);
      else sets.union(element, other);
    }
  });
  joinMoved(claims, sets);
  const legs = new Map<number, Growing>();
  claims.forEach((claim, element) => {
    const root = sets.root(element);
    const leg = legs.get(root);
    if (leg) leg.claims.add(claim);
    else legs.set(root, { claims: new Set([claim]) });
  });
  return [...legs.values()];
}

/** Rule 2: legs of one place and kind, no source listing two of them. */
function joinMoved(claims: readonly PlacedClaim[], sets: UnionFind): void {
  const places = new Map<string, number[]>();
  claims.forEach((claim, element) => {
    for (const place of placesOf(claim)) {
      const members = places.get(place);
      if (members) members.push(element);
      else places.set(place, [element]);
    }
  });
  const moved = [...places.values()].filter((members) => {
    const legOf = new Map<string, number>();
    return members.every((element) => {
      const id = claims[element]!.observation.id;
      const root = sets.root(element);
      const other = legOf.get(id);
      legOf.set(id, root);
      return other === undefined || other === root;
    });
  });
  // All places are judged before any is joined, or the order of places would matter.
  for (const members of moved) for (const element of members) sets.union(members[0]!, element);
}

/** `leg:stay:grandhotel` of `leg:stay:grandhotel:2026-12-01`; the kind alone for rentals; none for timetable legs. */
function placesOf(claim: PlacedClaim): readonly string[] {
  if (TRANSPORT_KINDS.includes(claim.kind)) return [];
  if (claim.kind === 'rental') return ['rental'];
  return [...new Set(claim.strong.map((key) => key.replace(/:[^:]*$/, '')))];
}

/** Rule 3. Returns the legs that only weak claims speak of. */
function placeWeak(legs: readonly Growing[], weak: readonly PlacedClaim[]): Growing[] {
  const byBase = new Map<string, Set<Growing>>();
  for (const leg of legs) {
    for (const claim of leg.claims) {
      for (const base of claim.bases) {
        const held = byBase.get(base);
        if (held) held.add(leg);
        else byBase.set(base, new Set([leg]));
      }
    }
  }
  const unfitted: PlacedClaim[] = [];
  for (const claim of weak) {
    const fitting = claim.weak.flatMap((key) => [...(byBase.get(key) ?? [])]);
    if (fitting.length === 0) unfitted.push(claim);
    for (const leg of fitting) leg.claims.add(claim);
  }
  return joinByKeys(unfitted.map((claim) => ({ ...claim, strong: claim.weak }))).map((leg) => {
    const originals = new Set<PlacedClaim>();
    for (const claim of leg.claims) originals.add({ ...claim, strong: [] });
    return { claims: originals };
  });
}

/** Rule 4. Returns the legs that only vague claims speak of. */
function placeVague(keyed: readonly Growing[], vague: readonly PlacedClaim[]): Growing[] {
  const own = new Map<string, Growing>();
  for (const kind of new Set(vague.map((claim) => claim.kind))) {
    const claims = vague.filter((claim) => claim.kind === kind);
    const ofKind = keyed.filter((leg) => [...leg.claims].some((claim) => claim.kind === kind));
    const only = ofKind.length === 1 ? ofKind[0]! : undefined;
    // Who lists the only leg by its key and another one without means two legs.
    const listed = new Set(only === undefined ? [] : [...only.claims].map((claim) => claim.observation.id));
    const left = only === undefined ? claims : claims.filter((claim) => listed.has(claim.observation.id));
    const single = new Set(left.map((claim) => claim.observation.id)).size === left.length;
    for (const claim of claims) {
      if (only !== undefined && !listed.has(claim.observation.id)) {
        only.claims.add(claim);
        continue;
      }
      const vagueKey = single ? `leg:${kind}::` : vagueKeyOf(claim.claim);
      const leg = own.get(vagueKey);
      if (leg) leg.claims.add(claim);
      else own.set(vagueKey, { claims: new Set([claim]), vagueKey });
    }
  }
  return [...own.values()];
}

/** Tells vague claims of one source apart by what they do say. Times are left out: they change. */
export function vagueKeyOf(claim: LegClaim): string {
  const said = (path: string) => fold(String(claim.facts[path]?.value ?? ''));
  const from = said('start.code') || said('start.name');
  const to = said('end.code') || said('end.name');
  return `leg:${claim.kind}::${[said('carrier.code'), said('number'), from, to, said('name')].join('-')}`;
}

function toDraft(leg: Growing): LegDraft {
  const keys = new Set<string>();
  const kinds = new Set<Kind>();
  for (const claim of leg.claims) {
    for (const key of claim.claim.keys) if (!isVagueKey(key)) keys.add(key);
    for (const key of claim.strong) keys.add(key);
    kinds.add(claim.kind);
  }
  if (keys.size === 0) keys.add(leg.vagueKey ?? `leg:${[...kinds][0]}::`);
  return { kind: [...kinds].sort()[0]!, keys, claims: leg.claims };
}
