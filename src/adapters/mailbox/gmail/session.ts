import type { ListedMail, MailboxSession, MailPage } from '../../../ports/mailbox.ts';
import { RESETS, readCursor } from '../api/cursor.ts';
import { eachOf } from '../api/gate.ts';
import { headOf } from '../api/head.ts';
import type { GmailApi, Lane } from './api.ts';
import { EXCLUDED, type Labels } from './labels.ts';
import {
  backfillCursorSchema,
  type History,
  type ListPlace,
  type LiveCursor,
  liveCursorSchema,
  type Metadata,
} from './schema.ts';

/**
 * A mailbox by the Gmail API. Live follows the history of the mailbox; its cursor is the number of the last record that
 * was worked off, so that it holds over page tokens. Where the history no longer reaches back (404), the newest number
 * is noted first and then everything since the given day is listed: what comes meanwhile stands after that number.
 */
export interface GmailSessionOptions {
  readonly api: GmailApi;
  readonly labels: Labels;
  readonly topic: string | undefined;
  readonly now: () => number;
}

/** History records in a page; most add one mail. */
const RECORDS_MAX = 100;
/** The API's own limit on a list. */
const LIST_MAX = 500;
/** Pages of records that add nothing, before what was reached is stored. */
const EMPTY_PAGES_MAX = 20;
/** Heads asked for side by side. */
const HEADS_AT_ONCE = 6;

type Methods = Omit<MailboxSession, 'closed' | 'close' | 'listen'>;

export function createGmailSession({ api, labels, topic, now }: GmailSessionOptions): Methods {
  const listed = async (
    ids: readonly string[],
    since: number,
    lane: Lane,
    signal: AbortSignal,
  ): Promise<{ mails: readonly ListedMail[]; oldest: number | undefined }> => {
    const heads = await eachOf(ids, HEADS_AT_ONCE, (id) => api.head(id, lane, signal));
    const there = heads.filter((head) => head !== undefined);
    const wanted = await labels.watched(signal);
    const names = await labels.names(signal);
    const mails = there
      .filter((head) => wanted(head.labelIds) && Number(head.internalDate) >= since)
      .map((head) => mailOf(head, names));
    const times = there.map((head) => Number(head.internalDate));
    return { mails, oldest: times.length === 0 ? undefined : Math.floor(Math.min(...times) / 1000) };
  };

  const historyPage = async (at: LiveCursor, since: number, max: number, signal: AbortSignal): Promise<MailPage> => {
    const wanted = await labels.watched(signal);
    let { page } = at;
    for (let pages = 1; ; pages++) {
      const history = await api.history({ start: at.h, page, max: RECORDS_MAX }, signal);
      if (history === 'history-gone') return reset(RESETS.expired, since, max, signal);
      if (history === 'page-gone') {
        page = undefined;
        continue;
      }
      const { take, cursor, more } = cut(added(history, wanted), history, { ...at, page }, max);
      if (take.length > 0 || !more || pages >= EMPTY_PAGES_MAX) {
        const { mails } = await listed(take, since, 'live', signal);
        return { mails, cursor: JSON.stringify(cursor), more };
      }
      page = history.nextPageToken;
    }
  };

  /** A page of `messages.list`, newest first. */
  const listPage = async (place: ListPlace, since: number, max: number, lane: Lane, signal: AbortSignal) => {
    const after = Math.max(0, Math.floor(since / 1000) - 1);
    const label = await labels.only(signal);
    const ask = (page: string | undefined, before: number | undefined) =>
      api.list({ after, before, label, page, max: Math.min(max, LIST_MAX) }, lane, signal);
    // A token that no longer holds: on from the oldest mail listed, some of which come again.
    const again = place.oldest === undefined ? undefined : place.oldest + 1;
    let list = await ask(place.page, undefined);
    if (list === 'page-gone') list = await ask(undefined, again);
    if (list === 'page-gone') return { mails: [], next: undefined };
    const { mails, oldest } = await listed(list.messages.map(({ id }) => id).slice(0, max), since, lane, signal);
    const next = list.nextPageToken;
    return { mails, next: next === undefined ? undefined : { page: next, oldest: oldest ?? place.oldest } };
  };

  const reset = async (why: string, since: number, max: number, signal: AbortSignal): Promise<MailPage> => {
    const { historyId } = await api.profile(signal);
    return { ...(await resetPage({ h: historyId, list: {} }, since, max, signal)), reset: why };
  };

  const resetPage = async (at: LiveCursor, since: number, max: number, signal: AbortSignal): Promise<MailPage> => {
    const { mails, next } = await listPage(at.list ?? {}, since, max, 'live', signal);
    const cursor: LiveCursor = next === undefined ? { h: at.h } : { h: at.h, list: next };
    // After the list the history goes on from the number noted before it.
    return { mails, cursor: JSON.stringify(cursor), more: true };
  };

  return {
    folders: (signal) => labels.folders(signal),
    begin: async (signal) => JSON.stringify({ h: (await api.profile(signal)).historyId } satisfies LiveCursor),
    live: async ({ cursor, since, max }, signal) => {
      const at = readCursor(cursor, liveCursorSchema);
      if (at === undefined) return reset(RESETS.unreadable, since, max, signal);
      if (at.list !== undefined) return resetPage(at, since, max, signal);
      return historyPage(at, since, max, signal);
    },
    backfill: async ({ cursor, since, max }, signal) => {
      const at = cursor === undefined ? {} : (readCursor(cursor, backfillCursorSchema) ?? {});
      if (at.done === true) return { mails: [], cursor: JSON.stringify({ done: true }), more: false };
      const { mails, next } = await listPage(at, since, max, 'later', signal);
      return { mails, cursor: JSON.stringify(next ?? { done: true }), more: next !== undefined };
    },
    fetch: async (ref, bytesMax, signal) => {
      const raw = await api.raw(ref, bytesMax, signal);
      return raw === undefined ? { kind: 'vanished' } : { kind: 'mail', ...raw };
    },
    ...(topic === undefined
      ? {}
      : {
          subscribe: async (_state, signal) => {
            const { expiration } = await api.watch(topic, signal);
            const left = Math.max(0, Number(expiration) - now());
            return { state: JSON.stringify({ expiration }), renewAt: now() + Math.floor(left / 2) };
          },
        }),
  } satisfies Methods;
}

interface Added {
  readonly record: string;
  readonly id: string;
}

/** The mails that a page of history adds to what is watched, each once, in order. */
function added(history: History, wanted: (labels: readonly string[]) => boolean): readonly Added[] {
  const found = new Map<string, Added>();
  for (const record of history.history) {
    // Also what gets a label later (out of the junk, by a filter): it is new to us then.
    const ids = [...record.messagesAdded, ...record.labelsAdded.filter(({ labelIds }) => labelIds.some(moves))]
      .filter(({ message }) => message.labelIds.length === 0 || wanted(message.labelIds))
      .map(({ message }) => message.id);
    for (const id of ids) if (!found.has(id)) found.set(id, { record: record.id, id });
  }
  return [...found.values()];
}

/** Labels that are places, not marks such as UNREAD, STARRED or a category. */
function moves(label: string): boolean {
  return label === 'INBOX' || label.startsWith('Label_');
}

/** So many of them, and the cursor behind: at a record's end where that can be, else within the record. */
function cut(
  all: readonly Added[],
  history: History,
  at: LiveCursor,
  max: number,
): { readonly take: readonly string[]; readonly cursor: LiveCursor; readonly more: boolean } {
  const skip = at.skip ?? 0;
  const rest = all.slice(skip);
  const take = rest.slice(0, max);
  const next = rest[take.length];
  const ids = take.map(({ id }) => id);
  if (next === undefined) {
    if (history.nextPageToken === undefined) return { take: ids, cursor: { h: history.historyId }, more: false };
    const last = history.history.at(-1);
    const cursor = last === undefined ? { h: at.h, page: history.nextPageToken } : { h: last.id };
    return { take: ids, cursor, more: true };
  }
  const last = take.at(-1)!;
  if (next.record !== last.record) return { take: ids, cursor: { h: last.record }, more: true };
  // A record of many mails: so many of it are done.
  const first = all.findIndex(({ record }) => record === last.record);
  const before = all[first - 1];
  const done = all.indexOf(last) - first + 1;
  if (before === undefined) return { take: ids, cursor: { ...at, skip: skip + take.length }, more: true };
  return { take: ids, cursor: { h: before.record, skip: done }, more: true };
}

function mailOf(head: Metadata, names: ReadonlyMap<string, string>): ListedMail {
  const place =
    head.labelIds.find((id) => id === 'INBOX') ??
    head.labelIds.find((id) => EXCLUDED.has(id)) ??
    head.labelIds.find((id) => id.startsWith('Label_')) ??
    'ARCHIVE';
  return {
    ref: head.id,
    folder: names.get(place) ?? place,
    size: head.sizeEstimate,
    receivedAt: Number(head.internalDate),
    head: headOf(head.payload.headers),
  };
}
