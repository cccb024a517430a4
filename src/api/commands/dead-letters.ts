import type { DeadLetter, DeadLetterId } from '../../ports/store/log.ts';
import { type Caller, notFound } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';

/** Errors: `not-found`. */
export async function deadLetter(deps: Pick<CommandDeps, 'store'>, caller: Caller, id: string): Promise<DeadLetter> {
  const found = await deps.store.read((tx) => tx.log.getDeadLetter(caller.tenant, id as DeadLetterId));
  if (found === undefined) throw notFound(id);
  return found;
}

/** Delivers the event to its consumer again, attempts from zero. Errors: `not-found`, `conflict` when decided before. */
export async function replayDeadLetter(deps: CommandDeps, caller: Caller, id: string): Promise<DeadLetter> {
  const letter = await deadLetter(deps, caller, id);
  const done = await deps.store.transact((tx) => tx.log.replay(caller.tenant, letter.id, caller.ref, deps.clock.now()));
  if (!done) throw decided(letter);
  return deadLetter(deps, caller, id);
}

/** Gives it up for good, with a reason that stays on record. Errors as `replayDeadLetter`. */
export async function discardDeadLetter(
  deps: CommandDeps,
  caller: Caller,
  id: string,
  reason: string,
): Promise<DeadLetter> {
  const letter = await deadLetter(deps, caller, id);
  const done = await deps.store.transact((tx) => tx.log.discard(caller.tenant, letter.id, reason, deps.clock.now()));
  if (!done) throw decided(letter);
  return deadLetter(deps, caller, id);
}

function decided(letter: DeadLetter): Problem {
  return new Problem('conflict', `Dead letter ${letter.id} is ${letter.state} already; only open ones can be decided.`);
}
