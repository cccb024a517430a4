import { TripwatchError } from '../../../domain/errors.ts';
import type { ConsumerSpec, Delivery, Lag } from '../../../ports/broker.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { SqlStore } from '../../store/sql/sql-store.ts';
import type { LogFeed } from '../nats/feed.ts';
import { Wake } from '../wake.ts';
import { LogConsumer } from './log-consumer.ts';

interface Parts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly feed: LogFeed | undefined;
}

/** The shards of one consumer that this process holds: they take turns in what is fetched. */
export class ConsumerShards {
  readonly spec: ConsumerSpec;
  readonly #parts: Parts;
  readonly #onDirty: (acks: number) => void;
  readonly #shards = new Map<number, LogConsumer>();
  readonly #wake = new Wake();
  /** Who is asked first in the next round. */
  #turn = 0;
  #closed = false;

  constructor(spec: ConsumerSpec, parts: Parts, onDirty: (acks: number) => void) {
    this.spec = spec;
    this.#parts = parts;
    this.#onDirty = onDirty;
  }

  async take(shard: number, lease: Lease): Promise<void> {
    // One that is still here was held under an older token.
    this.#shards.get(shard)?.lose();
    const { store, clock, feed } = this.#parts;
    const taken = new LogConsumer(
      { spec: this.spec, shard, lease },
      { store, clock, wake: this.#wake, feed },
      this.#onDirty,
    );
    await taken.open();
    if (this.#closed) return;
    this.#shards.set(shard, taken);
    this.#wake.notify();
  }

  async leave(shard: number, how: 'hand-over' | 'lost'): Promise<void> {
    const held = this.#shards.get(shard);
    if (held === undefined) return;
    try {
      if (how === 'lost') held.lose();
      else await held.handOver();
    } finally {
      // Also where its cursor could not be stored: it delivers nothing any more, and what waits there is another's.
      if (this.#shards.get(shard) === held) this.#shards.delete(shard);
    }
  }

  /** Something was appended in these shards; in any of them, where it is not known which. `ours`: by this process. */
  touched(shards: ReadonlySet<number> | undefined, ours: boolean): void {
    for (const [shard, held] of this.#shards) if (shards === undefined || shards.has(shard)) held.touched(ours);
  }

  async fetch(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    while (!signal.aborted && !this.#closed) {
      const found = await this.#round(max);
      if (found.length > 0) return found;
      const dueAt = Math.min(...[...this.#shards.values()].map((held) => held.nextDueAt() ?? Number.POSITIVE_INFINITY));
      const wait = Number.isFinite(dueAt) ? dueAt - this.#parts.clock.now() : undefined;
      await this.#wake.wait(this.#parts.clock, wait, signal);
    }
    return [];
  }

  async lag(rough: boolean): Promise<Lag> {
    const lags = await Promise.all([...this.#shards.values()].map((held) => held.lag(rough)));
    const oldestAt = Math.min(...lags.map((lag) => lag.oldestAt ?? Number.POSITIVE_INFINITY));
    return {
      waiting: lags.reduce((sum, lag) => sum + lag.waiting, 0),
      parked: lags.reduce((sum, lag) => sum + lag.parked, 0),
      ...(Number.isFinite(oldestAt) ? { oldestAt } : {}),
    };
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#shards.values()].map((held) => this.#unlessLost(held, () => held.flush())));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake.notify();
    await Promise.all([...this.#shards.values()].map((held) => this.#unlessLost(held, () => held.close())));
    this.#shards.clear();
  }

  /** From each shard in turn, so that a full one leaves room for the others over time. */
  async #round(max: number): Promise<readonly Delivery[]> {
    const now = this.#parts.clock.now();
    const all = [...this.#shards.values()].filter((held) => held.hasWork(now));
    if (all.length === 0) return [];
    const faults: unknown[] = [];
    const each = (work: (held: LogConsumer) => Promise<void>) =>
      Promise.all(
        all.map((held) => this.#unlessLost(held, () => work(held)).catch((error: unknown) => void faults.push(error))),
      );
    await each((held) => held.prepare(max));
    const picked = new Map<LogConsumer, ReturnType<LogConsumer['pick']>>();
    const first = this.#turn++;
    let left = max;
    for (let i = 0; i < all.length && left > 0; i++) {
      const held = all[(first + i) % all.length]!;
      const entries = held.pick(left);
      picked.set(held, entries);
      left -= entries.length;
    }
    const found: Delivery[] = [];
    await each(async (held) => void found.push(...(await held.deliver(picked.get(held) ?? []))));
    // What some have given is out already and must reach its stage, whatever befell the others.
    if (found.length === 0 && faults.length > 0) throw faults[0];
    for (const fault of faults)
      this.#parts.logger.warn({ error: String(fault) }, 'a shard could not deliver; trying again');
    return found;
  }

  /** A write that found the lease taken by another: the shard is let go. */
  async #unlessLost(held: LogConsumer, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TripwatchError && error.code === 'lease-lost')) throw error;
      held.lose();
      if (this.#shards.get(held.shard) === held) this.#shards.delete(held.shard);
    }
  }
}
