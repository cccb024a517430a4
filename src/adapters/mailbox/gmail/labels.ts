import type { GmailApi } from './api.ts';
import { settingsSchema } from './schema.ts';

/** Labels stand for folders: which there are, and which mails are watched by them. */
export interface Labels {
  folders(signal: AbortSignal): Promise<readonly { readonly name: string; readonly role?: string }[]>;
  names(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Whether a mail with these labels is watched. */
  watched(signal: AbortSignal): Promise<(labelIds: readonly string[]) => boolean>;
  /** The one label that is watched, so that a list can be narrowed to it. */
  only(signal: AbortSignal): Promise<string | undefined>;
}

const ROLES: Readonly<Record<string, string>> = {
  INBOX: 'inbox',
  SPAM: 'junk',
  TRASH: 'trash',
  SENT: 'sent',
  DRAFT: 'drafts',
};
/** What is not watched unless it is named, whatever other labels it has. */
export const EXCLUDED: ReadonlySet<string> = new Set(['SPAM', 'TRASH', 'DRAFT', 'CHAT']);

export function createLabels(api: GmailApi, settings: Readonly<Record<string, unknown>>): Labels {
  const wanted = settingsSchema.safeParse(settings).data?.folders?.map((one) => one.toLowerCase());
  const named = wanted !== undefined && wanted.length > 0;
  let known: Promise<Awaited<ReturnType<GmailApi['labels']>>> | undefined;
  const all = (signal: AbortSignal) => {
    known ??= api.labels(signal).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  const chosen = async (signal: AbortSignal): Promise<ReadonlySet<string> | undefined> => {
    if (!named) return undefined;
    const labels = await all(signal);
    return new Set(
      labels.filter(({ id, name }) => [id, name].some((one) => wanted.includes(one.toLowerCase()))).map(({ id }) => id),
    );
  };
  return {
    folders: async (signal) =>
      (await all(signal))
        .filter(({ id, type }) => type === 'user' || id in ROLES)
        .map(({ id, name }) => ({ name, ...(ROLES[id] === undefined ? {} : { role: ROLES[id] }) })),
    names: async (signal) => new Map((await all(signal)).map(({ id, name }) => [id, name])),
    watched: async (signal) => {
      const ids = await chosen(signal);
      if (ids !== undefined) return (labelIds) => labelIds.some((id) => ids.has(id));
      return (labelIds) =>
        !labelIds.some((id) => EXCLUDED.has(id)) && (!labelIds.includes('SENT') || labelIds.includes('INBOX'));
    },
    only: async (signal) => {
      const ids = await chosen(signal);
      return ids?.size === 1 ? [...ids][0] : undefined;
    },
  };
}
