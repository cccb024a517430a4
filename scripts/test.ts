/**
 * Runs the tests. `npm test` runs all; `npm test -- NAME…` only files whose path contains one of the words.
 * Suites that need a program of the system (Chromium) skip with a visible line where it is missing; with CI=true that
 * is a failure. Node's own runner prints what ran.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

const words = process.argv.slice(2);
const files: string[] = [];
for (const pattern of ['src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts']) {
  // bench/queues has packages of its own, some of which carry tests.
  for await (const file of glob(pattern, { exclude: ['**/node_modules/**'] })) {
    if (words.length === 0 || words.some((word) => file.includes(word))) files.push(file);
  }
}
if (files.length === 0) {
  console.error(`No test file matches ${words.join(', ')}. Leave the words out to run all.`);
  process.exit(1);
}
files.sort();
/** They start, kill and stop many processes and measure how soon others go on: one file after the other, by themselves. */
const alone = files.filter((file) => file.includes('chaos') || file.includes('several-processes'));
const together = files.filter((file) => !alone.includes(file));
process.exitCode = Math.max(await run(together, availableParallelism(), 300_000), await run(alone, 1, 900_000));

/** The exit code of Node's runner; 0 for no files. */
async function run(chosen: readonly string[], concurrency: number, timeoutMs: number): Promise<number> {
  if (chosen.length === 0) return 0;
  const child = spawn(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${timeoutMs}`,
      `--test-reporter=${process.env.TEST_REPORTER ?? (process.stdout.isTTY ? 'spec' : './scripts/test-summary.ts')}`,
      '--test-reporter-destination=stdout',
      ...chosen,
    ],
    // An odd zone and locale on purpose: nothing may depend on the machine's.
    { stdio: 'inherit', env: { ...process.env, TZ: 'Pacific/Chatham', LC_ALL: 'tr_TR.UTF-8' } },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
