import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { BATCH_MS_MAX, BATCH_WORKS_MAX } from './limits.ts';

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** Plays SQLite: notes what is executed and fails where it is told to, with SQLite's result codes. */
class FakeDatabase {
  readonly executed: string[] = [];
  readonly failures: { readonly on: string; readonly errcode: number; readonly ends?: boolean }[] = [];
  isTransaction = false;
  onCommit: () => void = () => {};

  exec(sql: string): void {
    this.executed.push(sql);
    const failure = this.failures[0];
    if (failure !== undefined && sql.startsWith(failure.on)) {
      this.failures.shift();
      if (failure.ends) this.isTransaction = false;
      throw Object.assign(new Error('sqlite'), { errcode: failure.errcode });
    }
    if (sql.startsWith('BEGIN')) this.isTransaction = true;
    if (sql === 'COMMIT') this.onCommit();
    if (sql === 'COMMIT' || sql === 'ROLLBACK') this.isTransaction = false;
  }

  commits(): number {
    return this.executed.filter((sql) => sql === 'COMMIT').length;
  }
}

function make(options: Pick<GroupCommitOptions, 'after'> = {}) {
  const database = new FakeDatabase();
  const fatal: TripwatchError[] = [];
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {}, speed: 1 };
  const writer = new GroupCommit({
    database,
    clock,
    logger: quiet,
    schedule: (run) => void setImmediate(run),
    ...options,
    onFatal: (error) => void fatal.push(error),
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { database, fatal, writer, pass };
}

const codeOf = (result: PromiseSettledResult<unknown>) =>
  result.status === 'rejected' && result.reason instanceof TripwatchError
    ? `${result.reason.kind} ${result.reason.code}`
    : result.status;

test('works handed in together share one commit, and none resolves before it', async () => {
  const { database, writer } = make();
  const seen: number[] = [];
  await Promise.all(
    Array.from({ length: 10 }, () => writer.submit(async () => {}).then(() => seen.push(database.commits()))),
  );
  assert.deepEqual(seen, Array(10).fill(1));
});

test('a batch is bounded in works and in time', async () => {
  const { database, writer, pass } = make();
  await Promise.all(Array.from({ length: BATCH_WORKS_MAX + 1 }, () => writer.submit(async () => {})));
  assert.equal(database.commits(), 2);
  await Promise.all(Array.from({ length: 4 }, () => writer.submit(async () => pass(BATCH_MS_MAX / 2))));
  assert.equal(database.commits(), 4);
});

test('without a failure no work costs a savepoint; with one, each runs again in its own and the guilty one fails alone', async () => {
  const { database, writer } = make();
  await Promise.all([writer.submit(async () => 1), writer.submit(async () => 2)]);
  assert.deepEqual(database.executed, ['BEGIN IMMEDIATE', 'COMMIT']);
  database.executed.length = 0;
  const runs = [0, 0, 0];
  const work = (index: number) => async () => {
    runs[index]!++;
    if (index === 1) throw new Error('guilty');
    return index;
  };
  const results = await Promise.allSettled([0, 1, 2].map((index) => writer.submit(work(index))));
  assert.deepEqual(results.map(codeOf), ['fulfilled', 'rejected', 'fulfilled']);
  assert.deepEqual(runs, [2, 2, 1]);
  assert.deepEqual(
    database.executed.filter((sql) => !sql.includes('SAVEPOINT') && !sql.startsWith('RELEASE')),
    ['BEGIN IMMEDIATE', 'ROLLBACK', 'BEGIN IMMEDIATE', 'ROLLBACK TO work; RELEASE work', 'COMMIT'],
  );
  assert.equal(database.commits(), 1);
});

test('when the first try cannot even be undone, every work hears so', async () => {
  const { database, writer, fatal } = make();
  database.failures.push({ on: 'ROLLBACK', errcode: 10 });
  const results = await Promise.allSettled([
    writer.submit(async () => 1),
    writer.submit(async () => Promise.reject(new Error('guilty'))),
  ]);
  assert.deepEqual(results.map(codeOf), ['defect store-io', 'defect store-io']);
  assert.equal(fatal.length, 1);
});

test('where a sync is slow the next batch waits for company, but no longer than until all of it is there', async () => {
  const waits: { ms: number; run: () => void; off: boolean }[] = [];
  const { writer, database, pass } = make({
    after: (ms, run) => {
      const wait = { ms, run, off: false };
      waits.push(wait);
      return () => {
        wait.off = true;
      };
    },
  });
  database.onCommit = () => pass(3);
  const gathers = () => waits.filter(({ ms }) => ms === 3);
  await Promise.all([writer.submit(async () => {}), writer.submit(async () => {})]);
  await writer.idle();
  const third = writer.submit(async () => {});
  assert.equal(gathers().length, 1);
  const fourth = writer.submit(async () => {});
  assert.equal(gathers()[0]!.off, true);
  await Promise.all([third, fourth]);
  await writer.idle();
  assert.equal(database.commits(), 2);
  const alone = writer.submit(async () => {});
  assert.deepEqual([gathers().length, gathers()[1]!.off], [2, false]);
  gathers()[1]!.run();
  await alone;
  assert.equal(database.commits(), 3);
});

test('a commit that meets a full disk rejects its works as transient, and the next one works', async () => {
  const { database, writer, fatal } = make();
  database.failures.push({ on: 'COMMIT', errcode: 13 });
  const results = await Promise.allSettled([writer.submit(async () => 1), writer.submit(async () => 2)]);
  assert.deepEqual(results.map(codeOf), ['transient store-disk-full', 'transient store-disk-full']);
  assert.equal(await writer.submit(async () => 3), 3);
  assert.deepEqual(fatal, []);
});

test('when SQLite undoes the whole transaction, works before are refused and works after run again', async () => {
  const { database, writer } = make();
  let third = 0;
  const results = await Promise.allSettled([
    writer.submit(async () => 1),
    writer.submit(async () => {
      database.failures.push({ on: 'INSERT', errcode: 13, ends: true });
      database.exec('INSERT');
    }),
    writer.submit(async () => {
      third++;
    }),
  ]);
  assert.deepEqual(results.map(codeOf), ['transient store-disk-full', 'transient store-disk-full', 'fulfilled']);
  assert.equal(third, 1);
  assert.equal(database.commits(), 1);
});

test('after an I/O error nothing is written any more', async () => {
  const { database, writer, fatal } = make();
  // A sync that failed may have dropped the pages: trying again would succeed without them being on disk.
  database.failures.push({ on: 'COMMIT', errcode: 10 | (4 << 8) });
  const results = await Promise.allSettled([writer.submit(async () => 1), writer.submit(async () => 2)]);
  assert.deepEqual(results.map(codeOf), ['defect store-io', 'defect store-io']);
  assert.equal(fatal.length, 1);
  const count = database.executed.length;
  assert.deepEqual((await Promise.allSettled([writer.submit(async () => 3)])).map(codeOf), ['defect store-io']);
  assert.equal(database.executed.length, count);
  await writer.idle();
});

test('a lock held by another process is waited for', async () => {
  const { database, writer } = make();
  database.failures.push({ on: 'BEGIN', errcode: 5 }, { on: 'BEGIN', errcode: 5 });
  assert.equal(await writer.submit(async () => 1), 1);
  assert.equal(database.executed.filter((sql) => sql.startsWith('BEGIN')).length, 3);
});

test('idle waits for what was handed in', async () => {
  const { writer } = make();
  let done = false;
  void writer
    .submit(async () => {})
    .then(() => {
      done = true;
    });
  await writer.idle();
  await Promise.resolve();
  assert.ok(done);
});
