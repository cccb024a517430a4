import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, request } from 'undici';
import { TripwatchError } from '../../../domain/errors.ts';
import type { WebhookAnswer, WebhookPost, WebhookRequest } from '../../../ports/webhook.ts';
import { whyNotGlobal } from '../../egress/address.ts';
import { type EgressPolicy, resolveTarget, type Target } from '../../egress/target.ts';

export interface WebhookPostOptions extends EgressPolicy {
  /** Real time for one POST in all. */
  readonly timeoutMs?: number;
}

/** What is read of an answer: its status is what counts. */
export const ANSWER_BYTES_MAX = 64 * 1024;
const TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Connections are kept a short while for the next change; one agent an origin and checked address. */
const AGENTS_MAX = 256;

/** Webhooks over undici, dialled at exactly the address that was checked. See the port for duties and errors. */
export function createWebhookPost(options: WebhookPostOptions): WebhookPost & { close(): Promise<void> } {
  const agents = new Map<string, Agent>();
  const agentFor = (target: Target): Agent => {
    const key = `${target.url.origin} ${target.address}`;
    const agent = agents.get(key) ?? pinnedAgent(target, options);
    // The least recently used leaves first.
    agents.delete(key);
    agents.set(key, agent);
    if (agents.size > AGENTS_MAX) {
      const [oldest, gone] = agents.entries().next().value!;
      agents.delete(oldest);
      void gone.close();
    }
    return agent;
  };
  return {
    check: async (url) => void (await resolveTarget(url, options)),
    post: async (what, signal) => {
      const limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
      const target = await resolveTarget(what.url, options);
      return send(what, target, agentFor(target), AbortSignal.any([signal, limit]), signal);
    },
    close: async () => {
      await Promise.all([...agents.values()].map((agent) => agent.close()));
      agents.clear();
    },
  };
}

async function send(
  what: WebhookRequest,
  target: Target,
  dispatcher: Agent,
  both: AbortSignal,
  stop: AbortSignal,
): Promise<WebhookAnswer> {
  try {
    const answer = await request(target.url, {
      dispatcher,
      method: 'POST',
      headers: what.headers,
      body: what.body,
      signal: both,
      // The signal covers the whole; undici's own timers would only end it with other words.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    await readSome(answer.body);
    const retryAfter = answer.headers['retry-after'];
    return { status: answer.statusCode, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter };
  } catch (error) {
    if (stop.aborted) throw new TripwatchError('cancelled', 'shutdown', 'The service is stopping.', { cause: error });
    if (error instanceof TripwatchError) throw error;
    if (both.aborted) {
      throw new TripwatchError('transient', 'webhook-timeout', 'The receiver did not answer in time.', {
        cause: error,
      });
    }
    throw new TripwatchError(
      'transient',
      'webhook-unreachable',
      `The receiver cannot be reached (${reasonOf(error)}).`,
      {
        cause: error,
      },
    );
  }
}

/** Reads on, so that the connection can serve again, but ends it when the answer is endless. */
async function readSome(body: AsyncIterable<Uint8Array> & { destroy(error?: Error): unknown }): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) break; // Leaving the loop destroys the stream and with it the connection.
  }
}

/** Connects to the checked address whatever the name means by now; TLS and Host keep the name. */
function pinnedAgent(target: Target, policy: EgressPolicy): Agent {
  const lookup: LookupFunction = (_host, options, done) => {
    if (options.all) done(null, [{ address: target.address, family: target.family }]);
    else done(null, target.address, target.family);
  };
  const dial = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup, autoSelectFamily: false } as never);
  return new Agent({
    connections: 4,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16 * 1024,
    connect: (options, done) => {
      dial(options, (error, socket) => {
        if (error !== null) return done(error, null);
        // The last lock: where the connection ended, not where it was meant to.
        const remote = socket?.remoteAddress ?? '';
        const plain = remote.startsWith('::ffff:') && isIP(remote.slice(7)) === 4 ? remote.slice(7) : remote;
        if (!policy.allowPrivate && whyNotGlobal(plain) !== undefined) {
          socket?.destroy();
          return done(new Error('connected to an address that is not public'), null);
        }
        return done(null, socket!);
      });
    },
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_SOCKET: 'connection closed',
  EHOSTUNREACH: 'no route',
  ENETUNREACH: 'no route',
  EPIPE: 'connection closed',
  UND_ERR_HEADERS_OVERFLOW: 'too many headers',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate chain is incomplete',
};

function reasonOf(error: unknown): string {
  const code = (error as { code?: string }).code ?? (error as { cause?: { code?: string } }).cause?.code ?? '';
  return REASONS[code] ?? (code === '' ? 'connection failed' : code);
}
