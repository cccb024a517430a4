import type { Clock } from '../../../ports/clock.ts';
import type { MailboxConnector } from '../../../ports/mailbox.ts';
import { checkedUrl } from '../../egress/target.ts';
import type { HttpLine } from '../../provider/http/line.ts';
import { createCalls } from '../api/calls.ts';
import { createJmapApi } from './api.ts';
import { discover, settings } from './discover.ts';
import { explainJmap } from './failures.ts';
import { createFolders } from './folders.ts';
import { createListener } from './listen.ts';
import { settingsSchema } from './schema.ts';
import { createJmapSession } from './session.ts';

export interface JmapOptions {
  readonly clock: Clock;
  /** Must refuse private addresses (`createPublicAgent`): a stranger names the server, and the server names more. */
  readonly line: HttpLine;
  /** Servers beside us, and http; for tests and one's own server. */
  readonly allowPrivate: boolean;
  readonly pingSeconds?: number;
}

const SESSIONS_MAX = 4;

/** Any mail server that speaks JMAP for mail (RFC 8621), by password or token. */
export function createJmapConnector(options: JmapOptions): MailboxConnector {
  const { clock, line, allowPrivate, pingSeconds } = options;
  const check = (url: string): string => {
    try {
      return checkedUrl(url, { allowPrivate }).href;
    } catch (error) {
      // In words about mailboxes; what is wrong with the address stands behind the colon.
      throw settings(
        error instanceof Error ? error.message.replace(/^The webhook address/, 'the address') : 'it is no URL',
      );
    }
  };
  return {
    kind: 'jmap',
    label: 'JMAP',
    capabilities: { push: 'live', sessionsMax: SESSIONS_MAX },
    open: async (account, signal) => {
      const wanted = settingsSchema.safeParse(account.settings);
      if (!wanted.success) throw settings('it has no address (`url`)');
      const ended = new AbortController();
      const calls = createCalls({ line, clock, account, closed: ended.signal, explain: explainJmap });
      const { url, account: accountName, folders } = wanted.data;
      const found = await discover(calls, url, accountName, check, signal);
      const api = createJmapApi(calls, found);
      const { eventSourceUrl } = found.session;
      const listener =
        eventSourceUrl === undefined
          ? undefined
          : createListener({
              ...{ line, calls, clock, url: eventSourceUrl, accountId: found.accountId },
              ...(pingSeconds === undefined ? {} : { pingSeconds }),
            });
      return {
        ...createJmapSession(
          api,
          createFolders(api, folders, () => clock.monotonic()),
        ),
        ...(listener === undefined
          ? {}
          : { listen: (wake, stop) => listener(wake, AbortSignal.any([stop, ended.signal])) }),
        closed: ended.signal,
        close: async () => ended.abort(),
      };
    },
  };
}
