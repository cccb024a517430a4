import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CHECKERS } from '../../src/simulation/check/all.ts';
import { smallDay } from '../../src/simulation/enumerate.ts';
import { installGuard, RealWorldError } from '../../src/simulation/guard.ts';
import type { Plan } from '../../src/simulation/plan.ts';
import { Scheduler, StandstillError } from '../../src/simulation/scheduler.ts';
import { simulate } from '../../src/simulation/simulate.ts';
import { streamsOf } from '../../src/simulation/streams.ts';
import { Trace } from '../../src/simulation/trace.ts';
import kept from './kept-seeds.json' with { type: 'json' };
import { plantedBugs } from './planted/planted.ts';

/** Short days with few mails, so that many fit into a test run; `npm run sim` has the long ones. */
const small = (plan: Plan): Plan => ({
  ...plan,
  travellers: Math.min(2, plan.travellers),
  flights: Math.min(2, plan.flights),
  keepMs: undefined,
  speed: 480,
});
const HOURS = 12;
/** Within so many seeds a planted bug must be caught. */
const SEEDS_MAX = 10;

test('one seed, run twice, is the same run to the last step; another is another', async () => {
  for (const broker of ['memory', 'sql'] as const) {
    const plan = (drawn: Plan): Plan => ({ ...small(drawn), broker });
    const first = await simulate(7, { hours: HOURS, plan });
    const other = await simulate(8, { hours: HOURS, plan });
    const again = await simulate(7, { hours: HOURS, plan, trace: true });
    assert.equal(first.hash, again.hash);
    assert.notEqual(first.hash, other.hash);
    assert.equal(first.trace.length, 0);
    assert.ok(again.trace.some((line) => line.includes('mail: ')));
  }
});

test('a run in another process, with another zone and locale, is the same run', async () => {
  const here = await simulate(9, { hours: 6 });
  const script = fileURLToPath(new URL('../../scripts/sim.ts', import.meta.url));
  const env = { ...process.env, TZ: 'America/St_Johns', LC_ALL: 'tr_TR.UTF-8' };
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--seed', '9', '--hours', '6', '--quiet'], {
    env,
  });
  assert.equal(/hash: (\w+)/.exec(stdout)?.[1], here.hash);
});

test('no invariant breaks, whatever goes wrong', async () => {
  const seen = {
    crashes: 0,
    restarts: 0,
    pauses: 0,
    powerLosses: 0,
    lost: 0,
    repeats: 0,
    released: 0,
    retried: 0,
    dead: 0,
    versions: 0,
    posts: 0,
    listed: 0,
    refusedSignIns: 0,
    pushed: 0,
    forged: 0,
    providerPushed: 0,
    providerForged: 0,
  };
  for (let seed = 1; seed <= 25; seed++) {
    const { violations, counts } = await simulate(seed);
    assert.deepEqual(violations, [], `replay: node scripts/sim.ts --seed ${seed}`);
    for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += counts[name] ?? 0;
  }
  // A simulation in which nothing goes wrong proves nothing.
  for (const [name, count] of Object.entries(seen)) assert.ok(count > 0, `there was no ${name} in any run`);
});

test('seeds that once failed do so no more', async () => {
  for (const { seed, found } of kept as readonly { readonly seed: number; readonly found: string }[]) {
    const { violations } = await simulate(seed);
    assert.deepEqual(violations, [], `replay: node scripts/sim.ts --seed ${seed} (it once found: ${found})`);
  }
});

test('a process killed at a call to the outside, whichever it is, costs nothing', async () => {
  const calm = await simulate(1, { hours: 6, plan: smallDay });
  assert.deepEqual(calm.violations, []);
  const points = calm.counts.points ?? 0;
  assert.ok(points > 200, `only ${points} calls`);
  // All of them: npm run sim -- --enumerate 1
  for (let at = 1; at <= 20; at++) {
    const crashAtPoint = Math.floor((at * points) / 21);
    const { violations, counts } = await simulate(1, {
      hours: 6,
      plan: (drawn) => ({ ...smallDay(drawn), crashAtPoint }),
    });
    assert.deepEqual(violations, [], `killed at call ${crashAtPoint}`);
    assert.equal(counts.crashes, 1);
  }
});

const BUGS = plantedBugs();

for (const bug of BUGS) {
  test(`planted bug is caught: ${bug.name}`, async () => {
    const plan = (drawn: Plan): Plan => bug.plan?.(small(drawn)) ?? small(drawn);
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { violations } = await simulate(seed, { hours: HOURS, plan, planted: bug.planted() });
      if (!violations.some((one) => bug.breaks.includes(one.invariant))) continue;
      // Under the same faults what is not wrong is not called so.
      assert.deepEqual((await simulate(seed, { hours: HOURS, plan })).violations, [], `seed ${seed} without the bug`);
      return;
    }
    assert.fail(`not caught in ${SEEDS_MAX} seeds`);
  });
}

test('each checker is exercised by a planted bug or stands for a table constraint', () => {
  assert.ok(BUGS.length >= 50, `${BUGS.length} planted bugs`);
  const broken = new Set(BUGS.flatMap((bug) => bug.breaks));
  // I2 needs rows from nowhere, which no wrapper around the store can write.
  const without = Object.keys(CHECKERS).filter(
    (name) => !broken.has(name.split(' ')[0] ?? '') && !name.startsWith('I2 '),
  );
  assert.deepEqual(without, []);
});

test('real clocks, timers and chance throw while the guard is up, and work again afterwards', async () => {
  const remove = installGuard();
  try {
    const reaches: (() => unknown)[] = [
      () => Date.now(),
      () => new Date(),
      () => Math.random(),
      () => performance.now(),
      () => setTimeout(() => {}, 1),
      () => setInterval(() => {}, 1),
      () => setImmediate(() => {}),
      () => delay(1),
      () => Temporal.Now.instant(),
      () => crypto.randomUUID(),
    ];
    for (const reach of reaches) assert.throws(reach, RealWorldError, String(reach));
    assert.throws(() => installGuard(), /another simulation/);
    // What merely converts is no clock.
    assert.equal(new Date(0).toISOString(), '1970-01-01T00:00:00.000Z');
  } finally {
    remove();
  }
  assert.ok(Date.now() > 0 && Math.random() < 1);
  await delay(1);
});

test('time goes from entry to entry; what runs at one instant is in an order drawn from the seed', async () => {
  const orderOf = async (seed: number): Promise<string> => {
    const trace = new Trace();
    const scheduler = new Scheduler({ startAt: 1000, speed: 1, ties: streamsOf(seed)('ties'), trace });
    const seen: string[] = [];
    for (const name of 'abcdef') scheduler.after(5, name, () => seen.push(name));
    scheduler.after(4, 'first', () => seen.push('<'))();
    scheduler.after(4, 'first', () => seen.push('['));
    await scheduler.runUntil(scheduler.clock().sleep(6, new AbortController().signal));
    assert.equal(scheduler.now, 1006);
    return seen.join('');
  };
  const orders = await Promise.all([1, 2, 3, 4, 5].map(orderOf));
  for (const order of orders) assert.equal([...order].sort().join(''), '[abcdef');
  for (const order of orders) assert.equal(order[0], '[');
  assert.ok(new Set(orders).size > 1);
  assert.equal(await orderOf(3), orders[2]);
});

test('when nothing can happen any more, the run says so instead of waiting for ever', async () => {
  const scheduler = new Scheduler({ startAt: 0, speed: 1, ties: streamsOf(1)('ties'), trace: new Trace() });
  await assert.rejects(scheduler.runUntil(new Promise(() => {})), StandstillError);
});
