import type { Answer } from '../../contracts/topics.ts';
import { DEFAULT_TENANT, type SubjectId } from '../../domain/ids.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';

/** An answer that says something new. */
export interface NewAnswer {
  readonly id: SubjectId;
  readonly account: string;
  /** Who said it, for people: `AeroDataBox`. */
  readonly label: string;
  readonly answer: Answer;
  readonly digest: string;
  readonly fetchedAt: number;
  /** The last answer before, which was another one. */
  readonly checkedBefore?: number | undefined;
}

/**
 * Stores the answer and appends `subject.observed`, in one transaction. False: nobody follows the subject any more, and
 * nothing was stored. Errors: those of the store.
 */
export function publishAnswer(store: Store, made: NewAnswer): Promise<boolean> {
  const { id, account, label, answer, digest, fetchedAt } = made;
  return store.transact(async (tx) => {
    const subject = await tx.subjects.get(id);
    if (subject?.state !== 'active') return false;
    await tx.subjects.setAnswer(id, answer, digest, fetchedAt);
    const checkedBefore = subject.answer === undefined ? undefined : subject.checkedAt;
    await tx.append([observedEvent({ id, account, label, answer, fetchedAt, checkedBefore })], {
      source: 'track',
      correlation: id,
      seed: `${id}/${digest}/${fetchedAt}`,
      at: fetchedAt,
    });
    return true;
  });
}

/** Subjects belong to no tenant, their followers do; the event travels under the operator's own. */
export function observedEvent(made: Omit<NewAnswer, 'digest'>) {
  return {
    topic: 'subject.observed' as const,
    tenant: DEFAULT_TENANT,
    key: observedKey(made.account, made.id),
    subject: made.id,
    data: {
      subjectId: made.id,
      account: made.account,
      label: made.label,
      answer: made.answer,
      fetchedAt: isoInstant(made.fetchedAt),
      ...(made.checkedBefore === undefined ? {} : { checkedBefore: isoInstant(made.checkedBefore) }),
    },
  };
}

/** One line per subject within its account, so that answers about different things do not wait for one another. */
export function observedKey(account: string, id: SubjectId): string {
  return `${account}/${id}`;
}
