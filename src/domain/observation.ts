import type { Facts, Kind } from './facts.ts';
import type { ObservationId, TenantId, TravellerId } from './ids.ts';
import type { Trust } from './trust/verdict.ts';

/**
 * How much a source is believed, field by field: the first part of the rank (authority, asserted time, digest).
 * The numbers leave room and are stored, so they only ever grow by adding.
 */
export const AUTHORITY = {
  /** What a person set: never silently overwritten. */
  person: 90,
  /** Live operation of a flight or train by a status provider. */
  status: 70,
  /** The company or GDS that holds the booking. */
  booking: 60,
  /** A mail whose sender was proven to be the provider or its agent. */
  'mail-proven': 40,
  /** A mail nobody vouches for; a calendar file. */
  mail: 30,
} as const;
export type Authority = keyof typeof AUTHORITY;

export type SourceKind = 'mail' | 'provider' | 'person';

export interface Source {
  readonly kind: SourceKind;
  /** mail id, subject id, or the token or command of the person. */
  readonly ref: string;
  /** What a person reads: `mail from noreply@… of 1 Dec`, `AeroDataBox`, `you`. */
  readonly label: string;
  /** Provider account, for provider sources. */
  readonly account?: string;
  /** Extractor and version, for mail sources, e.g. `json-ld/1`. */
  readonly extractor?: string;
}

export interface LegClaim {
  readonly kind: Kind;
  /** Leg keys (see keys.ts): what makes this the same leg as another source's. */
  readonly keys: readonly string[];
  readonly facts: Facts;
}

/**
 * What one source said at one moment about one booking (or, with no `bookingKeys`, about legs wherever they are booked).
 * Never edited. The set of a traveller's observations decides the state; their order does not matter.
 */
export interface Observation {
  /** Derived from source and position, so that a repeat is the same id. */
  readonly id: ObservationId;
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  readonly source: Source;
  readonly authority: Authority;
  /** Of mails: what was found out about the sender when it came in. */
  readonly trust?: Trust;
  /** Instant (ISO, Z) at which the source says this was so: mail date or modifiedTime, provider's last update. */
  readonly assertedAt: string;
  /** Instant (ISO, Z) at which we received or fetched it. */
  readonly observedAt: string;
  /** Keys that identify the booking (see keys.ts). Empty: it speaks of legs only. */
  readonly bookingKeys: readonly string[];
  readonly facts: Facts;
  readonly legs: readonly LegClaim[];
}
