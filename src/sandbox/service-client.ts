import { TripwatchError } from '../domain/errors.ts';

/** The few calls of Tripwatch's own REST API that the sandbox makes, as any other client would make them. */
export interface ServiceClient {
  readonly url: string;
  readonly token: string;
  post<T>(path: string, body: unknown, signal: AbortSignal, headers?: Readonly<Record<string, string>>): Promise<T>;
  get<T>(path: string, signal: AbortSignal): Promise<T>;
  /** All pages of a list with `items` and `next`, by `after` or `before`. */
  list<T>(path: string, cursor: 'after' | 'before', signal: AbortSignal): Promise<readonly T[]>;
}

export interface ServiceAddress {
  readonly url: string;
  readonly token: string;
}

/** Real time between attempts while the service is away: it may be restarting. */
const RETRY_MS = 300;
/** How long the service may be away while a day is played, real time. */
const PATIENCE_MS = 120_000;

export function serviceClient({ url, token }: ServiceAddress, patienceMs = PATIENCE_MS): ServiceClient {
  async function call<T>(method: string, path: string, signal: AbortSignal, body?: unknown, headers = {}): Promise<T> {
    const until = performance.now() + patienceMs;
    for (;;) {
      signal.throwIfAborted();
      let failure: string;
      try {
        const response = await fetch(new URL(path, url), {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
        });
        const text = await response.text();
        if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
        failure = `${response.status} ${text.slice(0, 300)}`;
        if (response.status < 500 && response.status !== 429) {
          throw new TripwatchError('permanent', 'sandbox-service', `${method} ${path} was answered ${failure}`);
        }
      } catch (error) {
        if (error instanceof TripwatchError || signal.aborted) throw error;
        failure = error instanceof Error ? error.message : String(error);
      }
      if (performance.now() > until) {
        throw new TripwatchError(
          'transient',
          'sandbox-service',
          `${method} ${path} at ${url} keeps failing: ${failure}. Is the service up?`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  return {
    url,
    token,
    post: (path, body, signal, headers) => call('POST', path, signal, body, headers),
    get: (path, signal) => call('GET', path, signal),
    list: async <T>(path: string, cursor: 'after' | 'before', signal: AbortSignal) => {
      const all: T[] = [];
      let next: string | undefined;
      do {
        const at = `${path}${path.includes('?') ? '&' : '?'}limit=500${next === undefined ? '' : `&${cursor}=${encodeURIComponent(next)}`}`;
        const page: { items: readonly T[]; next?: string } = await call('GET', at, signal);
        all.push(...page.items);
        next = page.next;
      } while (next !== undefined);
      return all;
    },
  };
}

/** Runs `work` over all items, at most `width` at a time; stops at the first error. */
export async function eachOf<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
