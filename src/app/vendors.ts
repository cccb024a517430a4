import { connectorEntry } from '../adapters/provider/registry.ts';
import type { Core } from './core.ts';

/** Whose word the answers of an account are: two accounts at one vendor are one voice when news is to be confirmed. */
export function vendorsOf({
  config,
  paths,
}: {
  readonly config: Pick<Core['config'], 'providers'>;
  readonly paths: Pick<Core['paths'], 'folder'>;
}): (account: string) => string {
  const vendorAt = (connector: string, options: unknown): string => {
    try {
      return connectorEntry(connector)?.vendorOf?.({ options, folder: paths.folder }) ?? connector;
    } catch {
      // Who asks providers says what is wrong with it. Here it is one voice with all others of its connector.
      return connector;
    }
  };
  const vendors = new Map(
    config.providers.map(({ account, connector, options }) => [account, vendorAt(connector, options)]),
  );
  return (account) => vendors.get(account) ?? account;
}
