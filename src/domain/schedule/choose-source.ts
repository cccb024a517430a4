/**
 * Several accounts can answer the same subject. One is asked, the others stand by: one takes over when it fails, and one
 * gives a second opinion before grave news is told as certain. Pure; the caller asks again whenever something changes.
 */

export interface Candidate {
  readonly account: string;
  /** Whether it may be asked at all now: not paused, breaker not open. */
  readonly able: boolean;
  /** Epoch ms of its last answer about the subject; undefined: none yet. */
  readonly answeredAt: number | undefined;
  /** It said that it does not know the subject. */
  readonly unknown: boolean;
  /** Its last answer needs a second opinion (cancelled, leaves earlier). */
  readonly grave: boolean;
}

/** `ask`: at the rate that the subject needs. `second`: once now, for an opinion. `rest`: not at all. */
export type Role = 'ask' | 'second' | 'rest';

/**
 * The role of each candidate, in the order given, which is the operator's order of preference. The first that is able and
 * knows the subject is asked. Where it has failed to answer for `patienceMs` the next able one is asked too, until it
 * answers again. Where all that know it are unable, nobody is asked: their own recovery comes first.
 */
export function chooseSource(candidates: readonly Candidate[], now: number, patienceMs: number): readonly Role[] {
  const roles: Role[] = candidates.map(() => 'rest');
  const usable = candidates.map((one, index) => ({ one, index })).filter(({ one }) => one.able && !one.unknown);
  const [first, next] = usable;
  if (first === undefined) {
    // Nobody knows it: whoever is able goes on looking, because vendors learn of flights late.
    const able = candidates.findIndex((one) => one.able);
    if (able >= 0) roles[able] = 'ask';
    return roles;
  }
  roles[first.index] = 'ask';
  if (next === undefined) return roles;
  const latest = Math.max(...candidates.map((one) => one.answeredAt ?? Number.NEGATIVE_INFINITY));
  const late = first.one.answeredAt !== undefined && now - first.one.answeredAt > patienceMs;
  // It alone has fallen behind, or never answered while another did: the next one is asked beside it.
  if (late || (first.one.answeredAt === undefined && latest > Number.NEGATIVE_INFINITY)) roles[next.index] = 'ask';
  else if (first.one.grave && !hasOpinion(next.one, first.one)) roles[next.index] = 'second';
  return roles;
}

/** An answer that is not older than the grave one. */
function hasOpinion(other: Candidate, grave: Candidate): boolean {
  return other.answeredAt !== undefined && grave.answeredAt !== undefined && other.answeredAt >= grave.answeredAt;
}
