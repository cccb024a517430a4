import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { unzip } from 'node:zlib';
import { Pool } from 'undici';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type Failure, failureOfStatus, failureOfTransport } from './failures.ts';

/**
 * One question to a provider and its answer in JSON (or text): one pool of kept connections an origin, one deadline for
 * the whole exchange, a bounded body, and every failure translated. Nothing of a request is ever logged or put into an
 * error but its origin, so no key can leak.
 */
export interface ProviderHttp {
  /**
   * Errors: `rate-limited` `provider-rate-limited`; `unauthorised` `provider-unauthorised`; `transient`
   * `provider-timeout`, `provider-unreachable`, `provider-failed`, `provider-answered-html`,
   * `provider-answered-garbage`, `provider-answer-too-large`; `permanent` `provider-refused`.
   */
  ask(request: ProviderRequest, signal: AbortSignal): Promise<ProviderResponse>;
  close(): Promise<void>;
}

export interface ProviderRequest {
  readonly url: string;
  /** Default: GET. POST stands for questions that vendors put so; none of them changes anything there. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it is; `content-type` stands in the headers. */
  readonly body?: string;
  /** Default: JSON. */
  readonly as?: 'json' | 'text';
  /** `token` of the last answer: where nothing differs the response says `unchanged` and is neither parsed nor, by vendors with ETags, sent. */
  readonly token?: string | undefined;
  /** A longer answer is not read. Default: 1 MB. */
  readonly bytesMax?: number;
  /** Statuses that are answers here, beside 200 (404, 204). They come without a parsed body. */
  readonly also?: readonly number[];
  /** Statuses whose body is read as that of 200 is (206: a part of the answer). */
  readonly read?: readonly number[];
  /**
   * The vendor's own word on a refusal, from the parsed body (undefined: no JSON) and the headers (names in lower case);
   * undefined: the status decides.
   */
  readonly explain?: (status: number, body: unknown, headers: Readonly<Record<string, string>>) => Failure | undefined;
}

export interface ProviderResponse {
  readonly status: number;
  /** Parsed; undefined for statuses in `also` and where unchanged. */
  readonly json: unknown;
  /** Where text was wanted. */
  readonly text?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Equal as long as the answer is equal byte for byte (or the vendor's ETag stands). Undefined for statuses in `also`. */
  readonly token?: string;
  /** The answer is the one that `token` of the request came with. */
  readonly unchanged?: true;
}

/** Longest for one exchange, real time: connecting, waiting, the last byte. */
export const DEADLINE_MS = 15_000;
/** An order with many passengers is some 50 KB. */
export const BODY_BYTES_MAX = 1024 * 1024;
const CONNECTIONS_MAX = 16;
const USER_AGENT = 'Tripwatch (+https://tripwatch.dev)';

export interface ProviderHttpOptions {
  readonly clock: Clock;
  readonly deadlineMs?: number;
  readonly bodyBytesMax?: number;
}

export function createProviderHttp(options: ProviderHttpOptions): ProviderHttp {
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX;
  const pools = new Map<string, Pool>();

  function poolOf(origin: string): Pool {
    const pool =
      pools.get(origin) ??
      new Pool(origin, { connections: CONNECTIONS_MAX, pipelining: 1, connect: { timeout: deadlineMs } });
    pools.set(origin, pool);
    return pool;
  }

  return {
    ask: async (request, signal) => {
      const url = new URL(request.url);
      // One signal closes the socket, whether we wait for the first byte or for the last.
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
      try {
        const response = await poolOf(url.origin).request({
          method: request.method ?? 'GET',
          path: `${url.pathname}${url.search}`,
          headers: {
            accept: 'application/json',
            'user-agent': USER_AGENT,
            ...request.headers,
            ...ifNoneMatch(request),
          },
          body: request.body ?? null,
          signal: deadline,
        });
        const headers = flat(response.headers);
        if (response.statusCode === 304 && request.token !== undefined) {
          await discard(response.body);
          return { status: 304, json: undefined, headers, token: request.token, unchanged: true };
        }
        if (request.also?.includes(response.statusCode)) {
          await discard(response.body);
          return { status: response.statusCode, json: undefined, headers };
        }
        if (response.statusCode !== 200 && !request.read?.includes(response.statusCode)) {
          const body = await readRefusal(response.body, headers);
          const said = request.explain?.(response.statusCode, body, headers);
          throw failureOfStatus(response.statusCode, headers, options.clock.now(), said);
        }
        const bytes = await readAnswer(response.body, headers, request.bytesMax ?? bodyBytesMax);
        const token = tokenOf(headers, bytes);
        // Compared before it is parsed: most answers say what the last one said.
        if (token === request.token) return { status: 200, json: undefined, headers, token, unchanged: true };
        const status = response.statusCode;
        if (request.as === 'text') return { status, json: undefined, text: bytes.toString('utf8'), headers, token };
        return { status, json: parseJson(bytes), headers, token };
      } catch (error) {
        throw failureOfTransport(error, url.origin, signal);
      }
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}

type Body = AsyncIterable<Uint8Array> & { destroy(error?: Error): unknown };

/** What is refused may be refused at length: so much is read, so that the connection can be kept, else it is cut. */
const REFUSAL_BYTES_MAX = 64 * 1024;

async function discard(body: Body): Promise<void> {
  await readRefusal(body, {});
}

async function readRefusal(body: Body, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > REFUSAL_BYTES_MAX) {
      body.destroy();
      return undefined;
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse((await unpacked(Buffer.concat(chunks), headers, REFUSAL_BYTES_MAX)).toString('utf8'));
  } catch {
    return undefined;
  }
}

async function readAnswer(body: Body, headers: Readonly<Record<string, string>>, bytesMax: number): Promise<Buffer> {
  if (/html/i.test(headers['content-type'] ?? '')) {
    await discard(body);
    throw webPage();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > bytesMax) {
      body.destroy();
      throw tooLarge(bytesMax);
    }
    chunks.push(chunk);
  }
  return unpacked(Buffer.concat(chunks), headers, bytesMax);
}

const unzipped = promisify(unzip);

/** Some vendors insist on packing (`accept-encoding` of the connector). Bounded by what comes out, not by what came. */
async function unpacked(bytes: Buffer, headers: Readonly<Record<string, string>>, bytesMax: number): Promise<Buffer> {
  if (!/^(x-)?gzip$|^deflate$/i.test(headers['content-encoding']?.trim() ?? '') || bytes.length === 0) return bytes;
  try {
    return await unzipped(bytes, { maxOutputLength: bytesMax });
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
    throw new TripwatchError(
      'transient',
      'provider-answered-garbage',
      `The provider's answer of ${bytes.length} bytes is not packed as it says, perhaps cut short. It is asked again.`,
      { cause },
    );
  }
}

function tooLarge(bytesMax: number): TripwatchError {
  return new TripwatchError(
    'transient',
    'provider-answer-too-large',
    `The provider's answer is longer than ${bytesMax} bytes and was not read.`,
  );
}

function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (/^\s*<(!doctype|html)/i.test(text)) throw webPage(cause);
    throw new TripwatchError(
      'transient',
      'provider-answered-garbage',
      `The provider's answer of ${bytes.length} bytes is no JSON, perhaps cut short. It is asked again.`,
      { cause },
    );
  }
}

function webPage(cause?: unknown): TripwatchError {
  return new TripwatchError(
    'transient',
    'provider-answered-html',
    'The provider answered with a web page instead of data; usually a gateway in trouble. It is asked again.',
    cause === undefined ? {} : { cause },
  );
}

/** The vendor's own mark where it gives one, else ours of the bytes. */
function tokenOf(headers: Readonly<Record<string, string>>, bytes: Buffer): string {
  return headers.etag !== undefined ? `etag:${headers.etag}` : `bytes:${hash('sha1', bytes)}`;
}

function ifNoneMatch({ token }: ProviderRequest): Readonly<Record<string, string>> {
  return token?.startsWith('etag:') ? { 'if-none-match': token.slice('etag:'.length) } : {};
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) out[name.toLowerCase()] = Array.isArray(value) ? (value[0] ?? '') : value;
  }
  return out;
}
