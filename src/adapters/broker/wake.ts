import type { Clock } from '../../ports/clock.ts';

/** Longest sleep at once, real time: a machine that was suspended, or a clock that was set, is noticed by then. */
const SLEEP_MS_MAX = 60_000;

/** Made once: an abort without a reason makes one each time, with a stack. */
const OVER = new Error('the wait is over');

/** Lets waiters sleep until someone notifies them; a notice while nobody waits is kept for the next one. */
export class Wake {
  #waiters: (() => void)[] = [];
  #pending = false;

  notify(): void {
    if (this.#waiters.length === 0) {
      this.#pending = true;
      return;
    }
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  /** Resolves on a notice, after `ms` of the clock (or a minute), or when the signal aborts; never rejects. */
  async wait(clock: Clock, ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (this.#pending || signal.aborted) {
      this.#pending = false;
      return;
    }
    const timer = new AbortController();
    await new Promise<void>((resolve) => {
      const finish = () => {
        signal.removeEventListener('abort', finish);
        this.#waiters = this.#waiters.filter((waiter) => waiter !== finish);
        timer.abort(OVER);
        resolve();
      };
      this.#waiters.push(finish);
      signal.addEventListener('abort', finish);
      if (ms !== undefined)
        clock.sleep(Math.min(SLEEP_MS_MAX * clock.speed, Math.max(1, ms)), timer.signal).then(finish, () => {
          // Aborted because the wait ended otherwise.
        });
    });
  }
}
