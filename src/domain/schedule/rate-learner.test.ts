import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLearner } from './rate-learner.ts';

/** Calls at the rate that it allows, each answered at once, until `until` or until so many were let through. */
function call(learner: ReturnType<typeof createRateLearner>, from: number, until: number, most: number): number {
  let now = from;
  for (let made = 0; made < most && now < until; made++) {
    now = Math.max(now, learner.admitsAt(now));
    learner.began(now);
    learner.accepted(now, now);
  }
  return now;
}

test('a wall that counts in windows is known after one of them was full', () => {
  const learner = createRateLearner({ knownPerSecond: 400, now: 0 });
  // 200 calls in each ten seconds: the first ones go out at once.
  for (let i = 0; i < 200; i++) learner.accepted(i * 2, i * 2);
  assert.ok(learner.refused(400, 400));
  assert.ok(learner.perSecond(400) > 100, 'of the rate alone it cannot know');
  assert.equal(learner.refused(5000, 5000), false, 'still shut: nothing new');
  learner.accepted(10_000, 10_000);
  const found = learner.perSecond(10_000);
  assert.ok(found > 17 && found <= 20, `${found}`);
});

test('a wall that opens after a second is a bucket: the rate before it counts', () => {
  const learner = createRateLearner({ knownPerSecond: 400, now: 0 });
  for (let now = 0; now < 20_000; now += 10) learner.accepted(now, now);
  assert.ok(learner.refused(20_000, 20_000));
  learner.accepted(21_000, 21_000);
  assert.ok(learner.perSecond(21_000) > 85, `${learner.perSecond(21_000)}`);
});

test('long shut after long asking: the windows before were not all full, so it is not told by their average', () => {
  const learner = createRateLearner({ knownPerSecond: 100, now: 0 });
  for (let now = 0; now < 60_000; now += 100) learner.accepted(now, now);
  for (let now = 60_000; now < 70_000; now += 10) learner.accepted(now, now);
  assert.ok(learner.refused(70_000, 70_000));
  learner.accepted(75_000, 75_000);
  assert.ok(learner.perSecond(75_000) > 75, `${learner.perSecond(75_000)}`);
});

test('what was asked before a cut says nothing about the wall', () => {
  const learner = createRateLearner({ knownPerSecond: 100, now: 0 });
  const now = call(learner, 0, 30_000, 1000);
  assert.ok(learner.refused(now, now));
  const after = learner.perSecond(now);
  assert.equal(learner.refused(now + 100, now - 100), false);
  learner.accepted(now + 400, now - 200);
  assert.equal(learner.perSecond(now + 400), after);
});
