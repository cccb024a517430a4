#!/usr/bin/env node
// Launcher that any Node can read. It hands over to the Node 26 that `npm ci` brought, or refuses with a clear line.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { MEMORY_ENV, MEMORY_FLAGS } from './memory.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const local = `${root}node_modules/.bin/node${process.platform === 'win32' ? '.cmd' : ''}`;
const ownNodeIsRight = Number(process.versions.node.split('.')[0]) >= 26;

const launcher = `${root}bin/tripwatch.js`;
const words = process.argv.slice(2);

if (ownNodeIsRight) {
  const runsLong = words.some((word) => ['up', 'demo', 'import'].includes(word));
  if (runsLong && process.env.MALLOC_ARENA_MAX === undefined && process.platform !== 'win32') {
    // The same process starts over; this call only returns when the system refuses it, and then it goes on as it is.
    try {
      process.execve?.(process.execPath, [process.execPath, ...MEMORY_FLAGS, launcher, ...words], {
        ...process.env,
        ...MEMORY_ENV,
      });
    } catch {}
  }
  // Stripped and compiled once, not at each start: half the time of a short command. Where it cannot write, it does without.
  nodeModule.enableCompileCache?.(`${root}node_modules/.cache/tripwatch`);
  await import('../src/app/cli.ts');
} else if (existsSync(local)) {
  const child = spawn(local, [launcher, ...words], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
} else {
  await import('./require-node.js');
}
