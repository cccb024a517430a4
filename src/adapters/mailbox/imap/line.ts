import type { ImapFlow } from 'imapflow';
import { calledOff, ended, failureOfUse, silent } from './failures.ts';
import type { ImapLimits } from './limits.ts';

/**
 * What is asked of one connection stands in a line, because a folder is open for one question at a time. Whatever is
 * under way has its deadlines, and one that is missed, or an abort in the middle of an answer, ends the connection: IMAP
 * knows no way to take a question back.
 */
export class Line {
  readonly #client: ImapFlow;
  readonly #host: string;
  readonly #limits: ImapLimits;
  #last: Promise<unknown> = Promise.resolve();
  #standing = 0;
  #served = 0;

  constructor(client: ImapFlow, host: string, limits: ImapLimits) {
    this.#client = client;
    this.#host = host;
    this.#limits = limits;
  }

  /** Errors: `cancelled`; `transient` `mailbox-timeout`, `mailbox-closed` and others; `rate-limited`. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    this.#standing++;
    const before = this.#last;
    const { promise, resolve: leave } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await before;
      if (signal.aborted) throw calledOff(signal.reason);
      if (this.#client.isClosed || !this.#client.usable) throw ended(this.#host);
      return await this.#guarded(signal, work);
    } finally {
      this.#standing--;
      this.#served++;
      leave();
    }
  }

  get busy(): boolean {
    return this.#standing > 0;
  }

  /** How many have had their turn. */
  get served(): number {
    return this.#served;
  }

  /** Resolves when nobody stands in line. */
  async quiet(): Promise<void> {
    while (this.#standing > 0) await this.#last;
  }

  async #guarded<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { answerMs, totalMs } = this.#limits;
    const { promise: failing, reject: fail } = Promise.withResolvers<never>();
    const giveUp = (error: Error) => {
      fail(error);
      this.#client.close();
    };
    const onAbort = () => giveUp(calledOff(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    const startedAt = performance.now();
    let received = this.#client.stats().received;
    let heardAt = startedAt;
    const watch = setInterval(
      () => {
        const now = performance.now();
        const total = this.#client.stats().received;
        if (total !== received) heardAt = now;
        received = total;
        if (now - heardAt > answerMs || now - startedAt > totalMs) giveUp(silent(this.#host));
      },
      Math.max(10, Math.min(1000, answerMs / 4)),
    );
    try {
      return await Promise.race([work(), failing]);
    } catch (error) {
      // Why it was given up says more than what became of the question thereby.
      const reason = signal.aborted ? calledOff(signal.reason) : error;
      throw failureOfUse(reason, this.#host, Date.now(), signal);
    } finally {
      clearInterval(watch);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
