import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { around, begin, newEvent, silent, TOPIC } from './rig.ts';

// Only a broker that keeps its cursors in the store can fail to store one.

test('a shard whose cursor could not be stored when it was handed over counts as left: nothing waits in it here', async () => {
  const clock = new ManualClock();
  const real = openSqliteStore({ file: ':memory:', clock, logger: silent });
  let failing = false;
  const store = around(real, (work, options) =>
    failing ? Promise.reject(new TripwatchError('transient', 'store-busy', 'busy')) : real.transact(work, options),
  );
  const broker = new SqlBroker({ store, clock, logger: silent });
  await begin({ broker, store: real }, { name: 'reader', topic: TOPIC });
  await real.transact((tx) => tx.append([newEvent('k', 1)], { source: 'test', seed: '1' }));
  const [one] = await broker.fetch('reader', 1, new AbortController().signal);
  await one!.ack();
  failing = true;
  await assert.rejects(broker.leave('reader', 0, 'hand-over'), { code: 'store-busy' });
  failing = false;
  await real.transact((tx) => tx.append([newEvent('k', 2)], { source: 'test', seed: '2' }));
  await settle();
  assert.deepEqual(await broker.lag('reader'), { waiting: 0, parked: 0 });
  await broker.close();
  await real.close();
});
