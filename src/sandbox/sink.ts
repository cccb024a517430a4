import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { SinkEntry } from './folder.ts';

/** A subscriber's webhook receiver as they are: mostly well, now and then failing or slow, deduplicating by id. */
export interface Sink {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface SinkOptions {
  readonly clock: Clock;
  readonly port: number;
  /** Known once the endpoint is made. */
  readonly secret: () => string | undefined;
  readonly onEntry: (entry: SinkEntry) => void;
}

/** Shares of first attempts that get a 500, and that are answered slowly (real ms). */
const FAILING = 0.02;
const SLOW = 0.01;
const SLOW_MS = 400;
const BODY_BYTES_MAX = 256 * 1024;

export async function startSink(options: SinkOptions): Promise<Sink> {
  const tried = new Set<string>();
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of request) {
        size += (chunk as Buffer).length;
        if (size > BODY_BYTES_MAX) throw new RangeError('body too long');
        chunks.push(chunk as Buffer);
      }
      const body = Buffer.concat(chunks).toString('utf8');
      const webhookId = String(request.headers['webhook-id'] ?? '');
      const genuine = verifySignature(options.secret() ?? '', request.headers, body);
      const fate = shareOf(webhookId);
      const again = tried.has(webhookId);
      tried.add(webhookId);
      if (!again && fate >= FAILING && fate < FAILING + SLOW)
        await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      const answered = !genuine ? 401 : !again && fate < FAILING ? 500 : 204;
      options.onEntry({ at: options.clock.now(), webhookId, genuine, answered, body: parsed(body) });
      response.writeHead(answered).end();
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/changes`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Standard Webhooks: one of the `v1,<base64>` in `webhook-signature` must be the HMAC-SHA256 of `<id>.<timestamp>.<body>`.
 * How old the timestamp is, is not judged: the service's clock is the sandbox's.
 */
export function verifySignature(
  secret: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (key.length === 0) return false;
  const expected = createHmac('sha256', key)
    .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
    .digest();
  return String(headers['webhook-signature'] ?? '')
    .split(' ')
    .some((one) => {
      const [version, signature = ''] = one.split(',');
      const given = Buffer.from(signature, 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
}

/** In [0, 1), the same for the same id. */
function shareOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32LE(0) / 4294967296;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
