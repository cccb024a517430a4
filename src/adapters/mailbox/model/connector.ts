import { TripwatchError } from '../../../domain/errors.ts';
import type {
  FetchedMail,
  ListedMail,
  MailboxAccount,
  MailboxCapabilities,
  MailboxConnector,
  MailboxKind,
  MailboxSession,
  MailPage,
} from '../../../ports/mailbox.ts';
import { headBlock } from './head-block.ts';
import type { ModelFolder, ModelMail, ModelMailServer } from './server.ts';
import type { ModelSubscriptions } from './subscriptions.ts';

export interface ModelConnectorOptions {
  readonly kind?: MailboxKind;
  readonly push?: MailboxCapabilities['push'];
  /** Which server an account is at. */
  readonly server: (account: MailboxAccount) => ModelMailServer;
  /** With push `request`: where mailboxes are subscribed to. */
  readonly subscriptions?: ModelSubscriptions | undefined;
}

/** Reads mailboxes of the model, by the port's contract and no kinder than that. */
export function createModelConnector(options: ModelConnectorOptions): MailboxConnector {
  const { kind = 'imap', push = 'live', server: serverOf, subscriptions } = options;
  return {
    kind,
    label: 'Model',
    capabilities: { push, sessionsMax: 10 },
    open: async (account, signal) => {
      const server = serverOf(account);
      await reach(server, 'open', signal);
      await signIn(server, account, signal);
      const session = openSession(server, push === 'live', foldersOf(account));
      if (subscriptions === undefined) return session;
      return {
        ...session,
        subscribe: async (state, until) => {
          await reach(server, 'subscribe', until);
          if (session.closed.aborted) throw gone();
          return subscriptions.subscribe(account.mailbox, state);
        },
      };
    },
    ...(subscriptions === undefined ? {} : { receivePush: async (push) => subscriptions.receive(push) }),
  };
}

function foldersOf(account: MailboxAccount): readonly string[] {
  const { folders } = account.settings;
  return Array.isArray(folders) && folders.length > 0 ? folders.map(String) : ['INBOX'];
}

/** Twice at most: once with what there is, once with what comes for what was refused. */
async function signIn(server: ModelMailServer, account: MailboxAccount, signal: AbortSignal): Promise<void> {
  const accepted = (offered: Awaited<ReturnType<MailboxAccount['credentials']>>): boolean => {
    server.signIns++;
    const good = server.accepts.has(offered.kind === 'password' ? offered.password : offered.accessToken);
    if (!good) server.refusals++;
    return good;
  };
  const first = await account.credentials(signal);
  if (accepted(first)) return;
  if (first.kind === 'token' && accepted(await account.credentials(signal, first))) return;
  throw new TripwatchError('unauthorised', 'password-refused', 'The model refuses these credentials.');
}

async function reach(server: ModelMailServer, what: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await server.options.before?.(what, signal);
  signal.throwIfAborted();
  if (server.away) throw new TripwatchError('transient', 'mailbox-unreachable', 'The model does not answer.');
}

interface Place {
  readonly validity: number;
  readonly uid: number;
}
type Cursor = Record<string, Place>;

function openSession(server: ModelMailServer, listens: boolean, names: readonly string[]): MailboxSession {
  const connection = new AbortController();
  server.connected(connection);
  const closed = connection.signal;
  const asked = async (what: string, signal: AbortSignal): Promise<void> => {
    await reach(server, what, signal);
    if (closed.aborted) throw gone();
  };
  const folders = (): readonly ModelFolder[] => server.folders.filter((folder) => names.includes(folder.name));
  return {
    closed,
    close: async () => connection.abort(),
    folders: async (signal) => {
      await asked('folders', signal);
      return server.folders.map(({ name, role }) => ({ name, role }));
    },
    begin: async (signal) => {
      await asked('begin', signal);
      const cursor: Cursor = {};
      for (const { name, validity, uidNext } of folders()) cursor[name] = { validity, uid: uidNext - 1 };
      return JSON.stringify(cursor);
    },
    live: async ({ cursor, since, max }, signal) => {
      await asked('live', signal);
      return livePage(server, folders(), JSON.parse(cursor) as Cursor, since, max);
    },
    backfill: async ({ cursor, since, max }, signal) => {
      await asked('backfill', signal);
      return backfillPage(server, folders(), JSON.parse(cursor ?? '{}') as Cursor, since, max);
    },
    fetch: async (ref, bytesMax, signal): Promise<FetchedMail> => {
      await asked('fetch', signal);
      const [name, validity, uid] = ref.split(';');
      const folder = server.folders.find((one) => one.name === name && one.validity === Number(validity));
      const mail = folder?.mails.find((one) => one.uid === Number(uid));
      if (mail === undefined) return { kind: 'vanished' };
      const bytes = mail.bytes.subarray(0, bytesMax);
      server.bytesFetched += bytes.byteLength;
      return { kind: 'mail', bytes, truncated: bytes.byteLength < mail.bytes.byteLength };
    },
    ...(listens ? { listen: (wake: () => void, signal: AbortSignal) => listen(server, closed, wake, signal) } : {}),
  };
}

function livePage(
  server: ModelMailServer,
  folders: readonly ModelFolder[],
  before: Cursor,
  since: number,
  max: number,
): MailPage {
  const room = server.chance(server.options.shortPages) ? 1 + server.pick(max) : max;
  const cursor: Cursor = { ...before };
  const mails: ListedMail[] = [];
  let more = false;
  let reset = false;
  for (const folder of folders) {
    const place = before[folder.name];
    // A folder that was not there when the watch began is new as a whole.
    const holds = place?.validity === folder.validity;
    if (place !== undefined && !holds) reset = true;
    let uid = holds ? place.uid : 0;
    if (server.chance(server.options.repeats)) uid = Math.max(0, uid - 1 - server.pick(3));
    for (const mail of folder.mails) {
      if (mail.uid <= uid) continue;
      if (mails.length === room) {
        more = true;
        break;
      }
      if (mail.receivedAt >= since) mails.push(listed(folder, mail));
      uid = mail.uid;
    }
    // What was given again must not move the cursor back.
    cursor[folder.name] = { validity: folder.validity, uid: Math.max(uid, holds ? place.uid : 0) };
  }
  return { mails, cursor: JSON.stringify(cursor), more, ...(reset ? { reset: 'uidvalidity-changed' } : {}) };
}

/** Folder by folder, each from its newest on. */
function backfillPage(
  server: ModelMailServer,
  folders: readonly ModelFolder[],
  before: Cursor,
  since: number,
  max: number,
): MailPage {
  const room = server.chance(server.options.shortPages) ? 1 + server.pick(max) : max;
  const cursor: Cursor = { ...before };
  const mails: ListedMail[] = [];
  let left = 0;
  let reset = false;
  for (const folder of folders) {
    const place = before[folder.name];
    const holds = place?.validity === folder.validity;
    if (place !== undefined && !holds) reset = true;
    let below = holds ? place.uid : folder.uidNext;
    for (const mail of folder.mails.toReversed()) {
      if (mail.uid >= below || mail.receivedAt < since) continue;
      if (mails.length === room) {
        left++;
        continue;
      }
      mails.push(listed(folder, mail));
      below = mail.uid;
    }
    cursor[folder.name] = { validity: folder.validity, uid: below };
  }
  const why = reset ? { reset: 'uidvalidity-changed' } : {};
  return { mails, cursor: JSON.stringify(cursor), more: left > 0, left, ...why };
}

function listed(folder: ModelFolder, mail: ModelMail): ListedMail {
  return {
    ref: `${folder.name};${folder.validity};${mail.uid}`,
    folder: folder.name,
    size: mail.bytes.byteLength,
    receivedAt: mail.receivedAt,
    head: headBlock(mail.bytes),
  };
}

function listen(server: ModelMailServer, closed: AbortSignal, wake: () => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve();
    if (closed.aborted) return reject(gone());
    if (server.options.tellsNothing === true)
      return reject(new TripwatchError('permanent', 'mailbox-tells-nothing', 'The model tells nothing.'));
    const end = server.listening(wake);
    const done = (settle: () => void) => {
      end();
      signal.removeEventListener('abort', aborted);
      closed.removeEventListener('abort', ended);
      settle();
    };
    const aborted = (): void => done(resolve);
    const ended = (): void => done(() => reject(gone()));
    signal.addEventListener('abort', aborted);
    closed.addEventListener('abort', ended);
  });
}

function gone(): TripwatchError {
  return new TripwatchError('transient', 'mailbox-closed', 'The connection to the model has ended.');
}
