import type { NatsServers } from '../../scripts/servers/nats.ts';
import type { PostgresServer } from '../../scripts/servers/postgres.ts';
import { SqlBroker } from '../../src/adapters/broker/sql/broker.ts';
import type { SqlStore } from '../../src/adapters/store/sql/sql-store.ts';
import type { Broker } from '../../src/ports/broker.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { WorkGroup } from '../../src/runtime/keeper.ts';

/** Where the state and the log of a run are: told to its processes as JSON. */
export type Place =
  | { readonly kind: 'sqlite'; readonly folder: string }
  | { readonly kind: 'postgres'; readonly url: string; readonly schema: string; readonly shards?: number }
  | {
      readonly kind: 'nats';
      readonly url: string;
      readonly schema: string;
      readonly shards?: number;
      readonly urls: readonly string[];
      readonly replicas: number;
    };

export type BackEndName = Place['kind'];

/** With few shards, of which a process takes its share the sooner: for runs that start hundreds. */
export const withFewShards = (place: Place): Place => (place.kind === 'sqlite' ? place : { ...place, shards: 6 });

export const sqlitePlace = (folder: string): Place => ({ kind: 'sqlite', folder });

/** `port`: of a proxy before the server. */
export function postgresPlace(server: PostgresServer, schema: string, port = server.port): Place {
  return { kind: 'postgres', url: server.url.replace(`:${server.port}/`, `:${port}/`), schema };
}

export function natsPlace(server: PostgresServer, nats: NatsServers, schema: string): Place {
  return { kind: 'nats', url: server.url, schema, urls: nats.urls, replicas: nats.urls.length };
}

/** Loads only what the place needs: many processes are started. */
/** Exit code of a process that could not begin because the database did not answer: away, or on a machine that is busy. */
export const UNANSWERED = 75;

export async function openStore(
  place: Place,
  parts: { readonly clock: Clock; readonly logger: Logger },
): Promise<SqlStore> {
  if (place.kind === 'sqlite') {
    const { openSqliteStore } = await import('../../src/adapters/store/sqlite/store.ts');
    return openSqliteStore({ file: `${place.folder}/tripwatch.db`, ...parts });
  }
  const { openPostgresStore } = await import('../../src/adapters/store/postgres/store.ts');
  const { url, schema, shards } = place;
  return openPostgresStore({ url, schema, ...(shards === undefined ? {} : { shards }), ...parts });
}

export interface OpenedBroker {
  readonly broker: Broker;
  /** What is shared out besides the stages. */
  readonly groups: readonly WorkGroup[];
  /** After the runtime has stopped. */
  close(): Promise<void>;
}

export async function openBroker(
  place: Place,
  parts: { readonly store: SqlStore; readonly clock: Clock; readonly logger: Logger },
): Promise<OpenedBroker> {
  if (place.kind !== 'nats') return { broker: new SqlBroker(parts), groups: [], close: async () => {} };
  const { openNatsCarrier } = await import('../../src/adapters/broker/nats/carrier.ts');
  const { urls, replicas, schema: prefix } = place;
  const carrier = await openNatsCarrier({ ...parts, urls, replicas, prefix, syncsAlways: true });
  const numberOf = (resource: string): number => Number(resource.split('/')[1]);
  const relays: WorkGroup = {
    name: 'relay',
    resources: Array.from({ length: carrier.relays }, (_, relay) => `relay/${relay}`),
    take: async (resource, lease) => carrier.take(numberOf(resource), lease),
    leave: (resource, how) => carrier.leave(numberOf(resource), how),
  };
  return {
    broker: new SqlBroker({ ...parts, feed: carrier.feed }),
    groups: [relays],
    close: () => carrier.close(),
  };
}
