import { z } from 'zod';
import { addRuleSchema, addTokenSchema, addTravellerSchema } from '../../contracts/http/commands.ts';
import { ruleViewSchema, tokenViewSchema, travellerViewSchema } from '../../contracts/http/views.ts';
import type { TravellerId } from '../../domain/ids.ts';
import * as accounts from '../commands/accounts.ts';
import { publicBase } from '../public-base.ts';
import { type RouteSpec, route } from '../route.ts';
import { ruleView, tokenView, travellerView } from '../views/accounts.ts';

const list = <T extends z.ZodType>(items: T) => z.object({ items: z.array(items) });

export const accountRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/v1/travellers',
    id: 'listTravellers',
    tag: 'travellers',
    summary: 'Travellers that this token may see',
    scope: 'read',
    response: list(travellerViewSchema),
    handle: async ({ deps, caller }) => {
      const all = await deps.store.read((tx) => tx.accounts.listTravellers(caller.tenant));
      const visible = all.filter((one) => caller.traveller === undefined || one.id === caller.traveller);
      return { items: visible.map(travellerView) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/travellers',
    id: 'addTraveller',
    tag: 'travellers',
    summary: 'Add a traveller',
    scope: 'write',
    body: addTravellerSchema,
    status: 201,
    response: travellerViewSchema,
    handle: async ({ deps, caller, body }) => travellerView(await accounts.addTraveller(deps, caller, body)),
  }),
  route({
    method: 'GET',
    path: '/v1/travellers/:id',
    id: 'getTraveller',
    tag: 'travellers',
    summary: 'One traveller',
    scope: 'read',
    response: travellerViewSchema,
    handle: async ({ deps, caller, params }) =>
      travellerView(await accounts.visibleTraveller(deps, caller, params.id!)),
  }),
  route({
    method: 'GET',
    path: '/v1/travellers/:id/rules',
    id: 'listRules',
    tag: 'travellers',
    summary: 'Rules that decide which mails are opened',
    scope: 'read',
    response: list(ruleViewSchema),
    handle: async ({ deps, caller, params }) => {
      const traveller = await accounts.visibleTraveller(deps, caller, params.id!);
      const rows = await deps.store.read((tx) => tx.accounts.listRules(caller.tenant, traveller.id));
      return { items: rows.map(ruleView) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/travellers/:id/rules',
    id: 'addRule',
    tag: 'travellers',
    summary: 'Allow or deny mails by sender, domain or subject',
    scope: 'write',
    body: addRuleSchema,
    status: 201,
    response: ruleViewSchema,
    handle: async ({ deps, caller, params, body }) => ruleView(await accounts.addRule(deps, caller, params.id!, body)),
  }),
  route({
    method: 'DELETE',
    path: '/v1/travellers/:id/rules/:rule',
    id: 'removeRule',
    tag: 'travellers',
    summary: 'Remove a rule',
    scope: 'write',
    status: 204,
    handle: async ({ deps, caller, params }) => accounts.removeRule(deps, caller, params.id!, params.rule!),
  }),
  route({
    method: 'POST',
    path: '/v1/travellers/:id/feed',
    id: 'addFeed',
    tag: 'travellers',
    summary: 'Make a calendar address (iCalendar)',
    description: 'Whoever has the address reads this calendar and nothing else. It is shown once; DELETE revokes all.',
    scope: 'write',
    status: 201,
    response: z.object({ id: z.string(), url: z.string() }),
    handle: async ({ deps, caller, params, request }) => {
      const { token, secret } = await accounts.addFeed(deps, caller, params.id!);
      return { id: token.id, url: `${publicBase(deps, request)}/feeds/${secret}.ics` };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/travellers/:id/feed',
    id: 'revokeFeeds',
    tag: 'travellers',
    summary: 'Revoke every calendar address of a traveller',
    scope: 'write',
    response: z.object({ revoked: z.int() }),
    handle: async ({ deps, caller, params }) => ({ revoked: await accounts.revokeFeeds(deps, caller, params.id!) }),
  }),
  route({
    method: 'GET',
    path: '/v1/tokens',
    id: 'listTokens',
    tag: 'tokens',
    summary: 'Tokens, without their secrets',
    scope: 'operate',
    response: list(tokenViewSchema),
    handle: async ({ deps, caller }) => {
      const all = await deps.store.read((tx) => tx.accounts.listTokens(caller.tenant));
      const mine = (bound: TravellerId | undefined) => caller.traveller === undefined || bound === caller.traveller;
      return { items: all.filter((token) => mine(token.traveller)).map(tokenView) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/tokens',
    id: 'addToken',
    tag: 'tokens',
    summary: 'Make a token',
    description: 'The token is shown once. It cannot have scopes or travellers that the asking token has not.',
    scope: 'operate',
    body: addTokenSchema,
    status: 201,
    response: tokenViewSchema.extend({ token: z.string() }),
    handle: async ({ deps, caller, body }) => {
      const { token, secret } = await accounts.addToken(deps, caller, body);
      return { ...tokenView(token), token: secret };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/tokens/:id',
    id: 'revokeToken',
    tag: 'tokens',
    summary: 'Revoke a token; it stops at once',
    scope: 'operate',
    status: 204,
    handle: async ({ deps, caller, params }) => accounts.revokeToken(deps, caller, params.id!),
  }),
];
