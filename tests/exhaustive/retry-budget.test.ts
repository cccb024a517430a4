import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRetryBudget, type RetryPolicy } from '../../src/domain/schedule/retry-budget.ts';

/** A window of three slices, one retry for two first attempts, and one in any case. */
const POLICY: RetryPolicy = { windowMs: 3, share: 0.5, floor: 1, slices: 3 };
const STEPS = ['first', 'retry', 'wait'] as const;
const DEPTH = 10;

test('every course of ten steps: in no window are more retries booked than its share and the floor', () => {
  let courses = 0;
  let granted = 0;
  const walk = (course: readonly (typeof STEPS)[number][]): void => {
    if (course.length === DEPTH) {
      courses++;
      granted += play(course);
      return;
    }
    for (const step of STEPS) walk([...course, step]);
  };
  walk([]);
  console.log(`  ${courses} courses, ${granted} retries`);
  assert.equal(courses, STEPS.length ** DEPTH);
  assert.ok(granted > courses, 'it grants some');
});

/** Returns how many retries were granted. */
function play(course: readonly (typeof STEPS)[number][]): number {
  const budget = createRetryBudget(POLICY);
  const firsts: number[] = [];
  const retries: number[] = [];
  let now = 1000;
  for (const step of course) {
    if (step === 'wait') now++;
    else if (step === 'first') {
      budget.first(now);
      firsts.push(now);
    } else if (budget.take(now)) {
      retries.push(now);
      const inside = (at: number): boolean => at > now - POLICY.windowMs && at <= now;
      const allowed = POLICY.share * firsts.filter(inside).length + POLICY.floor;
      assert.ok(retries.filter(inside).length <= allowed, course.join(' '));
    }
  }
  // Whatever was spent: one window later the floor is there again.
  assert.ok(budget.take(now + 2 * POLICY.windowMs));
  return retries.length;
}
