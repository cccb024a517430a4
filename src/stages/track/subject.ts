import type { Answer } from '../../contracts/topics.ts';
import { derivedId, type SubjectId } from '../../domain/ids.ts';
import { epochMsOf } from '../../domain/time/travel-time.ts';

/** One subject per account and thing asked about: everyone who follows the thing shares it. */
export function subjectIdOf(account: string, specId: string): SubjectId {
  return derivedId('sub', account, specId);
}

/** True when the answer says that the booking or one of its legs is cancelled. */
export function saysCancelled(answer: Answer): boolean {
  const cancelled = (facts: Answer['facts']) =>
    facts.status?.value === 'cancelled' || facts.operation?.value === 'cancelled';
  return cancelled(answer.facts) || answer.legs.some((leg) => cancelled(leg.facts));
}

/** What is planned, leg by leg: equal texts, equal plans, whatever became of them. */
export function planOf(answer: Answer): string {
  return answer.legs
    .map(({ kind, facts }) => `${kind} ${facts['start.scheduled']?.value ?? ''}`)
    .sort()
    .join(', ');
}

/** From so much before the plan a departure counts as earlier. */
const EARLIER_MS = 5 * 60_000;

/**
 * True for news that a traveller acts upon at once, and that is not told as certain before someone else says it too:
 * cancelled, perhaps cancelled, or leaving earlier. Who holds the booking needs no second opinion.
 */
export function isGrave(answer: Answer): boolean {
  if (answer.authority !== 'status') return false;
  if (saysCancelled(answer)) return true;
  return answer.legs.some(({ facts }) => {
    if (facts.operation?.value === 'cancelled-uncertain') return true;
    const at = (path: string) => epochMsOf(String(facts[path]?.value ?? ''), undefined);
    const [planned, expected] = [at('start.scheduled'), at('start.estimated')];
    return planned !== undefined && expected !== undefined && planned - expected >= EARLIER_MS;
  });
}

/** Epoch ms at which the provider says that it was so. */
export function assertedMs(answer: Answer): number {
  return Temporal.Instant.from(answer.assertedAt).epochMilliseconds;
}
