import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GOALS, MODELS, moving, runLimits } from './limits.ts';

/** Half of what the bench runs: the limit as it is, halved, and doubled again. */
const run = (name: string, configured: readonly { max: number; perSeconds: number }[], seed: number) =>
  runLimits({
    model: { ...MODELS[name]!, limits: moving(40), latencyMs: 150 },
    seconds: 600,
    ...{ seed, configured },
  });

for (const name of Object.keys(MODELS))
  for (const [how, configured] of [
    ['learned', []],
    ['configured too high', [{ max: 400, perSeconds: 1 }]],
  ] as const)
    test(`a hidden limit that halves and comes back: ${name}, ${how}`, () => {
      for (const seed of [7, 8]) {
        const figures = run(name, configured, seed);
        assert.ok(figures.usedPercent >= GOALS.usedPercent, `${figures.usedPercent} % used`);
        assert.ok(figures.refusedPercent <= GOALS.refusedPercent, `${figures.refusedPercent} % refused`);
        assert.ok(figures.convergedSeconds <= GOALS.convergedSeconds, `${figures.convergedSeconds} s`);
        assert.equal(figures.early, 0);
      }
    });

test('one seed, one course', () => {
  const name = 'a window of ten seconds, Retry-After';
  assert.deepEqual(run(name, [], 3), run(name, [], 3));
});

test('an account that is never let through again has not found its limit', () => {
  const model = { ...MODELS['429 without a hint']!, limits: [{ fromMs: 0, perSecond: 0 }], latencyMs: 150 };
  const { accepted, convergedSeconds } = runLimits({ model, seconds: 60, seed: 1, configured: [] });
  assert.deepEqual([accepted, convergedSeconds], [0, Number.POSITIVE_INFINITY]);
});
