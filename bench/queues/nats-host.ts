import { findNats, missingNats as howToGet } from '../../scripts/servers/find-nats.ts';
import { startNats } from '../../scripts/servers/nats.ts';

export const missingNats = (): string | undefined => (findNats() === undefined ? howToGet() : undefined);

export interface BenchNats {
  /** For the client's `connect`. */
  readonly options: { readonly servers: readonly string[]; readonly user: string; readonly pass: string };
  /** With user and password. */
  readonly url: string;
  readonly facts: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * One node. `always`: it syncs before it acknowledges; refuses a server that cannot: it would be another class of
 * durability.
 */
export async function startBenchNats(folder: string, sync: 'always' | '2s' = 'always'): Promise<BenchNats> {
  const nats = await startNats({ folder, sync });
  if (sync === 'always' && !nats.syncsAlways) {
    await nats.stop();
    throw new Error(`nats-server ${nats.version} cannot sync before it acknowledges; 2.10 and newer can`);
  }
  return {
    options: { servers: nats.hosts, user: nats.user, pass: nats.password },
    url: nats.urls[0]!,
    facts: { nats: nats.version, sync_interval: sync },
    stop: () => nats.stop(),
  };
}
