import type { SubjectId } from '../../domain/ids.ts';
import { phaseOf } from '../../domain/schedule/phase.ts';
import type { SubjectSpec } from '../../ports/provider.ts';
import type { Subject, WakeReason } from '../../ports/store/subjects.ts';
import { assertedMs, isGrave, planOf, saysCancelled } from './subject.ts';

/** A subject as it is scheduled. */
export interface Item {
  readonly slot: number;
  readonly id: SubjectId;
  readonly phase: number;
  readonly addedAt: number;
  spec: SubjectSpec;
  digest: string | undefined;
  assertedAt: number;
  cancelled: boolean;
  /** Of the last answer: see planOf. */
  plan: string | undefined;
  /** What was said last is told as certain only when another account says it too. */
  grave: boolean;
  checkedAt: number | undefined;
  /** Code of the failure last marked. */
  failure: string | undefined;
  /** Questions in a row that failed. */
  attempts: number;
  /** It is to be asked again in the same round. */
  retrying: boolean;
  staleLooks: number;
  /** When it is, or was, due. */
  dueAt: number;
  asking: boolean;
  /** Woken while it was being asked: the answer on its way may be from before. */
  again: WakeReason | undefined;
  gone: boolean;
  /** Why it is to be asked now, out of its turn. */
  woken: WakeReason | undefined;
  /** The newest stored wake that was taken up, and the newest that was followed; by the store's clock. */
  wakeAt: number;
  heardAt: number;
  /** Another account is asked about it; this one stands by. */
  resting: boolean;
  /** Key of the board that it stands on. */
  board: string | undefined;
  /** Epoch ms: until then it is asked alone. */
  aloneUntil: number;
  /** Of the last answer that was taken, and when everything was last read: see ProviderConnector.readIfChanged. */
  token: string | undefined;
  wholeAt: number | undefined;
}

/** As stored, to be scheduled. `now`: epoch ms. */
export function itemOf(subject: Subject, slot: number, now: number): Item {
  return {
    slot,
    id: subject.id,
    phase: phaseOf(subject.id),
    addedAt: now,
    spec: subject.spec,
    digest: subject.answerDigest,
    assertedAt: subject.answer === undefined ? Number.NEGATIVE_INFINITY : assertedMs(subject.answer),
    cancelled: subject.answer !== undefined && saysCancelled(subject.answer),
    plan: subject.answer === undefined ? undefined : planOf(subject.answer),
    grave: subject.answer !== undefined && isGrave(subject.answer),
    checkedAt: subject.checkedAt,
    failure: subject.failure,
    attempts: 0,
    retrying: false,
    staleLooks: 0,
    dueAt: now,
    asking: false,
    again: undefined,
    gone: false,
    woken: undefined,
    wakeAt: 0,
    heardAt: 0,
    resting: false,
    board: undefined,
    aloneUntil: 0,
    token: undefined,
    wholeAt: undefined,
  };
}
