import type { ObservationId, ReservationId, TenantId, TravellerId } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import type { Change, Reservation } from '../../domain/reservation.ts';

export interface ReservationVersion {
  readonly reservation: ReservationId;
  readonly version: number;
  readonly changes: readonly Change[];
  readonly at: number;
}

export interface ReservationPage {
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface ReservationRepo {
  /**
   * Adds an observation, indexed under `indexKeys(observation)` (src/domain/reconcile/claims.ts: booking keys, and leg
   * keys with the origin cut off where a source may not know it); a repeat changes nothing.
   */
  addObservation(observation: Observation, now: number): Promise<{ readonly new: boolean }>;
  /** All observations of the traveller that share an index key with `keys`, directly or through others (the closure). */
  closure(tenant: TenantId, traveller: TravellerId, keys: readonly string[]): Promise<readonly Observation[]>;
  /**
   * Takes superseded observations out of the index: `closure` finds them no more, `getObservations` still does. Storing
   * one again does not bring it back. So a flight with thousands of answers costs as much as one with a few.
   */
  retire(tenant: TenantId, traveller: TravellerId, observations: readonly ObservationId[]): Promise<void>;
  getObservations(tenant: TenantId, ids: readonly ObservationId[]): Promise<readonly Observation[]>;
  /** Stored reservations that rest on any of these observations; merged ones are not returned. */
  restingOn(
    tenant: TenantId,
    traveller: TravellerId,
    observations: readonly ObservationId[],
  ): Promise<readonly Reservation[]>;
  /** Stores a state with its changes. Errors: `stale` `version-conflict` when the stored version is not one below. */
  putVersion(reservation: Reservation, changes: readonly Change[], now: number): Promise<void>;
  /** Marks as joined into another: hidden from lists, its id leads to the other. */
  merge(tenant: TenantId, id: ReservationId, into: ReservationId, now: number): Promise<void>;
  /** Follows merges. */
  get(tenant: TenantId, id: ReservationId): Promise<Reservation | undefined>;
  /** In the order of their ids; `after` leaves out what stands up to that id, so that a list can be read in pages. */
  list(tenant: TenantId, traveller?: TravellerId, page?: ReservationPage): Promise<readonly Reservation[]>;
  history(tenant: TenantId, id: ReservationId): Promise<readonly ReservationVersion[]>;
}
