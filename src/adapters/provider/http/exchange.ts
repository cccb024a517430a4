import type { Dispatcher } from 'undici';

/** What came back, with names of headers in lower case; `truncated`: more came than was wanted. */
export interface Exchanged {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly truncated: boolean;
}

export interface ExchangeLimits {
  readonly signal: AbortSignal;
  /** From here to the last byte, real time. */
  readonly deadlineMs: number;
  readonly bytesMax: number;
}

/**
 * One request and its whole answer, straight from undici's parser: a tracker asks hundreds of times a second, and streams,
 * combined signals and their timers would cost more than the exchange. Errors: those of undici; DOMException TimeoutError
 * after the deadline; the signal's reason.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const { signal, deadlineMs, bytesMax } = limits;
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let controller: Dispatcher.DispatchController | undefined;
    let ended = false;
    let status = 0;
    let headers: Readonly<Record<string, string>> = {};
    let size = 0;
    const chunks: Buffer[] = [];

    const end = (): boolean => {
      if (ended) return false;
      ended = true;
      clearTimeout(timer);
      waiting.delete(onAbort);
      return true;
    };
    // Ends the connection, too: what still comes would be read as the answer to another question.
    const fail = (error: unknown): void => {
      if (!end()) return;
      reject(error);
      controller?.abort(error instanceof Error ? error : GONE);
    };
    const onAbort = (): void => fail(signal.reason);
    const timer = setTimeout(() => fail(new DOMException('no whole answer', 'TimeoutError')), deadlineMs);
    const waiting = waitingFor(signal).add(onAbort);

    try {
      dispatcher.dispatch(request, {
        onRequestStart: (given) => {
          controller = given;
          // It waited for a connection, and nobody waits for it any more.
          if (ended) given.abort(GONE);
        },
        onResponseStart: (_, statusCode, given) => {
          status = statusCode;
          headers = flat(given);
        },
        onResponseData: (_, chunk) => {
          if (ended) return;
          size += chunk.byteLength;
          chunks.push(chunk);
          if (size <= bytesMax || !end()) return;
          // What is left of it is worth less than the connection.
          controller?.abort(GONE);
          resolve({ status, headers, bytes: Buffer.concat(chunks).subarray(0, bytesMax), truncated: true });
        },
        onResponseEnd: () => {
          if (!end()) return;
          const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
          resolve({ status, headers, bytes, truncated: false });
        },
        onResponseError: (_, error) => {
          if (end()) reject(error);
        },
      });
    } catch (error) {
      if (end()) reject(error);
    }
  });
}

/** Hundreds of exchanges share a signal: it has one listener for all of them. */
const waitingBySignal = new WeakMap<AbortSignal, Set<() => void>>();

function waitingFor(signal: AbortSignal): Set<() => void> {
  let waiting = waitingBySignal.get(signal);
  if (waiting === undefined) {
    const all = new Set<() => void>();
    signal.addEventListener('abort', () => all.forEach((one) => void one()), { once: true });
    waitingBySignal.set(signal, all);
    waiting = all;
  }
  return waiting;
}

const GONE = new Error('the exchange was given up');

/** The first value of each. */
export function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) out[name.toLowerCase()] = typeof value === 'string' ? value : (value[0] ?? '');
  }
  return out;
}
