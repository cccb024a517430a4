import { z } from 'zod';
import { problemSchema } from '../contracts/http/views.ts';
import { SCOPES } from '../ports/store/accounts.ts';
import type { RouteSpec } from './route.ts';
import { routeTable } from './routes.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document, from the route table and the schemas that check requests. */
export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const spec of routeTable(() => undefined as never)) {
    const path = spec.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operation(spec) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tripwatch',
      version: '1',
      summary: 'Trips, reservations and their changes, with the source and age of every fact',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token `twk_…`, made by `tripwatch token add`' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'tw_token',
          description: 'Set by the link that `tripwatch up` prints; writes then need the header `X-Tripwatch: 1`',
        },
      },
      responses: {
        Problem: {
          description: 'What went wrong and what to do (RFC 9457)',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function operation(spec: RouteSpec): Json {
  const status = String(spec.status ?? 200);
  const parameters = [...spec.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    operationId: spec.id,
    tags: [spec.tag],
    summary: spec.summary,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...(spec.scope === undefined
      ? { security: [] }
      : { security: [{ token: [] }, { cookie: [] }], 'x-scope': `${spec.scope}: ${SCOPES[spec.scope]}` }),
    parameters: [...parameters, ...queryParameters(spec)],
    ...(spec.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(spec.body, 'input') } } },
        }),
    responses: {
      [status]: success(spec),
      ...(spec.id === 'addReservation' ? { 202: success(spec) } : {}),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function success(spec: RouteSpec): Json {
  if (spec.status === 204) return { description: 'Done' };
  const type = spec.responseType ?? 'application/json';
  const schema = spec.response === undefined ? { type: 'string' } : jsonSchema(spec.response, 'output');
  const stream = spec.id === 'streamChanges' ? { 'text/event-stream': { schema: { type: 'string' } } } : {};
  return { description: spec.summary, content: { ...stream, [type]: { schema } } };
}

function queryParameters(spec: RouteSpec): Json[] {
  if (spec.query === undefined) return [];
  const schema = jsonSchema(spec.query, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(schema.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    required: schema.required?.includes(name) ?? false,
    ...(description === undefined ? {} : { description }),
    // Coerced numbers take any input; what they must be is what they become.
    schema: 'type' in rest || 'enum' in rest || 'pattern' in rest ? rest : { type: 'integer', ...rest },
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
    // Readers must tolerate fields that come later: only our own commands are closed.
    override: ({ jsonSchema: one }) => {
      if (io === 'output' && one.additionalProperties === false) delete one.additionalProperties;
    },
  }) as Json;
  return rest;
}
