import type { ServerResponse } from 'node:http';
import { type BoxMail, headersOf, type MailBox } from './box.ts';
import { type MailCall, type MailReply, Switchboard, startMailServer } from './server.ts';

/** A JMAP server with one mail account: session, Email and Mailbox methods with back-references, blobs, event source. */
export interface JmapFake {
  readonly url: string;
  readonly board: Switchboard;
  /** Methods that end with this error, once each: `['Email/changes', 'serverUnavailable']`. */
  readonly methodErrors: [method: string, type: string][];
  /** Events of the stream are thrown away. */
  dropped: boolean;
  /** No pings either: the line looks open and is dead. */
  mute: boolean;
  readonly streams: ReadonlySet<ServerResponse>;
  /** `Last-Event-ID` of each stream, as it was opened. */
  readonly resumed: string[];
  /** Ends all streams, in good order or by cutting the line. */
  endStreams(how: 'end' | 'cut'): void;
  close(): Promise<void>;
}

export interface JmapFakeOptions {
  readonly box: MailBox;
  /** Of the whole `Authorization` header. */
  readonly accepts: (authorization: string) => boolean;
  readonly objectsInGetMax?: number;
  /** ms between pings for a second that was asked for: tests are in a hurry. */
  readonly msPerSecond?: number;
  readonly port?: number;
}

const ACCOUNT = 'A1';
const CORE = 'urn:ietf:params:jmap:core';
const MAIL = 'urn:ietf:params:jmap:mail';
type Args = Record<string, unknown>;
type Answer = [string, Args, string];

export async function startJmapFake(options: JmapFakeOptions): Promise<JmapFake> {
  const { box, accepts, objectsInGetMax = 50, msPerSecond = 1000 } = options;
  const board = new Switchboard();
  const streams = new Set<ServerResponse>();
  const stateOf = (seq: number): string => `s${seq}`;
  const session = (call: MailCall): MailReply => {
    const base = `http://${call.headers.host}`;
    return {
      status: 200,
      body: {
        capabilities: {
          [CORE]: {
            maxSizeUpload: 1e6,
            maxCallsInRequest: 8,
            maxObjectsInGet: objectsInGetMax,
            maxConcurrentRequests: 4,
          },
          [MAIL]: {},
        },
        accounts: {
          [ACCOUNT]: { name: box.address, isPersonal: true, isReadOnly: false, accountCapabilities: { [MAIL]: {} } },
        },
        primaryAccounts: { [MAIL]: ACCOUNT },
        username: box.address,
        apiUrl: `${base}/api/`,
        // Relative, as some servers give it.
        downloadUrl: '/blob/{accountId}/{blobId}/{name}?type={type}',
        eventSourceUrl: `${base}/events?types={types}&closeafter={closeafter}&ping={ping}`,
        state: 'session-1',
      },
    };
  };

  function api(call: MailCall): MailReply {
    const request = call.json as { using?: string[]; methodCalls?: [string, Args, string][] } | undefined;
    if (request === undefined) return problem(400, 'notJSON');
    if (!Array.isArray(request.using) || !Array.isArray(request.methodCalls)) return problem(400, 'notRequest');
    if (request.using.some((one) => one !== CORE && one !== MAIL)) return problem(400, 'unknownCapability');
    if (request.methodCalls.length > 8) return problem(400, 'limit', 'maxCallsInRequest');
    const done: Answer[] = [];
    for (const [name, given, id] of request.methodCalls) {
      board.calls.push(name);
      const args = resolved(given, done);
      const error = take(name);
      const refused =
        error ??
        (args === undefined ? 'invalidResultReference' : args.accountId !== ACCOUNT ? 'accountNotFound' : undefined);
      const answer = refused === undefined ? method(name, args!) : { type: refused };
      done.push('type' in answer ? ['error', answer, id] : [name, { accountId: ACCOUNT, ...answer }, id]);
    }
    return { status: 200, body: { methodResponses: done, sessionState: 'session-1' } };
  }

  function take(name: string): string | undefined {
    const index = fake.methodErrors.findIndex(([method]) => method === name);
    return index === -1 ? undefined : fake.methodErrors.splice(index, 1)[0]![1];
  }

  function method(name: string, args: Args): Args {
    if (name === 'Mailbox/get') return { state: 'm1', list: box.folders.map(mailbox), notFound: [] };
    if (name === 'Email/changes') return changes(String(args.sinceState), Number(args.maxChanges ?? 500));
    if (name === 'Email/query') return query(args);
    if (name === 'Email/get') return get(args);
    return { type: 'unknownMethod' };
  }

  const mailbox = ({ id, name, role }: (typeof box.folders)[number]) => ({
    id: `mb-${id}`,
    name: role === 'inbox' ? 'Inbox' : name,
    role: role ?? null,
    parentId: null,
    sortOrder: 1,
  });

  /** Whole changes up to a number that can be gone on from. */
  function changes(since: string, max: number): Args {
    const from = Number(/^s(\d+)$/.exec(since)?.[1] ?? Number.NaN);
    if (Number.isNaN(from) || from < box.floor) return { type: 'cannotCalculateChanges' };
    const created = new Set<string>();
    const updated = new Set<string>();
    const destroyed = new Set<string>();
    let reached = box.seq;
    for (const { kind, mail, seq } of box.since(from)) {
      if (created.size + updated.size + destroyed.size >= max) {
        reached = seq - 1;
        break;
      }
      if (kind === 'created') created.add(mail);
      else if (kind !== 'removed') {
        if (!created.has(mail)) updated.add(mail);
      } else if (created.delete(mail)) continue;
      else {
        updated.delete(mail);
        destroyed.add(mail);
      }
    }
    return {
      oldState: since,
      newState: stateOf(reached),
      hasMoreChanges: reached < box.seq,
      ...{ created: [...created], updated: [...updated], destroyed: [...destroyed] },
    };
  }

  function query(args: Args): Args {
    const filter = (args.filter ?? {}) as { after?: string; before?: string; inMailbox?: string };
    const unknown = Object.keys(filter).filter((name) => !['after', 'before', 'inMailbox'].includes(name));
    if (unknown.length > 0) return { type: 'unsupportedFilter' };
    const after = filter.after === undefined ? 0 : Date.parse(filter.after);
    const before = filter.before === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(filter.before);
    const found = box
      .newestFirst()
      .filter((mail) => mail.receivedAt >= after && mail.receivedAt < before)
      .filter((mail) => filter.inMailbox === undefined || `mb-${mail.folder}` === filter.inMailbox);
    const position = Number(args.position ?? 0);
    // A server may give less than was asked for.
    const limit = Math.min(Number(args.limit ?? 256), 256);
    return {
      queryState: stateOf(box.seq),
      canCalculateChanges: false,
      position,
      ids: found.slice(position, position + limit).map(({ id }) => id),
    };
  }

  function get(args: Args): Args {
    const ids = args.ids as string[] | null;
    if (!Array.isArray(ids)) return { type: 'requestTooLarge' };
    if (ids.length > objectsInGetMax) return { type: 'requestTooLarge' };
    const found = ids.flatMap((id) => box.get(id) ?? []);
    const wanted = (args.properties as string[] | undefined) ?? ['id'];
    // In no order, as the RFC allows.
    const list = found.toReversed().map((mail) => {
      const all = view(mail);
      return Object.fromEntries(Object.entries(all).filter(([name]) => name === 'id' || wanted.includes(name)));
    });
    return { state: stateOf(box.seq), list, notFound: ids.filter((id) => box.get(id) === undefined) };
  }

  const view = (mail: BoxMail) => ({
    id: mail.id,
    blobId: `b-${mail.id}`,
    threadId: `t-${mail.id}`,
    mailboxIds: { [`mb-${mail.folder}`]: true },
    keywords: mail.read ? { $seen: true } : {},
    size: mail.bytes.byteLength,
    receivedAt: new Date(Math.floor(mail.receivedAt / 1000) * 1000).toISOString().replace('.000Z', 'Z'),
    headers: headersOf(mail.bytes, true),
    bodyStructure: {
      type: 'multipart/mixed',
      subParts: [
        { type: 'text/plain', name: null, size: 10 },
        { type: 'application/pdf', name: 'ticket.pdf', size: 20_000 },
      ],
    },
  });

  function events(call: MailCall): MailReply {
    const asked = Number(call.url.searchParams.get('ping'));
    const interval = Math.min(300, Math.max(30, asked));
    const since = call.headers['last-event-id'];
    fake.resumed.push(since ?? '');
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
      stream: (response) => {
        streams.add(response);
        const ping = (): void => {
          if (!fake.mute) response.write(`event: ping\ndata: {"interval":${interval * (msPerSecond / 1000)}}\n\n`);
        };
        const timer = asked === 0 ? undefined : setInterval(ping, interval * msPerSecond);
        response.once('close', () => {
          clearInterval(timer);
          streams.delete(response);
        });
        response.write(': hello\nretry: 100\n\n');
        // Who comes back hears at once what it missed.
        if (since !== undefined && since !== String(box.seq)) send(response);
      },
    };
  }

  function send(response: ServerResponse): void {
    if (fake.dropped || fake.mute) return;
    const changed = { [ACCOUNT]: { Email: stateOf(box.seq), EmailDelivery: stateOf(box.seq) } };
    const text = `id: ${box.seq}\nevent: state\ndata: ${JSON.stringify({ '@type': 'StateChange', changed })}\n\n`;
    // Cut in the middle: networks do.
    response.write(text.slice(0, 20));
    response.write(text.slice(20));
  }

  function answer(call: MailCall): MailReply {
    const [first, account, blob] = call.path;
    if (!accepts(call.headers.authorization ?? '')) {
      return { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { type: 'about:blank', status: 401 } };
    }
    if (call.url.pathname === '/.well-known/jmap') return { status: 307, headers: { location: '/session' } };
    if (call.url.pathname === '/session') return session(call);
    if (first === 'api' && call.method === 'POST') return api(call);
    if (first === 'events') return events(call);
    if (first === 'blob' && account === ACCOUNT) {
      board.calls.push('download');
      const mail = box.get((blob ?? '').slice(2));
      return mail === undefined
        ? { status: 404, body: { type: 'about:blank', status: 404 } }
        : { status: 200, bytes: mail.bytes, headers: { 'content-type': 'message/rfc822' } };
    }
    return { status: 404, body: { type: 'about:blank', status: 404 } };
  }

  const server = await startMailServer(board, answer, options.port);
  const quiet = box.onChange(() => {
    for (const stream of streams) send(stream);
  });
  const fake: JmapFake = {
    url: server.url,
    board,
    methodErrors: [],
    dropped: false,
    mute: false,
    streams,
    resumed: [],
    endStreams: (how) => {
      for (const stream of streams) {
        if (how === 'end') stream.end();
        else stream.destroy();
      }
    },
    close: () => {
      quiet();
      return server.close();
    },
  };
  return fake;
}

/** Arguments with `#name` filled from an earlier answer; undefined: the reference leads nowhere. */
function resolved(args: Args, done: readonly Answer[]): Args | undefined {
  const out: Args = {};
  for (const [name, value] of Object.entries(args)) {
    if (!name.startsWith('#')) {
      out[name] = value;
      continue;
    }
    const { resultOf, name: of, path } = value as { resultOf: string; name: string; path: string };
    const found = done.find(([method, , id]) => id === resultOf && method === of)?.[1][path.slice(1)];
    if (found === undefined) return undefined;
    out[name.slice(1)] = found;
  }
  return out;
}

function problem(status: number, type: string, limit?: string): MailReply {
  const body = { type: `urn:ietf:params:jmap:error:${type}`, status, ...(limit === undefined ? {} : { limit }) };
  return { status, headers: { 'content-type': 'application/problem+json' }, body };
}
