import type { z } from 'zod';
import { unreadable } from '../../provider/http/failed.ts';
import type { LineAnswer } from '../../provider/http/line.ts';
import { type Calls, readJson } from '../api/calls.ts';
import { createGate } from '../api/gate.ts';
import type { Ask, Dated } from '../api/newest-first.ts';
import type { Discovered } from './discover.ts';
import { failureOfMethod } from './failures.ts';
import {
  CORE,
  changesSchema,
  type Email,
  emailsSchema,
  MAIL,
  mailboxesSchema,
  methodErrorSchema,
  querySchema,
  responseSchema,
  stateSchema,
} from './schema.ts';

/** The few methods of JMAP that we call; what depends on another goes in one request, by back-reference. */
export interface JmapApi {
  mailboxes(signal: AbortSignal): Promise<z.infer<typeof mailboxesSchema>['list']>;
  state(signal: AbortSignal): Promise<string>;
  /** What was created since, with its headers. */
  changes(since: string, max: number, signal: AbortSignal): Promise<Changes | 'gone'>;
  /** A page from the newest on; of one folder, or of all. */
  list(
    folder: string | undefined,
    since: number,
    ask: Ask,
    signal: AbortSignal,
  ): Promise<readonly (Dated & { email: Email })[]>;
  /** Undefined: gone. */
  download(blobId: string, bytesMax: number, signal: AbortSignal): Promise<LineAnswer | undefined>;
  /** Most mails that one answer brings. */
  readonly getMax: number;
}

export interface Changes {
  readonly state: string;
  readonly more: boolean;
  readonly emails: readonly Email[];
}

/** `headers`: as they stand in the mail, in order. `bodyStructure`: parts without content. */
const PROPERTIES = ['id', 'blobId', 'mailboxIds', 'size', 'receivedAt', 'headers', 'bodyStructure'];
const BODY_PROPERTIES = ['type', 'name', 'size', 'subParts'];
/** Header blocks of so many stay below the bound of an answer. */
const GET_MAX = 200;
const RAW_DEADLINE_MS = 60_000;

type Method = readonly [name: string, args: Readonly<Record<string, unknown>>, id: string];

export function createJmapApi(calls: Calls, { session, accountId }: Discovered): JmapApi {
  const core = session.capabilities[CORE];
  const gate = createGate(core.maxConcurrentRequests);
  const getMax = Math.min(GET_MAX, core.maxObjectsInGet);

  const request = async (methods: readonly Method[], signal: AbortSignal): Promise<ReadonlyMap<string, Result>> => {
    const json = { using: [CORE, MAIL], methodCalls: methods };
    const call = { url: session.apiUrl, method: 'POST', json } as const;
    const answer = readJson(await gate(signal, () => calls.ask(call, signal)), responseSchema);
    return new Map(answer.methodResponses.map(([name, args, id]) => [id, { name, args }]));
  };

  const get = (ids: Readonly<Record<string, unknown>>, id: string): Method => [
    'Email/get',
    { accountId, ...ids, properties: PROPERTIES, bodyProperties: BODY_PROPERTIES },
    id,
  ];

  return {
    getMax,
    mailboxes: async (signal) => {
      const args = { accountId, ids: null, properties: ['id', 'name', 'role', 'parentId'] };
      return read(await request([['Mailbox/get', args, 'm']], signal), 'm', mailboxesSchema).list;
    },
    state: async (signal) => {
      const args = { accountId, ids: [], properties: ['id'] };
      return read(await request([['Email/get', args, 's']], signal), 's', stateSchema).state;
    },
    changes: async (sinceState, max, signal) => {
      const maxChanges = Math.min(max, getMax);
      const results = await request(
        [
          ['Email/changes', { accountId, sinceState, maxChanges }, 'c'],
          get({ '#ids': { resultOf: 'c', name: 'Email/changes', path: '/created' } }, 'g'),
        ],
        signal,
      );
      if (typeOf(results.get('c')) === 'cannotCalculateChanges') return 'gone';
      const { newState, hasMoreChanges, created } = read(results, 'c', changesSchema);
      // A server may say "more" without getting on: then there is no more to be had that way.
      if (hasMoreChanges && newState === sinceState) return 'gone';
      const emails = created.length === 0 ? [] : read(results, 'g', emailsSchema).list;
      return { state: newState, more: hasMoreChanges, emails: inOrder(created, emails) };
    },
    list: async (folder, since, { before, skip, limit }, signal) => {
      const filter = {
        ...(since <= 0 ? {} : { after: utc(since) }),
        ...(before === undefined ? {} : { before: utc(before) }),
        ...(folder === undefined ? {} : { inMailbox: folder }),
      };
      const sort = [{ property: 'receivedAt', isAscending: false }];
      const results = await request(
        [
          ['Email/query', { accountId, filter, sort, position: skip, limit }, 'q'],
          get({ '#ids': { resultOf: 'q', name: 'Email/query', path: '/ids' } }, 'g'),
        ],
        signal,
      );
      const { ids } = read(results, 'q', querySchema);
      if (ids.length === 0) return [];
      const emails = read(results, 'g', emailsSchema).list;
      return inOrder(ids, emails).map((email) => ({ id: email.id, receivedAt: email.receivedAt, email }));
    },
    download: async (blobId, bytesMax, signal) => {
      const values: Readonly<Record<string, string>> = { accountId, blobId, name: 'mail.eml', type: 'message/rfc822' };
      const url = expand(session.downloadUrl, values);
      const limits = { bytesMax, deadlineMs: RAW_DEADLINE_MS };
      const answer = await gate(signal, () =>
        calls.ask({ url, headers: { accept: '*/*' }, also: [404], ...limits }, signal),
      );
      return answer.status === 404 ? undefined : answer;
    },
  };
}

interface Result {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

function typeOf(result: Result | undefined): string | undefined {
  return result?.name === 'error' ? methodErrorSchema.safeParse(result.args).data?.type : undefined;
}

function read<T>(results: ReadonlyMap<string, Result>, id: string, schema: z.ZodType<T>): T {
  const result = results.get(id);
  const type = typeOf(result);
  if (type !== undefined) throw failureOfMethod(type);
  const parsed = schema.safeParse(result?.args);
  if (!parsed.success) throw unreadable(parsed.error);
  return parsed.data;
}

/** Servers may answer in any order; what is gone meanwhile is left out. */
function inOrder(ids: readonly string[], emails: readonly Email[]): readonly Email[] {
  const byId = new Map(emails.map((email) => [email.id, email]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** RFC 6570, level 1. */
export function expand(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
}

function utc(epochMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(epochMs / 1000) * 1000).toString({ smallestUnit: 'second' });
}
