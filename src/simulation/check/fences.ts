import { type Checker, type Violation, violation } from './violation.ts';

/** I5: nobody takes what another holds and whose time is not over; time is the store's, whatever clocks show. */
export const checkNothingStolen: Checker = ({ history }) =>
  history.taken.flatMap(({ resource, owner, at, life, before }) =>
    before === undefined || before.owner === owner || before.until <= at + 1
      ? []
      : [violation('I5', `process ${life} took ${resource} ${Math.round(before.until - at)} ms before it was free`)],
  );

/** I5: of one resource no write was accepted under an older token than one before, and every take gave a higher one. */
export const checkFences: Checker = ({ history }) => {
  const found: Violation[] = [];
  const given = new Map<string, number>();
  for (const { resource, token, life } of history.taken) {
    const before = given.get(resource) ?? 0;
    if (token <= before) found.push(violation('I5', `process ${life} got ${resource} with ${token} after ${before}`));
    given.set(resource, Math.max(before, token));
  }
  // A take and a write are in one order, that of their commits: the highest token then known must be the write's.
  const newest = new Map<string, number>();
  for (const { resource, token, life } of history.fenced) {
    const before = newest.get(resource) ?? 0;
    if (token < before)
      found.push(violation('I5', `process ${life} wrote under ${resource} ${token} after another did under ${before}`));
    newest.set(resource, Math.max(before, token));
  }
  return found;
};
