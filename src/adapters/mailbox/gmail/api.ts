import type { z } from 'zod';
import { unreadable } from '../../provider/http/failed.ts';
import type { LineAnswer } from '../../provider/http/line.ts';
import type { UnitBudget } from '../api/budget.ts';
import { type Calls, readJson } from '../api/calls.ts';
import {
  type History,
  historySchema,
  labelsSchema,
  listSchema,
  type Metadata,
  metadataSchema,
  profileSchema,
  watchSchema,
} from './schema.ts';

/** The few calls of the Gmail API that we make, each paid for in quota units before it is made. */
export interface GmailApi {
  profile(signal: AbortSignal): Promise<z.infer<typeof profileSchema>>;
  labels(signal: AbortSignal): Promise<z.infer<typeof labelsSchema>['labels']>;
  /** Gone: the start, or the page token, is too old. */
  history(query: HistoryQuery, signal: AbortSignal): Promise<History | 'history-gone' | 'page-gone'>;
  list(query: ListQuery, lane: Lane, signal: AbortSignal): Promise<z.infer<typeof listSchema> | 'page-gone'>;
  /** Undefined: gone since. */
  head(id: string, lane: Lane, signal: AbortSignal): Promise<Metadata | undefined>;
  /** At most so many bytes of the mail. Undefined: gone since. */
  raw(id: string, bytesMax: number, signal: AbortSignal): Promise<{ bytes: Buffer; truncated: boolean } | undefined>;
  watch(topic: string, signal: AbortSignal): Promise<z.infer<typeof watchSchema>>;
}

export type Lane = 'live' | 'later';
export interface HistoryQuery {
  readonly start: string;
  readonly page?: string | undefined;
  readonly max: number;
}
export interface ListQuery {
  /** Epoch seconds. */
  readonly after: number;
  readonly before?: number | undefined;
  readonly label?: string | undefined;
  readonly page?: string | undefined;
  readonly max: number;
}

/** Quota units by method, as Google lists them; older projects pay less. */
export const UNITS = { profile: 1, labels: 1, history: 2, list: 5, get: 20, watch: 100 } as const;

/** A whole mail may take its time. */
const RAW_DEADLINE_MS = 60_000;
const RAW_PREFIX = /^\s*\{\s*"raw"\s*:\s*"/;

export function createGmailApi(calls: Calls, base: string, budget: UnitBudget): GmailApi {
  const me = `${base}/gmail/v1/users/me`;
  const query = (values: Readonly<Record<string, string | number | undefined>>): string => {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) if (value !== undefined) search.append(name, String(value));
    return search.toString();
  };
  return {
    profile: async (signal) => {
      await budget.take(UNITS.profile, 'live', signal);
      return calls.json({ url: `${me}/profile` }, profileSchema, signal);
    },
    labels: async (signal) => {
      await budget.take(UNITS.labels, 'live', signal);
      return (await calls.json({ url: `${me}/labels` }, labelsSchema, signal)).labels;
    },
    history: async ({ start, page, max }, signal) => {
      await budget.take(UNITS.history, 'live', signal);
      const search = query({ startHistoryId: start, maxResults: max, pageToken: page });
      const url = `${me}/history?${search}&historyTypes=messageAdded&historyTypes=labelAdded`;
      const answer = await calls.ask({ url, also: page === undefined ? [404] : [400, 404] }, signal);
      if (answer.status === 404) return 'history-gone';
      return answer.status === 400 ? 'page-gone' : readJson(answer, historySchema);
    },
    list: async ({ after, before, label, page, max }, lane, signal) => {
      await budget.take(UNITS.list, lane, signal);
      const q = `after:${after}${before === undefined ? '' : ` before:${before}`}`;
      const url = `${me}/messages?${query({ q, maxResults: max, labelIds: label, pageToken: page })}`;
      const answer = await calls.ask({ url, also: page === undefined ? [] : [400] }, signal);
      return answer.status === 400 ? 'page-gone' : readJson(answer, listSchema);
    },
    head: async (id, lane, signal) => {
      await budget.take(UNITS.get, lane, signal);
      const fields = 'id,labelIds,internalDate,sizeEstimate,payload/headers';
      const url = `${me}/messages/${encodeURIComponent(id)}?${query({ format: 'metadata', fields })}`;
      const answer = await calls.ask({ url, also: [404] }, signal);
      return answer.status === 404 ? undefined : readJson(answer, metadataSchema);
    },
    raw: async (id, bytesMax, signal) => {
      await budget.take(UNITS.get, 'later', signal);
      const url = `${me}/messages/${encodeURIComponent(id)}?${query({ format: 'raw', fields: 'raw' })}`;
      // The field alone, so that also what was cut can be read: four characters carry three bytes.
      const limit = { bytesMax: Math.ceil((bytesMax * 4) / 3) + 4096, deadlineMs: RAW_DEADLINE_MS };
      const answer = await calls.ask({ url, also: [404], ...limit }, signal);
      return answer.status === 404 ? undefined : rawOf(answer, bytesMax);
    },
    watch: async (topicName, signal) => {
      await budget.take(UNITS.watch, 'live', signal);
      return calls.json({ url: `${me}/watch`, method: 'POST', json: { topicName } }, watchSchema, signal);
    },
  };
}

/** Decodes the one field without parsing megabytes of JSON, and as far as it goes. */
function rawOf(answer: LineAnswer, bytesMax: number): { bytes: Buffer; truncated: boolean } {
  const start = RAW_PREFIX.exec(answer.bytes.toString('latin1', 0, 200))?.[0].length;
  const end = start === undefined ? -1 : answer.bytes.indexOf('"', start);
  if (start === undefined || (end === -1 && !answer.truncated)) throw unreadable('raw');
  const text = answer.bytes.toString('latin1', start, end === -1 ? answer.bytes.length : end);
  const bytes = Buffer.from(text, 'base64url');
  return { bytes: bytes.subarray(0, bytesMax), truncated: end === -1 || bytes.length > bytesMax };
}
