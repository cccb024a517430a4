import assert from 'node:assert/strict';
import { availableParallelism, loadavg } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { Violation } from './check.ts';
import type { KillResult } from './kills.ts';

/** Another one each day and test, said in the output; `SEED=N` repeats one. */
export function seedOf(t: TestContext): number {
  const seed = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000));
  t.diagnostic(`seed ${seed}`);
  return seed;
}

/** What is missing on this machine: skipped where a person runs the tests, a failure in CI. Returns whether it is there. */
export function present(name: string, missing: string | undefined): boolean {
  if (missing === undefined) return true;
  test(name, (t) => {
    if (process.env.CI === 'true') throw new Error(missing);
    t.skip(missing);
  });
  return false;
}

export function expectNone(result: { readonly violations: readonly Violation[]; readonly folder: string | undefined }) {
  assert.deepEqual(result.violations, [], `what happened is in ${result.folder}`);
}

/** Longest that a test kills, so that it ends in time on a machine that is busy with other things. */
export const KILLING_MS = 150_000;
/** Where work changes hands seldom, one or the other point may never be come by in a short run. */
const MISSED_MAX = 2;

/** A run of all kills, in which at each point some process died; on a busy machine, of some kills. */
export function expectKills({ kills, complete, unanswered, points }: KillResult): void {
  assert.ok(unanswered <= kills / 10, `the database did not answer ${unanswered} of ${kills + unanswered} starts`);
  if (!complete) {
    assert.ok(kills >= 10, `only ${kills} kills in ${KILLING_MS} ms`);
    return;
  }
  const missed = Object.entries(points).flatMap(([name, count]) => (count === 0 ? [name] : []));
  assert.ok(missed.length <= MISSED_MAX, `points at which no process died: ${missed.join(', ')}`);
}

/** More processes than this want each core: then times say nothing about us. */
const BUSY = 2.5;

/** A time that was promised; on a machine that is busy with other things it is only told. */
export function expectWithin(t: TestContext, what: string, ms: number, promised: number): void {
  const busy = loadavg()[0]! / availableParallelism();
  if (ms > promised && busy > BUSY) {
    t.diagnostic(`${what}: ${ms} ms, not ${promised}; not judged, with ${busy.toFixed(1)} processes a core`);
    return;
  }
  assert.ok(ms <= promised, `${what}: ${ms} ms, not ${promised}`);
}
