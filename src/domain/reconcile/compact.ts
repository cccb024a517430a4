import type { Facts } from '../facts.ts';
import type { Observation } from '../observation.ts';
import { byText, canonicalJson } from './canonical.ts';
import { isVagueKey } from './claims.ts';
import { assertedMs, precisionOf } from './fields.ts';
import { vagueKeyOf } from './legs.ts';
import { confirms, isMail, observedMs } from './withhold.ts';

/**
 * One copy of each observation. Should two copies of an id differ, the choice depends on their content only.
 * Sorted by id.
 */
export function distinct(observations: readonly Observation[]): Observation[] {
  const byId = new Map<string, Observation>();
  for (const one of observations) {
    const held = byId.get(one.id);
    if (held === undefined || (held !== one && canonicalJson(one) > canonicalJson(held))) byId.set(one.id, one);
  }
  return [...byId.values()].sort((a, b) => byText(a.id, b.id));
}

/**
 * Leaves out what can no longer matter: an observation for which a newer one of the same shape exists. The same shape
 * means the same authority and kind of source, the same keys, and facts about the same paths; so the newer one goes
 * wherever the older would go and outranks it in every field, whatever else arrives later. A flight polled 2,000 times
 * costs a join as much as one polled a few times. Of what confirms a booking the first one observed is kept too, because
 * it says since when. Mails are all kept.
 *
 * `compact(a ∪ b)` equals `compact(compact(a) ∪ b)`.
 */
export function compact(observations: readonly Observation[]): Observation[] {
  const newest = new Map<string, { readonly observation: Observation; readonly at: number }>();
  const first = new Map<string, { readonly observation: Observation; readonly at: number }>();
  const kept = new Set<Observation>();
  for (const observation of distinct(observations)) {
    // When a mail came decides whether it counts (withhold.ts), so each may matter for what comes yet; they are few.
    if (isMail(observation)) {
      kept.add(observation);
      continue;
    }
    const shape = shapeOf(observation);
    const at = assertedMs(observation);
    const held = newest.get(shape);
    // Ids ascend, so at equal times the later id wins, as it does in every field.
    if (held === undefined || at >= held.at) newest.set(shape, { observation, at });
    if (!confirms(observation)) continue;
    const since = observedMs(observation);
    const earliest = first.get(shape);
    if (earliest === undefined || since < earliest.at) first.set(shape, { observation, at: since });
  }
  for (const { observation } of [...newest.values(), ...first.values()]) kept.add(observation);
  return [...kept].sort((a, b) => byText(a.id, b.id));
}

function shapeOf(observation: Observation): string {
  const { authority, source, bookingKeys, facts } = observation;
  let lonely = false;
  const legs = observation.legs.map((claim) => {
    const keys = claim.keys.filter((key) => !isVagueKey(key));
    lonely ||= keys.length === 0 && bookingKeys.length === 0;
    // Sources move on to other values; what a vague claim says is what it is placed by.
    const placedBy = keys.length === 0 ? vagueKeyOf(claim) : '';
    return `${claim.kind} ${JSON.stringify([...claim.keys].sort(byText))} ${placedBy} ${shapeOfFacts(claim.facts)}`;
  });
  // A claim that belongs to no booking and has no key is a leg named after its observation: it cannot be replaced.
  const self = lonely ? observation.id : '';
  const head = `${authority} ${source.kind} ${self} ${JSON.stringify([...bookingKeys].sort(byText))}`;
  return [head, shapeOfFacts(facts), ...legs.sort(byText)].join('\n');
}

function shapeOfFacts(facts: Facts): string {
  return Object.keys(facts)
    .sort(byText)
    .map((path) => `${JSON.stringify(path)}${precisionOf(path, facts[path]!.value)}`)
    .join(',');
}
