import { backoffDelayMs } from '../../domain/backoff.ts';
import { kindOf, TripwatchError } from '../../domain/errors.ts';
import type { SubjectId } from '../../domain/ids.ts';
import type { CallLimit, Cost } from '../../domain/schedule/call-budget.ts';
import { createEngine, type Engine } from '../../domain/schedule/engine.ts';
import { askIntervalMs, isImminent, needMs } from '../../domain/schedule/freshness.ts';
import { firstDue, nextDue, secondDue } from '../../domain/schedule/phase.ts';
import { TIERS } from '../../domain/schedule/ready-queue.ts';
import { createRetryBudget } from '../../domain/schedule/retry-budget.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProviderConnector, ReadResult } from '../../ports/provider.ts';
import type { Subject } from '../../ports/store/subjects.ts';
import type { Store } from '../../ports/store.ts';
import { type AccountStatus, statusOf } from './account-status.ts';
import { AccountHealth } from './health.ts';
import { type Item, itemOf } from './item.ts';
import type { Marks } from './marks.ts';
import { createMassCancellation, LOOK_AGAIN_MS } from './mass-cancellation.ts';
import { type KeptState, keepState } from './provider-state.ts';
import { publishAnswer } from './publish.ts';
import { assertedMs, saysCancelled } from './subject.ts';

/** One account at a provider: what to ask there, when, and how much of it. A bulkhead: nothing here is shared. */
export interface TrackedAccount {
  readonly account: string;
  readonly connector: ProviderConnector;
  readonly limits: readonly CallLimit[];
  /** How old an answer may get, where the calls allow it. */
  readonly freshSeconds: number;
  /** What an operation costs, by unit of the limits; absent: one of each. */
  readonly costs?: Readonly<Record<string, Cost>>;
  readonly inFlightMax?: number;
}

/** The operations that connectors have: each has a circuit breaker and a cost of its own. */
const READ_ONE = 'readOne';

/** Failed questions: tried again soon, so that one lost answer costs no freshness; the breaker stops what is hopeless. */
const RETRY = { firstDelayMs: 10_000, factor: 2, delayMsMax: 60_000 };
/** What will not work as asked is still asked now and then: providers mend their data. */
const PERMANENT = { firstDelayMs: 300_000, factor: 2, delayMsMax: 1_800_000 };
/** An answer whose own time is older than the last one's by more than this is an old copy. */
const STALE_MS = 60_000;
/** ... unless the provider insists. */
const STALE_LOOKS = 3;
/** After an outage so few need no slow start. */
const HERD_MIN = 16;
const AWAY_MS = 30_000;
/** Verified pushes say which subjects have changed, as long as they come: then polling is the second line. */
const PUSH_COVERS_MS = 24 * 3_600_000;

interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly marks: Marks;
  /** An operator wants nothing asked of the account for now. */
  readonly isPaused?: (account: string) => boolean;
}

export class AccountRunner {
  readonly tracked: TrackedAccount;
  readonly #parts: Parts;
  readonly #logger: Logger;
  readonly #items = new Map<SubjectId, Item>();
  readonly #slots: (Item | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #engine: Engine;
  readonly #guard;
  readonly #health: AccountHealth;
  readonly #retries = createRetryBudget();
  readonly #state: KeptState;
  #pushedAt = Number.NEGATIVE_INFINITY;
  #alarm: AbortController | undefined;
  #signal: AbortSignal = AbortSignal.abort();
  #settled: (() => void)[] = [];

  constructor(tracked: TrackedAccount, parts: Parts) {
    this.tracked = tracked;
    this.#parts = parts;
    this.#logger = parts.logger.child({ account: tracked.account });
    const now = parts.clock.now();
    const { limits, costs, inFlightMax } = tracked;
    this.#health = new AccountHealth({ limits, costs, inFlightMax, random: parts.random, now });
    this.#state = keepState(tracked.account, this.#health, parts, this.#logger);
    const gate = this.#health.gate(READ_ONE);
    this.#engine = createEngine({
      now,
      gate: { ...gate, enter: (at, tier) => !this.#isPaused && gate.enter(at, tier) },
      hooks: {
        due: (slot, at) => this.#isStillAsked(this.#slots[slot]!, at),
        ask: (slot) => void this.#ask(this.#slots[slot]!),
        agedFrom: (slot) => this.#agedFrom(this.#slots[slot]!),
        needMs: (slot, at) => this.#need(this.#slots[slot]!, at),
        tier: (slot, at) => (isImminent(this.#slots[slot]!.spec, at) ? TIERS.imminent : TIERS.other),
      },
    });
    this.#guard = createMassCancellation(() => this.#items.size, tracked.freshSeconds * 1000);
  }

  get subjectIds(): IterableIterator<SubjectId> {
    return this.#items.keys();
  }

  /**
   * Takes up a subject as stored, or what changed about it. `spread`: one of many (after a start), so that what is
   * overdue must not come back at once.
   */
  put(subject: Subject, spread = false): void {
    const held = this.#items.get(subject.id);
    const now = this.#parts.clock.now();
    if (held !== undefined) {
      if (JSON.stringify(held.spec) === JSON.stringify(subject.spec)) return;
      held.spec = subject.spec;
      if (this.#engine.has(held.slot)) this.#schedule(held, Math.min(held.dueAt, this.#first(held)));
      this.#ring();
      return;
    }
    const slot = this.#free.pop() ?? this.#slots.length;
    const item = itemOf(subject, slot, now);
    this.#slots[slot] = item;
    this.#items.set(item.id, item);
    const due = this.#first(item);
    const overdue = item.checkedAt !== undefined && item.checkedAt + this.#interval(item) < now;
    this.#schedule(item, overdue && !spread ? Math.max(now, item.spec.fromAt) : due);
    this.#ring();
  }

  /** Nobody asks about it any more. */
  drop(id: SubjectId): void {
    const item = this.#items.get(id);
    if (item === undefined) return;
    item.gone = true;
    this.#items.delete(id);
    this.#engine.drop(item.slot);
    this.#guard.cleared(item.slot);
    // A slot that is being asked is given back when its answer is in.
    if (!item.asking) this.#release(item);
  }

  /** Asks at once, before everything that is merely due. False: no such subject, or its time has not come. */
  wake(id: SubjectId, why: 'push' | 'doubt' = 'doubt'): boolean {
    const item = this.#items.get(id);
    const now = this.#parts.clock.now();
    if (why === 'push') this.#pushedAt = now;
    if (item === undefined || item.spec.fromAt > now) return false;
    if (item.asking) item.again = true;
    else {
      item.dueAt = now;
      this.#engine.enqueue(item.slot, now, TIERS.urgent);
      this.#ring();
    }
    return true;
  }

  /** Asks until the signal aborts; resolves when what was under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    const { clock } = this.#parts;
    const keeping = this.#state.run(signal);
    this.#beginSlowly(clock.now());
    while (!signal.aborted) {
      const now = clock.now();
      this.#engine.turn(now);
      await this.#rest(now);
    }
    while (this.#health.inFlight > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
    await keeping;
  }

  /** Takes up what the one before has learned. Errors: those of the store. */
  restore(): Promise<void> {
    return this.#state.restore();
  }

  /** Something was paused or resumed, perhaps this account: what is due is asked when it may be. */
  pausesChanged(): void {
    this.#ring();
  }

  get #isPaused(): boolean {
    return this.#parts.isPaused?.(this.tracked.account) === true;
  }

  #first(item: Item): number {
    return firstDue({
      phase: item.phase,
      intervalMs: this.#interval(item),
      fromAt: item.spec.fromAt,
      checkedAt: item.checkedAt,
      now: this.#parts.clock.now(),
    });
  }

  #interval(item: Item): number {
    return askIntervalMs(item.spec, this.tracked.freshSeconds);
  }

  #need(item: Item, now: number): number {
    const isPushed = this.tracked.connector.capabilities.push === 'signed' && now - this.#pushedAt < PUSH_COVERS_MS;
    return needMs(item.spec, this.tracked.freshSeconds, now, isPushed);
  }

  #agedFrom(item: Item): number {
    return item.checkedAt ?? item.addedAt - this.#interval(item);
  }

  /** An end is met in time, too. */
  #schedule(item: Item, at: number): void {
    item.dueAt = Math.min(at, item.spec.endAt);
    this.#engine.schedule(item.slot, item.dueAt);
  }

  #isStillAsked(item: Item, now: number): boolean {
    if (now < item.spec.endAt) return true;
    void this.#end(item, false);
    return false;
  }

  /** Sleeps until the next thing may happen; anything that changes that rings. */
  async #rest(now: number): Promise<void> {
    const { clock } = this.#parts;
    const next = this.#engine.nextAt(now, this.#isPaused) ?? Number.POSITIVE_INFINITY;
    // At least a real millisecond, so that a wrong guess is no busy loop; at most a minute, should the clock be moved.
    const wait = Math.max(clock.speed, Math.min(60_000, next - now));
    const alarm = new AbortController();
    this.#alarm = alarm;
    await clock.sleep(wait, AbortSignal.any([alarm.signal, this.#signal])).catch(() => {});
  }

  #ring(): void {
    this.#alarm?.abort();
  }

  async #ask(item: Item): Promise<void> {
    item.asking = true;
    item.again = false;
    const { clock } = this.#parts;
    const { connector } = this.tracked;
    const askedAt = clock.now();
    if (!item.retrying) this.#retries.first(askedAt);
    item.retrying = false;
    const answer = await connector.readOne(item.spec, this.#signal).catch((error: unknown) => {
      this.#listen();
      this.#failedToAsk(item, error, askedAt);
    });
    if (answer !== undefined) {
      this.#listen();
      const awayMs = this.#health.answered(clock.now(), READ_ONE, askedAt);
      if (awayMs > 0) this.#comeBack(awayMs);
      await this.#take(item, answer, askedAt).catch((error: unknown) => this.#failedToStore(item, error));
    }
    this.#health.inFlight--;
    item.asking = false;
    if (item.gone) this.#release(item);
    else if (item.again) this.wake(item.id);
    this.#ring();
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  /** What the provider says about its limits goes before what we think. */
  #listen(): void {
    const said = this.tracked.connector.limitsSaid?.();
    if (said !== undefined) this.#health.said(said, this.#parts.clock.now());
  }

  /** Our own trouble, not the provider's: the answer counts as not asked for. */
  #failedToStore(item: Item, error: unknown): void {
    this.#logger.warn({ subject: item.id, error: String(error) }, 'answer could not be stored; asked again');
    if (!item.gone) this.#schedule(item, this.#parts.clock.now() + RETRY.firstDelayMs);
  }

  /** The provider is back: what waited and what failed returns by need, slowly at first. */
  #comeBack(awayMs: number): void {
    const now = this.#parts.clock.now();
    for (const item of this.#items.values())
      if (item.attempts > 0 && this.#engine.has(item.slot)) this.#engine.enqueue(item.slot, now);
    const waiting = this.#engine.waiting;
    this.#logger.info({ waiting, awayMs: Math.round(awayMs) }, 'provider answers again');
    if (waiting > HERD_MIN && awayMs >= AWAY_MS) this.#health.comeBack(now, this.#steadyPerSecond(now));
  }

  /** After a long absence of ours: the same. */
  #beginSlowly(now: number): void {
    let late = 0;
    for (const item of this.#items.values())
      if (item.checkedAt !== undefined && now - item.checkedAt > 2 * this.#interval(item)) late++;
    if (late > HERD_MIN) this.#health.comeBack(now, this.#steadyPerSecond(now));
  }

  /** Questions a second where all is well. */
  #steadyPerSecond(now: number): number {
    let sum = 0;
    for (const item of this.#items.values()) if (item.spec.fromAt <= now) sum += 1000 / this.#interval(item);
    return sum;
  }

  async #take(item: Item, result: ReadResult, askedAt: number): Promise<void> {
    const now = this.#parts.clock.now();
    const interval = this.#interval(item);
    const isFirst = item.checkedAt === undefined;
    item.attempts = 0;
    if (result.kind === 'absent') {
      // "Not found" is no cancellation. About something that was found before, it only means that we cannot verify it.
      this.#mark(item, now, item.digest === undefined ? undefined : 'provider-not-found');
    } else if (result.digest === item.digest) {
      item.staleLooks = 0;
      if (!item.cancelled) this.#guard.cleared(item.slot);
      this.#mark(item, now, undefined);
    } else if (!(await this.#news(item, result, now))) return;
    if (result.kind === 'found' && result.final && result.digest === item.digest) await this.#end(item, true);
    else if (!item.gone)
      this.#schedule(item, isFirst ? secondDue(item.phase, interval, askedAt) : nextDue(item.dueAt, interval, askedAt));
  }

  /** An answer that differs. False: it was not taken, and the next question is scheduled. */
  async #news(item: Item, result: Extract<ReadResult, { kind: 'found' }>, now: number): Promise<boolean> {
    let { answer } = result;
    const at = assertedMs(answer);
    if (at < item.assertedAt - STALE_MS && ++item.staleLooks < STALE_LOOKS) {
      this.#logger.warn({ subject: item.id }, 'provider answered with an older state; not used');
      this.#mark(item, now, 'provider-answered-older');
      this.#schedule(item, now + LOOK_AGAIN_MS);
      return false;
    }
    const cancelled = saysCancelled(answer);
    if (!cancelled) this.#guard.cleared(item.slot);
    else if (!item.cancelled && item.digest !== undefined && this.#guard.turned(item.slot, now) === 'hold') {
      this.#logger.error(
        { subject: item.id, held: this.#guard.held },
        'many cancellations at once; held and asked again',
      );
      this.#mark(item, now, 'cancellation-held');
      this.#schedule(item, now + LOOK_AGAIN_MS);
      return false;
    }
    // Its newest word must outrank its last one, also where its own stamp is too coarse to tell.
    if (at <= item.assertedAt) {
      const assertedAt = Temporal.Instant.fromEpochMilliseconds(item.assertedAt + 1);
      answer = { ...answer, assertedAt: assertedAt.toString({ smallestUnit: 'millisecond' }) };
    }
    const { account, connector } = this.tracked;
    const made = { id: item.id, account, label: connector.label, answer, digest: result.digest, fetchedAt: now };
    // A failure that waits to be marked is overtaken by this answer.
    this.#parts.marks.forget(item.id);
    const stored = await publishAnswer(this.#parts.store, made);
    if (!stored) {
      this.drop(item.id);
      return false;
    }
    item.digest = result.digest;
    item.assertedAt = assertedMs(answer);
    item.cancelled = cancelled;
    item.checkedAt = now;
    item.failure = undefined;
    item.staleLooks = 0;
    return true;
  }

  #mark(item: Item, at: number, failure: string | undefined): void {
    if (failure === undefined) item.checkedAt = at;
    else if (item.failure === failure) return;
    item.failure = failure;
    this.#parts.marks.add({ id: item.id, at, ...(failure === undefined ? {} : { failure }) });
  }

  #failedToAsk(item: Item, thrown: unknown, askedAt: number): void {
    if (this.#signal.aborted || item.gone) return;
    const { clock, random } = this.#parts;
    const now = clock.now();
    const error = thrown instanceof TripwatchError ? thrown : undefined;
    const kind = kindOf(thrown);
    const code = error?.code ?? 'unexpected';
    const fields = { subject: item.id, code, kind };
    switch (kind) {
      case 'rate-limited': {
        const until = this.#health.limited(now, READ_ONE, askedAt, error?.retryAt);
        this.#logger.warn({ ...fields, waitMs: Math.round(until - now) }, 'provider wants fewer calls');
        // No attempt counted: it waits where it was.
        this.#waitAgain(item, now);
        return;
      }
      case 'unauthorised':
        if (this.#health.unauthorised(now, READ_ONE, askedAt, error) === 'key') {
          this.#mark(item, now, code);
          this.#logger.error(fields, 'provider refuses our key; the account rests');
        } else this.#logger.warn(fields, 'provider refuses, after it had just answered: taken for a quota');
        this.#waitAgain(item, now);
        return;
      case 'permanent':
      case 'poison':
        this.#health.unanswerable(READ_ONE);
        this.#mark(item, now, code);
        this.#logger.warn(fields, 'provider cannot answer this');
        this.#schedule(item, now + backoffDelayMs(PERMANENT, ++item.attempts, 0.5 + random.number() / 2));
        return;
      default: {
        if (this.#health.broken(now, READ_ONE, askedAt, error?.retryAt))
          this.#logger.error(fields, 'provider fails; asking by single probes');
        if (error === undefined) this.#logger.error({ ...fields, error: String(thrown) }, 'question failed');
        else this.#logger.debug(fields, 'question failed');
        this.#mark(item, now, code);
        this.#tryAgain(item, now, askedAt);
      }
    }
  }

  #waitAgain(item: Item, now: number): void {
    item.retrying = true;
    this.#engine.enqueue(item.slot, now);
  }

  /** Soon where the budget of retries allows it; else in its next round. While nothing works, others are tried first. */
  #tryAgain(item: Item, now: number, askedAt: number): void {
    const isAlone = this.#health.isClosed(READ_ONE) || this.#engine.waiting === 0;
    item.attempts++;
    item.retrying = isAlone && this.#retries.take(now);
    if (item.retrying) this.#schedule(item, now + backoffDelayMs(RETRY, item.attempts, this.#parts.random.number()));
    else this.#schedule(item, nextDue(item.dueAt, this.#interval(item), askedAt));
  }

  /** Its time is over, or nothing more will be known. */
  async #end(item: Item, final: boolean): Promise<void> {
    const { store, clock } = this.#parts;
    try {
      const ended = await store.transact(async (tx) => {
        const stored = await tx.subjects.get(item.id);
        // Its end was moved meanwhile.
        if (!final && stored?.state === 'active' && stored.spec.endAt > clock.now()) return stored;
        await tx.subjects.end(item.id);
        return undefined;
      });
      if (ended === undefined) this.drop(item.id);
      else {
        item.spec = ended.spec;
        if (!item.gone) this.#schedule(item, clock.now());
      }
    } catch (error) {
      this.#logger.warn({ subject: item.id, error: String(error) }, 'subject could not be ended; tried again');
      if (!item.gone) this.#engine.schedule(item.slot, clock.now() + RETRY.firstDelayMs);
    }
    this.#ring();
  }

  #release(item: Item): void {
    if (this.#slots[item.slot] !== item) return;
    this.#slots[item.slot] = undefined;
    this.#free.push(item.slot);
  }

  status(): AccountStatus {
    return statusOf({
      now: this.#parts.clock.now(),
      tracked: this.tracked,
      items: this.#items.values(),
      intervalOf: (item) => this.#interval(item),
      subjects: this.#items.size,
      due: this.#engine.waiting,
      held: this.#guard.held,
      health: this.#health,
    });
  }
}
