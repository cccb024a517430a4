import { derivedId, type LegId, type ReservationId } from '../ids.ts';
import type { Leg, Reservation } from '../reservation.ts';
import { byText } from './canonical.ts';
import type { Group, GroupLeg } from './join.ts';

/** A decided booking, the published reservation that it continues, and those that it swallows. */
export interface Identified {
  readonly group: Group;
  readonly continues: Reservation | undefined;
  readonly merged: readonly Reservation[];
}

/**
 * Finds each published reservation again among the decided bookings. Bookings grow together, so a reservation with booking
 * keys lies in one of them; only what rested on unproven mails may come apart again (withhold.ts), and goes on in one. One without (made of calendar files and the like) goes on as a booking
 * without keys if there still is one with a leg of it, else it was swallowed by the booking that took its legs.
 * Of several reservations in one booking the oldest id survives: ids sort by the time they were made.
 */
export function identify(groups: readonly Group[], published: readonly Reservation[]): Identified[] {
  const byBookingKey = new Map<string, Group>();
  const byLegKey = new Map<string, Group[]>();
  const byObservation = new Map<string, Group>();
  for (const group of groups) {
    for (const key of group.bookingKeys) byBookingKey.set(key, group);
    for (const id of group.observations) byObservation.set(id, group);
    for (const key of group.legs.flatMap((leg) => leg.keys)) {
      const held = byLegKey.get(key);
      if (held) held.push(group);
      else byLegKey.set(key, [group]);
    }
  }
  const found = new Map<Group, Reservation[]>();
  for (const reservation of [...published].sort((a, b) => byText(a.id, b.id))) {
    const group = reservation.bookingKeys.map((key) => byBookingKey.get(key)).find((one) => one !== undefined);
    const home = group ?? homeByLegs(reservation, byLegKey) ?? homeByObservations(reservation, byObservation);
    if (home === undefined) continue;
    const held = found.get(home);
    if (held) held.push(reservation);
    else found.set(home, [reservation]);
  }
  return groups.map((group) => {
    const [oldest, ...merged] = found.get(group) ?? [];
    return { group, continues: oldest, merged };
  });
}

function homeByLegs(reservation: Reservation, byLegKey: ReadonlyMap<string, readonly Group[]>): Group | undefined {
  const shared = new Map<Group, number>();
  for (const key of reservation.legs.flatMap((leg) => leg.keys)) {
    for (const group of byLegKey.get(key) ?? []) shared.set(group, (shared.get(group) ?? 0) + 1);
  }
  return [...shared].sort(
    ([a, x], [b, y]) =>
      Math.sign(a.bookingKeys.length) - Math.sign(b.bookingKeys.length) || y - x || byText(a.key, b.key),
  )[0]?.[0];
}

/** What only unproven mails spoke of, until a proven source said that it is another booking: they are questions there now. */
function homeByObservations(reservation: Reservation, byObservation: ReadonlyMap<string, Group>): Group | undefined {
  return reservation.observations.map((id) => byObservation.get(id)).find((one) => one !== undefined);
}

/**
 * Gives each leg the id that it had, found by shared keys (most first), or a new one derived from reservation and key.
 * `before` are the legs of the surviving reservation, then of swallowed ones.
 */
export function identifyLegs(reservation: ReservationId, legs: readonly GroupLeg[], before: readonly Leg[]): Leg[] {
  const byKey = new Map<string, number[]>();
  before.forEach((leg, index) => {
    for (const key of leg.keys) {
      const held = byKey.get(key);
      if (held) held.push(index);
      else byKey.set(key, [index]);
    }
  });
  const pairs: { readonly leg: number; readonly old: number; shared: number }[] = [];
  legs.forEach((leg, index) => {
    const shared = new Map<number, number>();
    for (const key of leg.keys) for (const old of byKey.get(key) ?? []) shared.set(old, (shared.get(old) ?? 0) + 1);
    for (const [old, count] of shared) pairs.push({ leg: index, old, shared: count });
  });
  pairs.sort((a, b) => b.shared - a.shared || a.old - b.old || a.leg - b.leg);

  const ids = new Map<number, LegId>();
  const used = new Set<LegId>();
  const taken = new Set<number>();
  for (const { leg, old } of pairs) {
    if (ids.has(leg) || taken.has(old) || used.has(before[old]!.id)) continue;
    ids.set(leg, before[old]!.id);
    taken.add(old);
    used.add(before[old]!.id);
  }
  const past = new Set(before.map((leg) => leg.id));
  return legs.map(({ kind, keys, fields }, index) => {
    const known = ids.get(index);
    if (known !== undefined) return { id: known, kind, keys, fields };
    let id = derivedId('leg', reservation, keys[0] ?? '');
    // The id of a leg that existed before is never given to another one.
    for (let n = 1; used.has(id) || past.has(id); n++) id = derivedId('leg', reservation, keys[0] ?? '', n);
    used.add(id);
    return { id, kind, keys, fields };
  });
}
