import { derivedId, type ObservationId, type ReservationId, type TenantId, type TravellerId } from '../ids.ts';
import type { Observation } from '../observation.ts';
import type { Change, Reservation } from '../reservation.ts';
import { compact } from './compact.ts';
import { diff } from './diff.ts';
import { type Identified, identify, identifyLegs } from './identity.ts';
import { join } from './join.ts';

/** One new version of a reservation, with all that changed in it. */
export interface NewVersion {
  readonly reservation: Reservation;
  /** Never empty. */
  readonly changes: readonly Change[];
  /** Reservations joined into this one now: they are gone, their ids lead here. */
  readonly merged: readonly Reservation[];
}

/**
 * From what is known to what is to be published: joins the observations, finds the published reservations again and
 * gives a new version to each that really changed. Pure; called again with its own result it returns nothing.
 *
 * `observations` must be closed under index keys (see `indexKeys`), and `published` must hold every reservation that
 * rests on any of them. `newId` makes an id that sorts after all earlier ones; `seed` names the booking.
 */
export function reconcile(
  owner: { readonly tenant: TenantId; readonly traveller: TravellerId },
  observations: readonly Observation[],
  published: readonly Reservation[],
  newId: (seed: string) => ReservationId,
): NewVersion[] {
  return identify(join(observations), published).flatMap((found) => {
    const version = newVersion(owner, found, newId);
    return version === undefined ? [] : [version];
  });
}

function newVersion(
  owner: { readonly tenant: TenantId; readonly traveller: TravellerId },
  { group, continues, merged }: Identified,
  newId: (seed: string) => ReservationId,
): NewVersion | undefined {
  if (continues !== undefined && merged.length === 0 && continues.digest === group.digest) return undefined;
  const id = continues?.id ?? newId(group.key);
  const before = [...(continues?.legs ?? []), ...merged.flatMap((one) => one.legs)];
  const { bookingKeys, fields, observations, unproven, digest } = group;
  const legs = identifyLegs(id, group.legs, before);
  const state = {
    id,
    ...owner,
    bookingKeys,
    fields,
    legs,
    observations,
    ...(unproven === undefined ? {} : { unproven }),
    digest,
  };
  const changes = diff(continues, state, merged);
  return { reservation: { ...state, version: (continues?.version ?? 0) + 1 }, changes, merged };
}

/**
 * Observations that need never be joined again, because newer ones of the same shape say all they said (see compact.ts).
 * Those that a standing reservation still names as its grounds are kept, so that it can be found by them.
 */
export function superseded(observations: readonly Observation[], standing: Iterable<Reservation>): ObservationId[] {
  const kept = new Set(compact(observations).map((one) => one.id));
  for (const reservation of standing) for (const id of reservation.observations) kept.add(id);
  return observations.map((one) => one.id).filter((id) => !kept.has(id));
}

/** For callers without a clock (tests, one-off extraction): ids derived from the owner and the booking. */
export function derivedReservationId(owner: { readonly tenant: TenantId; readonly traveller: TravellerId }) {
  return (seed: string): ReservationId => derivedId('rsv', owner.tenant, owner.traveller, seed);
}
