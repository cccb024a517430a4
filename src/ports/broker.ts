import type { AnyEvent } from '../contracts/event.ts';
import type { Topic } from '../contracts/topics.ts';
import type { TripwatchError } from '../domain/errors.ts';
import type { Lease } from './store/leases.ts';
import type { AttemptRecord } from './store/log.ts';

/**
 * Named ordered logs with named consumers. Delivery is at least once; an event stays with a consumer until it is acked,
 * parked for a retry, or dead. Left out on purpose: effects once (the store does that), global order, transactions.
 *
 * The keys of a log fall into shards. A process gets the events of those shards of a consumer that it has taken, with a
 * lease; so any number of processes share a consumer and a key is still worked on by one at a time.
 */
export interface Broker {
  /** The same for every topic and process of an installation; a key never changes its shard. */
  readonly shards: number;
  /** Registers a durable consumer that starts at the oldest event kept. Takes no shard. Idempotent. */
  register(consumer: ConsumerSpec): Promise<void>;
  /** Begins to deliver a shard: from its stored cursor, and what an earlier owner left parked. */
  take(consumer: string, shard: number, lease: Lease): Promise<void>;
  /**
   * Ends it. `hand-over`: nothing new is delivered from now on; resolves when what is out is settled and stored.
   * `lost`: another has it already: lets go at once and writes nothing; settling what is out does nothing.
   */
  leave(consumer: string, shard: number, how: 'hand-over' | 'lost'): Promise<void>;
  /**
   * Waits until something is due and returns up to `max` deliveries of the shards taken; empty when the signal aborts.
   * Deliveries of one key come in log order, and while one of a key is out or parked, later ones of that key are held
   * back.
   */
  fetch(consumer: string, max: number, signal: AbortSignal): Promise<readonly Delivery[]>;
  /**
   * Events not yet acked in the shards taken: for doctor, back-pressure and drain. `rough`: cheap, and may miss what it
   * has not been told of yet.
   */
  lag(consumer: string, rough?: boolean): Promise<Lag>;
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
  /** The lease under which it was delivered: its effect and its failure are written with this fence. */
  readonly fence: Lease | undefined;
  /** Attempts that failed before, the newest ones where there were many. */
  readonly history: readonly AttemptRecord[];
  /** The effect is durable: never deliver again (a repeat after a crash is possible and harmless). */
  ack(): Promise<void>;
  /**
   * Durable when it resolves. `counts`: whether this was an attempt. Without an error it is only put off: nothing is kept
   * of it, and the time until `at` does not make the event older (`firstAt`).
   */
  retry(at: number, error: TripwatchError | undefined, counts: boolean): Promise<void>;
  /** Given back untouched (shutdown): delivered again at once, no attempt counted. */
  release(): void;
}
