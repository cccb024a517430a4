import type { AnyEvent } from '../../../contracts/event.ts';
import type { Topic } from '../../../contracts/topics.ts';
import { TripwatchError } from '../../../domain/errors.ts';
import { HISTORY_RECORDS_MAX } from '../../../domain/limits.ts';
import type { Broker, ConsumerSpec, Delivery, Lag } from '../../../ports/broker.ts';
import type { Clock, Random } from '../../../ports/clock.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { AttemptRecord } from '../../../ports/store/log.ts';
import { recordOf } from '../attempt-record.ts';
import { KeyLines } from '../key-lines.ts';
import { Wake } from '../wake.ts';

/** What a real broker may do to us, made likely. All within the port's promise. */
export interface Adversity {
  /** Chance that an acked event comes again later. */
  readonly duplicate?: number;
  /** Chance that an ack is lost: the event comes again after `redeliverMs`. */
  readonly loseAck?: number;
  readonly redeliverMs?: number;
  /** Keys are served in random turn. */
  readonly reorderKeys?: boolean;
}

interface Entry {
  readonly seq: number;
  readonly key: string;
  readonly event: AnyEvent;
  readonly publishedAt: number;
  attempts: number;
  firstAt: number | undefined;
  history: readonly AttemptRecord[];
  parkedTo: number | undefined;
}

interface Consumer {
  readonly spec: ConsumerSpec;
  lines: KeyLines<Entry>;
  readonly wake: Wake;
  /** Deliveries of an earlier life are refused after a crash. */
  life: number;
  /** Held since it was taken; undefined: nothing is delivered. */
  lease: Lease | undefined;
  /** The highest token that it was taken with. */
  newest: number;
}

/** The port in memory, for simulation and unit tests: nothing survives the process, everything else is promised alike. */
export class MemoryBroker implements Broker {
  readonly shards = 1;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #adversity: Adversity;
  readonly #log: { readonly seq: number; readonly event: AnyEvent; readonly publishedAt: number }[] = [];
  readonly #ids = new Set<string>();
  readonly #consumers = new Map<string, Consumer>();

  constructor(options: { readonly clock: Clock; readonly random: Random; readonly adversity?: Adversity }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#adversity = options.adversity ?? {};
  }

  /** What the store's outbox hands over; a repeat of an id falls away. */
  publish(events: readonly AnyEvent[]): void {
    for (const event of events) {
      if (this.#ids.has(event.id)) continue;
      this.#ids.add(event.id);
      const row = { seq: this.#log.length + 1, event, publishedAt: this.#clock.now() };
      this.#log.push(row);
      for (const consumer of this.#consumers.values())
        if (consumer.spec.topic === event.topic) {
          consumer.lines.push(entryOf(row));
          consumer.wake.notify();
        }
    }
  }

  /** Delivers an event to a consumer again, attempts from zero (a dead letter that is replayed). */
  replay(consumer: string, eventId: string): void {
    const row = this.#log.find(({ event }) => event.id === eventId);
    const found = this.#consumer(consumer);
    if (row === undefined) return;
    found.lines.push(entryOf(row));
    found.wake.notify();
  }

  /** As if the process had died: what is out comes again, and settling an old delivery does nothing. */
  crash(): void {
    for (const consumer of this.#consumers.values()) this.#again(consumer);
  }

  #again(consumer: Consumer): void {
    const entries = [...consumer.lines.items()].sort((a, b) => a.seq - b.seq);
    consumer.lines = new KeyLines();
    consumer.life++;
    // Only the head of a line is ever parked, so there is at most one of a key.
    for (const entry of entries) if (entry.parkedTo !== undefined) consumer.lines.pushParked(entry, entry.parkedTo);
    for (const entry of entries) if (entry.parkedTo === undefined) consumer.lines.push(entry);
    consumer.wake.notify();
  }

  async register(spec: ConsumerSpec): Promise<void> {
    if (this.#consumers.has(spec.name)) return;
    const consumer: Consumer = { spec, lines: new KeyLines(), wake: new Wake(), life: 0, lease: undefined, newest: 0 };
    for (const row of this.#log) if (row.event.topic === spec.topic) consumer.lines.push(entryOf(row));
    this.#consumers.set(spec.name, consumer);
  }

  /** What an earlier holder has out comes again: it may be gone, and if it is not, its settling does nothing. */
  async take(name: string, _shard: number, lease: Lease): Promise<void> {
    const consumer = this.#consumer(name);
    if (lease.token < consumer.newest)
      throw new TripwatchError('stale', 'lease-lost', `Another worker has taken ${lease.resource} since.`);
    if (lease.token > consumer.newest) this.#again(consumer);
    consumer.newest = lease.token;
    consumer.lease = lease;
    consumer.wake.notify();
  }

  /** Who has taken it at present. */
  holder(name: string): Lease | undefined {
    return this.#consumer(name).lease;
  }

  /** What is out stays out until it is settled or the process crashes; nothing new is delivered. */
  async leave(name: string): Promise<void> {
    this.#consumer(name).lease = undefined;
  }

  /** `holder`: of several who share this broker, the one that asks; it gets something only while it is the holder. */
  async fetch(name: string, max: number, signal: AbortSignal, holder?: Lease): Promise<readonly Delivery[]> {
    const consumer = this.#consumer(name);
    while (!signal.aborted) {
      if (consumer.lease === undefined || (holder !== undefined && holder.token !== consumer.lease.token)) {
        await consumer.wake.wait(this.#clock, undefined, signal);
        continue;
      }
      const now = this.#clock.now();
      const pick = this.#adversity.reorderKeys ? (n: number) => Math.floor(this.#random.number() * n) : undefined;
      const entries = consumer.lines.take(max, now, pick);
      if (entries.length > 0) return entries.map((entry) => this.#deliver(consumer, entry, now));
      const dueAt = consumer.lines.nextDueAt();
      await consumer.wake.wait(this.#clock, dueAt === undefined ? undefined : dueAt - now, signal);
    }
    return [];
  }

  async lag(name: string): Promise<Lag> {
    const { lines } = this.#consumer(name);
    let oldestAt = Number.POSITIVE_INFINITY;
    for (const entry of lines.items()) oldestAt = Math.min(oldestAt, entry.publishedAt);
    return {
      waiting: lines.size - lines.parkedCount,
      parked: lines.parkedCount,
      ...(oldestAt === Number.POSITIVE_INFINITY ? {} : { oldestAt }),
    };
  }

  async close(): Promise<void> {
    this.crash();
  }

  /** Everything of a topic, for checkers. */
  events(topic: Topic): readonly AnyEvent[] {
    return this.#log.filter(({ event }) => event.topic === topic).map(({ event }) => event);
  }

  #deliver(consumer: Consumer, entry: Entry, now: number): Delivery {
    const { life } = consumer;
    let settled = false;
    const settle = (work: (lines: KeyLines<Entry>) => void) => {
      if (settled || life !== consumer.life) return;
      settled = true;
      work(consumer.lines);
      consumer.wake.notify();
    };
    if (consumer.spec.countsFirst) entry.attempts++;
    entry.firstAt ??= now;
    entry.parkedTo = undefined;
    const { duplicate = 0, loseAck = 0, redeliverMs = 1000 } = this.#adversity;
    return {
      event: entry.event,
      attempt: consumer.spec.countsFirst ? entry.attempts : entry.attempts + 1,
      firstAt: entry.firstAt,
      fence: consumer.lease,
      history: entry.history,
      ack: async () => {
        settle((lines) => {
          if (this.#random.number() < loseAck) {
            entry.parkedTo = this.#clock.now() + redeliverMs;
            lines.park(entry.key, entry.parkedTo);
            return;
          }
          lines.done(entry.key);
          if (this.#random.number() < duplicate) lines.push(entryOf(entry));
        });
      },
      retry: async (at, error, counts) => {
        settle((lines) => {
          if (counts && !consumer.spec.countsFirst) entry.attempts++;
          if (!counts && consumer.spec.countsFirst) entry.attempts--;
          const now = this.#clock.now();
          if (error === undefined) entry.firstAt = (entry.firstAt ?? now) + Math.max(0, at - now);
          else entry.history = [...entry.history, recordOf(error, now)].slice(-HISTORY_RECORDS_MAX);
          entry.parkedTo = at;
          lines.park(entry.key, at);
        });
      },
      release: () => {
        settle((lines) => {
          if (consumer.spec.countsFirst) entry.attempts--;
          lines.release(entry.key);
        });
      },
    };
  }

  #consumer(name: string): Consumer {
    const consumer = this.#consumers.get(name);
    if (consumer === undefined) throw new Error(`consumer ${name} is not registered`);
    return consumer;
  }
}

function entryOf(row: { readonly seq: number; readonly event: AnyEvent; readonly publishedAt: number }): Entry {
  return {
    seq: row.seq,
    key: row.event.partitionkey,
    event: row.event,
    publishedAt: row.publishedAt,
    attempts: 0,
    firstAt: undefined,
    history: [],
    parkedTo: undefined,
  };
}
