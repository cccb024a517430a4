import type { Observation } from '../../domain/observation.ts';
import { join, stateDigest } from '../../domain/reconcile/join.ts';
import { type Checker, type Violation, violation } from './violation.ts';

/** I6: what is stored is what one join of all that was ever said gives, whatever the order and the repeats were. */
export const checkConfluence: Checker = ({ tables }) => {
  const found: Violation[] = [];
  const byTraveller = new Map<string, Observation[]>();
  for (const one of tables.observations) {
    const held = byTraveller.get(one.traveller);
    if (held) held.push(one);
    else byTraveller.set(one.traveller, [one]);
  }
  const standing = tables.reservations.filter((one) => one.mergedInto === undefined).map((one) => one.reservation);
  const travellers = new Set([...byTraveller.keys(), ...standing.map((one) => one.traveller)]);
  for (const traveller of travellers) {
    const expected = join(byTraveller.get(traveller) ?? []).map((group) => group.digest);
    const actual = standing.filter((one) => one.traveller === traveller);
    const stored = actual.map((one) => one.digest);
    if (expected.sort().join() !== stored.sort().join())
      found.push(
        violation(
          'I6',
          `${traveller}: ${stored.length} reservations are stored, a fresh join gives ${expected.length}, and they differ: ` +
            `${difference(stored, expected)} / ${difference(expected, stored)}`,
        ),
      );
    for (const one of actual)
      if (stateDigest(one.bookingKeys, one.fields, one.legs, one.unproven) !== one.digest)
        found.push(violation('I6', `reservation ${one.id} is not what its digest says`));
  }
  return found;
};

function difference(some: readonly string[], others: readonly string[]): string {
  return some
    .filter((one) => !others.includes(one))
    .map((one) => one.slice(0, 8))
    .join(' ');
}
