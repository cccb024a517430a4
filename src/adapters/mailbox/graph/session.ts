import { TripwatchError } from '../../../domain/errors.ts';
import type { ListedMail, MailboxSession, MailPage } from '../../../ports/mailbox.ts';
import { RESETS, readCursor } from '../api/cursor.ts';
import { eachOf } from '../api/gate.ts';
import { newestFirst, type Place } from '../api/newest-first.ts';
import { type GraphApi, LIST_MAX } from './api.ts';
import type { Folders, GraphFolder } from './folders.ts';
import { hasHeaders, mailOf } from './head.ts';
import { backfillCursorSchema, type LiveCursor, liveCursorSchema, type Message } from './schema.ts';

/**
 * A mailbox by Microsoft Graph. Live follows the changes of each watched folder by its own delta link and looks up each
 * new mail. A folder that is new to us, or whose link no longer holds, gets a fresh link first and is then listed once
 * from `since` on: what comes meanwhile stands behind the link. Lists go by time and not by Graph's `$skip` pages, which
 * slip; and not by the first round of a delta, which ends silently at 5,000 mails.
 */
export interface GraphSessionOptions {
  readonly api: GraphApi;
  readonly folders: Folders;
}

/** Graph serves as many of one mailbox at a time; what is more waits at the gate. */
const HEADS_AT_ONCE = 4;
/** Mails of a delta page: each costs a call. */
const DELTA_MAX = 50;
/** Bodies of that many header blocks stay below the bound of an answer. */
const PAGE_MAX = 200;

type Methods = Omit<MailboxSession, 'closed' | 'close' | 'listen' | 'subscribe'>;

export function createGraphSession({ api, folders }: GraphSessionOptions): Methods {
  /** Undefined: the folder is not there any more. */
  const freshLink = async (folder: GraphFolder, signal: AbortSignal): Promise<string | undefined> => {
    const link = await api.deltaFromNow(folder.id, signal);
    if (link === 'no-folder') return undefined;
    if (link !== 'gone') return link;
    throw new TripwatchError('transient', 'provider-failed', 'The provider failed on its side. It is asked again.');
  };

  /** With headers, by the list or one by one; those that are gone meanwhile are left out. */
  const complete = async (found: readonly Message[], signal: AbortSignal): Promise<readonly Message[]> =>
    (await eachOf(found, HEADS_AT_ONCE, async (one) => (hasHeaders(one) ? one : api.message(one.id, signal)))).filter(
      (one) => one !== undefined,
    );

  /** A page of a folder's list (or of all folders), newest first. */
  const listPage = async (
    place: Place,
    folder: string | undefined,
    names: ReadonlyMap<string, string>,
    since: number,
    max: number,
    signal: AbortSignal,
  ): Promise<{ mails: readonly ListedMail[]; place: Place; more: boolean }> => {
    const page = await newestFirst(place, Math.min(max, PAGE_MAX), LIST_MAX, async (ask) =>
      (await api.list(folder, since, ask, signal)).map((message) => ({
        id: message.id,
        receivedAt: message.receivedDateTime,
        message,
      })),
    );
    const watched = page.items
      .map(({ message }) => message)
      .filter(({ parentFolderId, isDraft }) => names.has(parentFolderId) && !isDraft);
    const mails = (await complete(watched, signal)).map((message) =>
      mailOf(message, names.get(message.parentFolderId) ?? ''),
    );
    return { mails: mails.filter(({ receivedAt }) => receivedAt >= since), place: page.place, more: page.more };
  };

  const deltaMails = async (ids: readonly string[], name: string, since: number, signal: AbortSignal) => {
    const found = await eachOf([...new Set(ids)], HEADS_AT_ONCE, (id) => api.message(id, signal));
    return (
      found
        .filter((one) => one !== undefined)
        .filter(({ receivedDateTime, isDraft }) => receivedDateTime >= since && !isDraft)
        .map((one) => mailOf(one, name))
        // Graph promises no order within a page.
        .sort((a, b) => a.receivedAt - b.receivedAt)
    );
  };

  const namesOf = (all: readonly GraphFolder[]) => new Map(all.map(({ id, path }) => [id, path]));

  return {
    folders: async (signal) =>
      (await folders.all(signal)).map(({ path, role }) => ({ name: path, ...(role === undefined ? {} : { role }) })),
    begin: async (signal) => {
      const watched = await folders.watched(signal);
      const links = await eachOf(watched, HEADS_AT_ONCE, (folder) => freshLink(folder, signal));
      const cursor: LiveCursor = { folders: {} };
      for (const [index, { id }] of watched.entries()) {
        const link = links[index];
        if (link !== undefined) cursor.folders[id] = { link };
      }
      return JSON.stringify(cursor);
    },
    live: async ({ cursor, since, max }, signal): Promise<MailPage> => {
      const read = readCursor(cursor, liveCursorSchema);
      const watched = await folders.watched(signal);
      const names = namesOf(watched);
      const at: LiveCursor = read ?? { folders: {} };
      // Folders that are gone, or no longer watched, are forgotten.
      const places = new Map(Object.entries(at.folders).filter(([id]) => names.has(id)));
      const told = (reset: string | undefined) => (reset === undefined ? {} : { reset });
      let reset: string | undefined = read === undefined ? RESETS.unreadable : undefined;
      const page = (mails: readonly ListedMail[], next: string | undefined): MailPage => {
        const folders = Object.fromEntries(places);
        const text = JSON.stringify({ folders, ...(next === undefined ? {} : { next }) } satisfies LiveCursor);
        return { mails, cursor: text, more: next !== undefined, ...told(reset) };
      };
      const from = Math.max(
        0,
        watched.findIndex(({ id }) => id === at.next),
      );
      for (const [index, folder] of watched.slice(from).entries()) {
        const following = watched[from + index + 1]?.id;
        const known = places.get(folder.id);
        const delta =
          known === undefined || known.list !== undefined
            ? undefined
            : await api.delta(known.link, Math.min(max, DELTA_MAX), signal);
        if (typeof delta === 'object') {
          const mails = await deltaMails(delta.ids, folder.path, since, signal);
          places.set(folder.id, { link: delta.link });
          const next = delta.more ? folder.id : following;
          if (mails.length > 0 || delta.more || next === undefined) return page(mails, next);
          continue;
        }
        if (delta === 'gone') reset ??= RESETS.expired;
        const listing = known !== undefined && delta === undefined;
        const link = delta === 'no-folder' ? undefined : listing ? known.link : await freshLink(folder, signal);
        if (link === undefined) {
          // Removed by its owner. Should it be there after all, it is new to us, and listed from `since` on.
          places.delete(folder.id);
          folders.forget();
          if (following === undefined) return page([], undefined);
          continue;
        }
        const list = await listPage(known?.list ?? {}, folder.id, names, since, max, signal);
        // After the list the changes go on from the link that is older than it.
        places.set(folder.id, list.more ? { link, list: list.place } : { link });
        return page(list.mails, folder.id);
      }
      return page([], undefined);
    },
    backfill: async ({ cursor, since, max }, signal) => {
      const at = cursor === undefined ? {} : (readCursor(cursor, backfillCursorSchema) ?? {});
      const { done, ...place } = at;
      if (done === true) return { mails: [], cursor: JSON.stringify({ done }), more: false };
      const watched = await folders.watched(signal);
      const folder = watched.length === 1 ? watched[0]!.id : undefined;
      const page = await listPage(place, folder, namesOf(watched), since, max, signal);
      return { mails: page.mails, cursor: JSON.stringify(page.more ? page.place : { done: true }), more: page.more };
    },
    fetch: async (ref, bytesMax, signal) => {
      const raw = await api.raw(ref, bytesMax, signal);
      return raw === undefined ? { kind: 'vanished' } : { kind: 'mail', bytes: raw.bytes, truncated: raw.truncated };
    },
  };
}
