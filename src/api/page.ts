import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { callerOf } from './auth.ts';
import type { ApiDeps } from './deps.ts';

/** Preact and htm in one module, as the package ships it: the page needs no build step and no copy in the repository. */
const VENDOR = fileURLToPath(import.meta.resolve('htm/preact/standalone'));

export const COOKIE = 'tw_token';

/** The `tw_token` cookie of a request; tokens have no characters that need decoding. */
export function cookieToken(header: string | undefined): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === COOKIE && value !== undefined && /^[\w-]{1,200}$/.test(value)) return value;
  }
  return undefined;
}

/**
 * The web page and its sign-in: the link `/?token=…` becomes a cookie that scripts cannot read and other sites cannot
 * send, and the token leaves the address bar at once.
 */
export function servePage(app: FastifyInstance, deps: ApiDeps): void {
  const root = deps.webRoot !== undefined && existsSync(deps.webRoot) ? deps.webRoot : undefined;
  if (root !== undefined) {
    app.register(fastifyStatic, { root, serve: true, index: false, wildcard: true, cacheControl: false, etag: true });
  }
  if (root !== undefined) {
    app.get('/vendor/htm-preact.js', async (_request, reply) =>
      reply.type('text/javascript; charset=utf-8').header('cache-control', 'max-age=86400').send(readFileSync(VENDOR)),
    );
  }
  app.get<{ Querystring: { token?: string | string[] } }>('/', async (request, reply) => {
    const { token } = request.query;
    reply.header('cache-control', 'no-store');
    if (typeof token === 'string') {
      await callerOf(deps.store, token);
      reply.header('set-cookie', `${COOKIE}=${token}; ${cookieFlags(deps)}; Max-Age=31536000`);
      return reply.redirect('/', 303);
    }
    if (root !== undefined) return reply.sendFile('index.html');
    return reply
      .type('text/plain; charset=utf-8')
      .send('Tripwatch is running. The API is described at /openapi.json.\n');
  });
  app.post('/logout', async (_request, reply) => {
    reply.header('set-cookie', `${COOKIE}=; ${cookieFlags(deps)}; Max-Age=0`);
    return reply.code(204).send();
  });
}

function cookieFlags(deps: ApiDeps): string {
  const secure = deps.config.http.publicUrl?.startsWith('https:') ? '; Secure' : '';
  return `Path=/; HttpOnly; SameSite=Strict${secure}`;
}
