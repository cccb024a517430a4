import type { History, ProviderPush } from '../history.ts';
import { type Plan, pushBoundMs } from '../plan.ts';
import { calmSpans, type Span, without } from './by-the-clock.ts';
import { type Checker, type Violation, violation } from './violation.ts';

/** So long before a question the account had no trouble: no wait, no breaker and no retry of before is in its way. */
const SETTLED_MS = 60 * 60_000;

/** I24: what a stranger says in a provider's name is refused, by whichever process, and what the provider says is not. */
export const checkProviderPushes: Checker = ({ history }) =>
  history.providerPushes
    .filter(({ verdict, forged }) => verdict !== undefined && (verdict === 'accepted') === forged)
    .map(({ id, life, forged, verdict }) =>
      violation('I24', `process ${life} took the ${forged ? 'forged' : 'true'} push ${id} as ${verdict}`),
    );

/**
 * I24: who is told that something has changed asks: within a bound where neither processes nor the provider keep it from
 * it, and at the latest after the last fault. Where the answer then shows nothing new, the provider lags, and it is asked
 * once more.
 */
export const checkPushedIsAsked: Checker = ({ tables, history, plan }) => {
  const found: Violation[] = [];
  if (history.providerPushes.length === 0) return found;
  const active = new Set(tables.subjects.filter(({ state }) => state === 'active').map(({ id }) => id));
  const processesCalm = calmSpans(history, plan);
  const calm = without(
    processesCalm,
    history.troubles.map(({ from, to }) => ({ from, to: to + SETTLED_MS })),
  );
  const boundMs = pushBoundMs(plan);
  for (const push of firstAccepted(history)) {
    const until = push.at! + boundMs;
    const span = calm.find((one) => one.from <= push.from && until <= one.to);
    for (const { subject, flight } of push.about) {
      const answers = history.answers.filter(({ about }) => about === flight);
      const since = answers.filter(({ askedAt }) => askedAt >= push.from);
      if (since.length === 0 && active.has(subject) && push.from < (history.quietAt ?? 0) - boundMs)
        found.push(violation('I24', `${flight} was never asked about after push ${push.id}`));
      // Its last word came meanwhile.
      if (span === undefined || push.still?.some((one) => one.subject === subject) !== true) continue;
      const inTime = since.filter(({ at }) => at <= until);
      if (inTime.length === 0)
        found.push(violation('I24', `${flight} was not asked about within ${boundMs} ms after push ${push.id}`));
      else if (inTime.length === 1 && isKnown(answers, inTime[0]!, push, span, plan))
        found.push(violation('I24', `${flight} was the same after push ${push.id}, and it was not asked again`));
    }
  }
  return found;
};

type Answered = History['answers'][number];

/** True where the state that this answer tells is stored for sure already: the answer before it told the same. */
function isKnown(answers: readonly Answered[], answer: Answered, push: ProviderPush, calm: Span, plan: Plan): boolean {
  const { busy, refused, lost } = plan.store;
  const before = answers.filter(({ at }) => at < push.from).at(-1);
  if (before === undefined || before.askedAt < calm.from || busy + refused + lost > 0) return false;
  return before.state === answer.state;
}

/** Each message once: the first time it was accepted, since it was first on its way. */
function firstAccepted({ providerPushes }: History): readonly ProviderPush[] {
  const sent = new Map<string, number>();
  const accepted = new Map<string, ProviderPush>();
  for (const { id, from } of providerPushes) sent.set(id, Math.min(from, sent.get(id) ?? from));
  for (const push of providerPushes)
    if (push.verdict === 'accepted' && !push.forged && push.at! < (accepted.get(push.id)?.at ?? Infinity))
      accepted.set(push.id, push);
  return [...accepted.values()].map((push) => ({ ...push, from: sent.get(push.id)! }));
}
