import type { AnyEvent } from '../contracts/event.ts';
import type { Topic } from '../contracts/topics.ts';
import type { TripwatchError } from '../domain/errors.ts';
import type { AttemptRecord } from './store/log.ts';

/**
 * Named ordered logs with named consumers. Delivery is at least once; an event stays with a consumer until it is acked,
 * parked for a retry, or dead. Left out on purpose: effects once (the store does that), global order, transactions.
 */
export interface Broker {
  /** Registers a durable consumer that starts at the oldest event kept. Idempotent. */
  register(consumer: ConsumerSpec): Promise<void>;
  /**
   * Waits until something is due and returns up to `max` deliveries; empty when the signal aborts. Deliveries of one
   * key come in log order, and while one of a key is out or parked, later ones of that key are held back.
   */
  fetch(consumer: string, max: number, signal: AbortSignal): Promise<readonly Delivery[]>;
  /** Events not yet acked, per consumer: for doctor, back-pressure and drain. */
  lag(consumer: string): Promise<Lag>;
  /** Stores what was acked, so that it does not come again, and lets go of everything. What is still out comes again. */
  close(): Promise<void>;
}

export interface ConsumerSpec {
  readonly name: string;
  readonly topic: Topic;
  /** Durable count of attempts before the work (see StageSpec.countsFirst). */
  readonly countsFirst?: boolean;
}

export interface Lag {
  readonly waiting: number;
  /** Parked with a time for the next attempt. */
  readonly parked: number;
  readonly oldestAt?: number;
}

export interface Delivery {
  readonly event: AnyEvent;
  /** 1 for the first; counts failed and crashed attempts where the broker can know them. */
  readonly attempt: number;
  /** When this consumer first saw it, epoch ms. */
  readonly firstAt: number;
  /** Attempts that failed before, the newest ones where there were many. */
  readonly history: readonly AttemptRecord[];
  /** The effect is durable: never deliver again (a repeat after a crash is possible and harmless). */
  ack(): Promise<void>;
  /** Durable when it resolves. `counts`: whether this was an attempt. */
  retry(at: number, error: TripwatchError, counts: boolean): Promise<void>;
  /** Given back untouched (shutdown): delivered again at once, no attempt counted. */
  release(): void;
}
