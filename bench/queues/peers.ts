import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The other queues are not among the product's dependencies: they have a package.json and a lockfile of their own here,
 * and are installed only when asked for.
 */
const FOLDER = import.meta.dirname;

export const INSTALL = 'npm run bench -- queues --install';

/** The sentence for the one who runs this, where a package is not installed. */
export function missingPeer(name: string): string | undefined {
  if (existsSync(join(FOLDER, 'node_modules', name, 'package.json'))) return undefined;
  return `${name} is not installed; ${INSTALL} installs the other queues into bench/queues/node_modules`;
}

/** Without scripts: none of them needs one. */
export function installPeers(): void {
  const args = ['ci', '--prefix', FOLDER, '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}`);
}

/** Loads a peer. Its users declare the few members that they need: the product's type check does not see the package. */
export async function loadPeer<T>(name: string): Promise<T> {
  const missing = missingPeer(name);
  if (missing !== undefined) throw new Error(missing);
  const loaded = (await import(name)) as T & { readonly default?: T };
  return loaded;
}
