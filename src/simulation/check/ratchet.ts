import { type Checker, type Violation, violation } from './violation.ts';

/** I10, at every look during the run: what was stored, marked, decided, told or counted is never less than before. */
export const checkNothingShrinks: Checker = ({ history }) => {
  const found: Violation[] = [];
  let before: Readonly<Record<string, number>> = {};
  for (const { at, counts } of history.looks) {
    for (const [name, count] of Object.entries(counts))
      if (count < (before[name] ?? 0))
        found.push(violation('I10', `there were ${before[name]} ${name} and at ${at} only ${count}`));
    before = counts;
  }
  return found;
};

/** I10, at every look: accepted = done + failed visibly + in progress. */
export const checkBalance: Checker = ({ history }) =>
  history.looks.flatMap(({ at, lost }) =>
    lost.map(({ consumer, id }) => violation('I10', `at ${at}: ${consumer} has not done ${id}, and never will`)),
  );
