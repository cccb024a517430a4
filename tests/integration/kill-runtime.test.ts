/**
 * Three stages on one SQLite file, killed with -9 at random moments: nothing acknowledged is lost, no effect happens
 * twice, nothing stays behind. `KILLS=1000 SEED=7 node --test tests/integration/kill-runtime.test.ts` for more.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../contract/broker/rig.ts';

const kills = Number(process.env.KILLS ?? 30);
const seed = Number(process.env.SEED ?? 20261122);
const child = fileURLToPath(new URL('./kill-runtime.child.ts', import.meta.url));

/** Runs one life; returns the numbers that it acknowledged. */
async function live(
  file: string,
  life: number,
  first: number,
  killAfterMs: number | undefined,
  mode = killAfterMs === undefined ? 'finish' : 'append',
): Promise<number[]> {
  const running = spawn(process.execPath, [child, file, String(seed + life), String(first), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(running, 'exit');
  let out = '';
  const ready = new Promise<void>((resolve) => {
    running.stdout.on('data', (chunk) => {
      out += String(chunk);
      if (out.startsWith('ready')) resolve();
    });
  });
  // Every seventh dies while it starts.
  if (life % 7 !== 6 || killAfterMs === undefined) await Promise.race([ready, exited]);
  if (killAfterMs !== undefined) {
    await delay(killAfterMs);
    assert.equal(running.exitCode, null, 'the process must not end by itself');
    running.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  if (killAfterMs === undefined)
    assert.deepEqual([code, signal], [0, null], `the last life of seed ${seed} did not finish`);
  return out
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('acked '))
    .map((line) => Number(line.slice(6)));
}

test(`${kills} times kill -9: nothing lost, nothing doubled, nothing stuck (seed ${seed})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-kill-'));
  const file = join(folder, 'tripwatch.db');
  const random = seededRandom(seed);
  try {
    const acked = new Set<number>();
    for (let life = 0; life < kills; life++) {
      const numbers = await live(file, life, life * 100_000, random.number() ** 2 * 300);
      for (const n of numbers) acked.add(n);
    }
    await live(file, kills, 0, undefined);
    const db = new DatabaseSync(file, { readOnly: true });
    const all = (sql: string) =>
      db
        .prepare(sql)
        .all()
        .map((row) => ({ ...row })) as Record<string, string | number>[];
    assert.deepEqual(all('PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);

    const seen = new Set(all("SELECT subject FROM log WHERE topic = 'mail.seen'").map((row) => Number(row.subject)));
    assert.ok(acked.size > kills, `only ${acked.size} events were acknowledged`);
    assert.deepEqual(
      [...acked].filter((n) => !seen.has(n)),
      [],
      'acknowledged and lost',
    );

    assert.deepEqual(all('SELECT * FROM effect WHERE n <> 1'), [], 'effects that happened more than once');
    const effects = (stage: string) => Number(all(`SELECT count(*) n FROM effect WHERE stage = '${stage}'`)[0]!.n);
    const logged = (topic: string) => Number(all(`SELECT count(*) n FROM log WHERE topic = '${topic}'`)[0]!.n);
    const poison = [...seen].filter((n) => n % 41 === 40).length;
    assert.ok(poison > 0);
    assert.deepEqual(
      { one: effects('one'), two: effects('two'), three: effects('three'), dead: effects('hook') },
      { one: seen.size, two: seen.size - poison, three: seen.size - poison, dead: poison },
    );
    assert.deepEqual(
      [logged('mail.collected'), logged('notification.sent')],
      [seen.size, seen.size - poison],
      'each effect appended once',
    );
    assert.equal(all("SELECT count(*) n FROM dead_letter WHERE state = 'open'")[0]!.n, poison);
    assert.deepEqual(all('SELECT * FROM delivery'), [], 'nothing stays behind');
    for (const { consumer, topic, seq } of all('SELECT * FROM consumer_cursor'))
      assert.ok(seq! >= all(`SELECT max(seq) n FROM log WHERE topic = '${topic}'`)[0]!.n!, `cursor of ${consumer}`);
    db.close();
    console.log(`# ${kills} kills, ${acked.size} acknowledged, ${seen.size} stored, ${poison} dead`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the checks can fail: without processed marks, kills double effects', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-kill-'));
  const file = join(folder, 'tripwatch.db');
  try {
    let doubled = 0;
    for (let life = 0; life < 5 && doubled === 0; life++) {
      await live(file, life, life * 100_000, 200, 'unmarked');
      const db = new DatabaseSync(file);
      doubled = Number(db.prepare('SELECT count(*) n FROM effect WHERE n > 1').get()!.n);
      db.close();
    }
    assert.ok(doubled > 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
