import type { Clock, Random } from '../../../ports/clock.ts';
import type { MailboxAccount, MailboxConnector, MailboxSession } from '../../../ports/mailbox.ts';
import type { HttpLine } from '../../provider/http/line.ts';
import { createCalls } from '../api/calls.ts';
import { readCursor } from '../api/cursor.ts';
import { createGate, type Gate } from '../api/gate.ts';
import { createGraphApi, type GraphApi, iso } from './api.ts';
import { explainGraph } from './failures.ts';
import { createFolders } from './folders.ts';
import { clientStateOf, isCurrent, type NoticeKeys, receiveGraphPush } from './push.ts';
import { subscribeStateSchema } from './schema.ts';
import { createGraphSession } from './session.ts';

export interface GraphOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly line: HttpLine;
  /** Default: Microsoft's. */
  readonly url?: string;
  /** Absent: no push, mailboxes are looked at. */
  readonly push?: {
    /** Addresses under which Graph reaches us; both lead to `receivePush`. */
    readonly notificationUrl: string;
    readonly lifecycleUrl: string;
    /** They seal the clientState. */
    readonly keys: NoticeKeys;
    /** Life of a subscription. Default: what Graph has always given for mails. */
    readonly minutes?: number;
  };
}

const MINUTES = 4230;
/** Graph's own bound for one app in one mailbox. */
export const CONCURRENT_MAX = 4;
const GATES_MAX = 10_000;

/** Microsoft 365 and Outlook.com by Microsoft Graph: the scopes `Mail.Read` and `offline_access` are enough. */
export function createGraphConnector(options: GraphOptions): MailboxConnector {
  const { clock, line, push } = options;
  const base = (options.url ?? 'https://graph.microsoft.com').replace(/\/+$/, '');
  const gates = new Map<string, Gate>();
  const gateOf = (key: string): Gate => {
    const gate = gates.get(key) ?? createGate(CONCURRENT_MAX);
    gates.delete(key);
    gates.set(key, gate);
    if (gates.size > GATES_MAX) gates.delete(gates.keys().next().value!);
    return gate;
  };
  return {
    kind: 'graph',
    label: 'Microsoft 365',
    capabilities: { push: push === undefined ? 'none' : 'request', sessionsMax: CONCURRENT_MAX },
    open: async (account, signal) => {
      const ended = new AbortController();
      const calls = createCalls({ line, clock, account, closed: ended.signal, explain: explainGraph });
      const api = createGraphApi(calls, base, gateOf(`${account.tenant}/${account.mailbox}`), clock);
      // The cheapest call that needs the right to read.
      await api.wellKnown('inbox', signal);
      const folders = createFolders(api, account.settings, () => clock.monotonic());
      return {
        ...createGraphSession({ api, folders }),
        ...(push === undefined ? {} : { subscribe: subscriber(api, account, push, options) }),
        closed: ended.signal,
        close: async () => ended.abort(),
      };
    },
    ...(push === undefined ? {} : { receivePush: async (request) => receiveGraphPush(request, push.keys) }),
  };
}

/** Prolongs the subscription, or makes it where there is none; one for all folders of the mailbox. */
function subscriber(
  api: GraphApi,
  account: MailboxAccount,
  push: NonNullable<GraphOptions['push']>,
  { clock, random }: GraphOptions,
): NonNullable<MailboxSession['subscribe']> {
  const lifeMs = (push.minutes ?? MINUTES) * 60_000;
  const { notificationUrl: url } = push;
  const done = (id: string, clientState: string, expiresAt: number) => ({
    state: JSON.stringify({ id, clientState, url }),
    name: id,
    renewAt: clock.now() + Math.floor(Math.max(0, expiresAt - clock.now()) / 2),
  });
  return async (state, signal) => {
    const now = subscribeStateSchema.safeParse(
      state === undefined ? undefined : readCursor(state, subscribeStateSchema),
    );
    const until = iso(clock.now() + lifeMs);
    // One that leads to another address of ours, or is sealed with a key of before, is left to lapse.
    if (now.success && (now.data.url ?? url) === url && isCurrent(now.data.clientState, push.keys)) {
      const renewed = await api.renew(now.data.id, until, signal);
      if (renewed !== undefined) return done(renewed.id, now.data.clientState, renewed.expirationDateTime);
    }
    const nonce = Buffer.from(random.bytes(9)).toString('base64url');
    const clientState = clientStateOf(account.mailbox, nonce, push.keys);
    const body = {
      changeType: 'created',
      notificationUrl: url,
      lifecycleNotificationUrl: push.lifecycleUrl,
      resource: '/me/messages',
      expirationDateTime: until,
      clientState,
    };
    const made = await api.subscribe(body, signal);
    return done(made.id, clientState, made.expirationDateTime);
  };
}
