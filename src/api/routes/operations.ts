import { freshnessQuerySchema, freshnessViewSchema } from '../../contracts/http/freshness.ts';
import { statusViewSchema } from '../../contracts/http/status.ts';
import { explainViewSchema } from '../../contracts/http/views.ts';
import { momentOf } from '../../domain/time/moment.ts';
import { scopedTraveller } from '../auth.ts';
import { type RouteSpec, route } from '../route.ts';
import { explainView } from '../views/explain.ts';
import { freshnessView } from '../views/freshness.ts';
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
  route({
    method: 'GET',
    path: '/v1/freshness',
    id: 'getFreshness',
    tag: 'operations',
    summary: 'How soon changes were published, by provider account and by how near the journey was',
    description: 'Counted from the change stream itself; see the fields for when each clock starts.',
    scope: 'read',
    query: freshnessQuerySchema,
    response: freshnessViewSchema,
    handle: async ({ deps, caller, query }) => {
      const traveller = scopedTraveller(caller, query.traveller);
      const from = momentOf(query.since, deps.clock.now())!;
      return deps.store.read((tx) =>
        freshnessView(tx, { tenant: caller.tenant, from, ...(traveller === undefined ? {} : { traveller }) }),
      );
    },
  }),
];
