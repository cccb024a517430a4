import { backoffDelayMs } from '../../domain/backoff.ts';
import type { TripwatchError } from '../../domain/errors.ts';
import { UNAUTHORISED_WAIT_MS } from '../../domain/limits.ts';
import { admit, admitsAt, type Breaker, CLOSED, failed, succeeded } from '../../domain/schedule/breaker.ts';
import { type CallLimit, createCallBudget } from '../../domain/schedule/call-budget.ts';
import { afterOverload, afterSuccess, startConcurrency } from '../../domain/schedule/concurrency.ts';
import type { Random } from '../../ports/clock.ts';

/** Questions out at the same time, at most: beyond it the provider is slow, and more would make it slower. */
export const IN_FLIGHT_MAX = 16;
/** A refusal that names no time. */
const REFUSED = { firstDelayMs: 15_000, factor: 2, delayMsMax: 300_000 };
/** Share of the smallest limit that stays free for what is urgent. */
const URGENT_SHARE = 0.05;

/**
 * Whether an account may be asked now, and how hard: limits of calls, places in flight, circuit breaker, and pauses that
 * the provider asked for. Times are epoch ms.
 */
export class AccountHealth {
  readonly budget;
  readonly #random: Random;
  readonly #reserve: number;
  #breaker: Breaker = CLOSED;
  /** Since when the breaker is not closed. */
  #awaySince: number | undefined;
  #concurrency = startConcurrency(IN_FLIGHT_MAX);
  #refusals = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #paused: 'limited' | 'unauthorised' | undefined;
  inFlight = 0;
  calls = 0;
  refused = 0;
  failed = 0;

  constructor(limits: readonly CallLimit[], random: Random) {
    this.budget = createCallBudget(limits);
    this.#random = random;
    this.#reserve = Math.floor(Math.min(...limits.map((limit) => limit.max)) * URGENT_SHARE);
  }

  get circuit(): Breaker['state'] {
    return this.#breaker.state;
  }
  get concurrency(): number {
    return this.#concurrency.limit;
  }
  /** Undefined: not paused. */
  pause(now: number): { readonly why: 'limited' | 'unauthorised'; readonly until: number } | undefined {
    return this.#paused === undefined || this.#pausedUntil <= now
      ? undefined
      : { why: this.#paused, until: this.#pausedUntil };
  }

  /** Takes a place and a call if there is one. The end of the question must give the place back (`inFlight`). */
  enter(now: number, urgent: boolean): boolean {
    if (this.inFlight >= this.#concurrency.limit || now < this.#pausedUntil) return false;
    const keep = urgent ? 0 : this.#reserve;
    if (this.budget.freeAt(now, keep) > now) return false;
    const gate = admit(this.#breaker, now);
    this.#breaker = gate.breaker;
    if (!gate.admitted) return false;
    this.budget.take(now, keep);
    this.inFlight++;
    this.calls++;
    return true;
  }

  /** When `enter` may succeed by time alone; undefined: only when an answer comes in. */
  entersAt(now: number, urgent: boolean): number | undefined {
    if (this.inFlight >= this.#concurrency.limit) return undefined;
    return Math.max(
      this.#pausedUntil,
      this.budget.freeAt(now, urgent ? 0 : this.#reserve),
      admitsAt(this.#breaker, now),
    );
  }

  /** How long it had been away, ms; 0: it was not. */
  answered(now: number): number {
    const awayMs = this.#awaySince === undefined ? 0 : Math.max(1, now - this.#awaySince);
    this.#close();
    this.budget.recover();
    this.#concurrency = afterSuccess(this.#concurrency, this.inFlight, IN_FLIGHT_MAX);
    this.#refusals = 0;
    return awayMs;
  }

  /** Refused by a limit. Returns when to come back. A provider that refuses is alive: the breaker closes. */
  limited(now: number, retryAt: number | undefined): number {
    this.refused++;
    this.#close();
    this.budget.slowDown(now);
    this.#concurrency = afterOverload(this.#concurrency);
    this.#refusals++;
    this.#rest('limited', retryAt ?? now + backoffDelayMs(REFUSED, this.#refusals, this.#random.number()));
    return this.#pausedUntil;
  }

  unauthorised(now: number, error: TripwatchError | undefined): void {
    this.failed++;
    this.#close();
    this.#rest('unauthorised', Math.max(error?.retryAt ?? 0, now + UNAUTHORISED_WAIT_MS));
  }

  /** It answered, but not what was asked. */
  unanswerable(): void {
    this.failed++;
    this.#close();
  }

  /** No answer. True: the breaker opened by it. */
  broken(now: number): boolean {
    this.failed++;
    const before = this.#breaker.state;
    const after = failed(this.#breaker, now, this.#random.number());
    this.#breaker = after;
    this.#concurrency = afterOverload(this.#concurrency);
    const opened = before === 'closed' && after.state === 'open';
    if (opened) this.#awaySince = now;
    return opened;
  }

  #close(): void {
    this.#breaker = succeeded(this.#breaker);
    this.#awaySince = undefined;
  }

  #rest(why: 'limited' | 'unauthorised', until: number): void {
    this.#paused = why;
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
  }
}
