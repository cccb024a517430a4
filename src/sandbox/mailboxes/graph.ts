import { createHash } from 'node:crypto';
import { type BoxMail, headersOf, type MailBox } from './box.ts';
import { createGraphSubscriptions, failure, type GraphSubscriptions } from './graph-subscriptions.ts';
import { bearerOf, type MailCall, type MailReply, Switchboard, startMailServer } from './server.ts';

/** Microsoft Graph mail for one mailbox: folders, delta, lists, $value, subscriptions. Errors in Graph's form. */
export interface GraphFake {
  readonly url: string;
  readonly board: Switchboard;
  readonly subscriptions: GraphSubscriptions;
  /** How it says that a place in the changes is gone: both occur. */
  goneStatus: 400 | 410;
  /** Lists leave the headers out, as for mails that were not received. */
  headersInLists: boolean;
  /** Mails have no headers at all: put there by an import. */
  noHeaders: boolean;
  /** Calls under way at once before Graph says 429. */
  concurrentMax: number;
  close(): Promise<void>;
}

export interface GraphFakeOptions {
  readonly box: MailBox;
  readonly now: () => number;
  /** `scope`: good, but not for reading mails. */
  readonly accepts: (token: string) => boolean | 'scope';
  readonly port?: number;
}

const WELL_KNOWN: Readonly<Record<string, string>> = {
  inbox: 'inbox',
  archive: 'archive',
  junkemail: 'junk',
  deleteditems: 'trash',
  sentitems: 'sent',
  drafts: 'drafts',
};
const NAMES: Readonly<Record<string, string>> = {
  inbox: 'Inbox',
  archive: 'Archive',
  junk: 'Junk Email',
  trash: 'Deleted Items',
  sent: 'Sent Items',
  drafts: 'Drafts',
};
/** A filtered first round of a delta ends here, without a word. */
const FILTERED_MAX = 5000;

export async function startGraphFake(options: GraphFakeOptions): Promise<GraphFake> {
  const { box, now, accepts } = options;
  const board = new Switchboard();
  const subscriptions = createGraphSubscriptions(now);
  let running = 0;

  const idOf = (folder: string): string =>
    `AAMkFolder${createHash('sha256').update(folder).digest('base64url').slice(0, 20)}=`;
  const folderOf = (id: string): string | undefined =>
    WELL_KNOWN[id] ?? box.folders.find((folder) => idOf(folder.id) === id)?.id;
  /** Without `ImmutableId` the id changes when a mail is moved. */
  const mailId = (mail: BoxMail, call: MailCall): string =>
    immutable(call) ? mail.id : `${mail.id}-${idOf(mail.folder).slice(10, 14)}`;
  const byId = (id: string, call: MailCall): BoxMail | undefined => {
    const mail = box.get(id.slice(0, 16));
    return mail !== undefined && mailId(mail, call) === id ? mail : undefined;
  };

  function view(mail: BoxMail, call: MailCall, select: readonly string[], inList: boolean): Record<string, unknown> {
    const headers = headersOf(mail.bytes);
    const header = (name: string) => headers.find((one) => one.name.toLowerCase() === name)?.value;
    const all: Record<string, unknown> = {
      receivedDateTime: iso(mail.receivedAt),
      parentFolderId: idOf(mail.folder),
      isDraft: mail.folder === 'drafts',
      internetMessageId: header('message-id') ?? null,
      subject: header('subject') ?? '',
      sentDateTime: iso(Date.parse(header('date') ?? '') || mail.receivedAt),
      from: { emailAddress: { name: 'Sender', address: /<(.+)>/.exec(header('from') ?? '')?.[1] ?? null } },
      toRecipients: [{ emailAddress: { name: null, address: box.address } }],
      ...(fake.noHeaders || (inList && !fake.headersInLists) ? {} : { internetMessageHeaders: headers }),
    };
    const expand = call.url.searchParams.get('$expand') ?? '';
    return {
      '@odata.etag': `W/"${mail.id}"`,
      id: mailId(mail, call),
      ...Object.fromEntries(Object.entries(all).filter(([name]) => select.includes(name))),
      // Graph writes the id of the property in its own way.
      ...(/0x0?E08/i.test(expand)
        ? { singleValueExtendedProperties: [{ id: 'Integer 0xe08', value: String(mail.bytes.byteLength + 312) }] }
        : {}),
    };
  }

  const selectOf = (call: MailCall): string[] => (call.url.searchParams.get('$select') ?? 'subject').split(',');
  const withLink = (call: MailCall, name: string, values: Readonly<Record<string, string>>): Record<string, string> => {
    const url = new URL(call.url.pathname, `http://${call.headers.host}`);
    for (const [key, value] of Object.entries(values)) url.searchParams.set(key, value);
    return { [`@odata.${name}`]: url.toString() };
  };

  /** Rounds: the first gives what is there, later ones what changed. The state stands in the token. */
  function delta(call: MailCall, folder: string): MailReply {
    const query = call.url.searchParams;
    const token = query.get('$deltatoken') ?? query.get('$skiptoken');
    const size = Number(/odata\.maxpagesize=(\d+)/.exec(call.headers.prefer ?? '')?.[1] ?? 10);
    const state = token === null ? firstState(query) : stateOf(token);
    if (state === undefined) return failure(400, 'SyncStateInvalid');
    if (state.seq < box.floor) {
      return fake.goneStatus === 410 ? failure(410, 'syncStateNotFound') : failure(400, 'BadRequest', 'resyncRequired');
    }
    const all = state.first ? firstRound(folder, state) : laterRound(call, folder, state);
    const page = all.slice(state.at, state.at + size);
    const last = state.at + page.length >= all.length;
    const value = page.map((one) =>
      'gone' in one ? { id: one.gone, '@removed': { reason: 'deleted' } } : view(one.mail, call, state.select, true),
    );
    const link = last
      ? withLink(call, 'deltaLink', {
          $deltatoken: tokenOf({ ...state, first: false, seq: state.until, at: 0, until: 0 }),
        })
      : withLink(call, 'nextLink', {
          $skiptoken: tokenOf(
            state.first ? { ...state, at: state.at + page.length } : { ...state, seq: page.at(-1)!.seq },
          ),
        });
    return { status: 200, body: { '@odata.context': 'https://graph.example/$metadata', value, ...link } };
  }

  function firstState(query: URLSearchParams): DeltaState | undefined {
    const filter = query.get('$filter');
    const from = filter === null ? 0 : Date.parse(/^receivedDateTime g[et] (\S+)$/.exec(filter)?.[1] ?? '');
    if (Number.isNaN(from)) return undefined;
    const kinds = query.get('changeType') ?? 'created,updated,deleted';
    return {
      first: true,
      seq: box.seq,
      until: box.seq,
      at: 0,
      from,
      filtered: filter !== null,
      kinds,
      select: query.get('$select')?.split(',') ?? ['subject'],
    };
  }

  function firstRound(folder: string, state: DeltaState): readonly DeltaItem[] {
    const found = box.newestFirst().filter((mail) => mail.folder === folder && mail.receivedAt >= state.from);
    return (state.filtered ? found.slice(0, FILTERED_MAX) : found).map((mail) => ({ mail, seq: 0 }));
  }

  function laterRound(call: MailCall, folder: string, state: DeltaState): readonly DeltaItem[] {
    // A round is of one moment: what comes meanwhile stands in the next.
    state.until ||= box.seq;
    const found = new Map<string, DeltaItem>();
    for (const { mail: id, kind, folder: where, from, seq } of box.since(state.seq)) {
      if (seq > state.until) break;
      const mail = box.get(id);
      const came = where === folder && (kind === 'created' || kind === 'moved');
      const went = kind === 'removed' ? where === folder : kind === 'moved' && from === folder;
      if (went || (mail === undefined && came)) {
        found.delete(id);
        if (state.kinds.includes('deleted')) found.set(id, { gone: id, seq });
      } else if (mail !== undefined && mail.folder === folder && mail.receivedAt >= state.from) {
        const wanted = came ? 'created' : 'updated';
        if (state.kinds.includes(wanted) && !found.has(mailId(mail, call)))
          found.set(mailId(mail, call), { mail, seq });
      }
    }
    return [...found.values()].sort((a, b) => a.seq - b.seq);
  }

  function list(call: MailCall, folder: string | undefined): MailReply {
    const query = call.url.searchParams;
    const filter = query.get('$filter') ?? '';
    const ge = Date.parse(/receivedDateTime ge (\S+)/.exec(filter)?.[1] ?? '1970-01-01T00:00:00Z');
    const lt = Date.parse(/receivedDateTime lt (\S+)/.exec(filter)?.[1] ?? '9999-01-01T00:00:00Z');
    if (Number.isNaN(ge) || Number.isNaN(lt)) return failure(400, 'BadRequest');
    if (query.get('$orderby') !== 'receivedDateTime desc') return failure(400, 'InefficientFilter');
    const top = Number(query.get('$top') ?? 10);
    if (!Number.isInteger(top) || top < 1 || top > 1000) return failure(400, 'ErrorInvalidPagingParameters');
    const skip = Number(query.get('$skip') ?? 0);
    const all = box
      .newestFirst()
      .filter(
        (mail) => (folder === undefined || mail.folder === folder) && mail.receivedAt >= ge && mail.receivedAt < lt,
      );
    const page = all.slice(skip, skip + top);
    const more = skip + page.length < all.length;
    return {
      status: 200,
      body: {
        value: page.map((mail) => view(mail, call, selectOf(call), true)),
        ...(more
          ? withLink(call, 'nextLink', { ...Object.fromEntries(query), $skip: String(skip + page.length) })
          : {}),
      },
    };
  }

  function folders(id: string | undefined): MailReply {
    const shown = (folder: { id: string; name: string }) => ({
      id: idOf(folder.id),
      displayName: NAMES[folder.id] ?? folder.name,
      childFolderCount: 0,
    });
    if (id === undefined) return { status: 200, body: { value: box.folders.map(shown) } };
    const folder = box.folders.find((one) => one.id === folderOf(id));
    return folder === undefined ? failure(404, 'ErrorFolderNotFound') : { status: 200, body: shown(folder) };
  }

  async function answer(call: MailCall): Promise<MailReply> {
    const [version, me, things, id, ...rest] = call.path;
    board.calls.push(`${call.method} ${[me, things, rest.join('/')].filter(Boolean).join('/')}`);
    const good = accepts(bearerOf(call) ?? '');
    if (good === false) return failure(401, 'InvalidAuthenticationToken');
    if (good === 'scope') return failure(403, 'ErrorAccessDenied');
    if (version !== 'v1.0') return failure(404, 'ResourceNotFound');
    if (me === 'subscriptions') return subscriptions.answer(call);
    if (me !== 'me') return failure(404, 'ResourceNotFound');
    if (++running > fake.concurrentMax) {
      running--;
      return { ...failure(429, 'ApplicationThrottled', 'MailboxConcurrency'), headers: { 'retry-after': '1' } };
    }
    try {
      await new Promise(setImmediate);
      return mailbox(call, things, id, rest.join('/'));
    } finally {
      running--;
    }
  }

  function mailbox(call: MailCall, things: string | undefined, id: string | undefined, rest: string): MailReply {
    const folder = id === undefined ? undefined : folderOf(id);
    if (call.method !== 'GET') return failure(405, 'BadRequest');
    if (things === 'mailFolders' && rest === '') return folders(id);
    if (things === 'mailFolders' && folder === undefined) return failure(404, 'ErrorFolderNotFound');
    if (things === 'mailFolders' && rest === 'messages/delta') return delta(call, folder!);
    if (things === 'mailFolders' && rest === 'messages') return list(call, folder);
    if (things !== 'messages') return failure(404, 'ResourceNotFound');
    if (id === undefined) return list(call, undefined);
    const mail = byId(id, call);
    if (mail === undefined) return failure(404, 'ErrorItemNotFound');
    if (rest === '$value') {
      // Graph writes the mail anew: not the bytes that came.
      const bytes = Buffer.concat([Buffer.from('X-MS-Exchange-Written: anew\r\n'), mail.bytes]);
      return { status: 200, bytes, headers: { 'content-type': 'text/plain' } };
    }
    return rest === ''
      ? { status: 200, body: view(mail, call, selectOf(call), false) }
      : failure(404, 'ResourceNotFound');
  }

  const server = await startMailServer(board, answer, options.port);
  const fake: GraphFake = {
    url: server.url,
    board,
    subscriptions,
    goneStatus: 410,
    headersInLists: true,
    noHeaders: false,
    concurrentMax: 4,
    close: () => server.close(),
  };
  return fake;
}

type DeltaItem = { readonly seq: number } & ({ readonly mail: BoxMail } | { readonly gone: string });

interface DeltaState {
  readonly first: boolean;
  readonly seq: number;
  /** Of this round; 0: not begun. */
  until: number;
  readonly at: number;
  readonly from: number;
  readonly filtered: boolean;
  readonly kinds: string;
  readonly select: readonly string[];
}

function tokenOf(state: DeltaState): string {
  return Buffer.from(JSON.stringify(state)).toString('base64url');
}

function stateOf(token: string): DeltaState | undefined {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString()) as DeltaState;
  } catch {
    return undefined;
  }
}

function immutable(call: MailCall): boolean {
  return /IdType="ImmutableId"/.test(call.headers.prefer ?? '');
}

function iso(epochMs: number): string {
  return new Date(Math.floor(epochMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
