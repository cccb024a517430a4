import { jetstreamManager } from '@nats-io/jetstream';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { SqlStore } from '../../store/sql/sql-store.ts';
import type { AuditResult } from './audit.ts';
import { translate } from './errors.ts';
import type { LogFeed } from './feed.ts';
import { CONNECT_PATIENCE_MS, REQUEST_MS } from './limits.ts';
import { NatsLink, type NatsSettings } from './link.ts';
import { PREFIX_PATTERN, shardSubject, streamName } from './message.ts';
import { NatsFeed } from './nats-feed.ts';
import { Relay, type RelayFigures, readFigures } from './relay.ts';
import { type Shards, settleInstallation } from './relay-rows.ts';
import { type StreamSettings, settleStream } from './stream.ts';

export interface NatsOptions extends NatsSettings {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Copies of the stream: 1, or 3 in a cluster. */
  readonly replicas?: number;
  /** How long NATS keeps events, for systems that read them there. Default: 3 days. */
  readonly keepMs?: number;
  /** Of subjects and streams. Default: `tripwatch`. */
  readonly prefix?: string;
  /** How many relays share the shards, each with a stream of its own; the same in all processes. Default: 1. */
  readonly relays?: number;
  /**
   * The operator says that the servers sync every write (`sync_interval: always`); a client cannot ask. Without it, it is
   * said in the log what that means.
   */
  readonly syncsAlways?: boolean;
}

/** NATS as the way by which the log travels: the store decides, NATS carries. */
export interface NatsCarrier {
  /** What consumers read from instead of the store, wherever that is certain. */
  readonly feed: LogFeed;
  /** Each is to be run by one process, under the lease `relay/<number>`. */
  readonly relays: number;
  /** Runs a relay in this process from now on. */
  take(relay: number, lease: Lease): void;
  /** Ends it: see Relay.stop. */
  leave(relay: number, how: 'hand-over' | 'lost'): Promise<void>;
  /** How far the relays together are behind the log, whichever processes run them. */
  relayLag(): Promise<RelayFigures>;
  /** Compares log and stream of the relays that run here, and publishes again what the stream has lost. */
  auditRelay(): Promise<AuditResult>;
  /** Whether NATS is connected at present. */
  readonly connected: boolean;
  close(): Promise<void>;
}

const KEEP_MS = 3 * 24 * 3600 * 1000;

/**
 * Connects and checks the servers and streams. Where no server answers in time it goes on without, reads from the store
 * and connects later. Errors, `permanent`: `broker-address`, `broker-version`, `broker-unauthorised`,
 * `broker-stream-unsafe`, `broker-stream-foreign`.
 */
export async function openNatsCarrier(options: NatsOptions): Promise<NatsCarrier> {
  const { store, clock, logger, replicas = 1, keepMs = KEEP_MS, prefix = 'tripwatch', relays = 1 } = options;
  if (!PREFIX_PATTERN.test(prefix))
    throw new TripwatchError('permanent', 'broker-address', `The prefix ${prefix} must be letters, digits and dashes.`);
  const newId = () => crypto.randomUUID();
  const installation = await store.transact(({ db }) => settleInstallation(db, newId()));
  const link = new NatsLink(options, clock, logger);
  const streams = Array.from({ length: relays }, (_, relay): StreamSettings => {
    const subjects = shardsOf(relay, relays, store.shards).map((shard) => shardSubject(prefix, shard));
    return { name: streamName(prefix, relay), subjects, replicas, keepMs, installation };
  });
  try {
    if (await link.ready(CONNECT_PATIENCE_MS)) await checkStreams(link, streams, newId, logger);
  } catch (error) {
    await link.close();
    throw error;
  }
  if (options.syncsAlways !== true)
    logger.info(
      { remedy: 'sync_interval: always in the servers, and broker.syncsAlways' },
      'NATS may acknowledge before it has synced: after a power cut other systems wait until the last events are published again; Tripwatch has them in its store',
    );

  const feed = new NatsFeed({ link, prefix, clock, logger });
  const running = new Map<number, Relay>();
  const unlisten = store.onAppended((_, ours) => {
    for (const relay of running.values()) relay.wake(ours);
  });
  const shardsFor = (relay: number): Shards => (relays === 1 ? undefined : shardsOf(relay, relays, store.shards));
  return {
    feed,
    relays,
    take: (relay, lease) => {
      const stream = streams[relay];
      if (stream === undefined) throw new TripwatchError('defect', 'relay-unknown', `There is no relay ${relay}.`);
      // One that is still here was held under an older token.
      void running.get(relay)?.stop('lost');
      const shards = shardsFor(relay);
      const taken: Relay = new Relay(
        {
          ...{ relay, shards, prefix, stream, store, link, clock, logger, newId },
          onLost: () => {
            if (running.get(relay) === taken) running.delete(relay);
          },
        },
        lease,
      );
      running.set(relay, taken);
    },
    leave: async (relay, how) => {
      const held = running.get(relay);
      await held?.stop(how);
      if (running.get(relay) === held) running.delete(relay);
    },
    relayLag: async () => {
      const all = await Promise.all(streams.map((_, relay) => readFigures(store, relay, shardsFor(relay))));
      const oldest = all.flatMap(({ oldestAt }) => oldestAt ?? []);
      return {
        waiting: all.reduce((sum, { waiting }) => sum + waiting, 0),
        oldestAt: oldest.length === 0 ? undefined : Math.min(...oldest),
      };
    },
    auditRelay: async () => {
      const results = await Promise.all([...running.values()].map((relay) => relay.audit()));
      return {
        compared: results.reduce((sum, { compared }) => sum + compared, 0),
        missing: results.reduce((sum, { missing }) => sum + missing, 0),
      };
    },
    get connected() {
      return link.connection !== undefined;
    },
    close: async () => {
      unlisten();
      await Promise.all([...running.values()].map((relay) => relay.stop('hand-over')));
      running.clear();
      await feed.close();
      await link.close();
    },
  };
}

/** Makes and checks the streams; where JetStream does not answer just now, the relays do it later. */
async function checkStreams(
  link: NatsLink,
  streams: readonly StreamSettings[],
  newId: () => string,
  logger: Logger,
): Promise<void> {
  const connection = link.connection;
  if (connection === undefined) return;
  try {
    const manager = await jetstreamManager(connection, { timeout: REQUEST_MS, checkAPI: false });
    for (const stream of streams) await settleStream(manager, stream, newId);
  } catch (error) {
    const fault = translate(error, link.where);
    if (fault instanceof TripwatchError && fault.kind === 'permanent') throw fault;
    logger.warn({ error: String(fault) }, 'the streams could not be checked; the relay tries again');
  }
}

function shardsOf(relay: number, relays: number, shards: number): readonly number[] {
  return Array.from({ length: shards }, (_, shard) => shard).filter((shard) => shard % relays === relay);
}
