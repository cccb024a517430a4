#!/usr/bin/env node
// Launcher that any Node can read. It hands over to the Node 26 that `npm ci` brought, or refuses with a clear line.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const local = `${root}node_modules/.bin/node${process.platform === 'win32' ? '.cmd' : ''}`;
const ownNodeIsRight = Number(process.versions.node.split('.')[0]) >= 26;

if (ownNodeIsRight) {
  // Stripped and compiled once, not at each start: half the time of a short command. Where it cannot write, it does without.
  nodeModule.enableCompileCache?.(`${root}node_modules/.cache/tripwatch`);
  await import('../src/app/cli.ts');
} else if (existsSync(local)) {
  const child = spawn(local, [`${root}bin/tripwatch.js`, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
} else {
  await import('./require-node.js');
}
