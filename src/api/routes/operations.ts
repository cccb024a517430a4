import { statusViewSchema } from '../../contracts/http/status.ts';
import { explainViewSchema } from '../../contracts/http/views.ts';
import { type RouteSpec, route } from '../route.ts';
import { explainView } from '../views/explain.ts';
import { statusView } from '../views/status.ts';
import { viewContext } from './reservations.ts';

export const operationRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/v1/explain/:id',
    id: 'explain',
    tag: 'operations',
    summary: 'The whole path of a mail, reservation, subject, observation or event',
    description: 'Events, who processed them and when, attempts, dead letters, receipts, evidence and deliveries.',
    scope: 'read',
    response: explainViewSchema,
    handle: async ({ deps, caller, params }) =>
      deps.store.read((tx) =>
        explainView(tx, caller, params.id!, { ...viewContext(deps), consumers: deps.consumers ?? [] }),
      ),
  }),
  route({
    method: 'GET',
    path: '/v1/status',
    id: 'getStatus',
    tag: 'operations',
    summary: 'How the service stands: stages, mails and their conservation, providers, budgets, freshness',
    scope: 'read',
    response: statusViewSchema,
    handle: async ({ deps, caller }) => {
      const report = await deps.status();
      return deps.store.read((tx) => statusView(tx, caller, report));
    },
  }),
];
