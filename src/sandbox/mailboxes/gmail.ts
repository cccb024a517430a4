import { type BoxChange, headersOf, type MailBox } from './box.ts';
import { bearerOf, type MailCall, type MailReply, type MailServer, Switchboard, startMailServer } from './server.ts';

/** The Gmail API for one mailbox: labels, history, lists, quota by units, watch. Errors in Google's form. */
export interface GmailFake {
  readonly url: string;
  readonly board: Switchboard;
  /** Units used since the start. */
  units: number;
  /** Units in a window of one minute of the clock, before Google says 403. */
  unitsPerMinute: number;
  /** How a quota error is said: both occur. */
  quotaStatus: 403 | 429;
  /** Page tokens given until now are refused. */
  forgetPages(): void;
  /** A record of history holds so many mails when they come together. */
  recordsOf: number;
  /** Set by `watch`: until when Gmail publishes, epoch ms. */
  watchedUntil: number | undefined;
  watchedTopic: string | undefined;
  close(): Promise<void>;
}

export interface GmailFakeOptions {
  readonly box: MailBox;
  readonly now: () => number;
  /** Whether a token opens the mailbox: `scope` when it is good but not for reading. */
  readonly accepts: (token: string) => boolean | 'scope';
  readonly port?: number;
}

const LABEL_OF: Readonly<Record<string, string | undefined>> = {
  inbox: 'INBOX',
  junk: 'SPAM',
  trash: 'TRASH',
  sent: 'SENT',
  drafts: 'DRAFT',
};
const UNITS: Readonly<Record<string, number>> = {
  profile: 1,
  labels: 1,
  history: 2,
  list: 5,
  get: 20,
  watch: 100,
  stop: 50,
};
const WEEK_MS = 7 * 86_400_000;

export async function startGmailFake(options: GmailFakeOptions): Promise<GmailFake> {
  const { box, now, accepts } = options;
  const board = new Switchboard();
  let generation = 0;
  let minute = -1;
  let used = 0;

  const labelsOf = (folder: string, read = false): string[] => {
    const label = folder in LABEL_OF ? LABEL_OF[folder] : folder === 'archive' ? undefined : `Label_${folder}`;
    return [...(label === undefined ? [] : [label]), ...(read ? [] : ['UNREAD'])];
  };
  const pageToken = (kind: string, at: number): string =>
    Buffer.from(`${generation}/${kind}/${at}`).toString('base64url');
  const pageOf = (token: string | null, kind: string): number | undefined => {
    if (token === null) return 0;
    const [given, of, at] = Buffer.from(token, 'base64url').toString().split('/');
    return Number(given) === generation && of === kind ? Number(at) : undefined;
  };

  function spend(method: string): MailReply | undefined {
    const window = Math.floor(now() / 60_000);
    if (window !== minute) {
      minute = window;
      used = 0;
    }
    const units = UNITS[method] ?? 1;
    used += units;
    fake.units += units;
    if (used <= fake.unitsPerMinute) return undefined;
    return failure(fake.quotaStatus, 'rateLimitExceeded', 'RESOURCE_EXHAUSTED', 'usageLimits');
  }

  function history(call: MailCall): MailReply {
    const query = call.url.searchParams;
    const start = Number(query.get('startHistoryId'));
    if (!/^\d+$/.test(query.get('startHistoryId') ?? '')) return failure(400, 'invalidArgument', 'INVALID_ARGUMENT');
    if (start < box.floor) return failure(404, 'notFound', 'NOT_FOUND');
    const from = pageOf(query.get('pageToken'), `history${start}`);
    if (from === undefined) return failure(400, 'invalidArgument', 'INVALID_ARGUMENT');
    const types = new Set(query.getAll('historyTypes'));
    const records = recordsOf(box.since(start), types);
    const max = clamp(query.get('maxResults'), 100, 500);
    const page = records.slice(from, from + max);
    const next = from + page.length;
    return {
      status: 200,
      body: {
        ...(page.length === 0 ? {} : { history: page }),
        historyId: String(box.seq),
        ...(next < records.length ? { nextPageToken: pageToken(`history${start}`, next) } : {}),
      },
    };
  }

  /** Records in the order of their numbers; mails that came together may share one. */
  function recordsOf(changes: readonly BoxChange[], types: ReadonlySet<string>): unknown[] {
    const wanted = changes.filter(
      ({ kind }) => (kind === 'created' && types.has('messageAdded')) || (kind === 'moved' && types.has('labelAdded')),
    );
    const records: unknown[] = [];
    for (let i = 0; i < wanted.length; ) {
      const change = wanted[i]!;
      const group =
        change.kind === 'created'
          ? wanted.slice(i, i + fake.recordsOf).filter((one) => one.kind === 'created')
          : [change];
      i += group.length;
      const message = ({ mail, folder }: BoxChange) => ({
        id: mail,
        threadId: mail,
        labelIds: labelsOf(box.get(mail)?.folder ?? folder, box.get(mail)?.read),
      });
      records.push({
        id: String(group.at(-1)!.seq),
        messages: group.map((one) => ({ id: one.mail, threadId: one.mail })),
        ...(change.kind === 'created'
          ? { messagesAdded: group.map((one) => ({ message: message(one) })) }
          : { labelsAdded: [{ message: message(change), labelIds: labelsOf(change.folder, true) }] }),
      });
    }
    return records;
  }

  function list(call: MailCall): MailReply {
    const query = call.url.searchParams;
    const q = query.get('q') ?? '';
    const from = pageOf(query.get('pageToken'), `list${q}`);
    if (from === undefined) return failure(400, 'invalidArgument', 'INVALID_ARGUMENT');
    const after = Number(/(?:^| )after:(\d+)/.exec(q)?.[1] ?? 0) * 1000;
    const before = Number(/(?:^| )before:(\d+)/.exec(q)?.[1] ?? Number.MAX_SAFE_INTEGER) * 1000;
    const labels = query.getAll('labelIds');
    const found = box
      .newestFirst()
      .filter(({ receivedAt }) => receivedAt >= after && receivedAt < before)
      .filter(({ folder }) => labels.every((label) => labelsOf(folder).includes(label)))
      .filter(({ folder }) => labels.length > 0 || (folder !== 'junk' && folder !== 'trash'));
    const max = clamp(query.get('maxResults'), 100, 500);
    // As with the true one, a token means "older than what was listed", however much came or went since.
    const start = from === 0 ? 0 : found.findIndex(({ id }) => (order.get(id) ?? 0) < from);
    const page = start === -1 ? [] : found.slice(start, start + max);
    const more = start !== -1 && start + page.length < found.length;
    return {
      status: 200,
      body: {
        ...(page.length === 0 ? {} : { messages: page.map(({ id }) => ({ id, threadId: id })) }),
        ...(more ? { nextPageToken: pageToken(`list${q}`, order.get(page.at(-1)!.id)!) } : {}),
        // An estimate that is off, as Google says itself.
        resultSizeEstimate: page.length + (more ? 101 : 0),
      },
    };
  }

  /** Numbers that grow with the place in a list from oldest to newest. */
  const order = {
    get: (id: string): number | undefined => {
      const mail = box.get(id);
      const created = box.changes.find((change) => change.mail === id && change.kind === 'created')?.seq ?? 0;
      return mail === undefined ? undefined : mail.receivedAt * 1e3 + (created % 1000);
    },
  };

  function get(call: MailCall, id: string): MailReply {
    const mail = box.get(id);
    if (mail === undefined) return failure(404, 'notFound', 'NOT_FOUND');
    const format = call.url.searchParams.get('format') ?? 'full';
    const fields = call.url.searchParams.get('fields');
    const base = {
      id,
      threadId: id,
      labelIds: labelsOf(mail.folder, mail.read),
      snippet: 'Short words of the mail',
      sizeEstimate: mail.bytes.byteLength,
      historyId: String(box.seq),
      internalDate: String(mail.receivedAt),
    };
    if (format === 'raw') {
      const raw = Buffer.from(mail.bytes).toString('base64url');
      return { status: 200, body: fields === 'raw' ? { raw } : { ...base, raw } };
    }
    if (format !== 'metadata') return failure(400, 'invalidArgument', 'INVALID_ARGUMENT');
    return { status: 200, body: { ...base, payload: { mimeType: 'text/plain', headers: headersOf(mail.bytes) } } };
  }

  function watch(call: MailCall): MailReply {
    const topic = (call.json as { topicName?: unknown } | undefined)?.topicName;
    if (typeof topic !== 'string' || !/^projects\/[^/]+\/topics\/[^/]+$/.test(topic)) {
      return failure(400, 'invalidArgument', 'INVALID_ARGUMENT');
    }
    fake.watchedTopic = topic;
    fake.watchedUntil = now() + WEEK_MS;
    return { status: 200, body: { historyId: String(box.seq), expiration: String(fake.watchedUntil) } };
  }

  function answer(call: MailCall): MailReply {
    const [gmail, version, users, me, thing = '', id, ...rest] = call.path;
    const method = thing === 'messages' ? (id === undefined ? 'list' : 'get') : thing;
    board.calls.push(`${call.method} ${method}`);
    if (gmail !== 'gmail' || version !== 'v1' || users !== 'users' || rest.length > 0 || UNITS[method] === undefined) {
      return failure(404, 'notFound', 'NOT_FOUND');
    }
    const good = accepts(bearerOf(call) ?? '');
    if (good === false || (me !== 'me' && me !== box.address)) return failure(401, 'authError', 'UNAUTHENTICATED');
    if (good === 'scope') return failure(403, 'insufficientPermissions', 'PERMISSION_DENIED', 'global');
    const refused = spend(method);
    if (refused !== undefined) return refused;
    switch (`${call.method} ${method}`) {
      case 'GET profile':
        return {
          status: 200,
          body: { emailAddress: box.address, messagesTotal: 1, threadsTotal: 1, historyId: String(box.seq) },
        };
      case 'GET labels':
        return { status: 200, body: { labels: labels() } };
      case 'GET history':
        return history(call);
      case 'GET list':
        return list(call);
      case 'GET get':
        return get(call, id!);
      case 'POST watch':
        return watch(call);
      case 'POST stop':
        fake.watchedUntil = undefined;
        return { status: 204 };
      default:
        return failure(404, 'notFound', 'NOT_FOUND');
    }
  }

  const labels = (): unknown[] => [
    ...['INBOX', 'SPAM', 'TRASH', 'SENT', 'DRAFT', 'UNREAD', 'CATEGORY_PROMOTIONS'].map((id) => ({
      id,
      name: id,
      type: 'system',
    })),
    ...box.folders
      .filter(({ role }) => role === undefined)
      .map(({ id, name }) => ({ id: `Label_${id}`, name, type: 'user' })),
  ];

  const server: MailServer = await startMailServer(board, answer, options.port);
  const fake: GmailFake = {
    url: server.url,
    board,
    units: 0,
    unitsPerMinute: 6000,
    quotaStatus: 403,
    recordsOf: 1,
    watchedUntil: undefined,
    watchedTopic: undefined,
    forgetPages: () => {
      generation++;
    },
    close: () => server.close(),
  };
  return fake;
}

function failure(code: number, reason: string, status: string, domain = 'global'): MailReply {
  const message = 'The request was not carried out.';
  const errors = [{ message, domain, reason }];
  return { status: code, body: { error: { code, message, errors, status } } };
}

function clamp(text: string | null, normal: number, max: number): number {
  const value = text === null ? normal : Number(text);
  return Number.isInteger(value) && value > 0 ? Math.min(value, max) : normal;
}
