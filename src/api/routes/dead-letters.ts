import { z } from 'zod';
import {
  auditPageSchema,
  auditQuerySchema,
  bulkViewSchema,
  deadLetterDetailSchema,
  deadLetterPageSchema,
  deadLetterQuerySchema,
  deadLetterSummarySchema,
  deadLetterViewSchema,
  discardSchema,
  discardsSchema,
  editDeadLetterSchema,
  editedViewSchema,
  replaysSchema,
} from '../../contracts/http/dead-letters.ts';
import { momentOf } from '../../domain/time/moment.ts';
import { discardDeadLetters, replayDeadLetters } from '../commands/dead-letter-bulk.ts';
import { editDeadLetter } from '../commands/dead-letter-edit.ts';
import { deadLetterFilter } from '../commands/dead-letter-query.ts';
import * as commands from '../commands/dead-letters.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { type Call, type RouteSpec, route } from '../route.ts';
import { auditView, deadLetterDetail, deadLetterSummary, deadLetterView } from '../views/dead-letters.ts';

/** They hold events of any traveller: a token of one traveller has no business there. */
function wholeTenant({ caller }: Pick<Call, 'caller'>): void {
  if (caller.traveller === undefined) return;
  throw new Problem('scope-missing', 'A token of one traveller cannot do this; use one of the whole tenant.');
}

function commandDeps({ deps }: Pick<Call, 'deps'>): CommandDeps {
  return deps.consumers === undefined ? deps : { ...deps, stages: deps.consumers.map((one) => one.name) };
}

/** Aborted when who asked goes away: bulk work ends at the next letter. */
function whileAsked({ reply }: Pick<Call, 'reply'>): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

export const deadLetterRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/v1/dead-letters',
    id: 'listDeadLetters',
    tag: 'dead letters',
    summary: 'Events set aside, newest first',
    scope: 'operate',
    query: deadLetterQuerySchema.extend({
      before: z.string().max(120).optional().describe('`nextBefore` of the page before'),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    response: deadLetterPageSchema,
    handle: async (call) => {
      wholeTenant(call);
      const { before, limit, ...query } = call.query;
      const { tenant } = call.caller;
      const filter = await deadLetterFilter(commandDeps(call), call.caller, query);
      return call.deps.store.read(async (tx) => {
        const page = await tx.deadLetters.list(tenant, filter, { limit, ...(before === undefined ? {} : { before }) });
        const total = await tx.deadLetters.count(tenant, filter);
        const { letters, ...rest } = page;
        return { items: letters.map(deadLetterView), total, ...rest };
      });
    },
  }),
  route({
    method: 'GET',
    path: '/v1/dead-letters/summary',
    id: 'summariseDeadLetters',
    tag: 'dead letters',
    summary: 'What failed, by stage and error code, the largest group first; open ones unless asked otherwise',
    scope: 'operate',
    query: deadLetterQuerySchema,
    response: deadLetterSummarySchema,
    handle: async (call) => {
      wholeTenant(call);
      const filter = await deadLetterFilter(commandDeps(call), call.caller, { state: 'open', ...call.query });
      return call.deps.store.read((tx) => deadLetterSummary(tx, call.caller, filter));
    },
  }),
  route({
    method: 'POST',
    path: '/v1/dead-letters/replays',
    id: 'replayDeadLetters',
    tag: 'dead letters',
    summary: 'Deliver all that fit a query again, at a rate; or only say what would be',
    description:
      'Oldest event first, each in a transaction of its own, at most 100 a call; the answer comes when they are through, so after at most 25 s. Go on with `after` = `next` until there is none. Ends early when `failuresMax` replays in a row fail again with the same code.',
    scope: 'operate',
    body: replaysSchema,
    response: bulkViewSchema,
    handle: async (call) => {
      wholeTenant(call);
      const { query, all: _, ...options } = call.body;
      const work = { ...options, signal: whileAsked(call) };
      const result = await replayDeadLetters(commandDeps(call), call.caller, query, work);
      call.deps.onAppend?.();
      return result;
    },
  }),
  route({
    method: 'POST',
    path: '/v1/dead-letters/discards',
    id: 'discardDeadLetters',
    tag: 'dead letters',
    summary: 'Give up all that fit a query, with a reason; or only say which',
    description: 'As replays: at most 100 a call; go on with `after` = `next` until there is none.',
    scope: 'operate',
    body: discardsSchema,
    response: bulkViewSchema,
    handle: async (call) => {
      wholeTenant(call);
      const { query, all: _, ...options } = call.body;
      const work = { ...options, signal: whileAsked(call) };
      return discardDeadLetters(commandDeps(call), call.caller, query, work);
    },
  }),
  route({
    method: 'GET',
    path: '/v1/dead-letters/:id',
    id: 'getDeadLetter',
    tag: 'dead letters',
    summary: 'One event set aside, with every attempt; its payload on request',
    scope: 'operate',
    query: z.strictObject({
      payload: z.enum(['true', 'false']).default('false').describe('true: with the event, which may be personal'),
    }),
    response: deadLetterDetailSchema,
    handle: async (call) => {
      wholeTenant(call);
      const letter = await commands.deadLetter(call.deps, call.caller, call.params.id!);
      const payload = await call.deps.store.read((tx) => commands.payloadOf(tx, letter));
      return deadLetterDetail(letter, payload, call.query.payload === 'true');
    },
  }),
  route({
    method: 'POST',
    path: '/v1/dead-letters/:id/replay',
    id: 'replayDeadLetter',
    tag: 'dead letters',
    summary: 'Deliver it to its stage again, attempts from zero',
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
    path: '/v1/dead-letters/:id/edit',
    id: 'editDeadLetter',
    tag: 'dead letters',
    summary: 'Replay it with other data',
    description:
      'Send the whole event as `GET …?payload=true` shows it, with changed `data`. It becomes a new event, caused by the old one, for this stage alone; nothing is rewritten.',
    scope: 'operate',
    body: editDeadLetterSchema,
    response: editedViewSchema,
    handle: async (call) => {
      wholeTenant(call);
      const { event, reason } = call.body;
      const edited = await editDeadLetter(call.deps, call.caller, call.params.id!, event, reason);
      call.deps.onAppend?.();
      return { letter: deadLetterView(edited.letter), event: edited.event };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/dead-letters/:id/discard',
    id: 'discardDeadLetter',
    tag: 'dead letters',
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
    path: '/v1/audit',
    id: 'listAudit',
    tag: 'operations',
    summary: 'What operators did, newest first',
    scope: 'operate',
    query: auditQuerySchema,
    response: auditPageSchema,
    handle: async (call) => {
      wholeTenant(call);
      const { since, ...query } = call.query;
      const from = since === undefined ? undefined : momentOf(since, call.deps.clock.now());
      const { entries, ...rest } = await call.deps.store.read((tx) =>
        tx.audit.list(call.caller.tenant, { ...query, ...(from === undefined ? {} : { from }) }),
      );
      return { items: entries.map(auditView), ...rest };
    },
  }),
];
