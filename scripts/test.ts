/**
 * Runs the tests. `npm test` runs all; `npm test -- NAME…` only files whose path contains one of the words.
 * Suites that need a program of the system (Chromium) skip with a visible line where it is missing; with CI=true that
 * is a failure. Node's own runner prints what ran.
 */
import { spawn } from 'node:child_process';
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
const child = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${availableParallelism()}`,
    '--test-timeout=300000',
    `--test-reporter=${process.env.TEST_REPORTER ?? (process.stdout.isTTY ? 'spec' : './scripts/test-summary.ts')}`,
    '--test-reporter-destination=stdout',
    ...files,
  ],
  // An odd zone and locale on purpose: nothing may depend on the machine's.
  { stdio: 'inherit', env: { ...process.env, TZ: 'Pacific/Chatham', LC_ALL: 'tr_TR.UTF-8' } },
);
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
