import { missingRedis, startRedis } from '../../../scripts/servers/redis.ts';
import type { Contestant } from '../contestant.ts';
import { numberOf, payload } from '../payload.ts';
import { loadPeer, missingPeer } from '../peers.ts';

type Data = ReturnType<typeof payload>;

interface BullQueue {
  add(name: string, data: Data): Promise<unknown>;
  addBulk(jobs: readonly { readonly name: string; readonly data: Data }[]): Promise<unknown>;
  getJobCounts(): Promise<Readonly<Record<string, number>>>;
  waitUntilReady(): Promise<unknown>;
  obliterate(options: { readonly force: boolean }): Promise<void>;
  close(): Promise<void>;
}

interface BullWorker {
  waitUntilReady(): Promise<unknown>;
  on(event: 'error' | 'failed', listener: (...args: unknown[]) => void): void;
  close(): Promise<void>;
}

interface BullMq {
  readonly Queue: new (name: string, options: object) => BullQueue;
  readonly Worker: new (
    name: string,
    handler: (job: { readonly data: Data }) => Promise<void>,
    options: object,
  ) => BullWorker;
}

/** Jobs that are done are removed: the less to write, the faster. */
export const bullmq: Contestant = {
  name: 'BullMQ on Redis',
  durability: 'appendfsync always',
  settings: [
    { label: 'concurrency 64', concurrency: 64 },
    { label: 'concurrency 200', concurrency: 200 },
  ],
  prompt: { label: 'concurrency 64', concurrency: 64 },
  subscribers: 1,
  missing: () => missingPeer('bullmq') ?? missingRedis(),
  start: async () => {
    const { Queue, Worker } = await loadPeer<BullMq>('bullmq');
    const redis = await startRedis();
    const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null };
    let queues = 0;
    return {
      facts: { redis: redis.version, appendfsync: redis.config('appendfsync'), appendonly: redis.config('appendonly') },
      open: async ({ concurrency }) => {
        const name = `bench${queues++}`;
        const defaultJobOptions = { removeOnComplete: true, removeOnFail: false };
        const queue = new Queue(name, { connection, defaultJobOptions });
        await queue.waitUntilReady();
        let worker: BullWorker | undefined;
        return {
          publish: async (n) => void (await queue.add('job', payload(n))),
          publishMany: async (first, count) => {
            await queue.addBulk(Array.from({ length: count }, (_, i) => ({ name: 'job', data: payload(first + i) })));
          },
          work: async (handled) => {
            worker = new Worker(name, async ({ data }) => handled(numberOf(data), 0), { connection, concurrency });
            worker.on('error', (error) => console.error('bullmq', error));
            await worker.waitUntilReady();
          },
          unfinished: async () => {
            const counts = await queue.getJobCounts();
            return Object.entries(counts).reduce((sum, [state, n]) => sum + (state === 'completed' ? 0 : n), 0);
          },
          close: async () => {
            await worker?.close();
            await queue.obliterate({ force: true });
            await queue.close();
          },
        };
      },
      stop: () => redis.stop(),
    };
  },
};
