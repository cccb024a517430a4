import { createClock } from '../adapters/clock/system.ts';
import { createLogger } from '../adapters/logger/pino.ts';
import { createWebhookPost } from '../adapters/output/webhook/post.ts';
import { systemRandom } from '../adapters/random/system.ts';
import { createBlobSeal } from '../adapters/secrets/blob-seal.ts';
import { type Keyring, keyringOf, openKeyring } from '../adapters/secrets/keyring.ts';
import { secretsWith } from '../adapters/secrets/secrets.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import type { Caller } from '../api/auth.ts';
import type { CommandDeps } from '../api/deps.ts';
import type { Config } from '../contracts/config.ts';
import { TripwatchError } from '../domain/errors.ts';
import { DEFAULT_TENANT } from '../domain/ids.ts';
import type { BlobKeeper } from '../ports/blobs.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { MailboxDesk } from '../ports/mailbox-desk.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { WebhookPost } from '../ports/webhook.ts';
import { askToRead } from '../stages/collect/ask.ts';
import { readSecret } from './config.ts';
import type { MailboxConnectors } from './mailbox-connectors.ts';
import { pushOffer } from './mailbox-push.ts';
import type { DataPaths } from './paths.ts';
import { openStores } from './stores.ts';

/** The adapters that every way of running needs: what a command opens to look or to write, and the service to run on. */
export interface Core {
  readonly config: Config;
  readonly paths: DataPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: SqlStore;
  /** Other processes may work on the same store. */
  readonly shared: boolean;
  readonly blobs: BlobKeeper;
  readonly secrets: Secrets;
  /** The keys that seal secrets and mails. */
  readonly keyring: Keyring;
  readonly webhooks: WebhookPost;
  /** How mailboxes are read that we go to, and connected. Loaded when first asked for: most commands need none. */
  readonly mailboxes: () => Promise<MailboxParts>;
  /** For the commands that REST and the command line share. */
  readonly commands: CommandDeps;
  close(): Promise<void>;
}

export interface MailboxParts extends Pick<MailboxConnectors, 'connectors' | 'line'> {
  readonly desk: MailboxDesk;
}

/** What the person at the command line may do: everything, as the operator of this installation. */
export const OPERATOR: Caller = {
  tenant: DEFAULT_TENANT,
  traveller: undefined,
  scopes: ['read', 'write', 'operate'],
  ref: 'cli',
};

export async function openCore(config: Config, paths: DataPaths): Promise<Core> {
  const logger = createLogger(config.log.level);
  const { speed, startAt, anchor } = config.clock;
  const clock = createClock({
    speed,
    ...(startAt === undefined ? {} : { startAt: Temporal.Instant.from(startAt).epochMilliseconds }),
    ...(anchor === undefined ? {} : { anchor }),
  });
  const random = systemRandom;
  const { key } = config.secrets;
  const keyring = key === undefined ? openKeyring(paths.key) : keyringOf(readSecret(key, process.env));
  const secrets = secretsWith(keyring);
  const stores = await openStores(config, paths, clock, logger, createBlobSeal(keyring));
  const { store } = stores;
  await store.transact((tx) => tx.accounts.ensureTenant(DEFAULT_TENANT, 'Home', clock.now()));
  await sameKey(store, keyring).catch(async (error: unknown) => {
    await stores.close();
    throw error;
  });
  const webhooks = createWebhookPost({ allowPrivate: config.webhooks.allowPrivate });
  let opened: Promise<MailboxParts & Pick<MailboxConnectors, 'close'>> | undefined;
  const mailboxes = () => {
    opened ??= openMailboxParts({ store, secrets, clock, random, config, keyring });
    return opened;
  };
  return {
    config,
    paths,
    clock,
    random,
    logger,
    store,
    blobs: stores.blobs,
    shared: stores.shared,
    secrets,
    keyring,
    webhooks,
    mailboxes,
    commands: {
      store,
      clock,
      random,
      secrets,
      config,
      webhooks,
      mailboxes: async () => (await mailboxes()).desk,
      pushOffer: (kind) => pushOffer(config, kind),
      askToRead,
    },
    close: async () => {
      await stores.close();
      await (await opened)?.close();
    },
  };
}

async function openMailboxParts(
  core: Pick<Core, 'store' | 'secrets' | 'clock' | 'random' | 'config' | 'keyring'>,
): Promise<MailboxParts & Pick<MailboxConnectors, 'close'>> {
  const [{ mailboxConnectors }, { createMailboxDesk }] = await Promise.all([
    import('./mailbox-connectors.ts'),
    import('./mailbox-desk.ts'),
  ]);
  const made = mailboxConnectors(core.config, core.clock, core.random, core.keyring);
  return { ...made, desk: createMailboxDesk({ ...core, ...made }) };
}

/** What is written down about the installation's key. */
export const KEY_FACT = 'secret-key';

/**
 * Every process of an installation must be able to open what the others seal: the first one's key is written down, later
 * the newest one's. A process may have further ones, also newer ones (`tripwatch keys rotate` takes those into use).
 */
async function sameKey(store: SqlStore, { ids, current }: Keyring): Promise<void> {
  const name = KEY_FACT;
  const known = await store.read(({ db }) =>
    db.selectFrom('meta').select('value').where('name', '=', name).executeTakeFirst(),
  );
  if (known !== undefined && ids.includes(known.value)) return;
  const stored =
    known ??
    (await store.transact(async ({ db }) => {
      await db
        .insertInto('meta')
        .values({ name, value: current.id })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute();
      return db.selectFrom('meta').select('value').where('name', '=', name).executeTakeFirstOrThrow();
    }));
  if (ids.includes(stored.value)) return;
  throw new TripwatchError(
    'permanent',
    'secret-key-other',
    `This installation's secrets are sealed with key ${stored.value}, but this process has key ${ids.join(', ')}. Give every process the same: secrets.key in the configuration, or the file \`key\` of the first data folder.`,
  );
}
