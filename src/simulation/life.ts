import type { Clock } from '../ports/clock.ts';
import type { Scheduler } from './scheduler.ts';

/** What a promise of a dead process does. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});

/**
 * One life of the process, from start to crash or stop. Everything that a life waits for goes through it: after the
 * end no sleep, no commit and no answer ever comes back to it, exactly as for a process that was killed.
 */
export class Life {
  readonly number: number;
  readonly clock: Clock;
  readonly #ended = new AbortController();

  constructor(number: number, scheduler: Scheduler) {
    this.number = number;
    this.clock = scheduler.clock(() => this.alive);
  }

  get alive(): boolean {
    return !this.#ended.signal.aborted;
  }

  /** Aborts when this life ends: for the world's side of what was under way. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  end(): void {
    this.#ended.abort(new Error('this life has ended'));
  }

  /** A result from outside, which reaches a living process only. */
  async reach<T>(work: Promise<T>): Promise<T> {
    try {
      const value = await work;
      return this.alive ? value : await never<T>();
    } catch (error) {
      if (this.alive) throw error;
      return never<T>();
    }
  }

  /** Takes time; for ever in a life that ends meanwhile. */
  pause(ms: number): Promise<void> {
    return ms <= 0 ? Promise.resolve() : this.clock.sleep(ms, NOT_ABORTED);
  }
}

const NOT_ABORTED = new AbortController().signal;
