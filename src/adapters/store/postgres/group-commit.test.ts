import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Lease } from '../../../ports/store/leases.ts';
import type { EffectMark } from '../../../ports/store.ts';
import type { SqlTx } from '../sql/sql-store.ts';
import { translate } from './errors.ts';
import { GroupCommit, type Work } from './group-commit.ts';
import { BATCH_WORKS_MAX, COMPANY_MS, COMPANY_WORKS, TRIES_MAX } from './limits.ts';
import { LockHeld, type Transactions } from './transaction.ts';

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async () => {}, speed: 1 };
const sqlState = (code: string) => translate(Object.assign(new Error(code), { code, severity: 'ERROR' }));

/** Plays a connection: notes what happens, knows processed marks and lost leases, and fails where it is told to. */
class FakeConnection {
  readonly happened: string[] = [];
  readonly processed = new Set<string>();
  readonly lostLeases = new Set<string>();
  broken = false;
  /** What commit does, one for each; then it succeeds. */
  readonly commits: ('commit' | 'rollback' | 'break')[] = [];
  #marks: string[] = [];

  async begin({ fences, marks, locks }: { fences: Lease[]; marks: EffectMark[]; locks: string[] }) {
    this.happened.push(['begin', ...locks].join(' '));
    const repeats = new Set(marks.filter((mark) => this.processed.has(mark.eventId)));
    this.#marks = marks.map((mark) => mark.eventId);
    return { lost: fences.filter(({ resource }) => this.lostLeases.has(resource)), repeats };
  }

  at(): SqlTx {
    return {} as SqlTx;
  }

  async commit() {
    const how = this.commits.shift() ?? 'commit';
    this.happened.push(how);
    if (how === 'break') {
      this.broken = true;
      throw new Error('gone');
    }
    if (how === 'commit') for (const mark of this.#marks) this.processed.add(mark);
    return { committed: how === 'commit', appended: new Map([['mail.seen', new Set([0])]]) };
  }

  rollback(): void {
    this.happened.push('rollback');
  }

  async close(): Promise<void> {}
}

function make(lanes = 1) {
  const connections: FakeConnection[] = [];
  let told = 0;
  const commit = new GroupCommit({
    lanes,
    clock,
    logger: quiet,
    schedule: (run) => void setImmediate(run),
    open: async () => {
      const connection = new FakeConnection();
      connections.push(connection);
      return connection as unknown as Transactions;
    },
    committed: () => {
      told++;
    },
  });
  const submit = (run: () => Promise<unknown>, more: Partial<Work> = {}) =>
    new Promise<unknown>((resolve, reject) => {
      commit.submit({ run, mark: undefined, repeated: 'repeat', fence: undefined, resolve, reject, ...more });
    });
  return { commit, connections, submit, told: () => told };
}

const statuses = async (works: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(works)).map((one) => (one.status === 'fulfilled' ? one.value : codeOf(one.reason)));
const codeOf = (error: unknown) => (error instanceof TripwatchError ? error.code : String(error));
const mark = (eventId: string): EffectMark => ({ consumer: 'c', eventId: eventId as never, now: 1 });

test('works handed in together share one transaction, and listeners hear once, before they resolve', async () => {
  const { connections, submit, told } = make();
  const seen = await Promise.all(Array.from({ length: 10 }, () => submit(async () => {}).then(told)));
  assert.deepEqual(seen, Array(10).fill(1));
  assert.deepEqual(connections[0]?.happened, ['begin', 'commit']);
});

test('a batch is bounded, and many works are shared out to the free connections', async () => {
  const { connections, submit } = make(3);
  await Promise.all(Array.from({ length: BATCH_WORKS_MAX * 3 + 1 }, () => submit(async () => {})));
  assert.deepEqual(connections.map(({ happened }) => happened.length / 2).sort(), [1, 1, 2]);
});

test('while a connection is at work, a few wait for it to share a commit, but not for long; many do not', async () => {
  const { connections, submit } = make(3);
  const stuck = Promise.withResolvers<void>();
  const first = submit(() => stuck.promise);
  await new Promise((resolve) => setImmediate(resolve));
  const many = Array.from({ length: COMPANY_WORKS }, () => submit(async () => 'at once'));
  await Promise.all(many);
  assert.equal(connections.length, 2);
  const startedAt = performance.now();
  assert.deepEqual(await Promise.all([submit(async () => 1), submit(async () => 2)]), [1, 2]);
  assert.ok(performance.now() - startedAt >= COMPANY_MS - 1);
  stuck.resolve();
  await first;
});

test('a work that fails is undone alone: those before it together, it, those after it', async () => {
  const { connections, submit } = make();
  const runs = [0, 0, 0, 0];
  const works = runs.map((_, n) =>
    submit(async () => {
      runs[n]!++;
      if (n === 2) throw new Error('guilty');
      return n;
    }),
  );
  assert.deepEqual(await statuses(works), [0, 1, 'Error: guilty', 3]);
  assert.deepEqual(runs, [2, 2, 2, 1]);
  const bad = ['begin', 'rollback'];
  const good = ['begin', 'commit'];
  assert.deepEqual(connections[0]?.happened, [...bad, ...good, ...bad, ...good]);
});

test('where the server rolls back at the commit, or the log refuses a row, each work is tried alone', async () => {
  const { connections, submit } = make();
  const first = submit(async () => 1);
  await first;
  connections[0]!.commits.push('rollback', 'commit', 'rollback', 'commit');
  assert.deepEqual(await statuses([submit(async () => 1), submit(async () => 2), submit(async () => 3)]), [
    1,
    'store-sql',
    3,
  ]);
});

test('a conflict is run again, but not for ever; a row that is taken, once more; else nothing is', async () => {
  for (const [code, tries] of [
    ['40P01', TRIES_MAX],
    ['40001', TRIES_MAX],
    ['23505', 2],
    ['23502', 1],
  ] as const) {
    const { submit } = make();
    let ran = 0;
    const failing = submit(async () => {
      ran++;
      throw sqlState(code);
    });
    const [result] = await statuses([failing]);
    assert.deepEqual([code, result, ran], [code, code.startsWith('4') ? 'store-busy' : 'store-constraint', tries]);
    let left = tries - 1;
    const passing = submit(async () => {
      if (left-- > 0) throw sqlState(code);
      return 'done';
    });
    assert.deepEqual(await statuses([passing]), ['done']);
  }
});

test('a work that meets locks of others begins anew with all it has met, and nothing else', async () => {
  const { connections, submit } = make();
  const needed = ['7', '5'];
  const held = new Set(needed);
  const works = [
    submit(async () => 'beside'),
    submit(async () => {
      for (const lock of needed) if (held.delete(lock)) throw new LockHeld([lock]);
      return 'locked';
    }),
  ];
  assert.deepEqual(await statuses(works), ['beside', 'locked']);
  assert.deepEqual(connections[0]?.happened, [
    ...['begin', 'rollback', 'begin', 'commit'],
    ...['begin', 'rollback', 'begin 5', 'commit'],
  ]);
});

test('works under a lost lease are refused, and the others go on without them', async () => {
  const { connections, submit } = make();
  await submit(async () => 0);
  connections[0]!.lostLeases.add('x');
  const fence = (resource: string): Lease => ({ resource, owner: 'a', token: 1 });
  const results = await statuses([
    submit(async () => 1, { fence: fence('x') }),
    submit(async () => 2, { fence: fence('y') }),
    submit(async () => 3),
  ]);
  assert.deepEqual(results, ['lease-lost', 2, 3]);
});

test('of works with one mark the first does it; the others, and those of before, are repeats', async () => {
  const { submit } = make();
  const ran: number[] = [];
  const work = (n: number, id: string) =>
    submit(
      async () => {
        ran.push(n);
        return n;
      },
      { mark: mark(id) },
    );
  assert.deepEqual(await statuses([work(1, 'a'), work(2, 'a'), work(3, 'b')]), [1, 'repeat', 3]);
  assert.deepEqual(await statuses([work(4, 'b'), work(5, 'c')]), ['repeat', 5]);
  assert.deepEqual(ran, [1, 3, 5]);
});

test('a connection that breaks rejects its works as lost, none runs again, and the next has a new one', async () => {
  const { connections, submit } = make();
  await submit(async () => 0);
  connections[0]!.commits.push('break');
  let ran = 0;
  const results = await statuses([submit(async () => ran++), submit(async () => ran++)]);
  assert.deepEqual([results, ran], [['store-lost', 'store-lost'], 2]);
  assert.equal(await submit(async () => 'again'), 'again');
  assert.equal(connections.length, 2);
});
