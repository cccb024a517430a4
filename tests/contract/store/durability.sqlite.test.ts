/** Only SQLite: the store lives in this process and its file, so a killed process is what it has to survive. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import { migrate } from '../../../src/adapters/store/sqlite/migrate.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import type { Topic } from '../../../src/contracts/topics.ts';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { ana, appendOne, eventId, mail, newEvent, origin, quiet, stillClock } from './harness.ts';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tripwatch-store-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const open = (file: string): SqlStore => openSqliteStore({ file, clock: stillClock(), logger: quiet });
const coded = (code: string) => (error: unknown) => error instanceof TripwatchError && error.code === code;

test('kill -9 loses nothing that was acknowledged', { timeout: 60_000 }, async (t) => {
  const file = join(await folderFor(t), 'tripwatch.db');
  let acknowledged: number[] = [];
  for (let round = 0; round < 4; round++) {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'writer.child.ts'), file, String(round * 1_000_000)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk: string) => {
      text += chunk;
      // A different moment each round, by what has happened, not by the clock.
      if (text.split('\n').length > 50 + round * 333) child.kill('SIGKILL');
    });
    await once(child, 'close');
    acknowledged = acknowledged.concat(text.split('\n').slice(0, -1).map(Number));
    const store = open(file);
    await store.read(async (tx) => {
      for (const n of acknowledged) {
        assert.equal((await tx.log.processedBy(eventId(`n${n}`))).length, 1, `claim of ${n} is lost`);
        assert.equal((await tx.log.bySubject(ana.tenant, `n${n}`, 2)).length, 1, `event of ${n} is lost`);
      }
    });
    await store.close();
  }
  assert.ok(acknowledged.length > 1000);
  const check = new DatabaseSync(file);
  assert.equal(check.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
  const halves = check.prepare(
    'SELECT count(*) AS n FROM processed WHERE substr(event_id, 5) NOT IN (SELECT subject FROM log)',
  );
  assert.equal(halves.get()?.n, 0, 'a claim without its event: a transaction was torn');
  check.close();
});

test('sequence numbers are never given twice', async (t) => {
  const file = join(await folderFor(t), 'tripwatch.db');
  const store = open(file);
  const seqOf = async (seed: string) => {
    const event = await appendOne(store, seed);
    return (await store.read((tx) => tx.log.get(event.id)))?.seq ?? 0;
  };
  const first = await seqOf('a');
  await store.transact((tx) => tx.db.deleteFrom('log').execute());
  assert.ok((await seqOf('b')) > first);
  await store.close();
});

test('listeners hear after the commit which topics have something new, and of nothing that was rolled back', async (t) => {
  const store = open(join(await folderFor(t), 'tripwatch.db'));
  const heard: Topic[][] = [];
  const stop = store.onAppended((topics) => void heard.push([...topics.keys()]));
  await Promise.allSettled([
    appendOne(store, 'a'),
    appendOne(store, 'a'),
    store.transact(async (tx) => {
      await tx.append([newEvent('b', { topic: 'mail.seen' })], origin('b'));
      throw new Error('no');
    }),
    store.transact(async (tx) => tx.touch('mail.collected', 0)),
  ]);
  assert.deepEqual(heard, [['notification.sent'], ['mail.collected']]);
  stop();
  await appendOne(store, 'c');
  assert.equal(heard.length, 2);
  await store.close();
});

test('file and folder are for the owner alone', { skip: process.platform === 'win32' }, async (t) => {
  const folder = join(await folderFor(t), 'data');
  const file = join(folder, 'tripwatch.db');
  const store = open(file);
  await appendOne(store, 'a');
  for (const [path, mode] of [
    [folder, 0o700],
    [file, 0o600],
    [`${file}-wal`, 0o600],
    [`${file}-shm`, 0o600],
  ] as const) {
    assert.equal((await stat(path)).mode & 0o777, mode, path);
  }
  await store.close();
  await chmod(file, 0o644);
  await open(file).close();
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('a file of a newer version, of another program, or that is no database is refused', async (t) => {
  const folder = await folderFor(t);
  const newer = join(folder, 'newer.db');
  await open(newer).close();
  const edit = new DatabaseSync(newer);
  edit.exec("INSERT INTO migration VALUES (999, 'future', 0)");
  edit.close();
  assert.throws(() => open(newer), coded('store-newer'));

  const foreign = join(folder, 'foreign.db');
  const made = new DatabaseSync(foreign);
  made.exec('CREATE TABLE bookmarks (url TEXT)');
  made.close();
  assert.throws(() => open(foreign), coded('store-foreign'));

  const text = join(folder, 'text.db');
  await writeFile(text, 'this is not a database, '.repeat(100));
  assert.throws(() => open(text), coded('store-not-a-database'));

  const blocked = join(folder, 'folder.db');
  await mkdir(blocked);
  assert.throws(() => open(blocked));
});

test('a migration that fails leaves nothing behind, and the next start goes on from there', () => {
  const database = new DatabaseSync(':memory:');
  const one = { id: 1, name: 'one', up: () => ['CREATE TABLE one (x TEXT)'] };
  const bad = { id: 2, name: 'two', up: () => ['CREATE TABLE two (x TEXT)', 'CREATE TABEL three (x TEXT)'] };
  const good = { id: 2, name: 'two', up: () => ['CREATE TABLE two (x TEXT)'] };
  assert.throws(() => migrate(database, 1, [one, bad]), coded('store-sql'));
  const tables = () =>
    database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .all()
      .map((row) => row.name);
  assert.deepEqual(tables(), ['migration', 'one']);
  migrate(database, 2, [one, good]);
  migrate(database, 3, [one, good]);
  assert.deepEqual(tables(), ['migration', 'one', 'two']);
  database.close();
});

test('another process may hold the lock: the store waits without blocking, and notices what was written', async (t) => {
  const file = join(await folderFor(t), 'tripwatch.db');
  const store = open(file);
  await appendOne(store, 'a');
  await appendOne(store, 'b');
  assert.equal(await store.changedElsewhere(), false);
  const foreign = new DatabaseSync(file);
  foreign.exec("BEGIN IMMEDIATE; INSERT INTO tenant VALUES ('tnt_cli', 'x', 0)");
  const waiting = store.transact((tx) => tx.mails.add(mail('a'), 1));
  // Turns of the event loop go by and reads work while the lock is held.
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await store.read((tx) => tx.mails.count(ana.tenant))).seen, 0);
  foreign.exec('COMMIT');
  foreign.close();
  assert.equal((await waiting).id, 'mail_a');
  assert.equal(await store.changedElsewhere(), true);
  assert.equal(await store.changedElsewhere(), false);
  await store.close();
});
