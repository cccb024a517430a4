import { z } from 'zod';
import { addReservationSchema, editReservationSchema, travellerIdSchema } from '../../contracts/http/commands.ts';
import {
  historyViewSchema,
  receiptViewSchema,
  reservationSummarySchema,
  reservationViewSchema,
  tripViewSchema,
} from '../../contracts/http/views.ts';
import type { MailboxId, MailId } from '../../domain/ids.ts';
import { DISPOSITIONS, type Disposition } from '../../ports/store/mails.ts';
import { ensureVisible, notFound, scopedTraveller } from '../auth.ts';
import { visibleTraveller } from '../commands/accounts.ts';
import * as commands from '../commands/reservations.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { type Call, type RouteSpec, route } from '../route.ts';
import { receiptView } from '../views/accounts.ts';
import { historyView, reservationSummary, reservationView, type ViewContext } from '../views/reservation.ts';
import { tripsView } from '../views/trips.ts';

const limit = z.coerce.number().int().min(1).max(500).default(100);
const recordedSchema = z.object({
  observation: z.string().describe('what was recorded; `GET /v1/explain/{id}` follows it'),
  event: z.string(),
  new: z.boolean().describe('false: this Idempotency-Key came before'),
  reservation: reservationViewSchema.optional().describe('absent: not settled within a second; ask explain'),
});

export function viewContext(deps: ApiDeps): ViewContext {
  return { now: deps.clock.now(), providers: deps.config.providers };
}

/** Answers a command with what was recorded and, where it settles within a second, the state it led to. */
async function answer(call: Pick<Call, 'deps' | 'caller' | 'reply'>, recorded: commands.Recorded) {
  const { deps, caller, reply } = call;
  deps.onAppend?.();
  const settled = await commands.settledReservation(deps, caller, recorded);
  if (settled === undefined) {
    reply.code(202);
    reply.header('location', `/v1/explain/${recorded.observation}`);
    return recorded;
  }
  reply.header('location', `/v1/reservations/${settled.id}`);
  const view = await deps.store.read((tx) => reservationView(tx, settled, viewContext(deps)));
  return { ...recorded, reservation: view };
}

export const reservationRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/v1/trips',
    id: 'listTrips',
    tag: 'reservations',
    summary: "A traveller's trips: legs that belong together, in order",
    scope: 'read',
    query: z.strictObject({
      traveller: travellerIdSchema.optional().describe('not needed with a token of one traveller'),
    }),
    response: z.object({ now: z.iso.datetime(), items: z.array(tripViewSchema) }),
    handle: async ({ deps, caller, query }) => {
      const id = scopedTraveller(caller, query.traveller);
      if (id === undefined) {
        throw new Problem(
          'query-invalid',
          'Name a traveller: /v1/trips?traveller=trv_…; GET /v1/travellers lists them.',
        );
      }
      const traveller = await visibleTraveller(deps, caller, id);
      const context = viewContext(deps);
      const items = await deps.store.read((tx) => tripsView(tx, caller, traveller.id, context));
      return { now: Temporal.Instant.fromEpochMilliseconds(Math.trunc(context.now)).toString(), items };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/reservations',
    id: 'listReservations',
    tag: 'reservations',
    summary: 'Reservations, ordered by id',
    scope: 'read',
    query: z.strictObject({
      traveller: travellerIdSchema.optional(),
      after: z.string().max(80).optional().describe('`next` of the page before'),
      limit,
    }),
    response: z.object({ items: z.array(reservationSummarySchema), next: z.string().optional() }),
    handle: async ({ deps, caller, query }) => {
      const traveller = scopedTraveller(caller, query.traveller);
      const { after } = query;
      // One more than is shown tells whether there is another page.
      const rows = await deps.store.read((tx) =>
        tx.reservations.list(caller.tenant, traveller, { after, limit: query.limit + 1 }),
      );
      const page = rows.slice(0, query.limit);
      const next = rows.length > page.length ? page.at(-1)?.id : undefined;
      return { items: page.map((one) => reservationSummary(one)), ...(next === undefined ? {} : { next }) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/reservations',
    id: 'addReservation',
    tag: 'reservations',
    summary: "Add a reservation by hand or by a provider's id",
    description:
      'Send `Idempotency-Key` to make a repeat harmless. Answers 201 with the reservation, or 202 when it takes longer than a second to settle.',
    scope: 'write',
    body: addReservationSchema,
    status: 201,
    response: recordedSchema,
    handle: async (call) => {
      const key = call.request.headers['idempotency-key'];
      if (Array.isArray(key) || (key !== undefined && (key.length < 1 || key.length > 200))) {
        throw new Problem('query-invalid', 'The header Idempotency-Key must be one value of 1 to 200 characters.');
      }
      return answer(call, await commands.addReservation(call.deps, call.caller, call.body, key));
    },
  }),
  route({
    method: 'GET',
    path: '/v1/reservations/:id',
    id: 'getReservation',
    tag: 'reservations',
    summary: 'A reservation with the source of every field and how fresh it is',
    scope: 'read',
    response: reservationViewSchema,
    handle: async ({ deps, caller, params }) => {
      const found = await commands.visibleReservation(deps, caller, params.id!);
      return deps.store.read((tx) => reservationView(tx, found, viewContext(deps)));
    },
  }),
  route({
    method: 'PATCH',
    path: '/v1/reservations/:id',
    id: 'editReservation',
    tag: 'reservations',
    summary: 'Say what you know better: new values for fields of the booking or of one leg',
    description: 'What you set is never silently overwritten; what outside sources say newly is shown beside it.',
    scope: 'write',
    body: editReservationSchema,
    response: recordedSchema,
    handle: async (call) =>
      answer(call, await commands.editReservation(call.deps, call.caller, call.params.id!, call.body)),
  }),
  route({
    method: 'DELETE',
    path: '/v1/reservations/:id',
    id: 'removeReservation',
    tag: 'reservations',
    summary: 'Take a reservation out of view; POST …/restore brings it back',
    scope: 'write',
    response: recordedSchema,
    handle: async (call) => answer(call, await commands.removeReservation(call.deps, call.caller, call.params.id!)),
  }),
  route({
    method: 'POST',
    path: '/v1/reservations/:id/restore',
    id: 'restoreReservation',
    tag: 'reservations',
    summary: 'Bring a removed reservation back',
    scope: 'write',
    response: recordedSchema,
    handle: async (call) => answer(call, await commands.restoreReservation(call.deps, call.caller, call.params.id!)),
  }),
  route({
    method: 'GET',
    path: '/v1/reservations/:id/history',
    id: 'getReservationHistory',
    tag: 'reservations',
    summary: 'Every version with its changes',
    scope: 'read',
    response: historyViewSchema,
    handle: async ({ deps, caller, params }) => {
      const found = await commands.visibleReservation(deps, caller, params.id!);
      return deps.store.read((tx) => historyView(tx, found));
    },
  }),
  route({
    method: 'GET',
    path: '/v1/receipts',
    id: 'listReceipts',
    tag: 'receipts',
    summary: 'What became of each mail, newest first',
    scope: 'read',
    query: z.strictObject({
      traveller: travellerIdSchema.optional(),
      mailbox: z.string().max(100).optional().describe('only those of one mailbox'),
      disposition: z.enum(Object.keys(DISPOSITIONS) as [Disposition, ...Disposition[]]).optional(),
      reason: z.string().max(100).optional().describe('only those with this reasonCode'),
      before: z.string().max(200).optional().describe('`next` of the page before'),
      limit,
    }),
    response: z.object({ items: z.array(receiptViewSchema), next: z.string().optional() }),
    handle: async ({ deps, caller, query }) => {
      const traveller = scopedTraveller(caller, query.traveller);
      const { disposition, mailbox, reason, before } = query;
      const page = await deps.store.read((tx) =>
        tx.mails.list(caller.tenant, {
          limit: query.limit,
          ...(traveller === undefined ? {} : { traveller }),
          ...(mailbox === undefined ? {} : { mailbox: mailbox as MailboxId }),
          ...(disposition === undefined ? {} : { disposition }),
          ...(reason === undefined ? {} : { reasonCode: reason }),
          ...(before === undefined ? {} : { before }),
        }),
      );
      return {
        items: page.receipts.map(receiptView),
        ...(page.nextBefore === undefined ? {} : { next: page.nextBefore }),
      };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/receipts/:id',
    id: 'getReceipt',
    tag: 'receipts',
    summary: 'What became of one mail, and why',
    scope: 'read',
    response: receiptViewSchema,
    handle: async ({ deps, caller, params }) => {
      const found = await deps.store.read((tx) => tx.mails.get(caller.tenant, params.id as MailId));
      if (found === undefined) throw notFound(params.id!);
      ensureVisible(caller, found.traveller, params.id!);
      return receiptView(found);
    },
  }),
];
