/** Letters from before their kind was a column. The statements are those of PostgreSQL too; only SQLite has such data. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { MIGRATIONS } from '../../../src/adapters/store/sql/migrations/migrations.ts';
import { migrate } from '../../../src/adapters/store/sqlite/migrate.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { ana, quiet, stillClock } from './harness.ts';

test('letters of an older version keep who decided, and get their kind and place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-migrate-'));
  const file = join(folder, 'tripwatch.db');
  const database = new DatabaseSync(file);
  migrate(
    database,
    0,
    MIGRATIONS.filter((migration) => migration.id < 5),
  );
  const attempts = (...pairs: readonly (readonly [string, string])[]) =>
    JSON.stringify(pairs.map(([kind, code], at) => ({ at, kind, code, message: 'no' })));
  const log = database.prepare(
    "INSERT INTO log (id, tenant, topic, key, correlation, subject, at, shard, body) VALUES (?, ?, 'mail.seen', 'k', 'c', 's', 0, 0, '{}')",
  );
  const add = database.prepare(
    `INSERT INTO dead_letter (tenant, id, consumer, topic, event_id, key, correlation, attempts, code, message, state,
      created_at, decided_at, decision) VALUES (?, ?, 'extract', 'mail.seen', ?, 'k', 'c', ?, ?, 'no', ?, 1, ?, ?)`,
  );
  for (const id of ['evt_0', 'evt_1']) log.run(id, ana.tenant);
  const busy = ['transient', 'store-busy'] as const;
  add.run(ana.tenant, 'dead_1', 'evt_1', attempts(busy, ['poison', 'bad']), 'bad', 'open', null, null);
  add.run(ana.tenant, 'dead_2', 'evt_0', attempts(['defect', 'x'], busy), 'store-busy', 'replayed', 2, 'tok_1');
  add.run(ana.tenant, 'dead_3', 'evt_gone', attempts(['permanent', 'y']), 'y', 'discarded', 2, 'too old');
  database.close();

  const store = openSqliteStore({ file, clock: stillClock(), logger: quiet });
  const { letters } = await store.read((tx) => tx.deadLetters.inOrder(ana.tenant, {}, { limit: 9 }));
  assert.deepEqual(
    letters.map(({ id, kind, decidedBy, decision }) => [id, kind, decidedBy, decision]),
    [
      ['dead_3', 'permanent', undefined, 'too old'],
      ['dead_2', 'transient', 'tok_1', undefined],
      ['dead_1', 'poison', undefined, undefined],
    ],
  );
  const [, , open] = letters;
  assert.equal(
    await store.transact((tx) => tx.deadLetters.replay(ana.tenant, open!.id, { by: 'cli', now: 3 })),
    'done',
  );
  await store.close();
  rmSync(folder, { recursive: true });
});
