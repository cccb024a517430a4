import type { Contestant } from '../contestant.ts';
import { missingNats, startBenchNats } from '../nats-host.ts';
import { numberOf, payload } from '../payload.ts';
import { loadPeer, missingPeer } from '../peers.ts';

type Data = ReturnType<typeof payload>;

interface Message {
  json(): Data;
  ack(): void;
}
interface Messages extends AsyncIterable<Message> {
  close(): Promise<unknown>;
}
interface Connection {
  close(): Promise<void>;
}
interface Manager {
  readonly streams: { add(config: object): Promise<unknown>; delete(name: string): Promise<boolean> };
  readonly consumers: {
    add(stream: string, config: object): Promise<unknown>;
    info(stream: string, name: string): Promise<{ num_pending: number; num_ack_pending: number }>;
  };
}
interface JetStream {
  publish(subject: string, data: Uint8Array): Promise<unknown>;
  readonly consumers: {
    get(stream: string, name: string): Promise<{ consume(options: object): Promise<Messages> }>;
  };
}
interface Transport {
  connect(options: object): Promise<Connection>;
}
interface JetStreamModule {
  jetstream(connection: Connection): JetStream;
  jetstreamManager(connection: Connection): Promise<Manager>;
}

/**
 * Bare: a pull consumer that acknowledges without waiting for the answer. No effect in a store, no mark of what was done:
 * a repeat after a crash is the user's business.
 */
export const jetStream: Contestant = {
  name: 'raw JetStream',
  durability: 'sync_interval always, one node, file store',
  settings: [
    { label: 'window of 500', concurrency: 1, batch: 500 },
    { label: 'window of 2000', concurrency: 1, batch: 2000 },
  ],
  prompt: { label: 'window of 500', concurrency: 1, batch: 500 },
  subscribers: 1,
  missing: () => missingPeer('@nats-io/jetstream') ?? missingNats(),
  start: async (folder) => {
    const { connect } = await loadPeer<Transport>('@nats-io/transport-node');
    const { jetstream, jetstreamManager } = await loadPeer<JetStreamModule>('@nats-io/jetstream');
    const nats = await startBenchNats(folder);
    let streams = 0;
    return {
      facts: nats.facts,
      open: async ({ batch = 500 }) => {
        const name = `BENCH${streams++}`;
        const connection = await connect(nats.options);
        const manager = await jetstreamManager(connection);
        await manager.streams.add({ name, subjects: [`${name}.>`], storage: 'file', retention: 'limits' });
        const durable = { durable_name: 'worker', ack_policy: 'explicit', max_ack_pending: 20_000 };
        await manager.consumers.add(name, durable);
        const js = jetstream(connection);
        const encoder = new TextEncoder();
        const publish = async (n: number) => {
          await js.publish(`${name}.job`, encoder.encode(JSON.stringify(payload(n))));
        };
        let messages: Messages | undefined;
        let ended: Promise<void> | undefined;
        return {
          publish,
          publishMany: async (first, count) => {
            await Promise.all(Array.from({ length: count }, (_, i) => publish(first + i)));
          },
          work: async (handled) => {
            const consumer = await js.consumers.get(name, 'worker');
            const taken = await consumer.consume({ max_messages: batch });
            messages = taken;
            ended = (async () => {
              for await (const message of taken) {
                handled(numberOf(message.json()), 0);
                message.ack();
              }
            })();
          },
          unfinished: async () => {
            const { num_pending, num_ack_pending } = await manager.consumers.info(name, 'worker');
            return num_pending + num_ack_pending;
          },
          close: async () => {
            await messages?.close();
            await ended;
            await manager.streams.delete(name);
            await connection.close();
          },
        };
      },
      stop: () => nats.stop(),
    };
  },
};
