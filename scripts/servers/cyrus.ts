import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cyrusCache, missingCyrus } from './find-cyrus.ts';
import { answers, endGroup, freePorts } from './ports.ts';

/**
 * A JMAP server of its own for tests: Debian's Cyrus on free loopback ports, everything it writes in a temporary folder.
 * A Cyrus that the system runs is never touched. Run by root it works as `nobody`.
 */
export interface CyrusServer {
  /** JMAP by HTTP. */
  readonly url: string;
  /** IMAP without TLS: for bringing and removing mails. */
  readonly imapPort: number;
  /** user1, user2 …, all with the password of `CYRUS_PASSWORD`. */
  readonly users: readonly string[];
  stop(): Promise<void>;
}

export const CYRUS_PASSWORD = 'correct horse';
const START_MS = 30_000;
const STOP_MS = 10_000;
/** Where Linux has it: the server ends with the process that started it, also when that is killed. */
const WITH_US = ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'];
const run = promisify(execFile);

export async function startCyrus(options: { readonly users: number }): Promise<CyrusServer> {
  const missing = missingCyrus();
  if (missing !== undefined) throw new Error(missing);
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-cyrus-'));
  const root = process.getuid?.() === 0;
  const user = root ? 'nobody' : userInfo().username;
  const [uid, gid] = await Promise.all([idOf('-u', user), idOf('-g', user)]);
  const own = (path: string): void => {
    if (root) chownSync(path, uid, gid);
  };
  own(folder);
  for (const part of ['conf', 'conf/socket', 'conf/proc', 'spool', 'sieve']) {
    mkdirSync(join(folder, part));
    own(join(folder, part));
  }
  const [httpPort, imapPort] = (await freePorts(2)) as [number, number];
  const conf = join(folder, 'imapd.conf');
  const services = join(folder, 'cyrus.conf');
  writeFileSync(conf, `${settings(folder, user).join('\n')}\n`);
  writeFileSync(services, `${servicesOf(conf, httpPort, imapPort).join('\n')}\n`);
  const users = Array.from({ length: options.users }, (_, index) => `user${index + 1}`);
  const passwords = join(folder, 'sasldb2');
  for (const each of users) await setPassword(passwords, each);
  own(passwords);

  const master = join(cyrusCache(), 'usr/sbin/cyrmaster');
  const [program, ...args] = [...(existsSync(WITH_US[0]!) ? WITH_US : []), master, '-D'];
  const files = ['-C', conf, '-M', services, '-p', join(folder, 'pid')];
  const out: Buffer[] = [];
  const child = spawn(program!, [...args, ...files], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: surroundings(),
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => out.push(bytes));
  const atExit = () => child.kill('SIGTERM');
  process.once('exit', atExit);
  const stop = async (): Promise<void> => {
    process.off('exit', atExit);
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const giveUpAt = performance.now() + START_MS;
  while (!(await answers(imapPort))) {
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      await stop();
      throw new Error(`Cyrus did not start; it said: ${Buffer.concat(out).toString() || 'nothing'}`);
    }
    await delay(50);
  }
  return { url: `http://127.0.0.1:${httpPort}/`, imapPort, users, stop };
}

async function idOf(flag: '-u' | '-g', user: string): Promise<number> {
  return Number((await run('id', [flag, user])).stdout);
}

/** It lies where it was not built for. */
function surroundings(): NodeJS.ProcessEnv {
  const libraries = ['x86_64-linux-gnu', 'aarch64-linux-gnu', '']
    .flatMap((machine) => [join('usr/lib', machine), join('lib', machine)])
    .map((path) => join(cyrusCache(), path));
  return {
    ...process.env,
    LD_LIBRARY_PATH: libraries.join(':'),
    SASL_PATH: ['/usr/lib/x86_64-linux-gnu/sasl2', ...libraries.map((path) => join(path, 'sasl2'))].join(':'),
  };
}

/** The realm is the server's name. */
async function setPassword(file: string, user: string): Promise<void> {
  const child = spawn(join(cyrusCache(), 'usr/sbin/saslpasswd2'), ['-p', '-c', '-f', file, '-u', 'localhost', user], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: surroundings(),
  });
  child.stdin.end(CYRUS_PASSWORD);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`saslpasswd2 ended with ${code}`);
}

function settings(folder: string, user: string): string[] {
  return [
    `configdirectory: ${folder}/conf`,
    'defaultpartition: default',
    `partition-default: ${folder}/spool`,
    `sievedir: ${folder}/sieve`,
    ...['idle', 'lmtp', 'notify'].map((name) => `${name}socket: ${folder}/conf/socket/${name}`),
    `cyrus_user: ${user}`,
    'servername: localhost',
    'allowplaintext: yes',
    'sasl_pwcheck_method: auxprop',
    'sasl_auxprop_plugin: sasldb',
    `sasl_sasldb_path: ${folder}/sasldb2`,
    'sasl_mech_list: PLAIN',
    'httpmodules: jmap',
    'conversations: yes',
    'unixhierarchysep: yes',
    'altnamespace: yes',
    // A mailbox is made when its owner signs in first.
    'autocreate_quota: 0',
    // Tells of changes within a second, gives mails as they came, and forgets what was removed.
    'jmap_pushpoll: 1s',
    'munge8bit: no',
    'expunge_mode: immediate',
    'skiplist_unsafe: yes',
  ];
}

/** The programs do not learn from the first one which settings are meant. */
function servicesOf(conf: string, httpPort: number, imapPort: number): string[] {
  const program = (name: string) => `${join(cyrusCache(), 'usr/lib/cyrus/bin', name)} -C ${conf}`;
  const service = (name: string, does: string, port: number) =>
    `  ${name} cmd="${program(does)}" listen="127.0.0.1:${port}" proto="tcp4" prefork=1 maxchild=50`;
  return [
    `START {\n  recover cmd="${program('ctl_cyrusdb')} -r"\n}`,
    `SERVICES {\n${service('http', 'httpd', httpPort)}\n${service('imap', 'imapd', imapPort)}\n}`,
    `DAEMON {\n  idled cmd="${program('idled')}"\n}`,
  ];
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exit;
  clearTimeout(patience);
  endGroup(child.pid!);
}
