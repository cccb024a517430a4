import type { JmapApi } from './api.ts';

/** JMAP's mailboxes are folders here: their paths, roles, and which are watched. Looked at again now and then. */
export interface Folders {
  all(signal: AbortSignal): Promise<readonly JmapFolder[]>;
  watched(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
}

export interface JmapFolder {
  readonly id: string;
  readonly path: string;
  readonly role?: string;
}

const EXCLUDED = new Set(['junk', 'trash', 'sent', 'drafts']);
const LOOK_MS = 10 * 60_000;
const DEPTH_MAX = 20;

export function createFolders(
  api: JmapApi,
  wantedNames: readonly string[] | undefined,
  monotonic: () => number,
): Folders {
  const wanted = (wantedNames ?? []).map((one) => one.toLowerCase());
  let known: { readonly at: number; readonly folders: readonly JmapFolder[] } | undefined;
  const all = async (signal: AbortSignal): Promise<readonly JmapFolder[]> => {
    if (known !== undefined && monotonic() - known.at < LOOK_MS) return known.folders;
    const list = await api.mailboxes(signal);
    const byId = new Map(list.map((one) => [one.id, one]));
    const pathOf = (id: string, depth: number): string => {
      const { name, parentId } = byId.get(id)!;
      return parentId && byId.has(parentId) && depth < DEPTH_MAX ? `${pathOf(parentId, depth + 1)}/${name}` : name;
    };
    const folders = list.map(({ id, role }) => ({
      id,
      path: pathOf(id, 0),
      ...(role ? { role: role.toLowerCase() } : {}),
    }));
    known = { at: monotonic(), folders };
    return folders;
  };
  return {
    all,
    watched: async (signal) => {
      const chosen = (await all(signal)).filter(({ path, role, id }) =>
        wanted.length > 0
          ? [path, role, id].some((one) => one !== undefined && wanted.includes(one.toLowerCase()))
          : role === undefined || !EXCLUDED.has(role),
      );
      return new Map(chosen.map(({ id, path }) => [id, path]));
    },
  };
}
