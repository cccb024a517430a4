import type { Evidence, FactValue, Kind } from './facts.ts';
import type { LegId, ObservationId, ReservationId, TenantId, TravellerId } from './ids.ts';
import type { Authority, Source } from './observation.ts';

/** Who said a value, when, and where it stands. */
export interface Attribution {
  readonly observation: ObservationId;
  readonly source: Source;
  readonly authority: Authority;
  readonly assertedAt: string;
  readonly observedAt: string;
  readonly evidence?: Evidence;
}

/** A field as decided by the join: the winner, and beside a person's value what an outside source newly says. */
export interface Field {
  readonly value: FactValue;
  readonly by: Attribution;
  /** The best other source's differing value: shown beside, never instead of, what a person set. */
  readonly beside?: { readonly value: FactValue; readonly by: Attribution };
}

export type Fields = Readonly<Record<string, Field>>;

export interface Leg {
  readonly id: LegId;
  readonly kind: Kind;
  readonly keys: readonly string[];
  readonly fields: Fields;
}

/** What one unproven mail says of a confirmed booking. */
export interface UnprovenClaim {
  readonly by: Attribution;
  readonly said: readonly {
    /** Key of the leg; absent where it concerns the whole booking. */
    readonly leg?: string;
    readonly path: string;
    readonly value: FactValue;
  }[];
}

/** A booking at one provider with its legs, as the traveller's observations decide it. */
export interface Reservation {
  readonly id: ReservationId;
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  /** 1 for the first accepted state, +1 for each real change. */
  readonly version: number;
  readonly bookingKeys: readonly string[];
  readonly fields: Fields;
  /** In order of start. */
  readonly legs: readonly Leg[];
  /** Observations the state rests on, sorted. */
  readonly observations: readonly ObservationId[];
  /**
   * What unproven mails say otherwise: nobody knows whether it is so. Shown beside, asked of the provider, and never
   * decided by. Absent: nothing.
   */
  readonly unproven?: readonly UnprovenClaim[];
  /** Digest of the decided values (not of attributions): equal digest means no change to publish. */
  readonly digest: string;
}

export const CHANGE_TYPES = [
  'created',
  'leg-added',
  'leg-removed',
  'delay',
  'schedule',
  'gate',
  'terminal',
  'platform',
  'belt',
  'desk',
  'seat',
  'aircraft',
  'cancellation',
  'reinstated',
  'diversion',
  'status',
  'passenger',
  'place',
  'price',
  'removed',
  'restored',
  'merged',
  'details',
] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];

/** One difference between two accepted states of a reservation. */
export interface Change {
  readonly type: ChangeType;
  /** Absent where the change concerns the whole booking. */
  readonly leg?: LegId;
  /** Field path, where one field explains the change. */
  readonly path?: string;
  readonly from?: FactValue;
  readonly to?: FactValue;
  /**
   * Minutes late (negative: earlier) against schedule, for `delay`; moved minutes, for `schedule`. For a flight's actual
   * times it counts to wheels-up and touch-down, while the schedule is gate to gate.
   */
  readonly minutes?: number;
  /** The person's own value still stands; `to` is what the outside source says and is shown beside it. */
  readonly besidePerson?: true;
  /** Who says so. */
  readonly by?: Attribution;
}
