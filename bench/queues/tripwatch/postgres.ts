import { randomUUID } from 'node:crypto';
import { MEMORY_FLAGS } from '../../../bin/memory.js';
import { openNatsCarrier } from '../../../src/adapters/broker/nats/carrier.ts';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import { openPostgresStore } from '../../../src/adapters/store/postgres/store.ts';
import type { Lease } from '../../../src/ports/store/leases.ts';
import type { Contestant } from '../contestant.ts';
import { missingNats, startBenchNats } from '../nats-host.ts';
import { missingPeer } from '../peers.ts';
import { missingPostgres, startBenchPostgres } from '../postgres-host.ts';
import { type OpenInstallation, openQueue } from './runtime.ts';

const SETTINGS = [
  { label: '64 keys at once', concurrency: 64 },
  { label: '256 keys at once', concurrency: 256 },
] as const;

/** One of several processes that could share the work: shards held by leases with beats, every effect under its fence. */
const workerOf = () => ({ id: randomUUID(), label: 'bench', alone: false });

/** The server is asked through the client of the other queues on PostgreSQL, so that all are treated alike. */
const missing = () => missingPeer('pg') ?? missingPostgres();

function onPostgres(subscribers: number): Contestant {
  return {
    name: `Tripwatch on PostgreSQL${subscribers === 1 ? '' : ', two subscribers'}`,
    durability: 'fsync on, synchronous_commit on',
    settings: SETTINGS,
    prompt: SETTINGS[0],
    subscribers,
    ...(subscribers === 1 ? {} : { parts: ['steady', 'drain', 'latency'] as const }),
    flags: MEMORY_FLAGS,
    missing,
    start: async () => {
      const postgres = await startBenchPostgres();
      return {
        facts: postgres.facts,
        open: async (setting) => {
          const url = await postgres.newDatabase();
          const open: OpenInstallation = async ({ clock, logger }) => {
            const store = await openPostgresStore({ url, clock, logger });
            const broker = new SqlBroker({ store, clock, logger });
            return { store, broker, worker: workerOf(), close: () => store.close() };
          };
          return openQueue(open, setting, subscribers);
        },
        stop: () => postgres.stop(),
      };
    },
  };
}

export const onPostgresAlone = onPostgres(1);
export const onPostgresTwice = onPostgres(2);

/**
 * The store on PostgreSQL, the events carried by NATS: one relay publishes them, which runs in this process too. What is
 * acknowledged is in PostgreSQL, whenever NATS syncs.
 */
const natsAndPostgres = (sync: 'always' | '2s'): Contestant => ({
  name: `Tripwatch on NATS and PostgreSQL${sync === 'always' ? ', NATS syncs each event too' : ''}`,
  durability: `fsync on, synchronous_commit on; NATS: sync_interval ${sync}`,
  settings: SETTINGS,
  prompt: SETTINGS[0],
  subscribers: 1,
  flags: MEMORY_FLAGS,
  missing: () => missing() ?? missingNats(),
  start: async (folder) => {
    const postgres = await startBenchPostgres();
    const nats = await startBenchNats(folder, sync);
    let installations = 0;
    return {
      facts: { ...postgres.facts, ...nats.facts },
      open: async (setting) => {
        const url = await postgres.newDatabase();
        const prefix = `bench${installations++}`;
        return openQueue(
          async ({ clock, logger }) => {
            const store = await openPostgresStore({ url, clock, logger });
            const carrier = await openNatsCarrier({
              ...{ store, clock, logger, prefix, syncsAlways: sync === 'always', urls: [nats.url] },
            });
            const relays = {
              name: 'relay',
              resources: ['relay/0'],
              take: async (_resource: string, lease: Lease) => carrier.take(0, lease),
              leave: (_resource: string, how: 'hand-over' | 'lost') => carrier.leave(0, how),
            };
            return {
              store,
              broker: new SqlBroker({ store, clock, logger, feed: carrier.feed }),
              worker: workerOf(),
              groups: [relays],
              close: async () => {
                await carrier.close();
                await store.close();
              },
            };
          },
          setting,
          1,
        );
      },
      stop: async () => {
        await nats.stop();
        await postgres.stop();
      },
    };
  },
});

/** As the documents advise above some 1,500 events a second. */
export const onNatsAndPostgres = natsAndPostgres('2s');
export const onSyncingNatsAndPostgres = natsAndPostgres('always');
