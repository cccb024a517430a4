import { backoffDelayMs } from '../../domain/backoff.ts';
import { kindOf, TripwatchError } from '../../domain/errors.ts';
import { nextDue, secondDue } from '../../domain/schedule/phase.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { BatchResult, ReadResult, Unchanged } from '../../ports/provider.ts';
import type { Store } from '../../ports/store.ts';
import { PERMANENT, RETRY } from './blame.ts';
import type { Item } from './item.ts';
import type { Marks } from './marks.ts';
import { createMassChange, LOOK_AGAIN_MS, type MassChange } from './mass-change.ts';
import { publishAnswer } from './publish.ts';
import type { Readings } from './readings.ts';
import { assertedMs, isGrave, planOf, saysCancelled } from './subject.ts';

/** An answer whose own time is older than the last one's by more than this is an old copy. */
const STALE_MS = 60_000;
/** ... unless the provider insists. */
const STALE_LOOKS = 3;
/** A provider that said, signed, that something has changed, and then shows nothing new, is asked once more: it lags. */
const PUSH_AGAIN_MS = 15_000;

interface AnswersParts {
  readonly account: string;
  /** Of the connector. */
  readonly label: string;
  readonly freshSeconds: number;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly marks: Marks;
  readonly readings: Readings;
  /** Subjects of the account. */
  readonly size: () => number;
  readonly intervalOf: (item: Item) => number;
  readonly schedule: (item: Item, at: number) => void;
  /** Asks as soon as there is a call for it. */
  readonly enqueue: (item: Item) => void;
  /** Nobody follows it any more. */
  readonly drop: (item: Item) => void;
  /** Nothing more will be known about it. */
  readonly end: (item: Item) => Promise<void>;
  /** News that wants a second opinion. */
  readonly onGrave: (item: Item) => void;
}

/** How an item came to be asked. */
export interface AskedAs {
  readonly askedAt: number;
  /** It went along with another one: this is when it would have been due. */
  readonly dueAt?: number;
  readonly woken: Item['woken'];
  /** The newest stored wake that had been taken up by then. */
  readonly wakeAt: number;
}

/** What becomes of an answer: told, marked as fresh, held back, or not used; and when the next question is due. */
export class Answers {
  readonly #parts: AnswersParts;
  readonly guard: MassChange;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.guard = createMassChange(parts.size, parts.freshSeconds * 1000);
  }

  /** Errors: those of the store; then the answer counts as not asked for. */
  async take(item: Item, result: BatchResult | Unchanged, as: AskedAs): Promise<void> {
    const { clock, readings } = this.#parts;
    const now = clock.now();
    if (result.kind === 'unanswered') {
      readings.askAlone(item, now, 'unanswered');
      this.#backToItsPlace(item, as);
      return;
    }
    if (result.kind === 'failed') {
      this.#failedAmongOthers(item, result.error, now);
      return;
    }
    const interval = this.#parts.intervalOf(item);
    const isFirst = item.checkedAt === undefined;
    item.attempts = 0;
    const isSame = result.kind === 'unchanged' || (result.kind === 'found' && result.digest === item.digest);
    if (result.kind === 'absent') {
      readings.keepToken(item, undefined, now);
      // "Not found" is no cancellation. About something that was found before, it only means that we cannot verify it.
      this.mark(item, now, item.digest === undefined ? undefined : 'provider-not-found');
    } else if (isSame) {
      item.staleLooks = 0;
      this.guard.cleared(item.slot);
      this.mark(item, now, undefined);
    } else if (!(await this.#news(item, result as Extract<ReadResult, { kind: 'found' }>, now))) return;
    const asksAgain = isSame && as.woken === 'push';
    if (!asksAgain) this.heard(item, as.wakeAt);
    if (result.kind === 'found') readings.keepToken(item, result.token, now);
    else readings.forgetOldToken(item, now);
    if (result.kind === 'found' && result.final && result.digest === item.digest) await this.#parts.end(item);
    else if (item.gone) return;
    else if (asksAgain) this.#parts.schedule(item, now + PUSH_AGAIN_MS);
    else {
      const { askedAt } = as;
      const due = isFirst ? secondDue(item.phase, interval, askedAt) : nextDue(item.dueAt, interval, askedAt);
      // Those that went along with others go on with them.
      this.#parts.schedule(item, as.dueAt === undefined ? due : askedAt + interval);
    }
  }

  /** A stored wake was followed: it is none any more. */
  heard(item: Item, wakeAt: number): void {
    if (wakeAt <= item.heardAt) return;
    item.heardAt = wakeAt;
    this.#parts.marks.heard(item.id, wakeAt);
  }

  /** The failure of the last question about it (its code), or that there is none. */
  mark(item: Item, at: number, failure: string | undefined): void {
    if (failure === undefined) item.checkedAt = at;
    else if (item.failure === failure) return;
    item.failure = failure;
    this.#parts.marks.add({ id: item.id, at, ...(failure === undefined ? {} : { failure }) });
  }

  /** An answer that differs. False: it was not taken, and the next question is scheduled. */
  async #news(item: Item, result: Extract<ReadResult, { kind: 'found' }>, now: number): Promise<boolean> {
    const { logger, schedule, account, label, marks, store } = this.#parts;
    let { answer } = result;
    const at = assertedMs(answer);
    if (at < item.assertedAt - STALE_MS && ++item.staleLooks < STALE_LOOKS) {
      logger.warn({ subject: item.id }, 'provider answered with an older state; not used');
      this.mark(item, now, 'provider-answered-older');
      schedule(item, now + LOOK_AGAIN_MS);
      return false;
    }
    const cancelled = saysCancelled(answer);
    const plan = planOf(answer);
    const turned = cancelled ? !item.cancelled : plan !== item.plan;
    if (!turned) this.guard.cleared(item.slot);
    else if (item.digest !== undefined && this.guard.turned(item.slot, now) === 'hold') {
      logger.error(
        { subject: item.id, held: this.guard.held, cancelled },
        'many subjects turn cancelled or move at once; held and asked again',
      );
      this.mark(item, now, cancelled ? 'cancellation-held' : 'change-held');
      schedule(item, now + LOOK_AGAIN_MS);
      return false;
    }
    // Its newest word must outrank its last one, also where its own stamp is too coarse to tell.
    if (at <= item.assertedAt) {
      const assertedAt = Temporal.Instant.fromEpochMilliseconds(item.assertedAt + 1);
      answer = { ...answer, assertedAt: assertedAt.toString({ smallestUnit: 'millisecond' }) };
    }
    // A failure that waits to be marked is overtaken by this answer.
    marks.forget(item.id);
    const { digest } = result;
    if (!(await publishAnswer(store, { id: item.id, account, label, answer, digest, fetchedAt: now }))) {
      this.#parts.drop(item);
      return false;
    }
    const grave = isGrave(answer);
    item.digest = digest;
    item.assertedAt = assertedMs(answer);
    item.cancelled = cancelled;
    item.plan = plan;
    item.grave = grave;
    item.checkedAt = now;
    item.failure = undefined;
    item.staleLooks = 0;
    if (grave) this.#parts.onGrave(item);
    return true;
  }

  /** A bad answer among good ones: its own trouble only. */
  #failedAmongOthers(item: Item, error: TripwatchError, now: number): void {
    const { readings, random, schedule, logger } = this.#parts;
    readings.askAlone(item, now, 'failed');
    const code = error instanceof TripwatchError ? error.code : 'unexpected';
    logger.debug({ subject: item.id, code }, 'no good answer among those asked together');
    this.mark(item, now, code);
    const kind = kindOf(error);
    const isLasting = kind !== 'transient' && kind !== 'rate-limited';
    schedule(item, now + backoffDelayMs(isLasting ? PERMANENT : RETRY, ++item.attempts, random.number()));
  }

  #backToItsPlace(item: Item, as: AskedAs): void {
    if (item.gone) return;
    if (as.dueAt === undefined || as.dueAt <= this.#parts.clock.now()) this.#parts.enqueue(item);
    else this.#parts.schedule(item, as.dueAt);
  }
}
