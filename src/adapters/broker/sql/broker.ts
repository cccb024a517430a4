import { TripwatchError } from '../../../domain/errors.ts';
import { CURSOR_ACKS_MAX, CURSOR_DELAY_MS_MAX, POLL_MS_MAX } from '../../../domain/limits.ts';
import type { Broker, ConsumerSpec, Delivery, Lag } from '../../../ports/broker.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { SqlStore } from '../../store/sql/sql-store.ts';
import type { LogFeed } from '../nats/feed.ts';
import { ConsumerShards } from './consumer-shards.ts';

/**
 * The broker on the log in the store's own database: no other server, and an append is one with the state it belongs to.
 * Each shard of a consumer is worked on by whoever holds its lease, in this process or another; anybody may append.
 *
 * Wake-ups: appends by `onAppended`, those of this process at once; and a cheap question every two seconds, for notices
 * that were lost.
 */
export class SqlBroker implements Broker {
  readonly shards: number;
  readonly #store: SqlStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #feed: LogFeed | undefined;
  readonly #consumers = new Map<string, ConsumerShards>();
  readonly #closing = new AbortController();
  readonly #unlisten: () => void;
  #timer = false;
  #flushing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /** `feed`: another way by which rows of the log come; what it cannot prove is read from the store. */
  constructor(options: {
    readonly store: SqlStore;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly feed?: LogFeed | undefined;
  }) {
    this.shards = options.store.shards;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#feed = options.feed;
    this.#unlisten = options.store.onAppended((appended, ours) => {
      for (const consumer of this.#consumers.values()) {
        const shards = appended.get(consumer.spec.topic);
        if (shards !== undefined) consumer.touched(shards, ours);
      }
    });
    void this.#poll();
  }

  async register(spec: ConsumerSpec): Promise<void> {
    if (this.#consumers.has(spec.name)) return;
    const parts = { store: this.#store, clock: this.#clock, logger: this.#logger, feed: this.#feed };
    this.#consumers.set(spec.name, new ConsumerShards(spec, parts, (acks) => this.#dirty(acks)));
  }

  take(consumer: string, shard: number, lease: Lease): Promise<void> {
    return this.#consumer(consumer).take(shard, lease);
  }

  leave(consumer: string, shard: number, how: 'hand-over' | 'lost'): Promise<void> {
    return this.#consumer(consumer).leave(shard, how);
  }

  fetch(consumer: string, max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    return this.#consumer(consumer).fetch(max, signal);
  }

  lag(consumer: string, rough = false): Promise<Lag> {
    return this.#consumer(consumer).lag(rough);
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#closing.abort();
      this.#unlisten();
      await this.#flushing;
      await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close()));
    })();
    return this.#closed;
  }

  #consumer(name: string): ConsumerShards {
    const consumer = this.#consumers.get(name);
    if (consumer === undefined)
      throw new TripwatchError('defect', 'consumer-unknown', `Consumer ${name} is not registered.`);
    return consumer;
  }

  #dirty(acks: number): void {
    if (acks >= CURSOR_ACKS_MAX) void this.#flush();
    // Also then: what comes during that flush needs another.
    void this.#flushSoon();
  }

  async #flushSoon(): Promise<void> {
    if (this.#timer || this.#closing.signal.aborted) return;
    this.#timer = true;
    try {
      await this.#clock.sleep(CURSOR_DELAY_MS_MAX * this.#clock.speed, this.#closing.signal);
    } catch {
      // Closing: `close` stores what is left.
      return;
    } finally {
      this.#timer = false;
    }
    await this.#flush();
  }

  /** One at a time; a failure leaves everything to the next one. */
  #flush(): Promise<void> {
    this.#flushing ??= Promise.all([...this.#consumers.values()].map((consumer) => consumer.flush()))
      .then(() => undefined)
      .catch((error) => {
        this.#logger.warn({ error: String(error) }, 'cursors could not be stored; trying again');
        void this.#flushSoon();
      })
      .finally(() => {
        this.#flushing = undefined;
      });
    return this.#flushing;
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#clock.sleep(POLL_MS_MAX * this.#clock.speed, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        if (!(await this.#store.changedElsewhere())) continue;
        for (const consumer of this.#consumers.values()) consumer.touched(undefined, false);
      } catch (error) {
        this.#logger.warn({ error: String(error) }, 'the log could not be looked at; trying again');
      }
    }
  }
}
