import type { Clock } from '../ports/clock.ts';
import type { Scheduler } from './scheduler.ts';

/** What a promise of a dead process does. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});

export interface LifeOptions {
  /** Counts the lives of all nodes. */
  readonly number: number;
  readonly node: number;
  /** The name under which it takes work. */
  readonly worker: string;
  readonly scheduler: Scheduler;
  /** How wrong its wall clock is: ahead by so much when it starts, and faster by so many parts of a million. */
  readonly skew: { readonly offsetMs: number; readonly driftPpm: number };
  /** A call to the outside comes or has come: see `point`. */
  readonly onPoint: (life: Life, name: string) => void;
}

/**
 * One life of a process, from start to crash or stop. Everything that it waits for goes through here: after the end no
 * sleep, no commit and no answer ever comes back to it, exactly as for a process that was killed; and while it stands
 * still (a suspended machine, a stopped process, a long collection), time goes on, and all that would have come to it
 * comes at once when it goes on.
 */
export class Life {
  readonly number: number;
  readonly node: number;
  readonly worker: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly #ended = new AbortController();
  readonly #onPoint: LifeOptions['onPoint'];
  /** What came while it stands still; undefined: it runs. */
  #held: (() => void)[] | undefined;
  #pausedAt = Number.NEGATIVE_INFINITY;
  #resumedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LifeOptions) {
    const { scheduler, skew } = options;
    this.number = options.number;
    this.node = options.node;
    this.worker = options.worker;
    this.scheduler = scheduler;
    this.#onPoint = options.onPoint;
    const from = scheduler.now;
    const wrong = skew.offsetMs !== 0 || skew.driftPpm !== 0;
    this.clock = scheduler.clock(
      (run) => this.deliver(run),
      wrong ? () => skew.offsetMs + ((scheduler.now - from) * skew.driftPpm) / 1_000_000 : undefined,
    );
  }

  get alive(): boolean {
    return !this.#ended.signal.aborted;
  }

  get paused(): boolean {
    return this.#held !== undefined;
  }

  /** It stands still since, or has been standing still until, or never did; ms of virtual time. */
  get lastPause(): { readonly from: number; readonly to: number } {
    return { from: this.#pausedAt, to: this.paused ? this.scheduler.now : this.#resumedAt };
  }

  /** Aborts when this life ends: for the world's side of what was under way. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  end(): void {
    this.#held = undefined;
    this.#ended.abort(ENDED);
  }

  pause(): void {
    if (!this.alive || this.paused) return;
    this.#held = [];
    this.#pausedAt = this.scheduler.now;
  }

  /** Goes on: what came meanwhile comes now, in an order that chance decides. */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#resumedAt = this.scheduler.now;
    for (const run of held ?? []) this.scheduler.after(0, 'goes on', () => this.deliver(run));
  }

  /** Something comes to this process: now, when it goes on, or never. */
  deliver(run: () => void): void {
    if (!this.alive) return;
    if (this.#held === undefined) run();
    else this.#held.push(run);
  }

  /** A result from outside, which reaches a living process only. */
  async reach<T>(work: Promise<T>): Promise<T> {
    try {
      const value = await work;
      if (this.#held !== undefined) await this.#standing();
      return this.alive ? value : await never<T>();
    } catch (error) {
      if (this.#held !== undefined) await this.#standing();
      if (this.alive) throw error;
      return never<T>();
    }
  }

  /** Resolves at once where it runs, when it goes on where it stands still, and never where it has ended. */
  async turn(): Promise<void> {
    if (this.#held !== undefined) await this.#standing();
    if (!this.alive) await never();
  }

  /** Takes time; for ever in a life that ends meanwhile. */
  wait(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => void this.scheduler.after(ms, 'timer', () => this.deliver(resolve)));
  }

  /**
   * A place where it may be killed: just before or after a call to the outside. Resolves in a life that goes on. Every
   * such place has a number in the run, so that each can be tried.
   */
  point(name: string): Promise<void> | undefined {
    this.#onPoint(this, name);
    return this.alive ? undefined : never();
  }

  #standing(): Promise<void> {
    return new Promise((resolve) => this.#held?.push(resolve));
  }
}

const ENDED = Object.assign(new Error('this life has ended'), { stack: undefined });
