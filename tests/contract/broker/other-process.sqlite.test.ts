/** Only the broker in a file has another process beside it: the command line appends and replays while stages run. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { SqlBroker } from '../../../src/adapters/broker/sql/broker.ts';
import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { POLL_MS_MAX } from '../../../src/domain/limits.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { begin, newEvent, silent, TOPIC } from './rig.ts';

let folder: string;
let clock: ManualClock;
let here: SqlStore;
let there: SqlStore;
let broker: SqlBroker;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tripwatch-two-'));
  clock = new ManualClock();
  here = openSqliteStore({ file: join(folder, 'tripwatch.db'), clock, logger: silent });
  there = openSqliteStore({ file: join(folder, 'tripwatch.db'), clock, logger: silent });
  broker = new SqlBroker({ store: here, clock, logger: silent });
  await begin({ broker, store: here }, { name: 'reader', topic: TOPIC });
});

afterEach(async () => {
  await broker.close();
  await here.close();
  await there.close();
  rmSync(folder, { recursive: true, force: true });
});

test('what another process appends is delivered within the polling time', async () => {
  const fetched = broker.fetch('reader', 5, new AbortController().signal);
  await settle();
  await there.transact((tx) => tx.append([newEvent('a', 1)], { source: 'test', seed: 'there' }));
  let delivered = false;
  void fetched.then(() => {
    delivered = true;
  });
  await settle();
  assert.equal(delivered, false, 'nobody could know yet');
  await clock.advance(POLL_MS_MAX + 1);
  assert.deepEqual(
    (await fetched).map(({ event }) => event.subject),
    ['1'],
  );
});

test('appends of both processes, in turn, are all delivered', async () => {
  const seen: number[] = [];
  for (let n = 0; n < 100; n++) {
    const store = n % 2 === 0 ? here : there;
    await store.transact((tx) => tx.append([newEvent(`k${n % 7}`, n)], { source: 'test', seed: `${n}` }));
    if (n % 9 === 0) {
      const patience = new AbortController();
      const fetched = broker.fetch('reader', 50, patience.signal);
      await settle();
      patience.abort();
      for (const delivery of await fetched) {
        seen.push(Number(delivery.event.subject));
        await delivery.ack();
      }
    }
  }
  for (let i = 0; i < 30 && seen.length < 100; i++) {
    const patience = new AbortController();
    const fetched = broker.fetch('reader', 50, patience.signal);
    await clock.advance(POLL_MS_MAX + 1);
    patience.abort();
    for (const delivery of await fetched) {
      seen.push(Number(delivery.event.subject));
      await delivery.ack();
    }
  }
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    Array.from({ length: 100 }, (_, n) => n),
  );
});

test('the cursor is stored after a while, not for each ack', async () => {
  const cursor = async () =>
    (await there.read(({ db }) => db.selectFrom('consumer_cursor').select('seq').executeTakeFirstOrThrow())).seq;
  await here.transact((tx) => tx.append([newEvent('a', 1), newEvent('b', 2)], { source: 'test', seed: 'x' }));
  for (const delivery of await broker.fetch('reader', 5, new AbortController().signal)) await delivery.ack();
  await settle();
  assert.equal(await cursor(), 0);
  await clock.advance(501);
  assert.equal(await cursor(), 2);
});
