import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MODELS, moving, runLimits } from './limits.ts';

for (const [name, model] of Object.entries(MODELS))
  test(`a hidden limit that halves and comes back: ${name}`, () => {
    const limited = { ...model, limits: moving(30), latencyMs: 150 };
    const figures = runLimits({ model: limited, seconds: 600, seed: 7, configured: [] });
    assert.ok(figures.usedPercent >= 85, `${figures.usedPercent} % used`);
    assert.ok(figures.refusedPercent <= 1, `${figures.refusedPercent} % refused`);
    assert.ok(figures.convergedSeconds <= 60, `${figures.convergedSeconds} s`);
    assert.equal(figures.early, 0);
    assert.deepEqual(runLimits({ model: limited, seconds: 600, seed: 7, configured: [] }), figures);
  });
