import { backoffDelayMs } from '../../domain/backoff.ts';
import type { SubjectId } from '../../domain/ids.ts';
import type { Engine } from '../../domain/schedule/engine.ts';
import { nextDue } from '../../domain/schedule/phase.ts';
import { createRetryBudget } from '../../domain/schedule/retry-budget.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProviderConnector } from '../../ports/provider.ts';
import type { Answers, AskedAs } from './answers.ts';
import { type Blame, blame, PERMANENT, RETRY } from './blame.ts';
import type { AccountHealth } from './health.ts';
import type { Item } from './item.ts';
import { ALONE, type Reading, type Readings } from './readings.ts';

/** So few are no herd: after an outage they need no slow start, and they may be asked again to find out. */
const HERD_MIN = 16;
const AWAY_MS = 30_000;
/** Of those that may go along with one that is due: as far ahead as this share of an interval. */
const ALONG_SHARE = 0.9;

interface QuestionsParts {
  readonly connector: ProviderConnector;
  readonly health: AccountHealth;
  readonly engine: Engine;
  readonly readings: Readings;
  readonly answers: Answers;
  readonly items: ReadonlyMap<SubjectId, Item>;
  readonly itemAt: (slot: number) => Item | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly intervalOf: (item: Item) => number;
  readonly schedule: (item: Item, at: number) => void;
  /** It was answered, whatever the answer. */
  readonly onAsked: (item: Item) => void;
  readonly onDone: (items: readonly Item[]) => void;
}

/** Questions that are out: what goes along with each, what its answers and failures mean, and that all of them end. */
export class Questions {
  readonly #parts: QuestionsParts;
  readonly #retries = createRetryBudget();
  #settled: (() => void)[] = [];

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
  }

  /** Asks about what is due, by a call that was let through, and about all that the same call can tell of. */
  async ask(first: Item, reading: Reading, signal: AbortSignal): Promise<void> {
    const { clock, readings } = this.#parts;
    const askedAt = clock.now();
    const items = [first, ...this.#others(first, reading, askedAt)];
    const asked = items.map((item, index): AskedAs => {
      const { woken, dueAt, wakeAt } = item;
      item.asking = true;
      item.again = undefined;
      item.woken = undefined;
      return index === 0 ? { askedAt, woken, wakeAt } : { askedAt, woken, wakeAt, dueAt };
    });
    if (!first.retrying) this.#retries.first(askedAt);
    first.retrying = false;
    try {
      const results = await readings.ask(reading, items, signal);
      readings.answered(reading);
      this.#charge(reading.operation, results);
      this.didWell(reading.operation, askedAt);
      await Promise.all(results.map((result, index) => this.#take(items[index]!, result, asked[index]!)));
    } catch (error) {
      if (!signal.aborted) this.#failed(items, asked, reading, error);
    }
    this.finish(items);
  }

  /** Calls that were made besides the one that was let through. */
  #charge(operation: string, results: readonly Parameters<Answers['take']>[1][]): void {
    const made = results.reduce((sum, one) => sum + ('calls' in one ? (one.calls ?? 1) - 1 : 0), 0);
    if (made > 0) this.#parts.health.charge(this.#parts.clock.now(), operation, made);
  }

  /** A call has ended: its place is free. */
  finish(items: readonly Item[]): void {
    this.#parts.health.inFlight--;
    this.#parts.onDone(items);
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  /** Resolves when nothing is out any more. */
  async ended(): Promise<void> {
    while (this.#parts.health.inFlight > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  /** A call was answered. */
  didWell(operation: string, askedAt: number): void {
    const { clock, health } = this.#parts;
    this.#listen();
    const awayMs = health.answered(clock.now(), operation, askedAt);
    if (awayMs > 0) this.#comeBack(awayMs);
  }

  /** A call was not, or badly. */
  wentWrong(
    operation: string,
    error: unknown,
    askedAt: number,
    about?: { subject: string; isOptional: boolean },
  ): Blame {
    const { clock, health, logger } = this.#parts;
    this.#listen();
    return blame(health, logger, { isOptional: true, ...about, operation, error, askedAt, now: clock.now() });
  }

  /** After a long absence of ours what is overdue returns slowly. */
  beginSlowly(now: number): void {
    let late = 0;
    for (const item of this.#parts.items.values())
      if (item.checkedAt !== undefined && now - item.checkedAt > 2 * this.#parts.intervalOf(item)) late++;
    if (late > HERD_MIN) this.#parts.health.comeBack(now, this.#steadyPerSecond(now));
  }

  #others(first: Item, reading: Reading, now: number): readonly Item[] {
    const { engine, itemAt, readings, intervalOf } = this.#parts;
    if (reading.operation === 'readOne') return [];
    if (reading.operation === 'readMany') {
      const until = now + intervalOf(first) * ALONG_SHARE;
      const mayGo = (slot: number): boolean => readings.mayGoAlong(itemAt(slot), now, first);
      return engine.takeAlong(now, until, reading.max - 1, mayGo).map((slot) => itemAt(slot)!);
    }
    const others = readings.withBoard(reading.key, first, now);
    for (const { slot } of others) engine.drop(slot);
    return others;
  }

  async #take(item: Item, result: Parameters<Answers['take']>[1], as: AskedAs): Promise<void> {
    try {
      if (result.kind !== 'unanswered' && result.kind !== 'failed') this.#parts.onAsked(item);
      await this.#parts.answers.take(item, result, as);
    } catch (error) {
      // Our own trouble, not the provider's: the answer counts as not asked for.
      this.#parts.logger.warn({ subject: item.id, error: String(error) }, 'answer could not be stored; asked again');
      this.#parts.schedule(item, this.#parts.clock.now() + RETRY.firstDelayMs);
    }
  }

  #failed(items: readonly Item[], asked: readonly AskedAs[], reading: Reading, error: unknown): void {
    const { clock, readings } = this.#parts;
    const [first, ...others] = items as readonly [Item, ...Item[]];
    const [{ askedAt }] = asked as readonly [AskedAs, ...AskedAs[]];
    const isOptional = reading.operation !== ALONE.operation;
    const said = this.wentWrong(reading.operation, error, askedAt, { subject: first.id, isOptional });
    const now = clock.now();
    if (said.shown && !(isOptional && said.verdict === 'lasting')) {
      this.#mark(first, now, said.code);
      others.forEach((item, index) => {
        if (asked[index + 1]!.dueAt! <= askedAt) this.#mark(item, now, said.code);
      });
    }
    // Twice in a row: perhaps only this way of asking does not work.
    if (isOptional && said.verdict !== 'wait' && (said.verdict !== 'again' || first.attempts > 0))
      readings.failed(reading, now, said.verdict === 'forbidden');
    this.#next(first, said.verdict, isOptional, askedAt, now);
    // They go along with it again, or come up at their own time.
    others.forEach((item, index) => {
      const dueAt = asked[index + 1]!.dueAt!;
      if (item.gone) return;
      if (said.verdict === 'again') this.#parts.schedule(item, Math.max(dueAt, first.dueAt));
      else if (dueAt <= now) this.#parts.engine.enqueue(item.slot, now);
      else this.#parts.schedule(item, dueAt);
    });
  }

  #mark(item: Item, now: number, code: string): void {
    if (!item.gone) this.#parts.answers.mark(item, now, code);
  }

  /** When one that was not answered is asked again. */
  #next(item: Item, verdict: Blame['verdict'], isOptional: boolean, askedAt: number, now: number): void {
    if (item.gone) return;
    const { random, schedule, engine } = this.#parts;
    if (verdict === 'wait' || (isOptional && verdict !== 'again')) {
      // No attempt counted: it waits where it was.
      item.retrying = true;
      engine.enqueue(item.slot, now);
    } else if (verdict === 'again') this.#tryAgain(item, askedAt, now);
    else {
      item.aloneUntil = now + backoffDelayMs(PERMANENT, ++item.attempts, 0.5 + random.number() / 2);
      schedule(item, item.aloneUntil);
    }
  }

  /** Soon where the budget of retries allows it; else in its next round. While nothing works, others are tried first. */
  #tryAgain(item: Item, askedAt: number, now: number): void {
    const { engine, health, items, random, schedule, intervalOf } = this.#parts;
    const isFew = items.size <= HERD_MIN;
    const mayRetry = health.isClosed(ALONE.operation) || (isFew && engine.waiting === 0);
    item.attempts++;
    item.retrying = mayRetry && this.#retries.take(now, isFew);
    if (item.retrying) schedule(item, now + backoffDelayMs(RETRY, item.attempts, random.number()));
    else schedule(item, nextDue(item.dueAt, intervalOf(item), askedAt));
  }

  /** What the provider says about its limits goes before what we think. */
  #listen(): void {
    const said = this.#parts.connector.limitsSaid?.();
    if (said !== undefined) this.#parts.health.said(said, this.#parts.clock.now());
  }

  /** The provider is back: what waited and what failed returns by need, slowly at first. */
  #comeBack(awayMs: number): void {
    const { clock, engine, health, items, logger } = this.#parts;
    const now = clock.now();
    for (const item of items.values())
      if (item.attempts > 0 && item.aloneUntil <= now && engine.has(item.slot)) engine.enqueue(item.slot, now);
    const { waiting } = engine;
    logger.info({ waiting, awayMs: Math.round(awayMs) }, 'provider answers again');
    if (waiting > HERD_MIN && awayMs >= AWAY_MS) health.comeBack(now, this.#steadyPerSecond(now));
  }

  /** Questions a second where all is well. */
  #steadyPerSecond(now: number): number {
    let sum = 0;
    for (const item of this.#parts.items.values())
      if (item.spec.fromAt <= now && !item.resting) sum += 1000 / this.#parts.intervalOf(item);
    return sum;
  }
}
