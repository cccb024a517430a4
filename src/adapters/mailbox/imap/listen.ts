import type { ImapFlow } from 'imapflow';
import { ended } from './failures.ts';
import { IDLE_AFTER_MS, IDLE_MS_MIN, IDLES_SHORT_MAX, type ImapLimits } from './limits.ts';
import type { Line } from './line.ts';

/**
 * Listening: IDLE (RFC 2177) on the main folder whenever nothing else is asked of the connection. imapflow would begin
 * it again only 15 s after the last command, so it is begun here. An IDLE is ended after `idleMs` and followed by a NOOP,
 * whose answer shows that the server is still there: that it says "still here" within IDLE proves nothing. Where IDLE is
 * not offered, or ended by the server again and again, NOOPs are the way to hear of news.
 */
export interface ListenerParts {
  readonly client: ImapFlow;
  readonly host: string;
  readonly limits: ImapLimits;
  readonly line: Line;
  /** Opens the main folder where another is open. True: something has come since it was last looked through. */
  readonly openMain: () => Promise<boolean>;
  readonly onNews: () => void;
}

type Ending = 'ended' | 'time' | 'aborted' | 'closed';

export class Listener {
  readonly #parts: ListenerParts;
  #short = 0;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** Errors: `transient` when the connection ends. */
  async listen(wake: () => void, signal: AbortSignal): Promise<void> {
    const { client, host, line } = this.#parts;
    const onExists = ({ count, prevCount }: { readonly count: number; readonly prevCount: number }) => {
      if (count <= prevCount) return;
      this.#parts.onNews();
      wake();
    };
    client.on('exists', onExists);
    try {
      while (!signal.aborted) {
        const ending = await this.#once(wake, signal);
        if (ending === 'closed') throw ended(host);
        // Nobody waits for this one longer than the deadlines of the line.
        if (ending === 'time' || ending === 'aborted') {
          await line.run(NEVER, () => client.noop());
          if (!client.usable) throw ended(host);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      client.off('exists', onExists);
    }
  }

  /** One IDLE, or one wait where there is none. */
  async #once(wake: () => void, signal: AbortSignal): Promise<Ending> {
    const { client, host, limits, line, openMain } = this.#parts;
    // A row of commands is not to be broken up by an IDLE between each two.
    do {
      await line.quiet();
      await wait(IDLE_AFTER_MS);
      if (client.isClosed) throw ended(host);
      if (signal.aborted) return 'aborted';
    } while (line.busy);
    const idles = client.capabilities.has('IDLE') && this.#short < IDLES_SHORT_MAX;
    const since = performance.now();
    let served = 0;
    let idle: Promise<unknown> | undefined;
    await line.run(NEVER, async () => {
      if (await openMain()) wake();
      served = line.served;
      // Whatever is asked next breaks it.
      if (idles) idle = client.idle();
    });
    const ending = await this.#ending(idle, idles ? limits.idleMs : limits.pollMs, signal);
    // Ended by the server, and not by a question of ours.
    const isShort = ending === 'ended' && performance.now() - since < IDLE_MS_MIN && line.served === served + 1;
    this.#short = isShort ? this.#short + 1 : idles ? 0 : this.#short;
    return ending;
  }

  #ending(idle: Promise<unknown> | undefined, ms: number, signal: AbortSignal): Promise<Ending> {
    const { client } = this.#parts;
    return new Promise((resolve) => {
      const done = (ending: Ending) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        client.off('close', onClose);
        resolve(ending);
      };
      const onAbort = () => done('aborted');
      const onClose = () => done('closed');
      const timer = setTimeout(() => done('time'), ms);
      signal.addEventListener('abort', onAbort, { once: true });
      client.once('close', onClose);
      const onEnd = () => done(client.isClosed ? 'closed' : 'ended');
      idle?.then(onEnd, onEnd);
      if (client.isClosed) onClose();
      else if (signal.aborted) onAbort();
    });
  }
}

const NEVER = new AbortController().signal;

const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
