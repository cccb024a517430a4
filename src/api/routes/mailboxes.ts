import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  beginSignInSchema,
  changeMailboxSchema,
  connectMailboxSchema,
  finishSignInSchema,
  foundViewSchema,
  mailboxTestViewSchema,
  offersViewSchema,
  pauseMailboxSchema,
} from '../../contracts/http/mailboxes.ts';
import { mailboxViewSchema, receiptViewSchema } from '../../contracts/http/views.ts';
import type { Mailbox } from '../../ports/store/accounts.ts';
import * as accounts from '../commands/accounts.ts';
import * as commands from '../commands/mailboxes.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { publicBase } from '../public-base.ts';
import { type RouteSpec, route } from '../route.ts';
import { receiptView } from '../views/accounts.ts';
import { mailboxTestView, mailboxViews, wholeMailboxView } from '../views/mailboxes.ts';

const list = <T extends z.ZodType>(items: T) => z.object({ items: z.array(items) });
const tag = 'mailboxes';

/** Ends with the request: nobody waits for the answer any more. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const ending = new AbortController();
  reply.raw.once('close', () => ending.abort());
  return ending.signal;
}

const view = (deps: ApiDeps, mailbox: Mailbox) => deps.store.read((tx) => wholeMailboxView(tx, mailbox, deps));

export const mailboxRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/v1/travellers/:id/mailboxes',
    id: 'listMailboxes',
    tag,
    summary: 'Mailboxes of a traveller: how each stands, and what came of its mails',
    scope: 'read',
    query: z.strictObject({ removed: z.enum(['true', 'false']).default('false').describe('removed ones too') }),
    response: list(mailboxViewSchema),
    handle: async ({ deps, caller, params, query }) => {
      const traveller = await accounts.visibleTraveller(deps, caller, params.id!);
      const items = await deps.store.read(async (tx) => {
        const all = await tx.accounts.listMailboxes(caller.tenant, traveller.id);
        return mailboxViews(tx, all, deps, query.removed === 'true');
      });
      return { items };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/travellers/:id/mailboxes',
    id: 'addMailbox',
    tag,
    summary: 'Make a forwarding address, or connect a mailbox by IMAP or JMAP',
    description:
      'Forwarding: mails sent to the address answered here are watched for this traveller; nobody can guess it. Connecting signs in before anything is stored; the password is sealed and never answered. Gmail and Microsoft: POST …/sign-in.',
    scope: 'write',
    body: connectMailboxSchema,
    status: 201,
    response: mailboxViewSchema,
    handle: async ({ deps, caller, params, body, reply }) => {
      if (body.kind === 'forward') return view(deps, await accounts.addMailbox(deps, caller, params.id!, body));
      const { mailbox } = await commands.connectMailbox(deps, caller, params.id!, body, goneSignal(reply));
      return view(deps, mailbox);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/travellers/:id/mailboxes/sign-in',
    id: 'beginSignIn',
    tag,
    summary: 'Begin to connect Gmail or Microsoft: where to send the browser',
    description:
      'The provider sends the browser back to /oauth/callback of this service, whose page ends it with POST /v1/mailboxes/sign-in. Only the token that began it can end it.',
    scope: 'write',
    body: beginSignInSchema,
    response: z.object({ url: z.string() }),
    handle: async ({ deps, caller, params, body, request }) =>
      commands.beginSignIn(deps, caller, params.id!, body, `${publicBase(deps, request)}/oauth/callback`),
  }),
  route({
    method: 'POST',
    path: '/v1/mailboxes/sign-in',
    id: 'finishSignIn',
    tag,
    summary: 'End a sign-in: stores the mailbox, or lets one go on whose consent had expired',
    scope: 'write',
    body: finishSignInSchema,
    status: 201,
    response: mailboxViewSchema,
    handle: async ({ deps, caller, body, reply }) =>
      view(deps, (await commands.finishSignIn(deps, caller, body, goneSignal(reply))).mailbox),
  }),
  route({
    method: 'GET',
    path: '/oauth/callback',
    id: 'signInCallback',
    tag,
    summary: 'Where providers send the browser back to; the page takes it from there',
    query: z.object({
      code: z.string().max(4000).optional(),
      state: z.string().max(4000).optional(),
      error: z.string().max(200).optional(),
    }),
    responseType: 'text/plain',
    handle: async ({ query, reply }) => {
      // Behind the #, where it goes no further than the page, which is signed in and this request, coming from elsewhere, is not.
      const told = new URLSearchParams({ view: 'mailboxes' });
      if (query.code !== undefined && query.state !== undefined) {
        told.set('code', query.code);
        told.set('state', query.state);
      } else told.set('refused', query.error ?? 'nothing');
      await reply.redirect(`/#${told}`, 303);
    },
  }),
  route({
    method: 'GET',
    path: '/v1/mailbox-kinds',
    id: 'listMailboxKinds',
    tag,
    summary: 'What can be connected here, and what is missing for the others',
    scope: 'read',
    response: offersViewSchema,
    handle: async ({ deps }) => ({ items: [...((await deps.mailboxes?.())?.kinds() ?? [])] }),
  }),
  route({
    method: 'POST',
    path: '/v1/mailboxes/discover',
    id: 'discoverMailbox',
    tag,
    summary: 'Settings for a mail address, by its domain',
    scope: 'write',
    body: z.strictObject({ address: z.string().trim().min(3).max(320) }),
    response: foundViewSchema,
    handle: async ({ deps, body }) => {
      const desk = await deps.mailboxes?.();
      if (desk === undefined) throw new Problem('unavailable', 'This process connects no mailboxes.');
      return desk.discover(body.address).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : 'The address cannot be read.';
        throw new Problem('mailbox-refused', message, [{ path: 'address', message }]);
      });
    },
  }),
  route({
    method: 'GET',
    path: '/v1/mailboxes/:id',
    id: 'getMailbox',
    tag,
    summary: 'One mailbox: how it stands, and what came of its mails',
    scope: 'read',
    response: mailboxViewSchema,
    handle: async ({ deps, caller, params }) => view(deps, await commands.visibleMailbox(deps, caller, params.id!)),
  }),
  route({
    method: 'PATCH',
    path: '/v1/mailboxes/:id',
    id: 'changeMailbox',
    tag,
    summary: 'Another password, other folders, further back',
    scope: 'write',
    body: changeMailboxSchema,
    response: mailboxViewSchema,
    handle: async ({ deps, caller, params, body, reply }) =>
      view(deps, await commands.changeMailbox(deps, caller, params.id!, body, goneSignal(reply))),
  }),
  route({
    method: 'POST',
    path: '/v1/mailboxes/:id/test',
    id: 'testMailbox',
    tag,
    summary: 'Sign in and look, changing nothing: folders, and which of the newest mails would be read',
    scope: 'write',
    response: mailboxTestViewSchema,
    handle: async ({ deps, caller, params, reply }) =>
      mailboxTestView(await commands.testMailbox(deps, caller, params.id!, goneSignal(reply))),
  }),
  route({
    method: 'POST',
    path: '/v1/mailboxes/:id/check',
    id: 'checkMailbox',
    tag,
    summary: 'Look now',
    scope: 'write',
    status: 202,
    response: mailboxViewSchema,
    handle: async ({ deps, caller, params }) => view(deps, await commands.checkMailbox(deps, caller, params.id!)),
  }),
  route({
    method: 'POST',
    path: '/v1/mailboxes/:id/pause',
    id: 'pauseMailbox',
    tag,
    summary: 'Let a mailbox rest: nothing of it is read until it is resumed',
    scope: 'write',
    body: pauseMailboxSchema,
    response: mailboxViewSchema,
    handle: async ({ deps, caller, params, body }) => {
      const paused = await commands.pauseMailbox(deps, caller, params.id!, body.reason);
      deps.onPauses?.();
      return view(deps, paused);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/mailboxes/:id/resume',
    id: 'resumeMailbox',
    tag,
    summary: 'Let it go on',
    scope: 'write',
    response: mailboxViewSchema,
    handle: async ({ deps, caller, params }) => {
      const resumed = await commands.resumeMailbox(deps, caller, params.id!);
      deps.onPauses?.();
      return view(deps, resumed);
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/mailboxes/:id',
    id: 'removeMailbox',
    tag,
    summary: 'Remove a mailbox: its credentials are erased at once; receipts and reservations stay',
    scope: 'write',
    response: z.object({ id: z.string(), state: z.literal('removed'), receipts: z.int().describe('that stay') }),
    handle: async ({ deps, caller, params }) => {
      const { mailbox, receipts } = await commands.removeMailbox(deps, caller, params.id!);
      return { id: mailbox.id, state: 'removed', receipts };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/receipts/:id/read',
    id: 'readAfterAll',
    tag: 'receipts',
    summary: 'Read a mail after all that was left unopened',
    scope: 'write',
    status: 202,
    response: receiptViewSchema,
    handle: async ({ deps, caller, params }) => {
      const receipt = await commands.askForMail(deps, caller, params.id!);
      deps.onAppend?.();
      return receiptView(receipt);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/receipts/:id/done',
    id: 'settleReceipt',
    tag: 'receipts',
    summary: 'Say that what a mail asks of its owner is done, or is not wanted',
    scope: 'write',
    response: receiptViewSchema,
    handle: async ({ deps, caller, params }) => receiptView(await commands.settleReceipt(deps, caller, params.id!)),
  }),
];
