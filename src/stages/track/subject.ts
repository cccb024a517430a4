import type { Answer } from '../../contracts/topics.ts';
import { derivedId, type SubjectId } from '../../domain/ids.ts';

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

/** Epoch ms at which the provider says that it was so. */
export function assertedMs(answer: Answer): number {
  return Temporal.Instant.from(answer.assertedAt).epochMilliseconds;
}
