import type { ListedMail, MailboxSession, MailPage } from '../../../ports/mailbox.ts';
import { RESETS, readCursor } from '../api/cursor.ts';
import { headOf } from '../api/head.ts';
import { newestFirst, type Place } from '../api/newest-first.ts';
import type { JmapApi } from './api.ts';
import type { Folders } from './folders.ts';
import { backfillCursorSchema, type Email, type JmapPart, type LiveCursor, liveCursorSchema } from './schema.ts';

/**
 * A mailbox by JMAP. Live follows the changes of all mails behind a state. Where the server cannot tell them any more
 * (`cannotCalculateChanges`), the newest state is noted first and then everything since the given day is listed.
 */
type Methods = Omit<MailboxSession, 'closed' | 'close' | 'listen' | 'subscribe'>;

export function createJmapSession(api: JmapApi, folders: Folders): Methods {
  const listPage = async (place: Place, since: number, max: number, signal: AbortSignal) => {
    const watched = await folders.watched(signal);
    const folder = watched.size === 1 ? [...watched.keys()][0] : undefined;
    const page = await newestFirst(place, Math.min(max, api.getMax), api.getMax, (ask) =>
      api.list(folder, since, ask, signal),
    );
    const emails = page.items.map(({ email }) => email);
    return { mails: mailsOf(emails, watched, since), place: page.place, more: page.more };
  };

  const resetPage = async (at: LiveCursor, since: number, max: number, signal: AbortSignal): Promise<MailPage> => {
    const { mails, place, more } = await listPage(at.list ?? {}, since, max, signal);
    const cursor: LiveCursor = more ? { state: at.state, list: place } : { state: at.state };
    // After the list the changes go on from the state noted before it.
    return { mails, cursor: JSON.stringify(cursor), more: true };
  };

  const reset = async (why: string, since: number, max: number, signal: AbortSignal): Promise<MailPage> => {
    const state = await api.state(signal);
    return { ...(await resetPage({ state, list: {} }, since, max, signal)), reset: why };
  };

  return {
    folders: async (signal) =>
      (await folders.all(signal)).map(({ path, role }) => ({ name: path, ...(role === undefined ? {} : { role }) })),
    begin: async (signal) => JSON.stringify({ state: await api.state(signal) } satisfies LiveCursor),
    live: async ({ cursor, since, max }, signal) => {
      const at = readCursor(cursor, liveCursorSchema);
      if (at === undefined) return reset(RESETS.unreadable, since, max, signal);
      if (at.list !== undefined) return resetPage(at, since, max, signal);
      const changes = await api.changes(at.state, max, signal);
      if (changes === 'gone') return reset(RESETS.expired, since, max, signal);
      const mails = mailsOf(changes.emails, await folders.watched(signal), since);
      return { mails, cursor: JSON.stringify({ state: changes.state } satisfies LiveCursor), more: changes.more };
    },
    backfill: async ({ cursor, since, max }, signal) => {
      const { done, ...place } = cursor === undefined ? {} : (readCursor(cursor, backfillCursorSchema) ?? {});
      if (done === true) return { mails: [], cursor: JSON.stringify({ done }), more: false };
      const page = await listPage(place, since, max, signal);
      return { mails: page.mails, cursor: JSON.stringify(page.more ? page.place : { done: true }), more: page.more };
    },
    fetch: async (ref, bytesMax, signal) => {
      const raw = await api.download(ref.slice(ref.indexOf(';') + 1), bytesMax, signal);
      return raw === undefined ? { kind: 'vanished' } : { kind: 'mail', bytes: raw.bytes, truncated: raw.truncated };
    },
  };
}

function mailsOf(emails: readonly Email[], watched: ReadonlyMap<string, string>, since: number): readonly ListedMail[] {
  return emails.flatMap((email): ListedMail[] => {
    const folder = Object.keys(email.mailboxIds).find((id) => email.mailboxIds[id] === true && watched.has(id));
    if (folder === undefined || email.receivedAt < since) return [];
    const parts = partsOf(email.bodyStructure);
    return [
      {
        // The blob is the bytes themselves; the id tells two equal mails apart.
        ref: `${email.id};${email.blobId}`,
        folder: watched.get(folder)!,
        size: email.size,
        receivedAt: email.receivedAt,
        head: headOf(email.headers, 'raw'),
        ...(parts.length === 0 ? {} : { parts }),
      },
    ];
  });
}

const PARTS_MAX = 100;
const DEPTH_MAX = 32;

function partsOf(root: JmapPart | null | undefined): NonNullable<ListedMail['parts']> {
  const out: { type: string; name?: string; size?: number }[] = [];
  const walk = (part: JmapPart | null | undefined, depth: number): void => {
    if (!part || depth > DEPTH_MAX || out.length >= PARTS_MAX) return;
    if (part.subParts && part.subParts.length > 0) {
      for (const one of part.subParts) walk(one, depth + 1);
      return;
    }
    const { type, name, size } = part;
    if (!type) return;
    out.push({ type: type.toLowerCase(), ...(name ? { name } : {}), ...(typeof size === 'number' ? { size } : {}) });
  };
  walk(root, 0);
  return out;
}
