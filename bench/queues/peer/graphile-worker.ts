import type { Contestant, Setting } from '../contestant.ts';
import { numberOf, payload } from '../payload.ts';
import { loadPeer, missingPeer } from '../peers.ts';
import { missingPostgres, POOL, startBenchPostgres } from '../postgres-host.ts';

type Data = ReturnType<typeof payload>;

interface Utils {
  addJob(task: string, data: Data): Promise<unknown>;
  addJobs(jobs: readonly { readonly identifier: string; readonly payload: Data }[]): Promise<unknown>;
  migrate(): Promise<void>;
  release(): Promise<void>;
}

interface Graphile {
  makeWorkerUtils(options: object): Promise<Utils>;
  run(options: object): Promise<{ stop(): Promise<void> }>;
  readonly Logger: new (factory: () => (level: string, message: string) => void) => object;
}

/**
 * `batch`: jobs are fetched into its local queue, so many at once, and completed together. Without: one at a time, which
 * is its default and the quicker way to the first job.
 */
export const graphileWorker: Contestant = {
  name: 'graphile-worker on PostgreSQL',
  durability: 'fsync on, synchronous_commit on',
  settings: [
    { label: 'local queue of 500, 24 jobs at once', concurrency: 24, batch: 500 },
    { label: '24 jobs at once', concurrency: 24 },
  ],
  prompt: { label: '24 jobs at once', concurrency: 24 },
  subscribers: 1,
  missing: () => missingPeer('graphile-worker') ?? missingPostgres(),
  start: async () => {
    const { makeWorkerUtils, run, Logger } = await loadPeer<Graphile>('graphile-worker');
    const postgres = await startBenchPostgres();
    const logger = new Logger(() => (level, message) => {
      if (level === 'error' || level === 'warning') console.error('graphile-worker', message);
    });
    return {
      facts: postgres.facts,
      open: async ({ concurrency, batch }: Setting) => {
        const connectionString = await postgres.newDatabase();
        const utils = await makeWorkerUtils({ connectionString, logger, maxPoolSize: POOL });
        await utils.migrate();
        let runner: { stop(): Promise<void> } | undefined;
        return {
          publish: async (n) => void (await utils.addJob('job', payload(n))),
          publishMany: async (first, count) => {
            const jobs = Array.from({ length: count }, (_, i) => ({ identifier: 'job', payload: payload(first + i) }));
            await utils.addJobs(jobs);
          },
          work: async (handled) => {
            const batching = {
              localQueue: { size: batch },
              completeJobBatchDelay: 0,
              failJobBatchDelay: 0,
            };
            runner = await run({
              preset: {
                worker: {
                  connectionString,
                  logger,
                  concurrentJobs: concurrency,
                  maxPoolSize: POOL,
                  pollInterval: 500,
                  ...(batch === undefined ? {} : batching),
                },
              },
              noHandleSignals: true,
              taskList: { job: async (data: Data) => handled(numberOf(data), 0) },
            });
          },
          unfinished: () => postgres.count('SELECT count(*) AS n FROM graphile_worker._private_jobs'),
          close: async () => {
            await runner?.stop();
            await utils.release();
          },
        };
      },
      stop: () => postgres.stop(),
    };
  },
};
