import { TripwatchError } from '../../../domain/errors.ts';
import { CURSOR_ACKS_MAX, CURSOR_DELAY_MS_MAX, POLL_MS_MAX } from '../../../domain/limits.ts';
import type { Broker, ConsumerSpec, Delivery, Lag } from '../../../ports/broker.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { LogConsumer } from './log-consumer.ts';

/**
 * The broker on the log in the store's own file: no other server, and an append is one with the state it belongs to.
 * One process at a time runs consumers on a file (see OwnerLock); others may append.
 *
 * Wake-ups: appends of this process at once, by `onAppended`; those of other processes by a look at the file's version
 * every two seconds.
 */
export class SqliteBroker implements Broker {
  readonly #store: SqliteStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #consumers = new Map<string, LogConsumer>();
  readonly #closing = new AbortController();
  readonly #unlisten: () => void;
  #version: number;
  #timer = false;
  #flushing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: { readonly store: SqliteStore; readonly clock: Clock; readonly logger: Logger }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#version = options.store.dataVersion();
    this.#unlisten = options.store.onAppended((topics) => {
      for (const consumer of this.#consumers.values()) if (topics.has(consumer.spec.topic)) consumer.touched();
    });
    void this.#poll();
  }

  async register(spec: ConsumerSpec): Promise<void> {
    if (this.#consumers.has(spec.name)) return;
    const consumer = new LogConsumer(spec, this.#store, this.#clock, (acks) => this.#dirty(acks));
    await consumer.open();
    this.#consumers.set(spec.name, consumer);
  }

  fetch(consumer: string, max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    return this.#consumer(consumer).fetch(max, signal);
  }

  lag(consumer: string): Promise<Lag> {
    return this.#consumer(consumer).lag();
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

  #consumer(name: string): LogConsumer {
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
        const version = this.#store.dataVersion();
        if (version === this.#version) continue;
        this.#version = version;
        for (const consumer of this.#consumers.values()) consumer.touched();
      } catch (error) {
        this.#logger.warn({ error: String(error) }, 'the file could not be looked at; trying again');
      }
    }
  }
}
