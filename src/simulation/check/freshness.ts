import { type Checker, type Violation, violation } from './violation.ts';

/** From the provider's answer to the note of its time, ms; clocks may be wrong by what the plan says besides. */
const NOTED_MS_MAX = 60_000;

/** I9: what is said to have been confirmed at some time was: a question without an answer confirms nothing. */
export const checkFreshness: Checker = ({ history, plan }) => {
  const found: Violation[] = [];
  const newest = new Map<string, number>();
  let next = 0;
  for (const { at, checked } of history.looks) {
    for (; next < history.answers.length && history.answers[next]!.at <= at; next++) {
      const { about, at: answeredAt } = history.answers[next]!;
      newest.set(about, answeredAt);
    }
    const wrong = plan.skew.offsetMsMax + plan.skew.driftPpmMax * plan.hours * 3.6 + NOTED_MS_MAX;
    for (const { about, checkedAt } of checked) {
      const answeredAt = newest.get(about);
      if (answeredAt === undefined || checkedAt > answeredAt + wrong)
        found.push(violation('I9', `${about} is said to be of ${checkedAt}, and the last answer came ${answeredAt}`));
    }
  }
  return found;
};
