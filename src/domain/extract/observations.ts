import { derivedId, type TenantId, type TravellerId } from '../ids.ts';
import type { Authority, Observation } from '../observation.ts';
import { authorityOf, trustIn } from '../trust/policy.ts';
import type { Verdict } from '../trust/verdict.ts';
import type { BookingClaim } from './claim.ts';

export interface ObservationOrigin {
  readonly tenant: TenantId;
  readonly traveller: TravellerId;
  /** Mail id (or the digest of an imported document): the claims' ids derive from it. */
  readonly ref: string;
  /** What a person reads: `mail from noreply@… of 1 Dec`. */
  readonly label: string;
  /** ISO instant. */
  readonly receivedAt: string;
  readonly authority: Authority;
  /** What was found out about its sender; then this decides the authority, claim by claim. */
  readonly verdict?: Verdict;
}

/** Claims as observations. The same document read again by the same extractor gives the same ids. */
export function toObservations(claims: readonly BookingClaim[], origin: ObservationOrigin): readonly Observation[] {
  return claims
    .map((claim, index) => ({ claim, index, trust: trustIn(claim, origin.verdict) }))
    .flatMap(({ claim, index, trust }) =>
      trust?.level === 'forged'
        ? []
        : [
            {
              id: derivedId('obs', origin.tenant, origin.traveller, origin.ref, claim.extractor, index),
              tenant: origin.tenant,
              traveller: origin.traveller,
              source: { kind: 'mail' as const, ref: origin.ref, label: origin.label, extractor: claim.extractor },
              authority: trust === undefined ? origin.authority : authorityOf(trust),
              ...(trust === undefined ? {} : { trust }),
              assertedAt: claim.assertedAt,
              observedAt: Temporal.Instant.from(origin.receivedAt).toString({ smallestUnit: 'millisecond' }),
              bookingKeys: claim.bookingKeys,
              facts: claim.facts,
              legs: claim.legs,
            },
          ],
    );
}
