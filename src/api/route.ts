import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Scope } from '../ports/store/accounts.ts';
import type { Caller } from './auth.ts';
import type { ApiDeps } from './deps.ts';
import { Problem } from './problems.ts';

/** One row of the route table: what fastify serves and what the OpenAPI document says, from one place. */
export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `:name` parameters. */
  readonly path: string;
  /** Unique; names the operation for generated clients. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Absent: no token needed. */
  readonly scope?: Scope;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The body is handed over as it came, whatever its type: a Buffer. */
  readonly raw?: boolean;
  readonly status?: number;
  readonly response?: z.ZodType;
  /** Where it is not JSON. */
  readonly responseType?: string;
  readonly handle: (call: Call<never, never>) => Promise<unknown>;
}

export interface Call<Q = Record<string, unknown>, B = unknown> {
  readonly deps: ApiDeps;
  /** Throws where the route has no scope: such routes have no caller. */
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Ties the handler's types to the schemas of its row. */
export function route<Q extends z.ZodObject, B extends z.ZodType>(
  spec: Omit<RouteSpec, 'handle' | 'query' | 'body'> & {
    readonly query?: Q;
    readonly body?: B;
    readonly handle: (call: Call<z.infer<Q>, z.infer<B>>) => Promise<unknown>;
  },
): RouteSpec {
  return spec as unknown as RouteSpec;
}

/** Parses a body or the query; every fault is named together. Errors: `body-invalid`, `query-invalid`. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown, place: 'body' | 'query'): z.infer<S> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  const errors = flatten(result.error.issues).slice(0, 20);
  const first = errors[0] ?? { path: '', message: 'cannot be read' };
  const where = first.path === '' ? `the ${place}` : `"${first.path}" in the ${place}`;
  throw new Problem(
    place === 'body' ? 'body-invalid' : 'query-invalid',
    `${where}: ${first.message}${errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : ''}. GET /openapi.json describes what is taken.`,
    errors,
  );
}

function flatten(issues: readonly z.core.$ZodIssue[]): { path: string; message: string }[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      // The branch that came nearest explains best.
      const nearest = [...issue.errors].sort((a, b) => weight(a) - weight(b))[0] ?? [];
      return flatten(nearest).map((e) => ({ ...e, path: joinPath(issue.path, e.path) }));
    }
    const got = 'input' in issue && issue.input !== undefined ? shown(issue.input) : undefined;
    const message = issue.message.replace(/^Invalid input: /, '');
    return [{ path: joinPath(issue.path, ''), message: got === undefined ? message : `${message}; got ${got}` }];
  });
}

function weight(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 3 : 2 / (issue.path.length + 1)), 0);
}

function joinPath(path: readonly PropertyKey[], rest: string): string {
  let text = '';
  for (const part of path)
    text += typeof part === 'number' ? `[${part}]` : text === '' ? String(part) : `.${String(part)}`;
  return rest === '' ? text : rest.startsWith('[') || text === '' ? text + rest : `${text}.${rest}`;
}

function shown(value: unknown): string | undefined {
  if (typeof value === 'string') return `"${value.length > 60 ? `${value.slice(0, 60)}…` : value}"`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return undefined;
}
