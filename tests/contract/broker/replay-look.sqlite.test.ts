import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { CURSOR_ACKS_MAX } from '../../../src/domain/limits.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { begin, newEvent, silent, TOPIC } from './rig.ts';

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

test('a flush of many acks goes on while it is too early to look for replays again', async () => {
  const clock = new ManualClock();
  const store = openSqliteStore({ file: ':memory:', clock, logger: silent });
  const warnings: string[] = [];
  const logger = { ...silent, warn: (fields: object) => void warnings.push(JSON.stringify(fields)) };
  const broker = new SqlBroker({ store, clock, logger });
  await begin({ broker, store }, { name: 'reader', topic: TOPIC });
  const never = new AbortController().signal;
  const append = (first: number, count: number) =>
    store.transact((tx) =>
      tx.append(
        Array.from({ length: count }, (_, i) => newEvent(`key${first + i}`, first + i)),
        { source: 'test', seed: `seed${first}` },
      ),
    );
  const work = async (count: number) => {
    for (let done = 0; done < count; ) {
      const deliveries = await broker.fetch('reader', 64, never);
      for (const one of deliveries) await one.ack();
      done += deliveries.length;
    }
  };
  await append(0, 1);
  await work(1);
  // Looked for just now; these may have brought some.
  await append(1, CURSOR_ACKS_MAX + 1);
  await work(CURSOR_ACKS_MAX + 1);
  await settle();
  assert.deepEqual(warnings, []);
  const { seq } = await store.read(({ db }) =>
    db.selectFrom('consumer_cursor').select('seq').where('consumer', '=', 'reader').executeTakeFirstOrThrow(),
  );
  assert.ok(seq >= CURSOR_ACKS_MAX, `the cursor is at ${seq}`);
  await broker.close();
  await store.close();
});
