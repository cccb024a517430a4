/**
 * One process on a SQLite file, killed again and again. `node scripts/chaos.ts --backend sqlite` for more.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sql } from 'kysely';
import { sqlitePlace } from './back-ends.ts';
import { killRun } from './kills.ts';
import { Run, warmUp } from './supervisor.ts';
import { expectKills, expectNone, KILLING_MS, seedOf } from './tests.ts';

/** Of the three hundred of a test run, with the other back ends. */
const KILLS = 140;

before(warmUp);

test(`${KILLS} times kill -9 on SQLite: nothing lost, nothing doubled, nothing stuck`, async (t) => {
  const seed = seedOf(t);
  const result = await killRun({ name: 'sqlite', seed, kills: KILLS, withinMs: KILLING_MS, place: sqlitePlace });
  t.diagnostic(JSON.stringify(result));
  expectNone(result);
  expectKills(result);
  assert.ok(result.facts.acked > result.kills, 'too few events');
});

test('the checks can fail: without processed marks, kills double effects', async (t) => {
  const seed = seedOf(t);
  for (let round = 0; round < 5; round++) {
    const plan = { name: 'unmarked', seed: seed + round, kills: 8, place: sqlitePlace, broken: 'unmarked' } as const;
    const { violations } = await killRun({ ...plan, keep: false });
    if (violations.some(({ what }) => what.includes('doubled'))) return;
  }
  assert.fail('no effect was doubled');
});

test('the checks can fail: each table that was tampered with is found out', async () => {
  const run = await Run.begin('tampered', 1, sqlitePlace);
  try {
    const worker = { id: 'w', label: 'w', alone: true };
    await run.start({ worker, work: { workMs: 0, failing: 0 }, bring: { atOnce: 50, everyMs: 1 } });
    while (run.acked.size < 300) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const one of run.workers) one.quiet();
    await run.settled(30_000);
    await run.stopAll();
    assert.deepEqual((await run.check({ atRest: true })).violations, []);
    const tampering: readonly (readonly [string, RegExp])[] = [
      ["DELETE FROM chaos_effect WHERE stage = 'three' AND seq % 50 = 0", /three: neither done nor dead/],
      [
        `INSERT INTO chaos_effect (stage, event, key, n, at) SELECT stage, event, key, n, at FROM chaos_effect
          WHERE stage = 'one' LIMIT 1`,
        /one: effects doubled/,
      ],
      ["UPDATE chaos_effect SET seq = -seq WHERE stage = 'two' AND n % 100 > 48", /two: not in the order of the key/],
      ['UPDATE chaos_effect SET token = 99 WHERE seq = 5', /stale write/],
      ["UPDATE chaos_effect SET owner = 'another' WHERE seq = 6", /two owners/],
      ["UPDATE chaos_effect SET event = 'evt_none' WHERE seq = 7", /without an event/],
      ["DELETE FROM log WHERE topic = 'mail.seen' AND subject = '100010'", /acknowledged and lost/],
      ["DELETE FROM log WHERE topic = 'mail.collected' AND subject = '100011'", /not told/],
      ["UPDATE chaos_state SET n = n - 1 WHERE key = 'key3'", /overwritten/],
      ['DELETE FROM chaos_dead', /without their hook/],
      ["UPDATE consumer_cursor SET seq = seq - 1 WHERE consumer = 'three'", /cursors behind/],
    ];
    for (const [statement, expected] of tampering) {
      await run.store.transact(({ db }) => sql.raw(statement).execute(db));
      const { violations } = await run.check({ atRest: true });
      assert.ok(
        violations.some(({ what }) => expected.test(what)),
        `${statement}: ${JSON.stringify(violations)}`,
      );
    }
  } finally {
    await run.close(false);
  }
});
