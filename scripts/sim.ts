/**
 * The pipeline on virtual time with faults; see docs/simulation.md.
 *
 *   node scripts/sim.ts --seed N [--hours H] [--quiet]     one seed, with what happened in order
 *   node scripts/sim.ts --seeds A..B [--hours H] [--jobs J] many, with the failing ones
 *   node scripts/sim.ts --kept                              the seeds that once failed (tests/simulation/kept-seeds.json)
 *   node scripts/sim.ts --enumerate N [--every E]           a small day of seed N, once for each call to the outside, with a
 *                                                           process killed there
 *
 * Ends with 1 when an invariant was broken.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { smallDay } from '../src/simulation/enumerate.ts';
import { describePlan } from '../src/simulation/plan.ts';
import { type SimulationOptions, type SimulationResult, simulate } from '../src/simulation/simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    hours: { type: 'string' },
    jobs: { type: 'string' },
    enumerate: { type: 'string' },
    every: { type: 'string' },
    kept: { type: 'boolean' },
    quiet: { type: 'boolean' },
  },
});
const hours = values.hours === undefined ? {} : { hours: numberOf('hours', values.hours) };
if (hours.hours !== undefined && hours.hours < 6) fail('--hours begins at 6: a flight needs room for its story.');
if (process.send !== undefined) work();
else if (values.kept) await many(keptSeeds());
else if (values.seeds !== undefined) await many(rangeOf(values.seeds));
else if (values.enumerate !== undefined) await enumerate(numberOf('enumerate', values.enumerate));
else if (values.seed !== undefined) await one(numberOf('seed', values.seed));
else fail('Say which: --seed N, --seeds A..B, --kept, or --enumerate N.');

/** What a worker is asked and what it answers. */
interface Task {
  readonly seed: number;
  /** Set: the small day, with a process killed at this call; 0: none. */
  readonly point?: number;
}
interface Answer {
  readonly task: Task;
  readonly plan: string;
  readonly violations: SimulationResult['violations'];
  readonly virtualMs: number;
  readonly counts: SimulationResult['counts'];
}

function optionsOf({ point }: Task): SimulationOptions {
  if (point === undefined) return hours;
  return { hours: 6, plan: (drawn) => ({ ...smallDay(drawn), crashAtPoint: point === 0 ? undefined : point }) };
}

async function one(seed: number): Promise<void> {
  const result = await simulate(seed, { ...hours, trace: values.quiet !== true });
  for (const line of result.trace) console.log(line);
  console.log(`\nplan: ${describePlan(result.plan)}`);
  console.log(`counts: ${JSON.stringify(result.counts)}`);
  console.log(`virtual: ${(result.virtualMs / 3_600_000).toFixed(1)} h in ${result.steps} steps`);
  report(result.violations);
  console.log(`hash: ${result.hash}`);
  if (result.violations.length > 0) process.exitCode = 1;
}

/** In a child: does what it is told, one after the other. */
function work(): void {
  process.on('message', (task: Task) => {
    void simulate(task.seed, optionsOf(task)).then(({ plan, violations, virtualMs, counts }) => {
      const answer: Answer = { task, plan: describePlan(plan), violations, virtualMs, counts };
      process.send!(answer);
    });
  });
}

/** Hands tasks to as many processes as there are to be, and tells each answer. */
async function inParallel(tasks: readonly Task[], told: (answer: Answer) => void): Promise<void> {
  const jobs = Math.min(
    tasks.length,
    values.jobs === undefined ? availableParallelism() : numberOf('jobs', values.jobs),
  );
  let next = 0;
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
        // Young objects of a whole seed fit: most of what a run makes is garbage soon.
        execArgv: ['--max-semi-space-size=64'],
        serialization: 'advanced',
      });
      const ask = (): void => {
        if (next < tasks.length) child.send(tasks[next++]!);
        else child.disconnect();
      };
      child.on('message', (answer: Answer) => {
        told(answer);
        ask();
      });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a process ended with ${code}`))));
      ask();
    });
  await Promise.all(Array.from({ length: jobs }, run));
}

async function many(seeds: readonly number[]): Promise<void> {
  const startedAt = performance.now();
  const failing: number[] = [];
  const sums = new Map<string, { sum: number; seeds: number }>();
  let virtualMs = 0;
  await inParallel(
    seeds.map((seed) => ({ seed })),
    (answer) => {
      virtualMs += answer.virtualMs;
      for (const [name, count] of Object.entries(answer.counts)) {
        const sum = sums.get(name) ?? { sum: 0, seeds: 0 };
        sums.set(name, { sum: sum.sum + count, seeds: sum.seeds + (count > 0 ? 1 : 0) });
      }
      if (answer.violations.length === 0) return;
      failing.push(answer.task.seed);
      console.log(`seed ${answer.task.seed}: ${answer.plan}`);
      report(answer.violations);
    },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  failing.sort((a, b) => a - b);
  const shown = failing.length > 0 ? ` (${failing.slice(0, 20).join(', ')})` : '';
  console.log(
    `${seeds.length} seeds, ${failing.length} with violations${shown}; ${Math.round(seconds)} s, ` +
      `${(seeds.length / seconds).toFixed(1)} seeds/s, ${(virtualMs / 3_600_000 / seeds.length).toFixed(1)} virtual ` +
      `hours a seed, ${Math.round(virtualMs / 1000 / seconds)} times real time`,
  );
  const means = [...sums].map(([name, { sum, seeds: seen }]) => `${name} ${sum} (in ${seen})`);
  console.log(`what happened: ${means.join(', ')}`);
  if (failing.length === 0) return;
  const more = values.hours === undefined ? '' : ` --hours ${values.hours}`;
  console.log(`Replay one: node scripts/sim.ts --seed ${failing[0]}${more}`);
  console.log('Keep it: add it to tests/simulation/kept-seeds.json with what it found.');
  process.exitCode = 1;
}

async function enumerate(seed: number): Promise<void> {
  const every = values.every === undefined ? 1 : numberOf('every', values.every);
  const calm = await simulate(seed, optionsOf({ seed, point: 0 }));
  const points = calm.counts.points ?? 0;
  report(calm.violations);
  console.log(`a small day of seed ${seed} has ${points} calls to the outside; each ${every} is tried`);
  const tasks = Array.from({ length: Math.floor(points / every) }, (_, i) => ({ seed, point: (i + 1) * every }));
  let failed = 0;
  await inParallel(tasks, ({ task, violations }) => {
    if (violations.length === 0) return;
    failed++;
    console.log(`killed at call ${task.point}:`);
    report(violations);
  });
  console.log(`${tasks.length} runs, ${failed} with violations`);
  if (failed + calm.violations.length > 0) process.exitCode = 1;
}

function report(violations: SimulationResult['violations']): void {
  for (const { invariant, message } of violations) console.log(`  ${invariant}: ${message}`);
  if (violations.length === 0) console.log('no violation');
}

function keptSeeds(): readonly number[] {
  const file = fileURLToPath(new URL('../tests/simulation/kept-seeds.json', import.meta.url));
  const kept = JSON.parse(readFileSync(file, 'utf8')) as readonly { readonly seed: number }[];
  return kept.map(({ seed }) => seed);
}

function rangeOf(range: string): readonly number[] {
  const [from = Number.NaN, to = Number.NaN] = range.split('..').map((part) => numberOf('seeds', part));
  if (!(to >= from)) fail('--seeds takes a range, as in 1..1000.');
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function numberOf(name: string, text: string): number {
  if (!/^\d+$/.test(text)) fail(`--${name} takes whole numbers; ${JSON.stringify(text)} is none.`);
  return Number(text);
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
