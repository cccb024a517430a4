/**
 * The pipeline on virtual time with faults; see docs/simulation.md.
 *
 *   node scripts/sim.ts --seed N [--hours H]        one seed, with what happened in order
 *   node scripts/sim.ts --seeds A..B [--hours H]    many, with the failing ones
 *
 * Ends with 1 when an invariant was broken.
 */
import { parseArgs } from 'node:util';
import { describePlan } from '../src/simulation/plan.ts';
import { type SimulationResult, simulate } from '../src/simulation/simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    hours: { type: 'string' },
    quiet: { type: 'boolean' },
  },
});
const hours = values.hours === undefined ? {} : { hours: numberOf('hours', values.hours) };
if (hours.hours !== undefined && hours.hours < 6) fail('--hours begins at 6: a flight needs room for its story.');
if (values.seeds !== undefined) await many(values.seeds);
else if (values.seed !== undefined) await one(numberOf('seed', values.seed));
else fail('Say which: --seed N, or --seeds A..B. With --hours H the phase with faults lasts H virtual hours (from 6).');

async function one(seed: number): Promise<void> {
  const result = await simulate(seed, { ...hours, trace: values.quiet !== true });
  for (const line of result.trace) console.log(line);
  console.log(`\nplan: ${describePlan(result.plan)}`);
  console.log(`counts: ${JSON.stringify(result.counts)}`);
  console.log(`virtual: ${(result.virtualMs / 3_600_000).toFixed(1)} h in ${result.steps} steps`);
  report(result);
  console.log(`hash: ${result.hash}`);
  if (result.violations.length > 0) process.exitCode = 1;
}

async function many(range: string): Promise<void> {
  const [from = Number.NaN, to = Number.NaN] = range.split('..').map((part) => numberOf('seeds', part));
  if (!(to >= from)) fail('--seeds takes a range, as in 1..1000.');
  const startedAt = performance.now();
  let virtualMs = 0;
  const failing: number[] = [];
  for (let seed = from; seed <= to; seed++) {
    const result = await simulate(seed, hours);
    virtualMs += result.virtualMs;
    if (result.violations.length === 0) continue;
    failing.push(seed);
    console.log(`seed ${seed}: ${describePlan(result.plan)}`);
    report(result);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const count = to - from + 1;
  console.log(
    `${count} seeds, ${failing.length} with violations${failing.length > 0 ? ` (${failing.slice(0, 20).join(', ')})` : ''}; ` +
      `${(count / seconds).toFixed(1)} seeds/s, ${(virtualMs / 3_600_000 / count).toFixed(1)} virtual hours a seed, ` +
      `${Math.round(virtualMs / 1000 / seconds)} times real time`,
  );
  if (failing.length > 0) {
    console.log(
      `Replay one: node scripts/sim.ts --seed ${failing[0]}${values.hours === undefined ? '' : ` --hours ${values.hours}`}`,
    );
    process.exitCode = 1;
  }
}

function report(result: SimulationResult): void {
  for (const { invariant, message } of result.violations) console.log(`  ${invariant}: ${message}`);
  if (result.violations.length === 0) console.log('no violation');
}

function numberOf(name: string, text: string): number {
  if (!/^\d+$/.test(text)) fail(`--${name} takes whole numbers; ${JSON.stringify(text)} is none.`);
  return Number(text);
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
