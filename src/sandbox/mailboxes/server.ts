import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rng } from '../random.ts';

/**
 * What the fakes of mail providers share: real HTTP on loopback, counted calls, and a switchboard by which a test makes
 * the next calls fail in the vendor's own words, slowly, cut or not at all.
 */
export interface MailCall {
  readonly method: string;
  readonly url: URL;
  /** Decoded segments of the path. */
  readonly path: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Parsed body; undefined where it is no JSON. */
  readonly json: unknown;
}

export interface MailReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless text or bytes. */
  readonly body?: unknown;
  readonly bytes?: Uint8Array;
  /** Takes over the connection: an event stream. */
  readonly stream?: (response: ServerResponse) => void;
}

export type Trouble =
  | MailReply
  /** No answer, the line is cut. */
  | 'cut'
  /** Half of the true answer, then cut. */
  | 'half'
  /** The true answer, changed so that it is no JSON. */
  | 'garbage'
  /** Never an answer. */
  | 'silent';

export class Switchboard {
  readonly #troubles: { readonly what: Trouble; readonly when: (call: MailCall) => boolean; left: number }[] = [];
  /** Calls by method and path, ids left out by the fake. */
  readonly calls: string[] = [];
  /** Answers carry members that nobody knows. */
  strange = true;
  /** Most calls that were under way at once. */
  busiest = 0;

  /** The next `times` calls that match end so. */
  next(what: Trouble, times = 1, when: (call: MailCall) => boolean = () => true): void {
    this.#troubles.push({ what, when, left: times });
  }

  take(call: MailCall): Trouble | undefined {
    const found = this.#troubles.find((one) => one.left > 0 && one.when(call));
    if (found === undefined) return undefined;
    found.left--;
    return found.what;
  }

  count(of: string | RegExp): number {
    return this.calls.filter((call) => (typeof of === 'string' ? call === of : of.test(call))).length;
  }
}

export interface MailServer {
  readonly url: string;
  close(): Promise<void>;
  /** Ends all connections without a word. */
  drop(): void;
}

const BODY_BYTES_MAX = 1024 * 1024;

export async function startMailServer(
  board: Switchboard,
  answer: (call: MailCall) => MailReply | Promise<MailReply>,
  port = 0,
): Promise<MailServer> {
  let serial = 0;
  let running = 0;
  const server = createServer((request, response) => {
    running++;
    board.busiest = Math.max(board.busiest, running);
    response.once('close', () => running--);
    serve(request, response).catch(() => response.destroy());
  });

  // Longer than any pause of a caller: who comes back to a line just as it is given up sees it cut.
  server.keepAliveTimeout = 60_000;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await callOf(request);
    const trouble = board.take(call);
    if (trouble === 'silent') return;
    if (trouble === 'cut') {
      request.socket.destroy();
      return;
    }
    const reply = typeof trouble === 'object' ? trouble : await answer(call);
    if (reply.stream !== undefined) {
      response.writeHead(reply.status, reply.headers);
      response.flushHeaders();
      reply.stream(response);
      return;
    }
    const noise = rng('mail', serial++);
    const body =
      board.strange && isObject(reply.body) && noise.chance(0.3)
        ? { ...reply.body, 'x-new': { of: ['late'] } }
        : reply.body;
    let bytes = Buffer.from(reply.bytes ?? (body === undefined ? '' : JSON.stringify(body)));
    if (trouble === 'garbage') bytes = bytes.subarray(0, Math.floor(bytes.length * 0.7));
    response.writeHead(reply.status, {
      ...(reply.bytes === undefined && body !== undefined ? { 'content-type': 'application/json; charset=utf-8' } : {}),
      'content-length': String(bytes.length),
      ...reply.headers,
    });
    if (trouble === 'half') response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
    else response.end(bytes);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    drop: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function callOf(request: IncomingMessage): Promise<MailCall> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_BYTES_MAX) throw new RangeError('body too long');
    chunks.push(chunk as Buffer);
  }
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'sandbox'}`);
  const text = Buffer.concat(chunks).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return {
    method: request.method ?? 'GET',
    url,
    path: url.pathname.split('/').filter(Boolean).map(decodeURIComponent),
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    text,
    json,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The token of `Authorization: Bearer`. */
export function bearerOf(call: MailCall): string | undefined {
  return /^Bearer (.+)$/.exec(call.headers.authorization ?? '')?.[1];
}
