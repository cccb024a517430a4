import { createAeroDataBoxConnector } from '../adapters/provider/aerodatabox/connector.ts';
import { createDuffelConnector } from '../adapters/provider/duffel/connector.ts';
import type { ProviderAccountConfig } from '../contracts/config.ts';
import type { ProviderConnector } from '../ports/provider.ts';
import type { TrackedAccount } from '../stages/track/tracker.ts';
import { readSecret } from './config.ts';
import type { Core } from './core.ts';

/** One line a connector: a new one brings its own folder and its line here. */
const CONNECTORS: Readonly<
  Record<ProviderAccountConfig['connector'], (account: ProviderAccountConfig, core: Core) => ProviderConnector>
> = {
  aerodatabox: (account, core) =>
    createAeroDataBoxConnector({ ...common(account, core), key: readSecret(account.key, process.env) }),
  duffel: (account, core) =>
    createDuffelConnector({
      ...common(account, core),
      token: readSecret(account.key, process.env),
      ...(account.webhookSecret === undefined ? {} : { webhookSecret: readSecret(account.webhookSecret, process.env) }),
    }),
};

function common(account: ProviderAccountConfig, core: Core) {
  return { account: account.account, clock: core.clock, ...(account.url === undefined ? {} : { url: account.url }) };
}

/** The configured accounts with their connectors and limits. Errors: permanent `secret-missing`. */
export function providerAccounts(core: Core): readonly TrackedAccount[] {
  return core.config.providers.map((account) => ({
    account: account.account,
    connector: CONNECTORS[account.connector](account, core),
    limits: account.calls,
    freshSeconds: account.freshSeconds,
  }));
}
