import type { AnyEvent } from '../../contracts/event.ts';
import type { DeadLetter, DeadLetterId } from '../../ports/store/dead-letters.ts';
import type { ReadTx } from '../../ports/store.ts';
import { type Caller, notFound } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { auditEntry } from './audit.ts';

/** What an operator does with one dead letter: look, replay, discard. */

/** Errors: `not-found`, also for letters of other tenants. */
export async function deadLetter(deps: Pick<CommandDeps, 'store'>, caller: Caller, id: string): Promise<DeadLetter> {
  const found = await deps.store.read((tx) => tx.deadLetters.get(caller.tenant, id as DeadLetterId));
  if (found === undefined) throw notFound(id);
  return found;
}

export type Payload =
  | { readonly state: 'kept'; readonly event: AnyEvent }
  /** In the log, but no JSON: the file was damaged or written by hand. */
  | { readonly state: 'unreadable' }
  | { readonly state: 'gone' };

/** The event of a letter. It may be personal: show it only to who asks for it. */
export async function payloadOf(tx: ReadTx, letter: DeadLetter): Promise<Payload> {
  try {
    const entry = await tx.log.get(letter.eventId);
    return entry === undefined ? { state: 'gone' } : { state: 'kept', event: entry.event };
  } catch (error) {
    if (error instanceof SyntaxError) return { state: 'unreadable' };
    throw error;
  }
}

/**
 * Delivers the event to its stage again, attempts from zero. Errors: `not-found`; `conflict` when it was decided before
 * or its event is gone.
 */
export async function replayDeadLetter(deps: CommandDeps, caller: Caller, id: string): Promise<DeadLetter> {
  const letter = await deadLetter(deps, caller, id);
  const entry = auditEntry(deps, caller, { action: 'dead-letter.replay', target: letter.id, details: factsOf(letter) });
  const result = await deps.store.transact(async (tx) => {
    const done = await tx.deadLetters.replay(caller.tenant, letter.id, { by: caller.ref, now: entry.at });
    if (done === 'done') await tx.audit.add(entry);
    return done;
  });
  if (result === 'event-gone') throw gone(letter);
  const now = await deadLetter(deps, caller, id);
  if (result !== 'done') throw decided(now);
  return now;
}

/** Gives it up for good, with a reason that stays on record. Errors: `not-found`, `conflict` when decided before. */
export async function discardDeadLetter(
  deps: CommandDeps,
  caller: Caller,
  id: string,
  reason: string,
): Promise<DeadLetter> {
  const letter = await deadLetter(deps, caller, id);
  const details = { ...factsOf(letter), reason };
  const entry = auditEntry(deps, caller, { action: 'dead-letter.discard', target: letter.id, details });
  const done = await deps.store.transact(async (tx) => {
    const discarded = await tx.deadLetters.discard(caller.tenant, letter.id, { by: caller.ref, now: entry.at, reason });
    if (discarded) await tx.audit.add(entry);
    return discarded;
  });
  const now = await deadLetter(deps, caller, id);
  if (!done) throw decided(now);
  return now;
}

/** For the audit trail: what was decided on, without anything of its content. */
export function factsOf(letter: DeadLetter): Record<string, unknown> {
  return { stage: letter.consumer, code: letter.code, event: letter.eventId };
}

export function decided({ id, state, decidedBy }: DeadLetter): Problem {
  const by = decidedBy === undefined ? '' : `, by ${decidedBy}`;
  return new Problem(
    'conflict',
    `Dead letter ${id} is ${state} already${by}; only open ones can be decided. If its event failed again, that is a new letter.`,
  );
}

function gone({ id, eventId }: DeadLetter): Problem {
  return new Problem(
    'conflict',
    `Dead letter ${id} cannot be replayed: its event ${eventId} is no longer in the log. Bring in again what it came from, and discard the letter.`,
  );
}
