import type { SubjectId } from '../../domain/ids.ts';
import { phaseOf } from '../../domain/schedule/phase.ts';
import type { SubjectSpec } from '../../ports/provider.ts';
import type { Subject } from '../../ports/store/subjects.ts';
import { assertedMs, saysCancelled } from './subject.ts';

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
  again: boolean;
  gone: boolean;
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
    checkedAt: subject.checkedAt,
    failure: subject.failure,
    attempts: 0,
    retrying: false,
    staleLooks: 0,
    dueAt: now,
    asking: false,
    again: false,
    gone: false,
  };
}
