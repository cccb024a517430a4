import type { FastifyRequest } from 'fastify';
import type { ApiDeps } from './deps.ts';

/** The address under which others reach this: as configured, else as this request came. No slash at the end. */
export function publicBase(deps: Pick<ApiDeps, 'config'>, request: FastifyRequest): string {
  return deps.config.http.publicUrl?.replace(/\/+$/, '') ?? `http://${request.headers.host ?? 'localhost'}`;
}
