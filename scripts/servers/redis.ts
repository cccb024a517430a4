import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './ports.ts';

/**
 * A Redis of its own for a benchmark: Debian's `redis-server` on a free loopback port, its data in a temporary folder,
 * and every write synced before it is answered (appendfsync always).
 */
export interface RedisServer {
  readonly port: number;
  readonly version: string;
  /** What CONFIG GET answers for it. */
  config(name: string): string;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

/** Undefined: it is there. Otherwise how to get it. */
export function missingRedis(): string | undefined {
  if (spawnSync('redis-server', ['--version']).status === 0) return undefined;
  return 'redis-server is not installed (Debian: apt-get install redis-server)';
}

const START_MS = 10_000;
const STOP_MS = 10_000;

export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-redis-'));
  const [port] = (await freePorts(1)) as [number];
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--daemonize', 'no'];
  args.push('--appendonly', 'yes', '--appendfsync', 'always');
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
    server.once('error', () => resolve());
  });
  const ask = (...command: string[]): string[] => {
    const { stdout } = spawnSync('redis-cli', ['-p', `${port}`, ...command], { encoding: 'utf8' });
    return (stdout ?? '').trim().split(/\r?\n/);
  };
  const orphaned = () => void server.kill('SIGKILL');
  process.once('exit', orphaned);
  const stop = async () => {
    server.kill('SIGTERM');
    const patience = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(patience);
    process.off('exit', orphaned);
    rmSync(folder, { recursive: true, force: true });
  };
  const giveUpAt = performance.now() + START_MS;
  while (ask('PING')[0] !== 'PONG') {
    if (performance.now() > giveUpAt || server.exitCode !== null) {
      await stop();
      throw new Error(`redis-server did not answer on port ${port} within ${START_MS} ms`);
    }
    await delay(20);
  }
  const version = /redis_version:(\S+)/.exec(ask('INFO', 'server').join('\n'))?.[1] ?? 'unknown';
  return { port, version, config: (name) => ask('CONFIG', 'GET', name)[1] ?? '', stop };
}
