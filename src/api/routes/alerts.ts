import { alertRulesViewSchema, editAlertSettingsSchema } from '../../contracts/alerts.ts';
import { alertWishes, setAlertWishes } from '../commands/alerts.ts';
import { type RouteSpec, route } from '../route.ts';

export const alertRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/v1/travellers/:id/alert-rules',
    id: 'getAlertRules',
    tag: 'travellers',
    summary: 'What the traveller is told, and from which thresholds on',
    scope: 'read',
    response: alertRulesViewSchema,
    handle: async ({ deps, caller, params }) => alertWishes(deps, caller, params.id!),
  }),
  route({
    method: 'PATCH',
    path: '/v1/travellers/:id/alert-rules',
    id: 'editAlertRules',
    tag: 'travellers',
    summary: 'Set thresholds, or turn kinds of alerts on and off',
    description: 'Kinds that are not named stay as they are; null takes back what was set of a kind.',
    scope: 'write',
    body: editAlertSettingsSchema,
    response: alertRulesViewSchema,
    handle: async ({ deps, caller, params, body }) => setAlertWishes(deps, caller, params.id!, body),
  }),
];
