import type { History } from '../history.ts';
import type { Plan } from '../plan.ts';
import type { Tables } from '../tables.ts';
import { checkCertain, checkToldOnce } from './alerts.ts';
import { checkClockHolds, checkClockTells } from './by-the-clock.ts';
import { checkEverythingDone, checkMails, checkNothingParked } from './conservation.ts';
import { checkEffectsOnce, checkNoAckedLoss, checkNoPhantom } from './effects.ts';
import { checkFences, checkNothingStolen } from './fences.ts';
import { checkFreshness } from './freshness.ts';
import { checkCursors, checkLedger, checkSignIns } from './ledger.ts';
import { checkNoStall } from './liveness.ts';
import { checkKeyOrder } from './order.ts';
import { checkFeed, checkVersions } from './outbox.ts';
import { checkProviderPushes, checkPushedIsAsked } from './provider-pushes.ts';
import { checkPushes } from './pushes.ts';
import { checkBalance, checkNothingShrinks } from './ratchet.ts';
import { checkCallWindows, checkRetryAfter } from './rate.ts';
import { checkOneSender } from './senders.ts';
import { checkConfluence } from './state.ts';
import { type Checker, type Violation, violation } from './violation.ts';
import { checkWebhooks } from './webhooks.ts';

/** Each is a function of history and final state. The names are those of the invariants in docs/simulation.md. */
export const CHECKERS: Readonly<Record<string, Checker>> = {
  'I1 no acked loss': checkNoAckedLoss,
  'I2 no phantom': checkNoPhantom,
  'I3 effects once': checkEffectsOnce,
  'I4 order of a key': checkKeyOrder,
  'I5 fences': checkFences,
  'I5 nothing is stolen': checkNothingStolen,
  'I5 one sender': checkOneSender,
  'I6 confluence': checkConfluence,
  'I7 versions': checkVersions,
  'I8 outbox': checkFeed,
  'I9 freshness': checkFreshness,
  'I9 ledger': checkLedger,
  'I9 cursors': checkCursors,
  'I10 everything is done': checkEverythingDone,
  'I10 balance': checkBalance,
  'I10 nothing shrinks': checkNothingShrinks,
  'I10 every mail is settled': checkMails,
  'I10 nothing is left behind': checkNothingParked,
  'I13 Retry-After': checkRetryAfter,
  'I13 calls in a window': checkCallWindows,
  'I13 sign-ins': checkSignIns,
  'I16 no stall': checkNoStall,
  'I22 webhooks': checkWebhooks,
  'I23 told once': checkToldOnce,
  'I23 certain with grounds': checkCertain,
  'I23 the clock tells': checkClockTells,
  'I23 what the clock tells holds': checkClockHolds,
  'I24 pushes': checkPushes,
  'I24 pushes of providers': checkProviderPushes,
  'I24 what is pushed is asked about': checkPushedIsAsked,
};

/** At most so many of one checker are told: one cause breaks many rows. */
const TOLD_MAX = 5;

export function checkAll(evidence: {
  readonly tables: Tables | undefined;
  readonly history: History;
  readonly plan: Plan;
}): readonly Violation[] {
  const { tables, history, plan } = evidence;
  const found: Violation[] = [...history.faults];
  if (tables === undefined)
    return [...found, violation('I16', 'the run never came to its end: something waits for ever, or the stop does')];
  for (const checker of Object.values(CHECKERS)) found.push(...checker({ tables, history, plan }).slice(0, TOLD_MAX));
  return found;
}
