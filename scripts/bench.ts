/** Runs benchmarks: `npm run bench -- NAME [options]`; without a name it lists them. */
import { spawn } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { basename } from 'node:path';
import { MEMORY_ENV, MEMORY_FLAGS } from '../bin/memory.js';

const files: string[] = [];
for await (const file of glob('bench/*.ts')) if (!file.endsWith('.test.ts')) files.push(file);
files.sort();
const [name, ...options] = process.argv.slice(2);
const file = files.find((one) => basename(one, '.ts') === name);
if (file === undefined) {
  if (name !== undefined) console.error(`There is no benchmark ${JSON.stringify(name)}.`);
  console.log(`Benchmarks: ${files.map((one) => basename(one, '.ts')).join(', ')}\nRun one: npm run bench -- NAME`);
  process.exit(name === undefined ? 0 : 1);
}
// With the settings that the launcher gives to what users run.
spawn(process.execPath, [...MEMORY_FLAGS, file, ...options], {
  stdio: 'inherit',
  env: { ...process.env, ...MEMORY_ENV },
}).on('exit', (code) => process.exit(code ?? 1));
