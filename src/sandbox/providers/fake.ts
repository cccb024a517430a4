import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Clock } from '../../ports/clock.ts';
import { rng } from '../random.ts';
import { type Fault, MINUTE, type Scenario } from '../scenario/types.ts';

/** What all fakes share: real HTTP on loopback, faults by script, limits with the vendor's headers, counted calls. */

export interface Call {
  readonly method: string;
  /** Decoded path segments, e.g. `['air', 'orders', 'ord_1']`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; null: the body is none. */
  readonly body: unknown;
  readonly text: string;
  /** Sandbox time. */
  readonly at: number;
  /** Stream for what may differ from answer to answer. */
  readonly noise: ReturnType<typeof rng>;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON; absent: no body. */
  readonly body?: unknown;
  /** Instead of JSON. */
  readonly text?: { readonly type: string; readonly body: string };
}

export interface Route {
  /** `GET /flights/number/{number}/{date}`. */
  readonly endpoint: string;
  /** What is asked about, e.g. `LH400/2026-12-01`. */
  readonly identifier: string;
  readonly answer: () => Reply;
  /** A good answer about something else, for the fault `other`. */
  readonly other?: () => Reply;
}

/** A vendor: its words for everything that goes wrong, and its routes. */
export interface Vendor {
  readonly name: string;
  /** Refuses a call without the right credentials and headers; undefined when they are in order. */
  readonly refuse: (call: Call) => Reply | undefined;
  readonly route: (call: Call) => Route | undefined;
  readonly notFound: (call: Call) => Reply;
  readonly tooMany: (call: Call, freeAt: number, max: number) => Reply;
  readonly failing: (call: Call) => Reply;
  /** Headers of every answer, e.g. the state of the quota. */
  readonly headers: (call: Call, quota: Quota) => Readonly<Record<string, string>>;
}

export interface Quota {
  readonly max: number;
  readonly left: number;
  readonly freeAt: number;
}

/** One call as it was counted. `status` 0: the connection was cut. */
export interface CallRecord {
  readonly at: number;
  readonly provider: string;
  readonly endpoint: string;
  readonly identifier: string;
  readonly status: number;
}

export interface FakeOptions {
  readonly scenario: Scenario;
  readonly clock: Clock;
  /** 0: any free port. */
  readonly port: number;
  /** Calls a sandbox minute before the vendor says 429. */
  readonly callsPerMinuteMax: number;
  /** Calls of an earlier run of the same day. */
  readonly earlier?: readonly CallRecord[];
  readonly onCall?: (call: CallRecord) => void;
}

export interface FakeServer {
  readonly url: string;
  readonly port: number;
  readonly calls: () => readonly CallRecord[];
  readonly close: () => Promise<void>;
}

const BODY_BYTES_MAX = 1024 * 1024;
/** How long a slow answer takes, in sandbox time. */
const SLOW_MS = 15_000;

export async function startFake(vendor: Vendor, options: FakeOptions): Promise<FakeServer> {
  const calls: CallRecord[] = [...(options.earlier ?? [])];
  const count = (call: CallRecord): void => {
    calls.push(call);
    options.onCall?.(call);
  };
  const quota = minuteWindow(options.callsPerMinuteMax);
  const stopping = new AbortController();
  let serial = calls.length;
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  // On a busy machine the usual five seconds end a line just as a question is put on it.
  server.keepAliveTimeout = 60_000;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://sandbox');
    if (url.pathname === '/__sandbox/calls') {
      sendJson(response, { status: 200, body: summary(calls) }, {});
      return;
    }
    const text = await readBody(request);
    const at = options.clock.now();
    const call: Call = {
      method: request.method ?? 'GET',
      path: url.pathname.split('/').filter(Boolean).map(safeDecode),
      query: url.searchParams,
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body: parsed(text),
      text,
      at,
      noise: rng(options.scenario.options.seed, 'noise', vendor.name, serial++),
    };
    const route = vendor.route(call);
    const record = {
      at,
      provider: vendor.name,
      endpoint: route?.endpoint ?? 'unknown',
      identifier: route?.identifier ?? url.pathname,
    };
    const fault = options.scenario.faults.find((one) => strikes(one, vendor.name, call));
    const used = quota(at);
    const reply = decide(vendor, call, route, fault, used);
    if (fault?.kind === 'outage' && call.noise.chance(0.4)) {
      count({ ...record, status: 0 });
      request.socket.destroy();
      return;
    }
    if (fault?.kind === 'slow') await options.clock.sleep(SLOW_MS, stopping.signal);
    count({ ...record, status: reply.status });
    const headers = { ...vendor.headers(call, used), date: httpDate(options.clock.now()) };
    if (fault?.kind === 'truncated' && reply.body !== undefined) sendHalf(response, reply, headers);
    else sendJson(response, reply, headers, call.headers['accept-encoding']);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    calls: () => calls,
    close: () =>
      new Promise((resolve) => {
        stopping.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function decide(vendor: Vendor, call: Call, route: Route | undefined, fault: Fault | undefined, quota: Quota): Reply {
  if (fault?.kind === 'outage') return vendor.failing(call);
  const refused = vendor.refuse(call);
  if (refused !== undefined) return refused;
  if (fault?.kind === 'wall') return vendor.tooMany(call, fault.to, quota.max);
  if (quota.left < 0) return vendor.tooMany(call, quota.freeAt, quota.max);
  if (route === undefined) return vendor.notFound(call);
  return fault?.kind === 'other' && route.other !== undefined ? route.other() : route.answer();
}

function strikes(fault: Fault, provider: string, call: Call): boolean {
  if (fault.provider !== provider || call.at < fault.from || call.at >= fault.to) return false;
  return fault.share >= 1 || call.noise.chance(fault.share);
}

/** Counts calls in fixed sandbox minutes. */
function minuteWindow(max: number): (at: number) => Quota {
  let minute = -1;
  let used = 0;
  return (at) => {
    const now = Math.floor(at / MINUTE);
    if (now !== minute) {
      minute = now;
      used = 0;
    }
    used++;
    return { max, left: max - used, freeAt: (now + 1) * MINUTE };
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_BYTES_MAX) throw new RangeError('body too long');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function sendJson(
  response: ServerResponse,
  reply: Reply,
  headers: Readonly<Record<string, string>>,
  accepted = '',
): void {
  const text = reply.text?.body ?? (reply.body === undefined ? undefined : JSON.stringify(reply.body));
  const type = reply.text?.type ?? 'application/json; charset=utf-8';
  const packed = /\bgzip\b/.test(accepted);
  const bytes = text === undefined ? undefined : packed ? gzipSync(text) : Buffer.from(text);
  response.writeHead(reply.status, {
    ...headers,
    ...(bytes === undefined ? {} : { 'content-type': type, 'content-length': String(bytes.length) }),
    ...(bytes !== undefined && packed ? { 'content-encoding': 'gzip' } : {}),
    ...reply.headers,
  });
  response.end(bytes);
}

/** Promises the whole body, sends half, and cuts the line. */
function sendHalf(response: ServerResponse, reply: Reply, headers: Readonly<Record<string, string>>): void {
  const text = Buffer.from(JSON.stringify(reply.body));
  response.writeHead(reply.status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': String(text.length),
  });
  response.write(text.subarray(0, Math.floor(text.length / 2)), () => response.destroy());
}

export interface CallSummary {
  readonly total: number;
  readonly refused: number;
  readonly byEndpoint: Readonly<Record<string, number>>;
  readonly byIdentifier: Readonly<Record<string, number>>;
}

export function summary(calls: readonly CallRecord[]): CallSummary {
  const byEndpoint: Record<string, number> = {};
  const byIdentifier: Record<string, number> = {};
  let refused = 0;
  for (const call of calls) {
    byEndpoint[call.endpoint] = (byEndpoint[call.endpoint] ?? 0) + 1;
    byIdentifier[call.identifier] = (byIdentifier[call.identifier] ?? 0) + 1;
    if (call.status === 0 || call.status >= 400) refused++;
  }
  return { total: calls.length, refused, byEndpoint, byIdentifier };
}

/** RFC 9110 date. */
export function httpDate(at: number): string {
  return new Date(at).toUTCString();
}
