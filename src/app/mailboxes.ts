import type { HttpLine } from '../adapters/provider/http/line.ts';
import type { MailFetcher } from '../ports/mail-fetcher.ts';
import type { MailboxConnector } from '../ports/mailbox.ts';
import { type HeldParts, heldParts, type Part } from '../runtime/held.ts';
import type { Pauses } from '../runtime/pauses.ts';
import { createMailFetcher } from '../stages/watch/fetcher.ts';
import { type MailboxAccess, MailboxSessions } from '../stages/watch/sessions.ts';
import { createWatcher, type Watcher } from '../stages/watch/watcher.ts';
import type { Core } from './core.ts';
import { accountOf } from './mailbox-account.ts';

/** The connected mailboxes, as this process watches and reads them. */
export interface Mailboxes {
  readonly watcher: Watcher;
  readonly fetcher: MailFetcher;
  readonly parts: HeldParts<Part>;
  /** After the parts have been left. */
  stop(): Promise<void>;
}

export interface MailboxesOptions {
  readonly core: Pick<Core, 'store' | 'clock' | 'random' | 'logger' | 'secrets' | 'config'>;
  readonly connectors: readonly MailboxConnector[];
  /** To where tokens are renewed. */
  readonly line: HttpLine;
  readonly pauses: Pick<Pauses, 'mailbox' | 'onChange'>;
  readonly overloaded: () => boolean;
}

export function openMailboxes({ core, connectors, line, pauses, overloaded }: MailboxesOptions): Mailboxes {
  const { store, clock, random, logger } = core;
  const access: MailboxAccess = {
    connector: (kind) => connectors.find((connector) => connector.kind === kind),
    account: (watch) => accountOf({ ...core, line }, watch),
  };
  const sessions = new MailboxSessions({ access, store, clock, logger });
  const watcher = createWatcher({ store, clock, random, logger, sessions, paused: pauses, overloaded });
  const shards = Array.from({ length: store.shards }, (_, shard) => `mailbox/${shard}`);
  return {
    watcher,
    fetcher: createMailFetcher(sessions),
    parts: heldParts('mailbox', shards, store, (resource, fenced) => watcher.shard(resource, fenced)),
    stop: () => watcher.stop(),
  };
}
