import type { Facts, FactValue } from '../facts.ts';
import type { Observation } from '../observation.ts';
import type { Fields, UnprovenClaim } from '../reservation.ts';
import { canonicalTime } from '../time/travel-time.ts';
import { byText, canonicalJson } from './canonical.ts';
import { baseOf } from './claims.ts';
import { assertedMs } from './fields.ts';

/** Claims shown of one booking, the newest ones, and what is shown of each. */
const CLAIMS_MAX = 10;
const VALUES_MAX = 20;

interface DecidedLeg {
  readonly keys: readonly string[];
  readonly fields: Fields;
}

/**
 * What withheld mails say otherwise than the booking as it stands, newest first. A mail that only repeats what is known is
 * no question; of those that say the same the newest is named.
 */
export function questionsOf(
  withheld: readonly Observation[],
  fields: Fields,
  legs: readonly DecidedLeg[],
): readonly UnprovenClaim[] {
  const told = [fields, ...legs.map((leg) => leg.fields)].some((one) => one.status?.beside?.value === 'cancelled');
  const bySaid = new Map<string, { readonly claim: UnprovenClaim; readonly observation: Observation }>();
  const inOrder = withheld.toSorted((a, b) => assertedMs(b) - assertedMs(a) || byText(b.id, a.id));
  for (const observation of inOrder) {
    const said = [
      ...differing(observation.facts, fields, told),
      ...observation.legs.flatMap(({ keys, facts }) => {
        const leg = legs.find((one) => sameLeg(keys, one.keys));
        const name = leg?.keys[0] ?? keys[0] ?? 'leg';
        return differing(facts, leg?.fields ?? {}, told).map((one) => ({ ...one, leg: name }));
      }),
    ].slice(0, VALUES_MAX);
    if (said.length === 0) continue;
    const { id, source, authority, assertedAt, observedAt } = observation;
    const by = { observation: id, source, authority, assertedAt, observedAt };
    const text = canonicalJson(said);
    if (!bySaid.has(text)) bySaid.set(text, { claim: { by, said }, observation });
  }
  return [...bySaid.values()].slice(0, CLAIMS_MAX).map(({ claim }) => claim);
}

/** Whether claimed leg keys name a leg: a number and day without an origin fits every origin. */
export function sameLeg(claimed: readonly string[], keys: readonly string[]): boolean {
  return claimed.some((one) => keys.some((key) => key === one || baseOf(key) === one || baseOf(one) === key));
}

function differing(
  facts: Facts,
  fields: Fields,
  told: boolean,
): { readonly path: string; readonly value: FactValue }[] {
  return Object.keys(facts)
    .sort(byText)
    .flatMap((path) => {
      const value = plain(facts[path]!.value);
      const held = Object.hasOwn(fields, path) ? plain(fields[path]!.value) : null;
      // Told beside the status already.
      if (value === 'cancelled' && told) return [];
      return value === held ? [] : [{ path, value }];
    });
}

function plain(value: FactValue): FactValue {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? canonicalTime(value) : value;
}
