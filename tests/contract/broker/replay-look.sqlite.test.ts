import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { begin, silent, TOPIC } from './rig.ts';

// Replays lie in the store, and only a broker in it has to look for them.

test('a look for replays under way is nothing that waits', async () => {
  const clock = new ManualClock();
  const real = openSqliteStore({ file: ':memory:', clock, logger: silent });
  let slow: Promise<void> | undefined;
  const store = {
    ...real,
    read: async (work: Parameters<typeof real.read>[0]) => {
      await slow;
      return real.read(work);
    },
  } as typeof real;
  const broker = new SqlBroker({ store, clock, logger: silent });
  await begin({ broker, store: real }, { name: 'reader', topic: TOPIC });
  let goOn = (): void => {};
  slow = new Promise((resolve) => {
    goOn = resolve;
  });
  const asking = new AbortController();
  const found = broker.fetch('reader', 1, asking.signal);
  await settle();
  slow = undefined;
  assert.deepEqual(await broker.lag('reader'), { waiting: 0, parked: 0 });
  assert.deepEqual(await broker.lag('reader', true), { waiting: 0, parked: 0 });
  goOn();
  asking.abort();
  assert.deepEqual(await found, []);
  await broker.close();
  await real.close();
});
