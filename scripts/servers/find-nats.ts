import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where nats-server is: one named by NATS_SERVER, then the pinned one that `install-nats.ts` built, then the system's.
 * The pinned one is current; Debian's is old (it cannot sync every write) and serves where Go is missing.
 */

/** A tag that the Go module proxy serves. */
export const NATS_VERSION = '2.14.9';

export interface NatsBinary {
  readonly path: string;
  /** `2.14.9` */
  readonly version: string;
}

/** Where the pinned one is kept: outside the repository, for all working copies of this user. */
export function natsCache(): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(base, 'tripwatch', `nats-server-${NATS_VERSION}`);
}

let found: NatsBinary | undefined;

export function findNats(): NatsBinary | undefined {
  if (found !== undefined) return found;
  const named = process.env.NATS_SERVER;
  const candidates = named === undefined ? [join(natsCache(), 'nats-server'), 'nats-server'] : [named];
  for (const path of candidates) {
    if (path.includes('/') && !existsSync(path)) continue;
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    const version = status === 0 ? /v(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] : undefined;
    if (version !== undefined) {
      found = { path, version };
      return found;
    }
  }
  return undefined;
}

/** The adapter refuses older ones, so tests with them would show nothing. */
const NATS_LEAST = '2.10.23';

/** Undefined: it is there, and new enough for the adapter. Otherwise why not: tests with it cannot run here. */
export function unusableNats(): string | undefined {
  const binary = findNats();
  if (binary === undefined || atLeast(binary.version, NATS_LEAST)) return missingNats();
  return `nats-server ${binary.version} is too old for Tripwatch, which needs ${NATS_LEAST} (node scripts/servers/install-nats.ts, with Go)`;
}

/** Undefined: it is there. Otherwise how to get it. */
export function missingNats(): string | undefined {
  if (findNats() !== undefined) return undefined;
  return 'nats-server is not installed (node scripts/servers/install-nats.ts, with Go; or Debian: apt-get install nats-server)';
}

/** Whether a version is at least another: compares the three numbers, an addition like -RC.1 comes before them. */
export function atLeast(version: string, least: string): boolean {
  const parse = (text: string) => {
    const [numbers = '', addition] = text.split('-', 2);
    return [...numbers.split('.').map(Number), addition === undefined ? 1 : 0];
  };
  const [a, b] = [parse(version), parse(least)];
  for (let i = 0; i < b.length; i++) if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) > (b[i] ?? 0);
  return true;
}
