import { faultsOfPolicy } from '../domain/backoff.ts';
import { TripwatchError } from '../domain/errors.ts';
import { OVERLOAD_CHECK_MS, OVERLOAD_EVENTS, STALL_MS, SWEEP_MS, SWEEP_MS_MAX } from '../domain/limits.ts';
import type { Broker } from '../ports/broker.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Handler, StageHandlers, StageSpec } from '../ports/handler.ts';
import type { Logger } from '../ports/logger.ts';
import type { Pause } from '../ports/store/control.ts';
import type { Store } from '../ports/store.ts';
import type { DeadLetterHook } from './attempt.ts';
import { SHUTDOWN, StageConsumer } from './consumer.ts';
import { RuntimeEmitter, type RuntimeListener } from './events.ts';
import type { LatencySummary } from './histogram.ts';
import { Keeper, type WorkerIdentity, type WorkGroup } from './keeper.ts';
import type { Paused } from './pauses.ts';

export interface RuntimeOptions {
  readonly store: Store;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The stages to run here: all, or some of them. */
  readonly stages: readonly StageSpec[];
  /** By stage name. */
  readonly handlers: StageHandlers;
  /** By stage name. */
  readonly onDeadLetter?: Readonly<Record<string, DeadLetterHook>>;
  /** Who this process is among those that share the work. Default: nobody else is there. */
  readonly worker?: WorkerIdentity;
  /** What else is shared out: provider accounts, the webhook sender. */
  readonly groups?: readonly WorkGroup[];
  /** What operators have paused. Default: nothing. */
  readonly paused?: Paused;
}

const ALONE: WorkerIdentity = { id: 'alone', label: 'the only one', alone: true };

export interface StageStatus {
  readonly name: string;
  readonly waiting: number;
  readonly parked: number;
  readonly oldestAt: number | undefined;
  readonly running: number;
  /** It takes up nothing at present, and why. */
  readonly paused: Pause | undefined;
  readonly processed: number;
  readonly repeats: number;
  readonly retried: number;
  readonly dead: number;
  /** Real ms from delivery to durable. */
  readonly latency: LatencySummary;
  /** Ms of the clock from append to delivery. */
  readonly wait: LatencySummary;
}

export type RuntimeState = 'new' | 'running' | 'draining' | 'stopped';

export interface RuntimeStatus {
  readonly state: RuntimeState;
  readonly overloaded: boolean;
  readonly stages: readonly StageStatus[];
}

export interface Runtime {
  /** Registers the consumers and begins to work. Errors: permanent `stage-without-handler`, `retry-policy-invalid`. */
  start(): Promise<void>;
  /** No new work; what runs may finish for `timeoutMs` (real), then it is given back. Cursors are stored. Idempotent. */
  drain(timeoutMs: number): Promise<void>;
  /** As drain, without waiting. */
  stop(): Promise<void>;
  /**
   * Resolves when nothing waits or runs in any stage (for import and tests); rejects with the signal's reason, or with
   * `cancelled` when the runtime stops.
   * Events parked for a later attempt, and those of paused stages, count as well, unless `parked` is 'ignore'.
   */
  idle(options?: { readonly parked?: 'wait' | 'ignore'; readonly signal?: AbortSignal }): Promise<void>;
  status(): Promise<RuntimeStatus>;
  /**
   * Too much waits: intake should say "later" (421, 503). Cheap: the answer may be a quarter of a second old. Never
   * rejects: while the lag cannot be read, the last answer stands.
   */
  overloaded(): Promise<boolean>;
  on(listener: RuntimeListener): () => void;
  /** What this process holds of the shared work, and who else is at work. */
  readonly work: Pick<Keeper, 'held' | 'workers'>;
}

export function createRuntime(options: RuntimeOptions): Runtime {
  return new StageRuntime(options);
}

/** Modes: new → running → draining → stopped; `#enter` is the one place that changes them. */
class StageRuntime implements Runtime {
  readonly #options: RuntimeOptions;
  readonly #emitter: RuntimeEmitter;
  readonly #consumers: readonly StageConsumer[];
  readonly #keeper: Keeper;
  readonly #sweeping = new AbortController();
  #state: RuntimeState = 'new';
  #sweeper: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;
  #overload = { at: Number.NEGATIVE_INFINITY, value: false };
  readonly #stallCheckedAt = new Map<StageConsumer, number>();
  /** What was waited for at the last look: as of which activity. */
  readonly #waitedSince = new Map<StageConsumer, number>();

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#emitter = new RuntimeEmitter(options.logger);
    this.#consumers = options.stages.map((stage) => this.#consumerOf(stage));
    const { store, clock, logger, broker, worker = ALONE, groups = [] } = options;
    this.#keeper = new Keeper({
      store,
      clock,
      logger,
      worker,
      groups: [...options.stages.map((stage) => shardsOf(stage.name, broker)), ...groups],
      load: () => this.#load(),
    });
  }

  get work(): Pick<Keeper, 'held' | 'workers'> {
    return this.#keeper;
  }

  async start(): Promise<void> {
    this.#enter('running');
    this.#unlisten = this.#options.paused?.onChange(() => {
      for (const consumer of this.#consumers) consumer.pausesChanged();
    });
    for (const consumer of this.#consumers) await consumer.start();
    await this.#keeper.start();
    this.#sweeper = this.#sweep();
    this.#emitter.emit({ type: 'started' });
  }

  drain(timeoutMs: number): Promise<void> {
    this.#draining ??= this.#drain(timeoutMs);
    return this.#draining;
  }

  async stop(): Promise<void> {
    // A drain under way is cut short.
    const drained = this.drain(0);
    for (const consumer of this.#consumers) consumer.abortRunning();
    await drained;
  }

  async idle(options: { readonly parked?: 'wait' | 'ignore'; readonly signal?: AbortSignal } = {}): Promise<void> {
    const { clock } = this.#options;
    const signal = options.signal ?? new AbortController().signal;
    const ignoreParked = options.parked === 'ignore';
    // Twice empty with nothing settled in between: an event may have moved from a stage not yet looked at to one that was.
    for (let settledBefore = -1; ; ) {
      signal.throwIfAborted();
      if (this.#draining !== undefined) throw SHUTDOWN;
      const settled = this.#settledCount();
      const empty = await this.#isEmpty(ignoreParked);
      if (empty && settled === settledBefore && settled === this.#settledCount()) return;
      settledBefore = empty ? settled : -1;
      await clock.sleep((empty ? 1 : 10) * clock.speed, signal);
    }
  }

  async status(): Promise<RuntimeStatus> {
    const stages = await Promise.all(this.#consumers.map((consumer) => this.#stageStatus(consumer)));
    return { state: this.#state, overloaded: await this.overloaded(), stages };
  }

  async overloaded(): Promise<boolean> {
    const { clock } = this.#options;
    const now = clock.monotonic() / clock.speed;
    if (now - this.#overload.at < OVERLOAD_CHECK_MS) return this.#overload.value;
    // Set first, so that many who ask at once cause one look.
    this.#overload = { at: now, value: this.#overload.value };
    if (this.#state === 'running') {
      try {
        const load = new Map(Object.entries(await this.#load()));
        for (const other of this.#keeper.workers)
          if (other.id !== this.#options.worker?.id)
            for (const [stage, waiting] of Object.entries(other.load))
              load.set(stage, (load.get(stage) ?? 0) + waiting);
        this.#overload = { at: now, value: [...load.values()].some((waiting) => waiting >= OVERLOAD_EVENTS) };
      } catch (error) {
        this.#options.logger.warn({ error: String(error) }, 'the lag could not be read');
      }
    }
    return this.#overload.value;
  }

  on(listener: RuntimeListener): () => void {
    return this.#emitter.on(listener);
  }

  #consumerOf(stage: StageSpec): StageConsumer {
    const { handlers, onDeadLetter, store, broker, clock, random, logger, paused } = this.#options;
    // The table's type cannot say which topic goes with which name; the consumer checks the event's schema instead.
    const handler = handlers[stage.name] as Handler | undefined;
    if (handler === undefined)
      throw new TripwatchError('permanent', 'stage-without-handler', `Stage ${stage.name} has no handler.`);
    const faults = faultsOfPolicy(stage.retry);
    if (faults.length > 0)
      throw new TripwatchError('permanent', 'retry-policy-invalid', `Stage ${stage.name}: ${faults.join('; ')}.`);
    return new StageConsumer({
      stage,
      handler,
      store,
      broker,
      clock,
      random,
      logger: logger.child({ stage: stage.name }),
      emitter: this.#emitter,
      onDeadLetter: onDeadLetter?.[stage.name],
      paused,
    });
  }

  async #drain(timeoutMs: number): Promise<void> {
    const { broker, clock, logger } = this.#options;
    const ran = this.#state === 'running';
    this.#enter('draining');
    this.#keeper.takeNoMore();
    this.#emitter.emit({ type: 'draining', timeoutMs });
    for (const consumer of this.#consumers) consumer.stopFetching();
    const closed = Promise.all(this.#consumers.map((consumer) => consumer.closed()));
    if (ran) {
      const patience = new AbortController();
      const late = clock.sleep(timeoutMs * clock.speed, patience.signal).then(
        () => {
          const running = this.#consumers.reduce((sum, consumer) => sum + consumer.running, 0);
          if (running > 0) logger.warn({ running }, 'work did not finish in time; it is given back');
          for (const consumer of this.#consumers) consumer.abortRunning();
        },
        () => undefined,
      );
      await closed;
      patience.abort();
      await late;
    }
    this.#unlisten?.();
    this.#sweeping.abort();
    await this.#sweeper;
    // The broker stores its cursors under the leases, so these go last.
    await this.#keeper.stop();
    await broker.close();
    await this.#keeper.release();
    this.#enter('stopped');
    this.#emitter.emit({ type: 'stopped' });
  }

  #enter(state: RuntimeState): void {
    const allowed: Record<RuntimeState, readonly RuntimeState[]> = {
      new: ['running', 'draining'],
      running: ['draining'],
      draining: ['stopped'],
      stopped: [],
    };
    if (!allowed[this.#state].includes(state))
      throw new TripwatchError('defect', 'runtime-state', `The runtime cannot go from ${this.#state} to ${state}.`);
    this.#state = state;
  }

  /** What waits here, by stage. */
  async #load(): Promise<Record<string, number>> {
    if (this.#state !== 'running') return {};
    const lags = this.#consumers.map(async ({ stage }) => {
      const lag = await this.#options.broker.lag(stage.name, true);
      return [stage.name, lag.waiting] as const;
    });
    return Object.fromEntries(await Promise.all(lags));
  }

  #settledCount(): number {
    let sum = 0;
    for (const { counts } of this.#consumers)
      sum += counts.processed + counts.repeats + counts.retried + counts.dead + counts.released;
    return sum;
  }

  async #isEmpty(ignoreParked: boolean): Promise<boolean> {
    for (const consumer of this.#consumers) {
      if (consumer.running > 0) return false;
      // Nobody knows for how long.
      if (ignoreParked && consumer.paused !== undefined) continue;
      const lag = await this.#options.broker.lag(consumer.stage.name);
      if (lag.waiting > 0 || (!ignoreParked && lag.parked > 0)) return false;
    }
    return true;
  }

  async #stageStatus(consumer: StageConsumer): Promise<StageStatus> {
    const { name } = consumer.stage;
    const known = this.#state === 'running' || this.#state === 'draining';
    const lag = known ? await this.#options.broker.lag(name) : { waiting: 0, parked: 0 };
    const { processed, repeats, retried, dead } = consumer.counts;
    return {
      name,
      waiting: lag.waiting,
      parked: lag.parked,
      oldestAt: 'oldestAt' in lag ? lag.oldestAt : undefined,
      running: consumer.running,
      paused: consumer.paused,
      processed,
      repeats,
      retried,
      dead,
      latency: consumer.latency.summary(),
      wait: consumer.waits.summary(),
    };
  }

  /** Deadlines and the watchdog, for all stages with one timer. */
  async #sweep(): Promise<void> {
    const { clock, logger, stages } = this.#options;
    const { signal } = this.#sweeping;
    // What begins during a rest must not have its deadline in it.
    const restMsMax = Math.min(SWEEP_MS_MAX, ...stages.map((stage) => stage.deadlineMs / 8));
    let restMs = SWEEP_MS;
    while (!signal.aborted) {
      await clock.sleep(Math.max(SWEEP_MS, Math.min(restMsMax, restMs)) * clock.speed, signal).catch(() => undefined);
      const monotonic = clock.monotonic();
      restMs = Number.POSITIVE_INFINITY;
      for (const consumer of this.#consumers) {
        restMs = Math.min(restMs, (consumer.sweep(monotonic) - monotonic) / clock.speed);
        if (!this.#isQuiet(consumer, monotonic)) continue;
        await this.#watch(consumer, monotonic).catch((error) =>
          logger.warn({ stage: consumer.stage.name, error: String(error) }, 'the watchdog could not read the lag'),
        );
      }
    }
  }

  #isQuiet(consumer: StageConsumer, monotonic: number): boolean {
    if (this.#state !== 'running' || consumer.running > 0 || consumer.paused !== undefined) return false;
    const quietSince = Math.max(consumer.activeAt, this.#stallCheckedAt.get(consumer) ?? 0);
    return monotonic - quietSince >= STALL_MS * this.#options.clock.speed;
  }

  /** Work waits, none runs, none came for long: a wake-up was lost somewhere. Say so, and ask again. */
  async #watch(consumer: StageConsumer, monotonic: number): Promise<void> {
    const { broker, clock, logger } = this.#options;
    this.#stallCheckedAt.set(consumer, monotonic);
    const { activeAt } = consumer;
    const { waiting, parked, oldestAt } = await broker.lag(consumer.stage.name);
    if (waiting === 0 || consumer.running > 0 || consumer.activeAt !== activeAt) {
      this.#waitedSince.delete(consumer);
      return;
    }
    // What came just now is on its way. The oldest may be a parked one: then only a second look can tell.
    const waited = parked === 0 && oldestAt !== undefined && clock.now() - oldestAt >= STALL_MS * clock.speed;
    if (!waited && this.#waitedSince.get(consumer) !== activeAt) {
      this.#waitedSince.set(consumer, activeAt);
      return;
    }
    const forMs = Math.round((monotonic - activeAt) / clock.speed);
    logger.error({ stage: consumer.stage.name, waiting, forMs }, 'events wait but none is delivered; fetching anew');
    this.#emitter.emit({ type: 'stalled', stage: consumer.stage.name, waiting, forMs });
    consumer.refetch();
  }
}

/** The shards of a stage, as a group of shared work. */
function shardsOf(stage: string, broker: Broker): WorkGroup {
  const resources = Array.from({ length: broker.shards }, (_, shard) => `${stage}/${shard}`);
  const shardOf = (resource: string): number => Number(resource.slice(stage.length + 1));
  return {
    name: stage,
    resources,
    take: (resource, lease) => broker.take(stage, shardOf(resource), lease),
    leave: (resource, how) => broker.leave(stage, shardOf(resource), how),
  };
}
