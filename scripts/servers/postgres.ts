import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from './ports.ts';

/**
 * A PostgreSQL server of its own for tests and benchmarks: the system's binaries on a free loopback port, its data in a
 * folder of its own, durable settings as they come. A cluster that the system runs is never touched.
 */
export interface PostgresServer {
  /** With a random password. */
  readonly url: string;
  readonly port: number;
  /** Of the server's first process; undefined while it does not run. */
  readonly pid: number | undefined;
  /** Where it writes its log. */
  readonly logFile: string;
  /** The same server, another database. */
  urlOf(database: string): string;
  /** Ends the first process with SIGKILL, as a crash would. `restart` brings it back with the same data. */
  kill9(): Promise<void>;
  /** Shuts down where it runs, and starts again: same port, same data. */
  restart(): Promise<void>;
  /** Shuts down and stays down; `restart` brings it back. */
  pause(): Promise<void>;
  /** Shuts down, and removes the data where the folder was made here. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** An empty folder, or one of an earlier server of this kind. Default: a temporary one, removed by `stop`. */
  readonly dataDir?: string;
  /** `postgresql.conf` on top of the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

const START_MS = 30_000;
const STOP_MS = 20_000;
const POLL_MS = 20;
/** Where Linux has it: the server ends with the process that started it, also when that is killed. */
const WITH_US = ['/usr/bin/setpriv', '--pdeathsig', 'QUIT', '--'];
/** Never as root: the server refuses that. The first of these that exists. */
const USERS = ['postgres', 'nobody'];

const run = promisify(execFile);

/** The folder of the server's programs: the newest that Debian has installed, or one on PATH; undefined: none. */
export function findPostgres(): string | undefined {
  const major = (folder: string) => Number(/postgresql\/(\d+)\//.exec(folder)?.[1] ?? 0);
  const debian = globSync('/usr/lib/postgresql/*/bin/').sort((a, b) => major(b) - major(a));
  const all = [...debian, ...(process.env.PATH ?? '').split(delimiter)];
  return all.find((folder) => existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb')));
}

/** How to get what is missing. */
export const POSTGRES_MISSING = 'PostgreSQL is not installed (Debian: apt-get install postgresql)';

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = findPostgres();
  if (bin === undefined) throw new Error(POSTGRES_MISSING);
  const user = process.getuid?.() === 0 ? unprivileged() : undefined;
  const folder = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tripwatch-postgres-'));
  const data = join(folder, 'data');
  const logFile = join(folder, 'log');
  const secret = join(folder, 'password');
  const own = (path: string) => user !== undefined && chownSync(path, user.uid, user.gid);
  own(folder);
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  if (!existsSync(data)) {
    writeFileSync(secret, randomBytes(18).toString('base64url'), { mode: 0o600 });
    own(secret);
    const args = ['-D', data, '-U', 'tripwatch', '--pwfile', secret, '-A', 'scram-sha-256', '-E', 'UTF8', '--no-sync'];
    await run(join(bin, 'initdb'), [...args, '--locale', 'C.UTF-8'], { env, ...user });
  }
  const password = readFileSync(secret, 'utf8').trim();
  const [port] = (await freePorts(1)) as [number];
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    port: String(port),
    max_connections: '200',
    shared_buffers: '256MB',
    ...options.settings,
  };
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const urlOf = (database: string) => `postgres://tripwatch:${password}@127.0.0.1:${port}/${database}`;
  let server: ChildProcess | undefined;
  const atExit = () => server?.kill('SIGQUIT');
  process.once('exit', atExit);

  const launch = async (): Promise<void> => {
    const giveUpAt = performance.now() + START_MS;
    for (;;) {
      const command = [...(existsSync(WITH_US[0]!) ? WITH_US : []), join(bin, 'postgres'), ...args];
      const child = spawn('/bin/sh', ['-c', `exec "$0" "$@" >>'${logFile}' 2>&1`, ...command], {
        env,
        stdio: 'ignore',
        ...user,
      });
      const state = await answers(child, join(data, 'postmaster.pid'), giveUpAt);
      if (state === 'ready') {
        server = child;
        return;
      }
      // After a kill, processes of the old server may hold its memory for a moment.
      if (performance.now() > giveUpAt) throw new Error(`PostgreSQL did not start; see ${logFile}`);
      await delay(POLL_MS * 5);
    }
  };
  const halt = async (signal: NodeJS.Signals): Promise<void> => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const patience = setTimeout(() => child.kill('SIGQUIT'), STOP_MS);
    await ended;
    clearTimeout(patience);
  };

  await launch();
  return {
    url: urlOf('postgres'),
    urlOf,
    port,
    get pid() {
      return server?.pid;
    },
    logFile,
    kill9: () => halt('SIGKILL'),
    // Fast shutdown: ends sessions, then writes a checkpoint.
    pause: () => halt('SIGINT'),
    restart: async () => {
      await halt('SIGINT');
      await launch();
    },
    stop: async () => {
      await halt('SIGINT');
      process.off('exit', atExit);
      if (options.dataDir === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server writes `ready` into its pid file when it takes connections. */
async function answers(child: ChildProcess, pidFile: string, giveUpAt: number): Promise<'ready' | 'ended'> {
  while (child.exitCode === null && child.signalCode === null) {
    try {
      const lines = readFileSync(pidFile, 'utf8').split('\n');
      if (lines[0] === String(child.pid) && lines[7]?.trim() === 'ready') return 'ready';
    } catch {
      // Not written yet.
    }
    if (performance.now() > giveUpAt) {
      child.kill('SIGQUIT');
      return 'ended';
    }
    await delay(POLL_MS);
  }
  return 'ended';
}

function unprivileged(): { readonly uid: number; readonly gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of USERS) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${USERS.join(' or ')}`);
}
