import { z } from 'zod';
import { addEndpointSchema, editEndpointSchema } from '../../contracts/http/commands.ts';
import { deliveryViewSchema, endpointViewSchema } from '../../contracts/http/views.ts';
import * as commands from '../commands/endpoints.ts';
import { type RouteSpec, route } from '../route.ts';
import { deliveryView, endpointView } from '../views/accounts.ts';

const withSecret = endpointViewSchema.extend({
  secret: z.string().describe('shown once: whsec_…, for Standard Webhooks'),
});

export const endpointRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/v1/endpoints',
    id: 'listEndpoints',
    tag: 'endpoints',
    summary: 'Webhook endpoints',
    scope: 'read',
    response: z.object({ items: z.array(endpointViewSchema) }),
    handle: async ({ deps, caller }) => {
      const all = await deps.store.read((tx) => tx.accounts.listEndpoints(caller.tenant));
      const visible = all.filter((one) => caller.traveller === undefined || one.traveller === caller.traveller);
      return { items: visible.map(endpointView) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/endpoints',
    id: 'addEndpoint',
    tag: 'endpoints',
    summary: 'Send changes to an address of yours',
    description:
      'Signed as Standard Webhooks. The address must be https and public. A delivery that fails is repeated after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, then given up and the endpoint disabled with the reason.',
    scope: 'write',
    body: addEndpointSchema,
    status: 201,
    response: withSecret,
    handle: async ({ deps, caller, body }) => {
      const { endpoint, secret } = await commands.addEndpoint(deps, caller, body);
      return { ...endpointView(endpoint), secret };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/endpoints/:id',
    id: 'getEndpoint',
    tag: 'endpoints',
    summary: 'One endpoint and its state',
    scope: 'read',
    response: endpointViewSchema,
    handle: async ({ deps, caller, params }) => endpointView(await commands.visibleEndpoint(deps, caller, params.id!)),
  }),
  route({
    method: 'PATCH',
    path: '/v1/endpoints/:id',
    id: 'editEndpoint',
    tag: 'endpoints',
    summary: 'Change the address, disable, or enable again',
    scope: 'write',
    body: editEndpointSchema,
    response: endpointViewSchema,
    handle: async ({ deps, caller, params, body }) =>
      endpointView(await commands.editEndpoint(deps, caller, params.id!, body)),
  }),
  route({
    method: 'DELETE',
    path: '/v1/endpoints/:id',
    id: 'removeEndpoint',
    tag: 'endpoints',
    summary: 'Remove an endpoint',
    scope: 'write',
    status: 204,
    handle: async ({ deps, caller, params }) => commands.removeEndpoint(deps, caller, params.id!),
  }),
  route({
    method: 'POST',
    path: '/v1/endpoints/:id/test',
    id: 'testEndpoint',
    tag: 'endpoints',
    summary: 'Queue a test delivery; its outcome is among the deliveries',
    scope: 'write',
    status: 202,
    response: deliveryViewSchema,
    handle: async ({ deps, caller, params }) => {
      const queued = await commands.testEndpoint(deps, caller, params.id!);
      deps.onDeliveries?.();
      return deliveryView(queued);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/endpoints/:id/rotate',
    id: 'rotateEndpoint',
    tag: 'endpoints',
    summary: 'Make a new secret; the one before signs along until the next rotation',
    scope: 'write',
    response: withSecret,
    handle: async ({ deps, caller, params }) => {
      const { endpoint, secret } = await commands.rotateEndpoint(deps, caller, params.id!);
      return { ...endpointView(endpoint), secret };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/endpoints/:id/deliveries',
    id: 'listDeliveries',
    tag: 'endpoints',
    summary: 'Deliveries of an endpoint with attempts and outcome',
    scope: 'read',
    query: z.strictObject({
      state: z.enum(['pending', 'sent', 'dead']).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    response: z.object({ items: z.array(deliveryViewSchema) }),
    handle: async ({ deps, caller, params, query }) => {
      const endpoint = await commands.visibleEndpoint(deps, caller, params.id!);
      const rows = await deps.store.read((tx) =>
        tx.notifications.list(caller.tenant, {
          endpoint: endpoint.id,
          limit: query.limit,
          ...(query.state === undefined ? {} : { state: query.state }),
        }),
      );
      return { items: rows.map(deliveryView) };
    },
  }),
];
