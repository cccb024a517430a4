import assert from 'node:assert/strict';
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

/** Where work changes hands seldom, one or the other point may never be come by in a short run. */
const MISSED_MAX = 2;

/** A run of kills in which at each point some process died. */
export function expectPoints({ points }: KillResult): void {
  const missed = Object.entries(points).flatMap(([name, count]) => (count === 0 ? [name] : []));
  assert.ok(missed.length <= MISSED_MAX, `points at which no process died: ${missed.join(', ')}`);
}
