import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { TripwatchError } from '../domain/errors.ts';
import { callerOf, requireScope } from './auth.ts';
import type { ApiDeps } from './deps.ts';
import { hostAllowed } from './host.ts';
import { openApiDocument } from './openapi.ts';
import { cookieToken, servePage } from './page.ts';
import { Problem, type ProblemCode, problemDocument } from './problems.ts';
import { parseInput, type RouteSpec } from './route.ts';
import { PUSH_BYTES_MAX } from './routes/public.ts';
import { routeTable } from './routes.ts';
import { ChangeStream } from './sse.ts';

/** No command of ours needs more. */
export const BODY_BYTES_MAX = 256 * 1024;

export interface Api {
  /** Starts listening; the address carries the real port where 0 was asked for. Errors: permanent `http-listen`. */
  listen(): Promise<{ readonly url: string }>;
  /** Ends streams, lets requests under way finish. */
  close(): Promise<void>;
  /** A change was committed: streams look at once, instead of within 200 ms. */
  wake(): void;
  /** For tests: requests without a socket. */
  readonly app: FastifyInstance;
}

const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
} as const;

/** REST, SSE, calendar, provider push and the page, over the ports. Nothing in a request's path calls an outside system. */
export function createApi(deps: ApiDeps): Api {
  const stream = new ChangeStream(deps.store, deps.logger, deps.pingMs);
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    // A bad request line is answered by the server itself; the rest passes our handlers.
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: (error, request, reply) => sendProblem(deps, error, request as never, reply as never),
  });
  // JSON only: a form of another site can send plain text without asking first.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request, reply) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) reply.header(name, value);
    if (request.url.startsWith('/v1/')) reply.header('cache-control', 'no-store');
    if (!hostAllowed(deps.config.http, request.headers.host)) {
      throw new Problem(
        'host-refused',
        'This service answers to localhost and 127.0.0.1 only. Set http.publicUrl to reach it by another name.',
      );
    }
  });
  app.setErrorHandler((error, request, reply) => sendProblem(deps, error, request, reply));
  app.setNotFoundHandler(async (request) => {
    const path = request.url.split('?')[0]!.slice(0, 100);
    throw new Problem(
      'not-found',
      `There is nothing at ${request.method} ${path}. GET /openapi.json lists every address.`,
    );
  });
  const specs = routeTable(() => stream);
  if (deps.only === 'health') for (const spec of specs.filter(({ id }) => HEALTH.has(id))) serve(app, deps, spec);
  else {
    for (const spec of specs) serve(app, deps, spec);
    serveDocument(app);
    servePage(app, deps);
  }
  return {
    app,
    wake: () => stream.wake(),
    listen: async () => ({ url: await listen(app, deps.config.http) }),
    close: async () => {
      stream.close();
      await app.close();
    },
  };
}

/** What a process answers that has another role. */
const HEALTH: ReadonlySet<string> = new Set(['health', 'ready', 'metrics']);

function serveDocument(app: FastifyInstance): void {
  let document: string | undefined;
  app.get('/openapi.json', async (_request, reply) => {
    document ??= JSON.stringify(openApiDocument());
    return reply.type('application/json; charset=utf-8').send(document);
  });
}

async function listen(app: FastifyInstance, { host, port }: ApiDeps['config']['http']): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const why = LISTEN_FAILURES[(error as { code?: string }).code ?? ''] ?? String(error);
    const message = `HTTP cannot listen on ${host} port ${port}: ${why}. Set http.host and http.port to what is free; port 0 takes any.`;
    throw new TripwatchError('permanent', 'http-listen', message, { cause: error });
  }
}
const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this needs more rights (ports below 1024)',
};

function serve(app: FastifyInstance, deps: ApiDeps, spec: RouteSpec): void {
  const raw = spec.raw === true;
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const caller = spec.scope === undefined ? undefined : await authenticate(deps, spec, request);
    const query = spec.query === undefined ? {} : parseInput(spec.query, request.query, 'query');
    const body =
      spec.body === undefined ? (raw ? request.body : undefined) : parseInput(spec.body, request.body, 'body');
    if (spec.status !== undefined) reply.code(spec.status);
    const params = request.params as Record<string, string>;
    const result = await spec.handle({ deps, caller, params, query, body, request, reply } as never);
    if (reply.raw.headersSent) return reply;
    if (deps.checkResponses && spec.response !== undefined && reply.statusCode < 300) spec.response.parse(result);
    return result === undefined ? reply.send() : reply.send(result);
  };
  if (!raw) {
    app.route({ method: spec.method, url: spec.path, handler });
    return;
  }
  // Signatures cover the bytes: such routes take them as they came, whatever their type.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: PUSH_BYTES_MAX }, (_request, bytes, done) =>
      done(null, bytes),
    );
    scope.route({ method: spec.method, url: spec.path, handler });
  });
}

async function authenticate(deps: ApiDeps, spec: RouteSpec, request: FastifyRequest) {
  const header = request.headers.authorization;
  const bearer = header === undefined ? undefined : (/^Bearer +(\S+)$/i.exec(header)?.[1] ?? '');
  const cookie = bearer === undefined ? cookieToken(request.headers.cookie) : undefined;
  if (cookie !== undefined && spec.method !== 'GET' && request.headers['x-tripwatch'] !== '1') {
    throw new Problem(
      'csrf-header-missing',
      'A page that is signed in by cookie must send "X-Tripwatch: 1" with each change.',
    );
  }
  const caller = await callerOf(deps.store, bearer ?? cookie);
  requireScope(caller, spec.scope!);
  return caller;
}

const FRAMEWORK_CODES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'body-too-large',
    `Bodies of more than ${BODY_BYTES_MAX / 1024} KiB are not taken. Send less.`,
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['media-type-unsupported', 'Send the header "Content-Type: application/json".'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['body-not-json', 'The body is empty. Send a JSON document, or leave Content-Type out.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['body-not-json', 'The body is not JSON. Check quotes and commas; it must be UTF-8.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'body-not-json',
    'The body is not as long as its Content-Length says. Send it again.',
  ],
  FST_ERR_BAD_URL: ['query-invalid', 'The address has an encoding that cannot be read. Encode it as UTF-8 (%C3%BC).'],
};

function sendProblem(deps: ApiDeps, error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const known = asProblem(error);
  const document = problemDocument(known, `urn:tripwatch:request:${request.id}`);
  if (document.status >= 500) {
    deps.logger.error(
      { request: request.id, route: request.routeOptions?.url, error: String(error) },
      'request failed',
    );
  } else {
    deps.logger.debug({ request: request.id, code: document.code }, 'request refused');
  }
  if (reply.raw.headersSent) {
    reply.raw.destroy();
    return reply;
  }
  if (document.status === 401) reply.header('www-authenticate', 'Bearer realm="tripwatch"');
  if (document.status === 503) reply.header('retry-after', String(retryAfterSeconds(known, deps.clock.now())));
  return reply.code(document.status).type('application/problem+json; charset=utf-8').send(document);
}

/** What it says itself, else a few seconds. */
function retryAfterSeconds(error: unknown, now: number): number {
  const at = error instanceof TripwatchError ? error.retryAt : undefined;
  return at === undefined ? 5 : Math.max(1, Math.ceil((at - now) / 1000));
}

function asProblem(error: unknown): unknown {
  const { code, statusCode } = error as FastifyError;
  const known = FRAMEWORK_CODES[code ?? ''];
  if (known !== undefined) return new Problem(...known);
  // JSON.parse and secure-json-parse throw plain errors with a 400.
  if (statusCode === 400 && !(error instanceof Problem))
    return new Problem(...FRAMEWORK_CODES.FST_ERR_CTP_INVALID_JSON_BODY!);
  return error;
}
