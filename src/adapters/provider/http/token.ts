import { kindOf } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';

/**
 * A token that must be fetched: once for everyone who waits for it, again before it ends, and again when the vendor
 * refuses it before its time. One refusal renews it and repeats the question once; a second is the account's own.
 *
 * States: none → fetching → held → (near its end, or refused) fetching. A failed fetching leaves none, so the next
 * question tries again; whoever waited gets its error.
 */
export interface TokenSource {
  /** Runs `question` with the token. Errors: those of `question` and of the fetching. */
  use<T>(signal: AbortSignal, question: (token: string) => Promise<T>): Promise<T>;
}

export interface FetchedToken {
  readonly token: string;
  /** How long it is good, ms. */
  readonly lifeMs: number;
}

/** Renewed when this share of its life is over. */
const RENEW_AT = 0.9;
/** A vendor that says less (or nonsense) does not make us fetch at every question. */
const LIFE_MS_MIN = 10_000;

export function createTokenSource(
  fetchToken: (signal: AbortSignal) => Promise<FetchedToken>,
  clock: Pick<Clock, 'now'>,
): TokenSource {
  let held: { readonly token: string; readonly renewAt: number } | undefined;
  let fetching: Promise<string> | undefined;

  // Not under the signal of the first who asked: the others wait for it too. The HTTP deadline ends it.
  const never = new AbortController().signal;
  const renew = (): Promise<string> => {
    fetching ??= fetchToken(never)
      .then(({ token, lifeMs }) => {
        held = { token, renewAt: clock.now() + Math.max(LIFE_MS_MIN, lifeMs) * RENEW_AT };
        return token;
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };

  const current = (signal: AbortSignal): Promise<string> => {
    signal.throwIfAborted();
    if (held !== undefined && clock.now() < held.renewAt) return Promise.resolve(held.token);
    return unlessAborted(renew(), signal);
  };

  return {
    use: async (signal, question) => {
      const token = await current(signal);
      try {
        return await question(token);
      } catch (error) {
        if (kindOf(error) !== 'unauthorised') throw error;
        // Another question may have renewed it meanwhile.
        if (held?.token === token) held = undefined;
        return question(await current(signal));
      }
    },
  };
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
