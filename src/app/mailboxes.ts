import { storedCredentialsSchema } from '../contracts/mailbox.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { MailFetcher } from '../ports/mail-fetcher.ts';
import type { MailboxConnector } from '../ports/mailbox.ts';
import { mailboxSecretContext, type Watch } from '../ports/store/watches.ts';
import { type HeldParts, heldParts, type Part } from '../runtime/held.ts';
import type { Pauses } from '../runtime/pauses.ts';
import { createMailFetcher } from '../stages/watch/fetcher.ts';
import { type MailboxAccess, MailboxSessions } from '../stages/watch/sessions.ts';
import { createWatcher, type Watcher } from '../stages/watch/watcher.ts';
import type { Core } from './core.ts';

/** The connected mailboxes, as this process watches and reads them. */
export interface Mailboxes {
  readonly watcher: Watcher;
  readonly fetcher: MailFetcher;
  readonly parts: HeldParts<Part>;
  /** After the parts have been left. */
  stop(): Promise<void>;
}

export interface MailboxesOptions {
  readonly core: Pick<Core, 'store' | 'clock' | 'random' | 'logger' | 'secrets'>;
  readonly connectors: readonly MailboxConnector[];
  readonly pauses: Pick<Pauses, 'mailbox' | 'onChange'>;
  readonly overloaded: () => boolean;
}

export function openMailboxes({ core, connectors, pauses, overloaded }: MailboxesOptions): Mailboxes {
  const { store, clock, random, logger } = core;
  const access: MailboxAccess = {
    connector: (kind) => connectors.find((connector) => connector.kind === kind),
    account: (watch) => accountOf(core, watch),
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

/** What a connector signs in with: read when it is asked for, so that what was changed meanwhile counts. */
function accountOf(
  { store, secrets }: Pick<Core, 'store' | 'secrets'>,
  watch: Watch,
): ReturnType<MailboxAccess['account']> {
  return {
    mailbox: watch.mailbox,
    tenant: watch.tenant,
    settings: watch.settings,
    credentials: async (_signal, refused) => {
      const now = await store.read((tx) => tx.watches.get(watch.tenant, watch.mailbox));
      const sealed = (now ?? watch).sealedCredentials;
      if (sealed === undefined) throw needed('No password is stored for this mailbox. Enter it.');
      const stored = storedCredentialsSchema.parse(JSON.parse(secrets.open(sealed, mailboxSecretContext(watch))));
      if (stored.kind === 'password') {
        const { kind, user, password } = stored;
        if (refused?.kind === 'password' && refused.password === password)
          throw needed('The password of this mailbox was refused. Enter it again.');
        return { kind, user, password };
      }
      throw needed('This installation is not set up to sign in at that provider. Connect the mailbox again.');
    },
  };
}

function needed(message: string): TripwatchError {
  return new TripwatchError('unauthorised', 'consent-needed', message);
}
