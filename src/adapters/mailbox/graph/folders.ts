import type { GraphApi } from './api.ts';
import { settingsSchema } from './schema.ts';

/** The folders of a mailbox, their roles, and which are watched. Looked at again now and then: people make new ones. */
export interface Folders {
  all(signal: AbortSignal): Promise<readonly GraphFolder[]>;
  watched(signal: AbortSignal): Promise<readonly GraphFolder[]>;
  /** One of them is not there any more: all are looked at again when they are asked for next. */
  forget(): void;
}

export interface GraphFolder {
  readonly id: string;
  readonly path: string;
  readonly role?: string;
}

const ROLES: Readonly<Record<string, string>> = {
  inbox: 'inbox',
  archive: 'archive',
  junkemail: 'junk',
  deleteditems: 'trash',
  sentitems: 'sent',
  drafts: 'drafts',
  outbox: 'drafts',
};
const EXCLUDED = new Set(['junk', 'trash', 'sent', 'drafts']);
const LOOK_MS = 10 * 60_000;

export function createFolders(
  api: GraphApi,
  settings: Readonly<Record<string, unknown>>,
  monotonic: () => number,
): Folders {
  const wanted = settingsSchema.safeParse(settings).data?.folders?.map((one) => one.toLowerCase()) ?? [];
  let roles: Promise<ReadonlyMap<string, string>> | undefined;
  let known: { readonly at: number; readonly folders: readonly GraphFolder[] } | undefined;

  const readRoles = async (signal: AbortSignal): Promise<ReadonlyMap<string, string>> => {
    const ids = await Promise.all(Object.keys(ROLES).map((name) => api.wellKnown(name, signal)));
    const names = Object.values(ROLES);
    return new Map(ids.flatMap((id, index) => (id === undefined ? [] : [[id, names[index]!] as const])));
  };

  const all = async (signal: AbortSignal): Promise<readonly GraphFolder[]> => {
    if (known !== undefined && monotonic() - known.at < LOOK_MS) return known.folders;
    roles ??= readRoles(signal).catch((error: unknown) => {
      roles = undefined;
      throw error;
    });
    const roleOf = await roles;
    const folders = (await api.folders(signal)).map(({ id, path }) => {
      const role = roleOf.get(id);
      return { id, path, ...(role === undefined ? {} : { role }) };
    });
    known = { at: monotonic(), folders };
    return folders;
  };

  return {
    all,
    forget: () => {
      known = undefined;
    },
    watched: async (signal) => {
      const folders = await all(signal);
      const chosen = (folder: GraphFolder): boolean =>
        wanted.length > 0
          ? [folder.path, folder.role, folder.id].some((one) => one !== undefined && wanted.includes(one.toLowerCase()))
          : folder.role === undefined || !EXCLUDED.has(folder.role);
      // In one order, so that a round can be gone on with.
      return folders.filter(chosen).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}
