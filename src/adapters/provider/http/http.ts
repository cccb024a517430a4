import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { unzip } from 'node:zlib';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { LimitsSaid } from '../../../ports/provider.ts';
import { type Failure, failureOfStatus } from './failures.ts';
import { createHttpLine } from './line.ts';
import { limitsSaidBy } from './rate-limit.ts';

/**
 * One question to a provider and its answer in JSON (or text), on a line (line.ts): what a status, a header and a body mean,
 * every failure translated, and what the provider says of its limits. Nothing of a request is ever logged or put into an
 * error but its origin, so no key can leak.
 */
export interface ProviderHttp {
  /**
   * Errors: `rate-limited` `provider-rate-limited`; `unauthorised` `provider-unauthorised`; `transient`
   * `provider-timeout`, `provider-unreachable`, `provider-failed`, `provider-answered-html`,
   * `provider-answered-garbage`, `provider-answer-too-large`; `permanent` `provider-refused`.
   */
  ask(request: ProviderRequest, signal: AbortSignal): Promise<ProviderResponse>;
  /** What the newest answer or refusal said of the limits; undefined: nothing. See ProviderConnector.limitsSaid. */
  limitsSaid?(): LimitsSaid | undefined;
  close(): Promise<void>;
}

export interface ProviderRequest {
  readonly url: string;
  /** Default: GET. POST stands for questions that vendors put so; none of them changes anything there. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it is; `content-type` stands in the headers. */
  readonly body?: string;
  /** No question, so that what comes with its answer says nothing of the limits of questions: fetching a token. */
  readonly aside?: true;
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

/** An order with many passengers is some 50 KB. */
const BODY_BYTES_MAX = 1024 * 1024;

export interface ProviderHttpOptions {
  readonly clock: Clock;
  /** Longest for one exchange, real time: connecting, waiting, the last byte. Default: that of the line. */
  readonly deadlineMs?: number;
  readonly bodyBytesMax?: number;
}

export function createProviderHttp(options: ProviderHttpOptions): ProviderHttp {
  const { clock, bodyBytesMax = BODY_BYTES_MAX } = options;
  const line = createHttpLine(options);
  let said: LimitsSaid | undefined;

  return {
    ask: async (request, signal) => {
      const { url, method, body, bytesMax = bodyBytesMax } = request;
      const { status, headers, bytes, truncated } = await line.exchange(
        {
          url,
          bytesMax,
          headers: { ...request.headers, ...ifNoneMatch(request) },
          ...(method === undefined ? {} : { method }),
          ...(body === undefined ? {} : { body }),
        },
        signal,
      );
      if (request.aside === undefined) said = limitsSaidBy(headers, clock.now());
      if (status === 304 && request.token !== undefined)
        return { status, json: undefined, headers, token: request.token, unchanged: true };
      if (request.also?.includes(status)) return { status, json: undefined, headers };
      if (status !== 200 && !request.read?.includes(status)) {
        const refusal = truncated ? undefined : await readRefusal(bytes, headers);
        throw failureOfStatus(status, headers, clock.now(), request.explain?.(status, refusal, headers));
      }
      if (/html/i.test(headers['content-type'] ?? '')) throw webPage();
      if (truncated) throw tooLarge(bytesMax);
      const whole = await unpacked(bytes, headers, bytesMax);
      const token = tokenOf(headers, whole);
      // Compared before it is parsed: most answers say what the last one said.
      if (token === request.token) return { status: 200, json: undefined, headers, token, unchanged: true };
      if (request.as === 'text') return { status, json: undefined, text: whole.toString('utf8'), headers, token };
      return { status, json: parseJson(whole), headers, token };
    },
    limitsSaid: () => said,
    close: () => line.close(),
  };
}

/** Longer ones say nothing that could be read. */
const REFUSAL_BYTES_MAX = 64 * 1024;

async function readRefusal(bytes: Buffer, headers: Readonly<Record<string, string>>): Promise<unknown> {
  if (bytes.length > REFUSAL_BYTES_MAX) return undefined;
  try {
    return JSON.parse((await unpacked(bytes, headers, REFUSAL_BYTES_MAX)).toString('utf8'));
  } catch {
    return undefined;
  }
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
