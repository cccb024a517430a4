import type { ProviderState } from '../../contracts/provider-state.ts';
import { backoffBoundMs } from '../../domain/backoff.ts';
import type { TripwatchError } from '../../domain/errors.ts';
import { IN_FLIGHT_MAX, UNAUTHORISED_WAIT_MS } from '../../domain/limits.ts';
import { admit, admitsAt, type Breaker, CLOSED, failed, restored, succeeded } from '../../domain/schedule/breaker.ts';
import { type CallBudget, type CallLimit, type Cost, createCallBudget } from '../../domain/schedule/call-budget.ts';
import { afterOverload, afterSuccess, startConcurrency } from '../../domain/schedule/concurrency.ts';
import type { PlainGate } from '../../domain/schedule/engine.ts';
import { createRamp } from '../../domain/schedule/ramp.ts';
import { createRateLearner, type RateLearner } from '../../domain/schedule/rate-learner.ts';
import { TIERS, type Tier } from '../../domain/schedule/ready-queue.ts';
import type { Random } from '../../ports/clock.ts';
import type { LimitsSaid } from '../../ports/provider.ts';

/** A refusal that names no time, or a shorter one. */
const REFUSED = { firstDelayMs: 1000, factor: 2, delayMsMax: 300_000 };
/** Hints beyond these are absurd, whoever gave them. */
const REST_MS_MIN = 1000;
const REST_MS_MAX = 6 * 3_600_000;
/** Share of each limit that stays free for what is urgent or about to start. */
const KEPT_SHARE = 0.05;
/** 403 from an account that was answered this lately is taken for a quota: without and with proof that the vendor does so. */
const QUOTA_DOUBT_MS = 600_000;
const QUOTA_KNOWN_MS = 65 * 60_000;
/** Kept over restarts so roughly, so that answers alone cause no writes. */
const ANSWERED_STEP_MS = 600_000;

export interface HealthOptions {
  readonly limits: readonly CallLimit[];
  readonly random: Random;
  readonly now: number;
  readonly inFlightMax?: number | undefined;
  /** What each operation costs in units other than one call. */
  readonly costs?: Readonly<Record<string, Cost>> | undefined;
}

/**
 * Whether an account may be asked now, and how hard: budgets, the rate that the provider lets through, places in flight,
 * a circuit breaker for each operation, the slow start after an outage, and rests that the provider asked for. All of
 * them hold together. Times are epoch ms.
 */
export class AccountHealth {
  readonly budget: CallBudget;
  readonly learner: RateLearner;
  readonly #options: HealthOptions;
  readonly #inFlightMax: number;
  readonly #knownPerSecond: number;
  readonly #breakers = new Map<string, Breaker>();
  readonly #ramp = createRamp();
  #concurrency;
  /** Since when it is away: the breaker opened, or it asked us to rest. */
  #awaySince: number | undefined;
  #refusals = 0;
  #restUntil = Number.NEGATIVE_INFINITY;
  /** Of these, what the provider asked for. */
  #wallUntil = Number.NEGATIVE_INFINITY;
  #rest: 'limited' | 'unauthorised' | undefined;
  /** What the provider said is left until it counts anew. */
  #saidLeft = Number.POSITIVE_INFINITY;
  #saidUntil = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #doubted403 = false;
  #quotaBy403 = false;
  inFlight = 0;
  calls = 0;
  refused = 0;
  failed = 0;
  /** Something was learned that must survive a restart; `soon`: that must not be forgotten even by a crash. */
  onLearned: (soon: boolean) => void = () => {};

  constructor(options: HealthOptions) {
    this.#options = options;
    this.budget = createCallBudget(options.limits);
    this.#knownPerSecond = this.budget.perSecond();
    this.learner = createRateLearner({ knownPerSecond: this.#knownPerSecond, now: options.now });
    this.#inFlightMax = options.inFlightMax ?? IN_FLIGHT_MAX;
    this.#concurrency = startConcurrency(this.#inFlightMax);
  }

  /** The state of the breaker that is furthest from closed. */
  get circuit(): Breaker['state'] {
    const states = [...this.#breakers.values()].map(({ state }) => state);
    return states.includes('open') ? 'open' : states.includes('probing') ? 'probing' : 'closed';
  }
  isClosed(operation: string): boolean {
    return (this.#breakers.get(operation) ?? CLOSED).state === 'closed';
  }
  get concurrency(): number {
    return Math.floor(this.#concurrency.limit);
  }
  /** Its breaker lets a question of this kind through. */
  isAdmitted(operation: string, now: number): boolean {
    return admitsAt(this.#breakers.get(operation) ?? CLOSED, now) <= now;
  }
  /** What one takes of the tightest budget; 0: nothing is limited. */
  price(operation: string): number {
    return 1 / this.budget.perSecond(this.#options.costs?.[operation]);
  }
  /** Calls a second that may be made in the long run. */
  perSecond(now: number): number {
    return Math.min(this.#knownPerSecond, this.learner.perSecond(now));
  }
  /** Of the known limits, the share that the provider lets through. */
  pace(now: number): number {
    if (this.#knownPerSecond === Number.POSITIVE_INFINITY) return 1;
    return Math.min(1, this.learner.perSecond(now) / this.#knownPerSecond);
  }
  /** Undefined: it does not rest. */
  pause(now: number): { readonly why: 'limited' | 'unauthorised'; readonly until: number } | undefined {
    return this.#rest === undefined || this.#restUntil <= now ? undefined : { why: this.#rest, until: this.#restUntil };
  }

  /** How the engine asks for leave to do one kind of operation. The end of a question must give the place back. */
  gate(operation: string): PlainGate {
    const cost = this.#options.costs?.[operation];
    return {
      room: (now) => {
        if (now < this.#restUntil || this.#refusals > 0 || this.#ramp.isOn || !this.isClosed(operation)) return 0;
        if (now < this.#saidUntil || this.learner.perSecond(now) !== Number.POSITIVE_INFINITY) return 0;
        return Math.min(this.concurrency - this.inFlight, this.budget.room(now, cost, KEPT_SHARE));
      },
      enter: (now, tier) => this.#enter(now, operation, cost, tier),
      entersAt: (now, tier) => this.#entersAt(now, operation, cost, tier),
    };
  }

  #enter(now: number, operation: string, cost: Cost | undefined, tier: Tier): boolean {
    const at = this.#withoutBreaker(now, cost, tier);
    if (at === undefined || at > now) return false;
    const breaker = admit(this.#breakers.get(operation) ?? CLOSED, now);
    this.#setBreaker(operation, breaker.breaker);
    if (!breaker.admitted) return false;
    this.budget.take(now, cost, keepOf(tier));
    this.learner.began(now);
    this.#ramp.began(now);
    this.#saidLeft--;
    this.inFlight++;
    this.calls++;
    return true;
  }

  /** A question that was let through as one call turned out to have made others: the next ones wait for them. */
  charge(now: number, operation: string, calls: number): void {
    for (let i = 0; i < calls; i++) {
      this.budget.charge(now, this.#options.costs?.[operation]);
      this.learner.began(now);
      this.#saidLeft--;
      this.calls++;
    }
  }

  #entersAt(now: number, operation: string, cost: Cost | undefined, tier: Tier): number | undefined {
    const at = this.#withoutBreaker(now, cost, tier);
    return at === undefined ? undefined : Math.max(at, admitsAt(this.#breakers.get(operation) ?? CLOSED, now));
  }

  /** When everything but the breaker lets a question through by time alone; undefined: only when an answer comes in. */
  #withoutBreaker(now: number, cost: Cost | undefined, tier: Tier): number | undefined {
    // After a refusal one question finds out whether the wall is open again.
    if (this.inFlight >= (this.#refusals > 0 ? 1 : this.concurrency)) return undefined;
    let at = Math.max(this.#restUntil, this.budget.freeAt(now, cost, keepOf(tier)));
    if (now < this.#saidUntil && this.#saidLeft < 1) at = Math.max(at, this.#saidUntil);
    if (tier !== TIERS.urgent) at = Math.max(at, this.#ramp.admitsAt(now));
    // Asked last, and only where nothing else holds us back: what it answers tells it that it did.
    return at > now ? at : Math.max(at, this.learner.admitsAt(now));
  }

  /** An answer came. How long it had been away, ms; 0: it was not. */
  answered(now: number, operation: string, beganAt: number): number {
    const awayMs = this.#awaySince === undefined ? 0 : Math.max(1, now - this.#awaySince);
    this.#close(operation);
    this.#awaySince = undefined;
    this.learner.accepted(now, beganAt);
    const latencyMs = this.#comparable(operation, now - beganAt);
    const answer = { now, latencyMs, inFlight: this.inFlight };
    this.#concurrency = afterSuccess(this.#concurrency, answer, this.#inFlightMax);
    // One that was asked before the wall was met and came late says nothing about it.
    if (beganAt >= this.#refusedAt) this.#refusals = 0;
    this.#answeredAt = now;
    if (this.#doubted403 && !this.#quotaBy403) {
      this.#quotaBy403 = true;
      this.onLearned(false);
    }
    this.#doubted403 = false;
    return awayMs;
  }

  /** A board takes longer than one flight, which is no queue: by how much it is longer than its own best counts. */
  #comparable(operation: string, latencyMs: number): number {
    const best = Math.min(this.#bestMs.get(operation) ?? Number.POSITIVE_INFINITY, Math.max(1, latencyMs));
    this.#bestMs.set(operation, best);
    const [first = best] = this.#bestMs.values();
    return (latencyMs * first) / best;
  }
  readonly #bestMs = new Map<string, number>();

  /** What the provider says about its limits with an answer or a refusal. */
  said(said: LimitsSaid, now: number): void {
    this.budget.state(said.limits);
    if (said.left === undefined || said.resetAt === undefined || said.resetAt <= now) return;
    // Those that are out were not counted yet.
    this.#saidLeft = said.left - Math.max(0, this.inFlight - 1);
    this.#saidUntil = Math.min(said.resetAt, now + REST_MS_MAX);
    if (said.left < 1) this.#restFor('limited', now, this.#saidUntil);
  }

  /** Refused by a limit. Returns when to come back. A provider that refuses is alive: the breaker closes. */
  limited(now: number, operation: string, beganAt: number, retryAt: number | undefined): number {
    this.refused++;
    this.#close(operation);
    const isNew = beganAt >= this.#refusedAt;
    if (isNew) this.#refusals++;
    this.#refusedAt = isNew ? now : this.#refusedAt;
    const backoffMs = backoffBoundMs(REFUSED, Math.max(1, this.#refusals)) * (1 + this.#options.random.number() / 4);
    const until = Math.max(retryAt ?? 0, isNew ? now + backoffMs : 0);
    this.learner.refused(now, beganAt, Math.max(0, until - now));
    this.#awaySince ??= now;
    this.#restFor('limited', now, until);
    return this.#restUntil;
  }
  #refusedAt = Number.NEGATIVE_INFINITY;

  /** Our key is refused; or, for a 403 from a provider that has just been answering, a quota. */
  unauthorised(now: number, operation: string, beganAt: number, error: TripwatchError | undefined): 'key' | 'quota' {
    const doubtMs = this.#quotaBy403 ? QUOTA_KNOWN_MS : QUOTA_DOUBT_MS;
    if (error?.details.status === 403 && now - this.#answeredAt < doubtMs) {
      this.#doubted403 = true;
      this.limited(now, operation, beganAt, error.retryAt);
      return 'quota';
    }
    this.failed++;
    this.#close(operation);
    this.#restFor('unauthorised', now, Math.max(error?.retryAt ?? 0, now + UNAUTHORISED_WAIT_MS));
    return 'key';
  }

  /** It answered, but not what was asked. */
  unanswerable(operation: string): void {
    this.failed++;
    this.#close(operation);
  }

  /** No answer. `retryAt`: when it wants to be asked again. True: the breaker opened by it. */
  broken(now: number, operation: string, beganAt: number, retryAt?: number): boolean {
    this.failed++;
    const before = this.#breakers.get(operation) ?? CLOSED;
    const after = failed(before, now, this.#options.random.number());
    this.#setBreaker(operation, after);
    this.#concurrency = afterOverload(this.#concurrency, now, beganAt);
    if (retryAt !== undefined) this.#restFor('limited', now, retryAt);
    const opened = before.state === 'closed' && after.state === 'open';
    if (opened) {
      this.#awaySince ??= now;
      this.onLearned(false);
    }
    return opened;
  }

  /** What waited comes back slowly. `steadyPerSecond`: how many are asked where all is well. */
  comeBack(now: number, steadyPerSecond: number): void {
    this.#ramp.begin(now, steadyPerSecond);
  }

  /** For the one who goes on with the account. */
  snapshot(now: number): ProviderState {
    const learned = this.learner.snapshot(now);
    const breakers: Record<string, { round: number }> = {};
    for (const [operation, breaker] of this.#breakers)
      if (breaker.state !== 'closed') breakers[operation] = { round: breaker.round };
    const spent = Object.fromEntries(
      Object.entries(this.budget.spent(now)).map(([name, sums]) => [name, sums.map(([at, units]) => [at, units])]),
    ) as ProviderState['spent'];
    return {
      ...(this.#wallUntil > now ? { wallUntil: Math.ceil(this.#wallUntil) } : {}),
      ...(learned === undefined ? {} : { learned }),
      breakers,
      spent,
      quotaBy403: this.#quotaBy403,
      ...(this.#quotaBy403 && Number.isFinite(this.#answeredAt)
        ? { answeredAt: Math.floor(this.#answeredAt / ANSWERED_STEP_MS) * ANSWERED_STEP_MS }
        : {}),
    };
  }

  restore(state: ProviderState, now: number): void {
    if (state.wallUntil !== undefined && state.wallUntil > now) this.#restFor('limited', now, state.wallUntil);
    if (state.learned !== undefined) this.learner.restore(state.learned, now);
    for (const [operation, { round }] of Object.entries(state.breakers))
      this.#setBreaker(operation, restored({ state: 'open', until: now, round }, now));
    if (Object.keys(state.breakers).length > 0) this.#awaySince = now;
    this.budget.restore(state.spent, now);
    this.#quotaBy403 = state.quotaBy403;
    if (state.answeredAt !== undefined) this.#answeredAt = Math.min(now, state.answeredAt);
  }

  #setBreaker(operation: string, breaker: Breaker): void {
    this.#breakers.set(operation, breaker);
  }

  #close(operation: string): void {
    const before = this.#breakers.get(operation);
    if (before === undefined || (before.state === 'closed' && before.failures === 0)) return;
    this.#setBreaker(operation, succeeded(before));
    if (before.state !== 'closed') this.onLearned(false);
  }

  #restFor(why: 'limited' | 'unauthorised', now: number, until: number): void {
    const at = Math.min(now + REST_MS_MAX, Math.max(now + REST_MS_MIN, until));
    if (why === 'limited' && at > this.#wallUntil) {
      this.#wallUntil = at;
      this.onLearned(true);
    }
    if (at <= this.#restUntil) return;
    this.#rest = why;
    this.#restUntil = at;
  }
}

function keepOf(tier: Tier): number {
  return tier === TIERS.other ? KEPT_SHARE : 0;
}
