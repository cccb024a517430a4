import { z } from 'zod';
import { discardSchema } from '../../contracts/http/commands.ts';
import { statusViewSchema } from '../../contracts/http/status.ts';
import { deadLetterViewSchema, explainViewSchema } from '../../contracts/http/views.ts';
import * as commands from '../commands/dead-letters.ts';
import { Problem } from '../problems.ts';
import { type Call, type RouteSpec, route } from '../route.ts';
import { deadLetterView } from '../views/accounts.ts';
import { explainView } from '../views/explain.ts';
import { statusView } from '../views/status.ts';
import { viewContext } from './reservations.ts';

/** Dead letters hold events of any traveller: a token of one traveller has no business there. */
function wholeTenant({ caller }: Pick<Call, 'caller'>): void {
  if (caller.traveller === undefined) return;
  throw new Problem('scope-missing', 'A token of one traveller cannot do this; use one of the whole tenant.');
}

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
    path: '/v1/dead-letters',
    id: 'listDeadLetters',
    tag: 'operations',
    summary: 'Events set aside, newest first',
    scope: 'operate',
    query: z.strictObject({
      state: z.enum(['open', 'replayed', 'discarded']).optional(),
      consumer: z.string().max(40).optional(),
      code: z.string().max(80).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    response: z.object({ items: z.array(deadLetterViewSchema) }),
    handle: async (call) => {
      wholeTenant(call);
      const { state, consumer, code, limit } = call.query;
      const rows = await call.deps.store.read((tx) =>
        tx.log.listDeadLetters(call.caller.tenant, {
          limit,
          ...(state === undefined ? {} : { state }),
          ...(consumer === undefined ? {} : { consumer }),
          ...(code === undefined ? {} : { code }),
        }),
      );
      return { items: rows.map(deadLetterView) };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/dead-letters/:id',
    id: 'getDeadLetter',
    tag: 'operations',
    summary: 'One event set aside, with its payload and history',
    scope: 'operate',
    response: deadLetterViewSchema.extend({ payload: z.unknown() }),
    handle: async (call) => {
      wholeTenant(call);
      const letter = await commands.deadLetter(call.deps, call.caller, call.params.id!);
      const entry = await call.deps.store.read((tx) => tx.log.get(letter.eventId));
      return { ...deadLetterView(letter), payload: entry?.event ?? null };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/dead-letters/:id/replay',
    id: 'replayDeadLetter',
    tag: 'operations',
    summary: 'Deliver it to its consumer again, attempts from zero',
    scope: 'operate',
    response: deadLetterViewSchema,
    handle: async (call) => {
      wholeTenant(call);
      const letter = await commands.replayDeadLetter(call.deps, call.caller, call.params.id!);
      call.deps.onAppend?.();
      return deadLetterView(letter);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/dead-letters/:id/discard',
    id: 'discardDeadLetter',
    tag: 'operations',
    summary: 'Give it up for good, with a reason that stays on record',
    scope: 'operate',
    body: discardSchema,
    response: deadLetterViewSchema,
    handle: async (call) => {
      wholeTenant(call);
      return deadLetterView(
        await commands.discardDeadLetter(call.deps, call.caller, call.params.id!, call.body.reason),
      );
    },
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
