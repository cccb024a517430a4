import type { AnyEvent, AnyNewEvent, Event } from '../contracts/event.ts';
import type { Topic } from '../contracts/topics.ts';
import type { TripwatchError } from '../domain/errors.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Tx } from './store.ts';

/**
 * A stage's step: an event in, an outcome out. Slow work (parsing, calls) happens before it returns; writes happen in
 * `commit`, which the runtime runs in one transaction with the processed mark and the outgoing events.
 */
export type Handler<T extends Topic = Topic> = (event: Event<T>, context: HandlerContext) => Promise<Outcome>;

export interface HandlerContext {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted on shutdown or when the event's deadline has passed. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
}

export type Outcome =
  /**
   * Done. `commit` may run again if its transaction is rolled back, so it must not touch anything but `tx`. `committed` is
   * called once after it, in this process, unless that dies first: enough to wake somebody, and for nothing else.
   */
  | {
      readonly kind: 'ack';
      readonly commit?: (tx: Tx) => Promise<readonly AnyNewEvent[]>;
      readonly committed?: () => void;
    }
  /** Try again, at an instant (epoch ms) or by the stage's backoff. Throwing a TripwatchError says the same by its kind. */
  | { readonly kind: 'retry'; readonly at?: number; readonly error: TripwatchError }
  /** Dead letter at once. */
  | { readonly kind: 'reject'; readonly error: TripwatchError };

export function ack(commit?: (tx: Tx) => Promise<readonly AnyNewEvent[]>, committed?: () => void): Outcome {
  return {
    kind: 'ack',
    ...(commit === undefined ? {} : { commit }),
    ...(committed === undefined ? {} : { committed }),
  };
}

/** One row of the stage table (src/stages/stages.ts). */
export interface StageSpec {
  readonly name: string;
  readonly reads: Topic;
  readonly key: 'mailbox' | 'traveller' | 'provider account' | 'subscriber';
  readonly writes: readonly Topic[];
  readonly does: string;
  /** Keys worked on at the same time. */
  readonly concurrency: number;
  /** The attempt is stored before the work starts: for work that might take the process down. */
  readonly countsFirst?: boolean;
  /** Longest time for one attempt, real ms: our own work does not speed up with the sandbox's clock. */
  readonly deadlineMs: number;
  readonly retry: RetryPolicy;
}

/** Checked data; the backoff itself is a pure function in src/domain/backoff.ts. */
export interface RetryPolicy {
  readonly attemptsMax: number;
  readonly firstDelayMs: number;
  readonly factor: number;
  readonly delayMsMax: number;
  /** Rate-limited waits count no attempt, but end at this age. */
  readonly ageMsMax: number;
}

export type StageHandlers = Readonly<Record<string, Handler<never>>>;
export type { AnyEvent };
