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

/** One node that syncs before it acknowledges. Refuses a server that cannot: it would be another class of durability. */
export async function startBenchNats(folder: string): Promise<BenchNats> {
  const nats = await startNats({ folder });
  if (!nats.syncsAlways) {
    await nats.stop();
    throw new Error(`nats-server ${nats.version} cannot sync before it acknowledges; 2.10 and newer can`);
  }
  return {
    options: { servers: nats.hosts, user: nats.user, pass: nats.password },
    url: nats.urls[0]!,
    facts: { nats: nats.version, sync_interval: 'always' },
    stop: () => nats.stop(),
  };
}
