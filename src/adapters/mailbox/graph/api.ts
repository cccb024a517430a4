import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { failureOfStatus } from '../../provider/http/failures.ts';
import type { LineAnswer } from '../../provider/http/line.ts';
import { type Call, type Calls, jsonOf, readJson } from '../api/calls.ts';
import type { Gate } from '../api/gate.ts';
import type { Ask } from '../api/newest-first.ts';
import { explainGraph, syncStateGone } from './failures.ts';
import {
  deltaSchema,
  folderSchema,
  foldersSchema,
  type Message,
  messageSchema,
  messagesSchema,
  subscriptionSchema,
} from './schema.ts';

/** The few calls of Microsoft Graph that we make, at most four at a time in one mailbox. */
export interface GraphApi {
  /** Id of a folder by the name that Graph knows for it; undefined: this mailbox has none. */
  wellKnown(name: string, signal: AbortSignal): Promise<string | undefined>;
  /** All folders with their path, to a bounded number. */
  folders(signal: AbortSignal): Promise<readonly { readonly id: string; readonly path: string }[]>;
  /** The link with which changes from now on begin. */
  deltaFromNow(folder: string, signal: AbortSignal): Promise<string | Gone>;
  /** A page of changes: ids of mails that came. */
  delta(link: string, max: number, signal: AbortSignal): Promise<DeltaPage | Gone>;
  /** A page from the newest on; of one folder, or of all. */
  list(folder: string | undefined, since: number, ask: Ask, signal: AbortSignal): Promise<readonly Message[]>;
  /** Undefined: gone since. */
  message(id: string, signal: AbortSignal): Promise<Message | undefined>;
  raw(id: string, bytesMax: number, signal: AbortSignal): Promise<LineAnswer | undefined>;
  subscribe(body: unknown, signal: AbortSignal): Promise<{ id: string; expirationDateTime: number }>;
  /** Undefined: there is no such subscription any more. */
  renew(
    id: string,
    until: string,
    signal: AbortSignal,
  ): Promise<{ id: string; expirationDateTime: number } | undefined>;
}

/** `gone`: the link holds no longer. `no-folder`: its owner has removed the folder. */
export type Gone = 'gone' | 'no-folder';

export interface DeltaPage {
  readonly ids: readonly string[];
  readonly link: string;
  /** The link is one of the same round. */
  readonly more: boolean;
}

const HEAD_FIELDS =
  'id,receivedDateTime,parentFolderId,isDraft,internetMessageHeaders,internetMessageId,subject,sentDateTime,from,toRecipients';
/** PidTagMessageSize: Graph has no member for it. */
const SIZE = "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')";
/** Mails that were received longer ago and are moved now are not news. */
const DELTA_BACK_MS = 30 * 86_400_000;
const RAW_DEADLINE_MS = 60_000;
const DRAIN_PAGE = 200;
const DRAIN_PAGES_MAX = 200;
export const FOLDERS_MAX = 200;
/** The API's own limit on a page of mails. */
export const LIST_MAX = 1000;

export function createGraphApi(calls: Calls, base: string, gate: Gate, clock: Clock): GraphApi {
  const root = `${base}/v1.0`;
  const me = `${root}/me`;
  // Ids that stay when a mail is moved.
  const prefer = (more?: string) => ({ prefer: `IdType="ImmutableId"${more === undefined ? '' : `, ${more}`}` });
  const ask = (call: Call, signal: AbortSignal) => gate(signal, () => calls.ask(call, signal));

  /** Links are stored whole and sent back, but never to another host: they would take the token along. */
  const own = (link: string): string => {
    if (URL.canParse(link) && new URL(link).origin === new URL(base).origin) return link;
    throw new TripwatchError(
      'transient',
      'provider-answered-unreadable',
      "The provider's answer leads to another host and was not followed.",
    );
  };

  const deltaPage = async (url: string, max: number, signal: AbortSignal): Promise<DeltaPage | Gone> => {
    const call = { url: own(url), headers: prefer(`odata.maxpagesize=${max}`), also: [400, 404, 410] };
    const answer = await ask(call, signal);
    if (answer.status !== 200) {
      const body = jsonOf(answer.bytes);
      if (syncStateGone(answer.status, body)) return 'gone';
      if (answer.status === 404) return 'no-folder';
      throw failureOfStatus(answer.status, answer.headers, clock.now(), explainGraph(answer.status, body));
    }
    const page = readJson(answer, deltaSchema);
    const next = page['@odata.nextLink'];
    const link = next ?? page['@odata.deltaLink'];
    if (link === undefined) {
      throw new TripwatchError(
        'transient',
        'provider-answered-unreadable',
        "The provider's answer has not the documented form (no link to go on with) and was not used.",
      );
    }
    const ids = page.value.filter((one) => one['@removed'] === undefined).map(({ id }) => id);
    return { ids, link: own(link), more: next !== undefined };
  };

  return {
    wellKnown: async (name, signal) => {
      const answer = await ask({ url: `${me}/mailFolders/${name}?$select=id`, headers: prefer(), also: [404] }, signal);
      return answer.status === 404 ? undefined : readJson(answer, folderSchema).id;
    },
    folders: async (signal) => {
      const found: { id: string; path: string }[] = [];
      const open: { readonly url: string; readonly under: string }[] = [
        { url: `${me}/mailFolders?$top=100&$select=id,displayName,childFolderCount`, under: '' },
      ];
      for (let at = open.shift(); at !== undefined && found.length < FOLDERS_MAX; at = open.shift()) {
        const { url, under } = at;
        const page = readJson(await ask({ url, headers: prefer() }, signal), foldersSchema);
        for (const { id, displayName, childFolderCount } of page.value) {
          const path = `${under}${displayName}`;
          found.push({ id, path });
          const children = `${me}/mailFolders/${encodeURIComponent(id)}/childFolders?$top=100&$select=id,displayName,childFolderCount`;
          if (childFolderCount > 0) open.push({ url: children, under: `${path}/` });
        }
        const next = page['@odata.nextLink'];
        if (next !== undefined) open.push({ url: own(next), under });
      }
      return found.slice(0, FOLDERS_MAX);
    },
    deltaFromNow: async (folder, signal) => {
      const from = iso(clock.now() - DELTA_BACK_MS);
      const query = `changeType=created&$select=receivedDateTime&$filter=receivedDateTime+ge+${from}`;
      let link = `${me}/mailFolders/${encodeURIComponent(folder)}/messages/delta?${query}`;
      // Graph begins with what is there; that is not what we are after.
      for (let pages = 0; pages < DRAIN_PAGES_MAX; pages++) {
        const page = await deltaPage(link, DRAIN_PAGE, signal);
        if (typeof page === 'string') return page;
        link = page.link;
        if (!page.more) break;
      }
      return link;
    },
    delta: deltaPage,
    list: async (folder, since, { before, skip, limit }, signal) => {
      const until = before === undefined ? '' : ` and receivedDateTime lt ${iso(before)}`;
      const search = new URLSearchParams({
        $select: HEAD_FIELDS,
        $expand: SIZE,
        $filter: `receivedDateTime ge ${iso(since)}${until}`,
        $orderby: 'receivedDateTime desc',
        $top: String(limit),
        ...(skip === 0 ? {} : { $skip: String(skip) }),
      });
      const where = folder === undefined ? '' : `/mailFolders/${encodeURIComponent(folder)}`;
      const answer = await ask({ url: `${me}${where}/messages?${search}`, headers: prefer() }, signal);
      return readJson(answer, messagesSchema).value;
    },
    message: async (id, signal) => {
      const search = new URLSearchParams({ $select: HEAD_FIELDS, $expand: SIZE });
      const url = `${me}/messages/${encodeURIComponent(id)}?${search}`;
      const answer = await ask({ url, headers: prefer(), also: [404] }, signal);
      return answer.status === 404 ? undefined : readJson(answer, messageSchema);
    },
    raw: async (id, bytesMax, signal) => {
      const url = `${me}/messages/${encodeURIComponent(id)}/$value`;
      const limits = { bytesMax, deadlineMs: RAW_DEADLINE_MS };
      const answer = await ask({ url, headers: { ...prefer(), accept: '*/*' }, also: [404], ...limits }, signal);
      return answer.status === 404 ? undefined : answer;
    },
    subscribe: async (json, signal) =>
      readJson(
        await ask({ url: `${root}/subscriptions`, method: 'POST', json, headers: prefer() }, signal),
        subscriptionSchema,
      ),
    renew: async (id, expirationDateTime, signal) => {
      const url = `${root}/subscriptions/${encodeURIComponent(id)}`;
      const answer = await ask({ url, method: 'PATCH', json: { expirationDateTime }, also: [404] }, signal);
      return answer.status === 404 ? undefined : readJson(answer, subscriptionSchema);
    },
  };
}

export function iso(epochMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.max(0, Math.floor(epochMs / 1000) * 1000)).toString({
    smallestUnit: 'second',
  });
}
