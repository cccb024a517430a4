import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MEMORY_FLAGS } from '../../../bin/memory.js';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import type { Contestant } from '../contestant.ts';
import { type OpenInstallation, openQueue } from './runtime.ts';

/** Everything in this process, one file. */
export const embedded = contestantOf('Tripwatch embedded (SQLite)', 1);
export const embeddedTwice = contestantOf('Tripwatch embedded (SQLite), two subscribers', 2);

function contestantOf(name: string, subscribers: number): Contestant {
  return {
    name,
    durability: 'WAL, synchronous FULL',
    settings: [
      { label: '64 keys at once', concurrency: 64 },
      { label: '256 keys at once', concurrency: 256 },
    ],
    prompt: { label: '64 keys at once', concurrency: 64 },
    subscribers,
    // Publishing does not know who reads.
    ...(subscribers === 1 ? {} : { parts: ['steady', 'drain', 'latency'] as const }),
    flags: MEMORY_FLAGS,
    start: async (folder) => ({
      facts: { sqlite: process.versions.sqlite ?? '' },
      open: (setting) => {
        const inside = mkdtempSync(join(folder, 'data-'));
        const open: OpenInstallation = async ({ clock, logger }) => {
          const store = openSqliteStore({ file: join(inside, 'tripwatch.db'), clock, logger });
          const close = async () => {
            await store.close();
            rmSync(inside, { recursive: true, force: true });
          };
          return { store, broker: new SqlBroker({ store, clock, logger }), close };
        };
        return openQueue(open, setting, subscribers);
      },
      stop: async () => {},
    }),
  };
}
