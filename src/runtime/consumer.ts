import { TripwatchError } from '../domain/errors.ts';
import { PAUSED_LOOK_MS, STALE_TRIES_MAX, STORE_PAUSE_MS_MAX, STORE_PAUSE_MS_MIN } from '../domain/limits.ts';
import type { Broker, Delivery } from '../ports/broker.ts';
import type { Clock, Random } from '../ports/clock.ts';
import { ack, type Handler, type Outcome, type StageSpec } from '../ports/handler.ts';
import type { Logger } from '../ports/logger.ts';
import type { Pause } from '../ports/store/control.ts';
import type { Store } from '../ports/store.ts';
import { callHandler, checkEvent, commitEffect, type DeadLetterHook, setAside } from './attempt.ts';
import { decide, isLeaseLost, isStoreFault, toTripwatchError } from './decide.ts';
import { about, type RuntimeEmitter } from './events.ts';
import { Histogram } from './histogram.ts';
import type { Paused } from './pauses.ts';

export interface ConsumerOptions {
  readonly stage: StageSpec;
  readonly handler: Handler;
  readonly store: Store;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly emitter: RuntimeEmitter;
  readonly onDeadLetter?: DeadLetterHook | undefined;
  readonly paused?: Paused | undefined;
}

interface Running {
  readonly controller: AbortController;
  /** Monotonic ms of the clock. */
  readonly startedAt: number;
  readonly deadlineAt: number;
}

/** The reason of every wait and attempt that a shutdown ends. */
export const SHUTDOWN = new TripwatchError('cancelled', 'shutdown', 'Tripwatch is stopping; the work is given back.');

/**
 * Runs one stage. Modes: new → fetching (start) → closing (stopFetching: running attempts go on) → closed (all settled).
 * The broker gives one event of a key at a time, so at most `concurrency` keys are worked on at once.
 *
 * An attempt: check the event, call the handler, commit effect + processed mark + outgoing events, ack. Whatever is
 * thrown on the way becomes a decision (decide.ts): retry, dead letter, or give back.
 */
export class StageConsumer {
  readonly stage: StageSpec;
  readonly latency = new Histogram();
  /** From append to delivery, ms of the clock. */
  readonly waits = new Histogram();
  readonly counts = { processed: 0, repeats: 0, retried: 0, dead: 0, released: 0 };
  /** Monotonic ms of the clock: the last delivery or settlement. */
  activeAt: number;

  readonly #options: ConsumerOptions;
  readonly #running = new Set<Running>();
  readonly #settled = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #fetching = new AbortController();
  #slotFreed: (() => void) | undefined;
  #resumed: (() => void) | undefined;
  #loop: Promise<void> | undefined;
  #storePauseMs = STORE_PAUSE_MS_MIN;
  #pausing: Promise<void> | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.stage = options.stage;
    this.activeAt = options.clock.monotonic();
  }

  get running(): number {
    return this.#running.size;
  }

  async start(): Promise<void> {
    const { name, reads, countsFirst } = this.stage;
    await this.#options.broker.register({ name, topic: reads, ...(countsFirst ? { countsFirst } : {}) });
    this.#loop = this.#run();
  }

  /** Why it takes up nothing at present. */
  get paused(): Pause | undefined {
    return this.#options.paused?.stage(this.stage.name);
  }

  /** Something was paused or resumed, perhaps this stage. What runs goes on. */
  pausesChanged(): void {
    if (this.paused !== undefined) this.#fetching.abort();
    else this.#resumed?.();
  }

  /** No new work from here on. */
  stopFetching(): void {
    this.#closing.abort(SHUTDOWN);
    this.#fetching.abort(SHUTDOWN);
    this.#slotFreed?.();
    this.#resumed?.();
  }

  /** Running handlers are told to stop, and their events are given back. */
  abortRunning(): void {
    for (const running of this.#running) running.controller.abort(SHUTDOWN);
  }

  /** Resolves when nothing runs any more (after `stopFetching`). */
  async closed(): Promise<void> {
    await this.#loop;
    await Promise.all(this.#settled);
  }

  /** Drops the waiting fetch and asks again (watchdog). */
  refetch(): void {
    this.#fetching.abort();
  }

  /**
   * Ends attempts beyond their deadline; returns the next deadline. Called every so often instead of a timer for each
   * event.
   */
  sweep(monotonic: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const running of this.#running) {
      if (monotonic < running.deadlineAt) next = Math.min(next, running.deadlineAt);
      else
        running.controller.abort(
          new TripwatchError(
            'transient',
            'stage-deadline',
            `Stage ${this.stage.name} did not finish within ${this.stage.deadlineMs} ms.`,
          ),
        );
    }
    return next;
  }

  async #run(): Promise<void> {
    const { broker, clock } = this.#options;
    while (!this.#closing.signal.aborted) {
      if (this.paused !== undefined) {
        await new Promise<void>((resolve) => {
          this.#resumed = resolve;
        });
        this.activeAt = clock.monotonic();
        continue;
      }
      const free = this.stage.concurrency - this.#running.size;
      if (free <= 0) {
        await new Promise<void>((resolve) => {
          this.#slotFreed = resolve;
        });
        continue;
      }
      let deliveries: readonly Delivery[];
      try {
        deliveries = await broker.fetch(this.stage.name, free, this.#fetching.signal);
      } catch (error) {
        await this.#storePause(toTripwatchError(error), 'the broker could not deliver');
        continue;
      }
      if (this.#fetching.signal.aborted && !this.#closing.signal.aborted) this.#fetching = new AbortController();
      for (const delivery of deliveries) {
        if (this.#closing.signal.aborted) delivery.release();
        else this.#dispatch(delivery);
      }
      this.activeAt = deliveries.length > 0 ? clock.monotonic() : this.activeAt;
    }
  }

  #dispatch(delivery: Delivery): void {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const running: Running = {
      controller: new AbortController(),
      startedAt,
      deadlineAt: startedAt + this.stage.deadlineMs * clock.speed,
    };
    this.#running.add(running);
    const settled = this.#attempt(delivery, running)
      .catch((error) => {
        // Nothing should come here; if it does, the event is given back rather than lost in a hung slot.
        this.#options.logger.error({ stage: this.stage.name, error: String(error) }, 'an attempt could not be settled');
        delivery.release();
      })
      .finally(() => {
        this.#running.delete(running);
        this.#settled.delete(settled);
        this.activeAt = clock.monotonic();
        this.#slotFreed?.();
        this.#slotFreed = undefined;
      });
    this.#settled.add(settled);
  }

  async #attempt(delivery: Delivery, running: Running): Promise<void> {
    const { clock, emitter } = this.#options;
    const { event, attempt } = delivery;
    const logger = this.#options.logger.child({
      topic: event.topic,
      key: event.partitionkey,
      event: event.id,
      attempt,
    });
    try {
      const pause = this.#options.paused?.of(event);
      if (pause !== undefined) {
        await this.#putOff(delivery, pause, logger);
        return;
      }
      if (attempt > this.stage.retry.attemptsMax) throw startedTooOften(attempt - 1);
      const outcome = await this.#handle(delivery, running, logger);
      if (outcome.kind === 'reject') {
        await this.#bury(delivery, outcome.error, undefined, logger);
        return;
      }
      if (outcome.kind === 'retry') {
        await this.#fail(delivery, outcome.error, logger, outcome.at);
        return;
      }
      const { repeat, appended } = outcome.committed;
      await delivery.ack();
      this.#storePauseMs = STORE_PAUSE_MS_MIN;
      const tookMs = (clock.monotonic() - running.startedAt) / clock.speed;
      this.latency.record(tookMs);
      this.counts[repeat ? 'repeats' : 'processed']++;
      logger.debug({ repeat, appended, tookMs }, 'event processed');
      emitter.emit({ type: 'processed', ...about(this.stage.name, event), attempt, repeat, appended, tookMs });
    } catch (thrown) {
      await this.#settleFailure(delivery, toTripwatchError(thrown), logger);
    }
  }

  /** Its tenant or mailbox is paused: no attempt is made, none is counted, and it does not grow older. */
  async #putOff(delivery: Delivery, { kind, id }: Pause, logger: Logger): Promise<void> {
    const { clock, random } = this.#options;
    // Not all at once.
    const at = clock.now() + PAUSED_LOOK_MS * clock.speed * (0.5 + random.number() / 2);
    await delivery.retry(Math.trunc(at), undefined, false);
    logger.debug({ kind, id, at }, 'put off: it is paused');
  }

  /** Checks, handles and commits; a lost version is tried again at once a few times before it costs an attempt. */
  async #handle(
    delivery: Delivery,
    running: Running,
    logger: Logger,
  ): Promise<
    | Exclude<Outcome, { kind: 'ack' }>
    | { readonly kind: 'committed'; readonly committed: { readonly repeat: boolean; readonly appended: number } }
  > {
    const { store, handler, clock, random } = this.#options;
    const { event, attempt } = delivery;
    const { signal } = running.controller;
    checkEvent(event);
    this.waits.record(Math.max(0, clock.now() - Temporal.Instant.from(event.time).epochMilliseconds));
    for (let stale = 1; ; stale++) {
      try {
        // An event for another stage alone is marked as done, without an effect.
        const mine = event.recipient === undefined || event.recipient === this.stage.name;
        const outcome = mine ? await callHandler(handler, event, { clock, logger, signal, attempt }) : ack();
        if (outcome.kind !== 'ack') return outcome;
        return { kind: 'committed', committed: await commitEffect(store, this.stage, delivery, outcome, clock.now()) };
      } catch (error) {
        const lost = error instanceof TripwatchError && error.kind === 'stale' && !isLeaseLost(error);
        if (stale >= STALE_TRIES_MAX || !lost) throw error;
        logger.debug({ code: (error as TripwatchError).code, stale }, 'lost a race; trying again at once');
        await clock.sleep((1 + random.number() * 20 * stale) * clock.speed, signal);
      }
    }
  }

  async #settleFailure(delivery: Delivery, error: TripwatchError, logger: Logger): Promise<void> {
    try {
      await this.#fail(delivery, error, logger);
    } catch (fault) {
      // The store could not even take the note of the failure.
      if (isLeaseLost(fault)) this.#release(delivery, 'lease');
      else await this.#giveBack(delivery, toTripwatchError(fault), logger);
    }
  }

  async #fail(delivery: Delivery, error: TripwatchError, logger: Logger, at?: number): Promise<void> {
    const { clock, random, emitter } = this.#options;
    if (error.kind === 'cancelled' && this.#closing.signal.aborted) {
      this.#release(delivery, 'shutdown');
      return;
    }
    if (isLeaseLost(error)) {
      logger.debug({}, 'another worker has the shard; the attempt is dropped');
      this.#release(delivery, 'lease');
      return;
    }
    if (isStoreFault(error)) {
      await this.#giveBack(delivery, error, logger);
      return;
    }
    const { attempt, firstAt, history, event } = delivery;
    const failed = { attempt, firstAt, now: clock.now(), history };
    const decision = decide(error, failed, this.stage.retry, random.number());
    if (decision.kind === 'dead') {
      await this.#bury(delivery, error, decision.why, logger);
      return;
    }
    const nextAt = at ?? decision.at;
    await delivery.retry(nextAt, error, decision.counts);
    this.counts.retried++;
    const fields = { kind: error.kind, code: error.code, at: nextAt, counts: decision.counts };
    if (error.kind === 'unauthorised') logger.warn(fields, 'consent is missing; the event waits for its owner');
    else if (error.kind === 'defect') logger.error({ ...fields, error: error.message }, 'an assertion failed');
    else logger.debug({ ...fields, error: error.message }, 'attempt failed; trying again later');
    emitter.emit({ type: 'retried', ...about(this.stage.name, event), attempt, ...fields });
  }

  async #bury(delivery: Delivery, error: TripwatchError, why: string | undefined, logger: Logger): Promise<void> {
    const { store, clock, emitter, onDeadLetter } = this.#options;
    const { event, attempt } = delivery;
    const options = { now: clock.now(), hook: onDeadLetter, logger };
    const first = await setAside(store, this.stage, delivery, error, why, options);
    await delivery.ack();
    if (!first) {
      this.counts.repeats++;
      return;
    }
    this.counts.dead++;
    logger.error({ kind: error.kind, code: error.code, error: error.message, why }, 'event set aside as dead letter');
    const { kind, code, message } = error;
    emitter.emit({ type: 'dead', ...about(this.stage.name, event), attempt, kind, code, message });
  }

  /** The slot stays taken while the store recovers: so a full disk slows the stage down instead of burning attempts. */
  async #giveBack(delivery: Delivery, error: TripwatchError, logger: Logger): Promise<void> {
    if (isStoreFault(error)) await this.#storePause(error, 'the store refused work; trying again soon');
    else {
      logger.error({ kind: error.kind, code: error.code, error: error.message }, 'a failure could not be recorded');
      await this.#storePause(error, 'a failure could not be recorded; trying again soon');
    }
    this.#release(delivery, this.#closing.signal.aborted ? 'shutdown' : 'store');
  }

  #release(delivery: Delivery, reason: 'shutdown' | 'store' | 'lease'): void {
    delivery.release();
    this.counts.released++;
    this.#options.emitter.emit({ type: 'released', ...about(this.stage.name, delivery.event), reason });
  }

  /** One lost connection fails all that run: they wait together, and the next pause is longer only when it fails again. */
  #storePause(error: TripwatchError, message: string): Promise<void> {
    this.#pausing ??= this.#pauseOnce(error, message).finally(() => {
      this.#pausing = undefined;
    });
    return this.#pausing;
  }

  async #pauseOnce(error: TripwatchError, message: string): Promise<void> {
    const { clock, logger } = this.#options;
    if (this.#closing.signal.aborted) return;
    const pauseMs = this.#storePauseMs;
    this.#storePauseMs = Math.min(STORE_PAUSE_MS_MAX, pauseMs * 2);
    logger.warn({ stage: this.stage.name, code: error.code, error: error.message, pauseMs }, message);
    await clock.sleep(pauseMs * clock.speed, this.#closing.signal).catch(() => undefined);
  }
}

function startedTooOften(times: number): TripwatchError {
  return new TripwatchError(
    'poison',
    'attempts-exhausted',
    `The work on this event was started ${times} times and never ended; it may have taken the process down.`,
  );
}
