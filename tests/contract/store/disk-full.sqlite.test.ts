/** Only SQLite: a full disk is met here by a database that may not grow, which SQLite reports with the same code. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { ana, mail, quiet, stillClock } from './harness.ts';

test('a full disk refuses works as transient, keeps reading, and goes on when there is room again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tripwatch-full-'));
  t.after(() => rm(folder, { recursive: true }));
  const store = openSqliteStore({ file: join(folder, 'tripwatch.db'), clock: stillClock(), logger: quiet });
  const limit = (pages: number) => store.transact((tx) => sql.raw(`PRAGMA max_page_count = ${pages}`).execute(tx.db));
  const add = (n: number) =>
    store.transact((tx) => tx.mails.add(mail(`m${n}`, { subject: 'x'.repeat(3000) }), 1)).then(() => n);
  await limit(1);
  const acknowledged: number[] = [];
  let refused = 0;
  for (let n = 0; n < 400; n += 20) {
    for (const result of await Promise.allSettled(Array.from({ length: 20 }, (_, k) => add(n + k)))) {
      if (result.status === 'fulfilled') acknowledged.push(result.value);
      else {
        const error = result.reason;
        assert.ok(error instanceof TripwatchError && error.kind === 'transient' && error.code === 'store-disk-full');
        refused++;
      }
    }
  }
  assert.ok(refused > 0, 'the limit was never met');
  const stored = async () => {
    const ids = new Set<string>();
    for (const n of Array.from({ length: 401 }, (_, k) => k)) {
      if (await store.read((tx) => tx.mails.get(ana.tenant, `mail_m${n}`))) ids.add(`m${n}`);
    }
    return ids;
  };
  assert.deepEqual(await stored(), new Set(acknowledged.map((n) => `m${n}`)));
  await limit(1_000_000);
  await add(400);
  assert.equal((await stored()).size, acknowledged.length + 1);
  await store.close();
});
