import { openFsBlobs } from '../adapters/blobs/fs/blobs.ts';
import { createClock } from '../adapters/clock/system.ts';
import { createLogger } from '../adapters/logger/pino.ts';
import { createWebhookPost } from '../adapters/output/webhook/post.ts';
import { systemRandom } from '../adapters/random/system.ts';
import { openSecrets } from '../adapters/secrets/secrets.ts';
import type { SqlStore } from '../adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../adapters/store/sqlite/store.ts';
import type { Caller } from '../api/auth.ts';
import type { CommandDeps } from '../api/deps.ts';
import type { Config } from '../contracts/config.ts';
import { DEFAULT_TENANT } from '../domain/ids.ts';
import type { BlobStore } from '../ports/blobs.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { WebhookPost } from '../ports/webhook.ts';
import type { DataPaths } from './paths.ts';

/** The adapters that every way of running needs: what a command opens to look or to write, and the service to run on. */
export interface Core {
  readonly config: Config;
  readonly paths: DataPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: SqlStore;
  readonly blobs: BlobStore;
  readonly secrets: Secrets;
  readonly webhooks: WebhookPost;
  /** For the commands that REST and the command line share. */
  readonly commands: CommandDeps;
  close(): Promise<void>;
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
  const store = openSqliteStore({ file: paths.database, clock, logger });
  await store.transact((tx) => tx.accounts.ensureTenant(DEFAULT_TENANT, 'Home', clock.now()));
  const secrets = openSecrets(paths.key);
  const webhooks = createWebhookPost({ allowPrivate: config.webhooks.allowPrivate });
  return {
    config,
    paths,
    clock,
    random,
    logger,
    store,
    blobs: openFsBlobs(paths.mails),
    secrets,
    webhooks,
    commands: { store, clock, random, secrets, config, webhooks },
    close: () => store.close(),
  };
}
