/**
 * How well does an account find limits that its provider does not tell, and that move? Simulated calls in virtual time,
 * an account that always has more to ask: share of the true limit used, calls refused, time to find a changed limit, calls
 * before an instant named by Retry-After. `node bench/limits.ts [RATE] [SEEDS]` prints JSON; seeded, so always the same.
 */
import { MODELS, MOVING_SECONDS, moving, runLimits } from './engine/limits.ts';

const perSecond = Number(process.argv[2] ?? 40);
const seeds = Number(process.argv[3] ?? 3);
let calls = 0;
const rows = [];
for (const [name, model] of Object.entries(MODELS)) {
  for (const [how, configured] of [
    ['learned', []],
    ['configured too high', [{ max: perSecond * 10, perSeconds: 1 }]],
  ] as const) {
    for (let seed = 1; seed <= seeds; seed++) {
      const limited = { ...model, limits: moving(perSecond), latencyMs: 150 };
      const figures = runLimits({ model: limited, seconds: MOVING_SECONDS, seed, configured });
      calls += figures.calls;
      rows.push({ name, how, seed, ...figures });
    }
  }
}
console.table(rows);
console.log(
  JSON.stringify({
    calls,
    early: rows.reduce((sum, row) => sum + row.early, 0),
    usedPercentMin: Math.min(...rows.map((row) => row.usedPercent)),
    refusedPercentMax: Math.max(...rows.map((row) => row.refusedPercent)),
    convergedSecondsMax: Math.max(...rows.map((row) => row.convergedSeconds)),
  }),
);
