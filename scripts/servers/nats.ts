import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atLeast, findNats, missingNats } from './find-nats.ts';
import { freePorts } from './ports.ts';

/**
 * NATS servers of their own for tests and benchmarks: on free loopback ports, with JetStream in a temporary folder, a
 * random password, and every write synced before it is acknowledged, as far as the server can (2.10 and newer).
 */
export interface NatsOptions {
  /** Servers; three form a cluster. Default: 1. */
  readonly nodes?: 1 | 3;
  /** Where JetStream keeps its files. Default: a new temporary folder, removed by `stop`. */
  readonly folder?: string;
  /** `sync_interval`. Default: always. */
  readonly sync?: string;
  /** `max_file_store`, for a disk that fills. */
  readonly storeMax?: string;
  /** Further lines of configuration, for every node. */
  readonly config?: string;
}

export interface NatsServers {
  /** One address a node, with user and password. */
  readonly urls: readonly string[];
  /** Addresses without them. */
  readonly hosts: readonly string[];
  readonly user: string;
  readonly password: string;
  readonly version: string;
  /** Whether every write is synced before it is acknowledged. */
  readonly syncsAlways: boolean;
  /** Address of a node's monitoring. */
  monitor(node: number): string;
  /** By the name in `cluster.leader` of JetStream's answers. */
  nodeNamed(name: string): number;
  kill9(node: number): Promise<void>;
  /** Starts a node that was killed, on its port with its files; resolves when it serves. */
  restart(node: number): Promise<void>;
  /** The process stands still, its connections stay open. */
  sigstop(node: number): void;
  sigcont(node: number): void;
  /** The end of what a node has written to its log. */
  log(node: number): string;
  /** Ends all; removes the files, unless `folder` was given. */
  stop(): Promise<void>;
}

const START_MS = 20_000;
const STOP_MS = 5000;

/** Errors: no nats-server (see `missingNats`), or one that does not start, with the end of its log. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServers> {
  const binary = findNats();
  if (binary === undefined) throw new Error(missingNats());
  const count = options.nodes ?? 1;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'tripwatch-nats-'));
  const syncs = atLeast(binary.version, '2.10.0');
  const sync = options.sync ?? 'always';
  const storeMax = options.storeMax === undefined ? '' : `, max_file_store: ${options.storeMax}`;
  const [user, password] = ['tripwatch', randomBytes(16).toString('hex')];
  const ports = await freePorts(count * 3);
  const nodes = Array.from({ length: count }, (_, index) => {
    const [port = 0, monitor = 0, route = 0] = ports.slice(index * 3);
    const home = join(folder, `node-${index}`);
    return { name: `node-${index}`, port, monitor, route, home, process: undefined as ChildProcess | undefined };
  });
  const routes = nodes.map(({ route }) => `nats://${user}:${password}@127.0.0.1:${route}`);
  for (const { name, port, monitor, route, home } of nodes) {
    mkdirSync(home, { recursive: true });
    const lines = [
      `server_name: ${name}`,
      `listen: "127.0.0.1:${port}"`,
      `http: "127.0.0.1:${monitor}"`,
      `log_file: "${join(home, 'log')}"`,
      `authorization { user: ${user}, password: "${password}" }`,
      `jetstream { store_dir: "${home}"${syncs ? `, sync_interval: "${sync}"` : ''}${storeMax} }`,
    ];
    if (count > 1)
      lines.push(
        `cluster { name: tripwatch, listen: "127.0.0.1:${route}", routes: [${routes.map((url) => `"${url}"`)}],`,
        `  authorization { user: ${user}, password: "${password}" } }`,
      );
    writeFileSync(join(home, 'nats.conf'), [...lines, options.config ?? '', ''].join('\n'), { mode: 0o600 });
  }
  type Node = (typeof nodes)[number];
  const log = ({ home }: Node): string => {
    const file = join(home, 'log');
    return existsSync(file) ? readFileSync(file, 'utf8').slice(-4000) : '';
  };
  const spawnNode = (node: Node): void => {
    const child = spawn(binary.path, ['-c', join(node.home, 'nats.conf')], { stdio: 'ignore' });
    child.on('error', () => {});
    node.process = child;
  };
  const serves = async (node: Node): Promise<void> => {
    const giveUpAt = performance.now() + START_MS;
    for (;;) {
      const healthy = await fetch(`http://127.0.0.1:${node.monitor}/healthz`).then(
        (response) => response.ok,
        () => false,
      );
      if (healthy) return;
      if (performance.now() > giveUpAt || !runs(node.process))
        throw new Error(`nats-server did not serve within ${START_MS} ms:\n${log(node)}`);
      await delay(20);
    }
  };
  const end = async (node: Node, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const child = node.process;
    if (child === undefined || !runs(child)) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // One that was stopped acts on SIGTERM only when it goes on.
    child.kill('SIGCONT');
    child.kill(signal);
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(patience);
  };
  const orphaned = (): void => {
    for (const { process: child } of nodes) child?.kill('SIGKILL');
  };
  process.once('exit', orphaned);
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => end(node, 'SIGTERM')));
    process.removeListener('exit', orphaned);
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const node of nodes) spawnNode(node);
    await Promise.all(nodes.map(serves));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: nodes.map(({ port }) => `nats://${user}:${password}@127.0.0.1:${port}`),
    hosts: nodes.map(({ port }) => `127.0.0.1:${port}`),
    user,
    password,
    version: binary.version,
    syncsAlways: syncs && sync === 'always',
    monitor: (node) => `http://127.0.0.1:${nodes[node]!.monitor}`,
    nodeNamed: (name) => nodes.findIndex((node) => node.name === name),
    kill9: (node) => end(nodes[node]!, 'SIGKILL'),
    restart: async (node) => {
      await end(nodes[node]!, 'SIGKILL');
      spawnNode(nodes[node]!);
      await serves(nodes[node]!);
    },
    sigstop: (node) => void nodes[node]!.process?.kill('SIGSTOP'),
    sigcont: (node) => void nodes[node]!.process?.kill('SIGCONT'),
    log: (node) => log(nodes[node]!),
    stop,
  };
}

function runs(child: ChildProcess | undefined): boolean {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
