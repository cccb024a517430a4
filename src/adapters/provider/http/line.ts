import { type Dispatcher, Pool } from 'undici';
import { IN_FLIGHT_MAX } from '../../../domain/limits.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type Exchanged, exchange, flat } from './exchange.ts';
import { failureOfTransport } from './failures.ts';

/**
 * The bytes of an HTTP exchange: kept connections per origin, one deadline from connecting to the last byte (it closes
 * the socket), a bounded body. What a status means is the caller's business. Redirects are not followed: they would carry
 * the credentials elsewhere. Nothing of a request or an answer is put into an error but its origin.
 */
export interface HttpLine {
  /** Errors: transient `provider-timeout`, `provider-unreachable`; `cancelled` `question-called-off`. */
  exchange(request: LineRequest, signal: AbortSignal): Promise<LineAnswer>;
  /**
   * The same for an answer without end (an event stream): the deadline covers the headers only, and whoever reads the
   * body puts a limit to its silence. The signal ends the connection.
   */
  open(request: LineRequest, signal: AbortSignal): Promise<OpenAnswer>;
  close(): Promise<void>;
}

export interface LineRequest {
  readonly url: string;
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** More is not read: `truncated`. Default 1 MiB. */
  readonly bytesMax?: number;
  /** Real time. Default: that of the line. */
  readonly deadlineMs?: number;
}

export type LineAnswer = Exchanged;

export interface OpenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array> & { destroy(error?: Error): unknown };
}

/** Longest for one exchange, real time. */
const DEADLINE_MS = 15_000;
const BODY_BYTES_MAX = 1024 * 1024;
const USER_AGENT = 'Tripwatch (+https://tripwatch.dev)';

export interface HttpLineOptions {
  readonly clock: Clock;
  readonly deadlineMs?: number;
  /** Who connects, for addresses that strangers name (see src/adapters/egress). Default: a pool an origin, unchecked. */
  readonly dispatcher?: Dispatcher;
}

export function createHttpLine(options: HttpLineOptions): HttpLine {
  const lineDeadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const pools = new Map<string, Pool>();

  function dispatcherOf(origin: string): Dispatcher {
    if (options.dispatcher !== undefined) return options.dispatcher;
    const pool =
      pools.get(origin) ??
      new Pool(origin, { connections: IN_FLIGHT_MAX, pipelining: 1, connect: { timeout: lineDeadlineMs } });
    pools.set(origin, pool);
    return pool;
  }

  const optionsOf = (request: LineRequest, url: URL) => ({
    origin: url.origin,
    method: request.method ?? 'GET',
    path: `${url.pathname}${url.search}`,
    headers: { accept: 'application/json', 'user-agent': USER_AGENT, ...request.headers },
    body: request.body ?? null,
    // One deadline covers the whole; the timers of undici would end it with other words.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  return {
    exchange: async (request, signal) => {
      const url = new URL(request.url);
      const { deadlineMs = lineDeadlineMs, bytesMax = BODY_BYTES_MAX } = request;
      try {
        return await exchange(dispatcherOf(url.origin), optionsOf(request, url), { signal, deadlineMs, bytesMax });
      } catch (error) {
        throw failureOfTransport(error, url.origin, signal);
      }
    },
    open: async (request, signal) => {
      const url = new URL(request.url);
      const late = new AbortController();
      const timer = setTimeout(
        () => late.abort(new DOMException('no headers', 'TimeoutError')),
        request.deadlineMs ?? lineDeadlineMs,
      );
      try {
        signal.throwIfAborted();
        const response = await dispatcherOf(url.origin).request({
          ...optionsOf(request, url),
          signal: AbortSignal.any([signal, late.signal]),
        });
        // Who destroys it unread knows; Node would end the process over it.
        response.body.on('error', () => {});
        return { status: response.statusCode, headers: flat(response.headers), body: response.body };
      } catch (error) {
        throw failureOfTransport(late.signal.aborted ? late.signal.reason : error, url.origin, signal);
      } finally {
        clearTimeout(timer);
      }
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}
