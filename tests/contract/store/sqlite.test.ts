import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { quiet, stillClock } from './harness.ts';
import { storeContract } from './store-contract.ts';

storeContract('sqlite, file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tripwatch-store-'));
  const open = () => openSqliteStore({ file: join(folder, 'tripwatch.db'), clock: stillClock(), logger: quiet });
  let store = open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = open();
      return store;
    },
    dispose: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

storeContract('sqlite, memory', async () => {
  const store = openSqliteStore({ file: ':memory:', clock: stillClock(), logger: quiet });
  return { store, dispose: () => store.close() };
});
