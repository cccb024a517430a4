import type { Contestant, Setting } from '../contestant.ts';
import { numberOf, payload } from '../payload.ts';
import { loadPeer, missingPeer } from '../peers.ts';
import { missingPostgres, POOL, startBenchPostgres } from '../postgres-host.ts';

type Data = ReturnType<typeof payload>;

interface Boss {
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  createQueue(name: string, options: object): Promise<void>;
  send(name: string, data: Data): Promise<string | null>;
  insert(name: string, jobs: readonly { readonly data: Data }[]): Promise<unknown>;
  work(
    name: string,
    options: object,
    handler: (jobs: readonly { readonly data: Data }[]) => Promise<void>,
  ): Promise<string>;
  on(event: 'error', listener: (error: unknown) => void): void;
}

interface PgBossModule {
  readonly PgBoss: new (options: object) => Boss;
}

/**
 * Woken by notices, fetching on at once while batches come back full: with one job a fetch, or by polling alone, it takes
 * a job every half second and is not measured that way.
 */
export const pgBoss: Contestant = {
  name: 'pg-boss on PostgreSQL',
  durability: 'fsync on, synchronous_commit on',
  settings: [
    { label: '2 workers, batches of 200', concurrency: 2, batch: 200 },
    { label: '8 workers, batches of 50', concurrency: 8, batch: 50 },
  ],
  prompt: { label: '8 workers, batches of 50', concurrency: 8, batch: 50 },
  subscribers: 1,
  missing: () => missingPeer('pg-boss') ?? missingPostgres(),
  start: async () => {
    const { PgBoss } = await loadPeer<PgBossModule>('pg-boss');
    const postgres = await startBenchPostgres();
    return {
      facts: postgres.facts,
      open: async ({ concurrency, batch = 1 }: Setting) => {
        const connectionString = await postgres.newDatabase();
        const boss = new PgBoss({ connectionString, max: POOL, useListenNotify: true, schedule: false });
        boss.on('error', (error) => console.error('pg-boss', error));
        await boss.start();
        await boss.createQueue('bench', { notify: true });
        return {
          publish: async (n) => {
            if ((await boss.send('bench', payload(n))) === null) throw new Error(`pg-boss refused job ${n}`);
          },
          publishMany: async (first, count) => {
            await boss.insert(
              'bench',
              Array.from({ length: count }, (_, i) => ({ data: payload(first + i) })),
            );
          },
          work: async (handled) => {
            await boss.work(
              'bench',
              {
                batchSize: batch,
                localConcurrency: concurrency,
                burstWhenBatchFull: true,
                pollingIntervalSeconds: 0.5,
                notifyPollingIntervalSeconds: 0.5,
              },
              async (jobs) => {
                for (const { data } of jobs) handled(numberOf(data), 0);
              },
            );
          },
          unfinished: () => postgres.count("SELECT count(*) AS n FROM pgboss.job WHERE state <> 'completed'"),
          close: () => boss.stop({ graceful: true, timeout: 5000 }),
        };
      },
      stop: () => postgres.stop(),
    };
  },
};
