import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { begin, newEvent, silent, TOPIC } from './rig.ts';

// Only this broker is told of appends by a notice in the process, and so only it can miss one.

test('what a lost notice has hidden is found by a look at the lag and a fetch made anew, as the watchdog does', async () => {
  const clock = new ManualClock();
  const real = openSqliteStore({ file: ':memory:', clock, logger: silent });
  const deaf = { ...real, onAppended: () => () => {} };
  const broker = new SqlBroker({ store: deaf, clock, logger: silent });
  await begin({ broker, store: real }, { name: 'reader', topic: TOPIC });
  const first = new AbortController();
  const waiting = broker.fetch('reader', 1, first.signal);
  await settle();
  await real.transact((tx) => tx.append([newEvent('k', 1)], { source: 'test', seed: '1' }));
  await clock.advance(30_000);

  assert.equal((await broker.lag('reader')).waiting, 1);
  first.abort();
  assert.deepEqual(await waiting, []);
  const second = new AbortController();
  const found = broker.fetch('reader', 1, second.signal);
  await settle();
  second.abort();
  assert.deepEqual(
    (await found).map(({ event }) => event.subject),
    ['1'],
  );
  await broker.close();
  await real.close();
});
