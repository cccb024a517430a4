import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsServers } from '../../scripts/servers/nats.ts';
import type { PostgresServer } from '../../scripts/servers/postgres.ts';
import { streamName } from '../../src/adapters/broker/nats/message.ts';
import { type Outage, WORKERS } from './outages.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** What befalls servers and the lines to them (see outages.ts). Times in ms. */

export function databaseOutages(server: PostgresServer): Readonly<Record<'killed' | 'restarted', Outage>> {
  return {
    killed: {
      name: 'PostgreSQL killed, and started again',
      run: async () => {
        await server.kill9();
        await delay(300);
        await server.restart();
      },
    },
    restarted: { name: 'PostgreSQL restarted in good order', run: () => server.restart() },
  };
}

export function lineOutages(
  proxy: TcpProxy,
  ms: number,
): Readonly<Record<'reset' | 'refused' | 'slow' | 'sliced' | 'cut' | 'hole' | 'halfOpen', Outage>> {
  const during = (name: string, begin: () => unknown, end: () => unknown): Outage => ({
    name,
    run: async () => {
      await begin();
      await delay(ms);
      await end();
    },
  });
  const none = () => proxy.set({});
  return {
    reset: { name: 'all connections reset', run: async () => void proxy.reset() },
    refused: during(
      'connections reset and refused',
      async () => {
        await proxy.refuse(true);
        proxy.reset();
      },
      () => proxy.refuse(false),
    ),
    slow: during('20 to 50 ms of latency', () => proxy.set({ latencyMs: 20, jitterMs: 30 }), none),
    sliced: during('slices of 7 bytes, 200 kB/s', () => proxy.set({ sliceBytes: 7, bytesPerSecond: 200_000 }), none),
    cut: during('each connection reset after 5 kB', () => proxy.set({ limitBytes: 5000, limitThen: 'reset' }), none),
    hole: during('black hole', () => proxy.set({ blackHole: true }), none),
    halfOpen: { name: 'all connections half open', run: async () => void proxy.halfOpen() },
  };
}

export function brokerOutages(
  nats: NatsServers,
  prefix: string,
): Readonly<Record<'killed' | 'stopped' | 'leaderKilled', Outage>> {
  const stream = streamName(prefix, 0);
  return {
    killed: {
      name: 'NATS killed, and started again',
      run: async () => {
        await nats.kill9(0);
        await delay(300);
        await nats.restart(0);
      },
    },
    stopped: {
      name: 'NATS stands still for 3 s',
      run: async () => {
        nats.sigstop(0);
        await delay(3000);
        nats.sigcont(0);
      },
    },
    leaderKilled: {
      name: 'leader of the stream killed, and started again',
      run: async () => {
        const leader = await leaderOf(nats, stream);
        await nats.kill9(leader);
        await delay(2000);
        await nats.restart(leader);
      },
    },
  };
}

/** As when the machine goes down: workers and servers are killed at once, and started in any order. */
export function allAtOnce(server: PostgresServer, nats?: NatsServers): Outage {
  return {
    name: 'everything killed at once, and started in any order',
    run: async (run, start) => {
      const workers = [...run.workers];
      for (const worker of workers) worker.kill();
      await Promise.all([server.kill9(), nats?.kill9(0), ...workers.map((worker) => worker.died)]);
      const soon = async (begin: () => Promise<void> | undefined) => {
        await delay(run.random.number() * 1000);
        await begin();
      };
      await Promise.all([
        soon(() => server.restart()),
        soon(() => nats?.restart(0)),
        ...Array.from({ length: WORKERS }, (_, i) => soon(() => start(i))),
      ]);
    },
  };
}

/** The node that leads the stream. */
async function leaderOf(nats: NatsServers, stream: string): Promise<number> {
  const connection = await connect({ servers: [...nats.hosts], user: nats.user, pass: nats.password });
  try {
    const manager = await jetstreamManager(connection);
    for (let tries = 0; tries < 100; tries++) {
      const info = await manager.streams.info(stream).catch(() => undefined);
      const leader = info?.cluster?.leader;
      if (leader) return nats.nodeNamed(leader);
      await delay(100);
    }
    throw new Error(`stream ${stream} has no leader`);
  } finally {
    await connection.close();
  }
}
