import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { answers, endGroup, freePorts } from './ports.ts';

/**
 * A JMAP server of its own for tests: Debian's Cyrus on free loopback ports, everything it writes in a temporary folder.
 * A Cyrus that the system runs is never touched. Only as root: it works as its own user, `cyrus`.
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
const MASTER = '/usr/sbin/cyrmaster';
const PROGRAMS = '/usr/lib/cyrus/bin';
const PASSWORDS = '/usr/sbin/saslpasswd2';
const START_MS = 30_000;
const STOP_MS = 10_000;
const MISSING = 'Cyrus is not installed (Debian: apt-get install cyrus-imapd cyrus-caldav sasl2-bin)';
/** Where Linux has it: the server ends with the process that started it, also when that is killed. */
const WITH_US = ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'];
const run = promisify(execFile);

/** Undefined: it is there and can be run. Otherwise how to get there. */
export function missingCyrus(): string | undefined {
  if (![MASTER, join(PROGRAMS, 'httpd'), PASSWORDS].every((file) => existsSync(file))) return MISSING;
  return process.getuid?.() === 0 ? undefined : 'Cyrus works as a user of its own: only root can start it';
}

export async function startCyrus(options: { readonly users: number }): Promise<CyrusServer> {
  const missing = missingCyrus();
  if (missing !== undefined) throw new Error(missing);
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-cyrus-'));
  const [uid, gid] = await Promise.all([idOf('-u'), idOf('-g')]);
  const own = (path: string): void => chownSync(path, uid, gid);
  own(folder);
  for (const part of ['conf', 'conf/socket', 'conf/proc', 'spool', 'sieve']) {
    mkdirSync(join(folder, part));
    own(join(folder, part));
  }
  const [httpPort, imapPort] = (await freePorts(2)) as [number, number];
  const conf = join(folder, 'imapd.conf');
  const services = join(folder, 'cyrus.conf');
  writeFileSync(conf, `${settings(folder).join('\n')}\n`);
  writeFileSync(services, `${servicesOf(conf, httpPort, imapPort).join('\n')}\n`);
  const users = Array.from({ length: options.users }, (_, index) => `user${index + 1}`);
  const passwords = join(folder, 'sasldb2');
  for (const user of users) await setPassword(passwords, user);
  own(passwords);

  const [program, ...args] = [...(existsSync(WITH_US[0]!) ? WITH_US : []), MASTER, '-D'];
  const files = ['-C', conf, '-M', services, '-p', join(folder, 'pid')];
  const out: Buffer[] = [];
  const child = spawn(program!, [...args, ...files], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
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

async function idOf(flag: '-u' | '-g'): Promise<number> {
  return Number((await run('id', [flag, 'cyrus'])).stdout);
}

/** The realm is the server's name. */
async function setPassword(file: string, user: string): Promise<void> {
  const child = spawn(PASSWORDS, ['-p', '-c', '-f', file, '-u', 'localhost', user], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(CYRUS_PASSWORD);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`saslpasswd2 ended with ${code}`);
}

function settings(folder: string): string[] {
  return [
    `configdirectory: ${folder}/conf`,
    'defaultpartition: default',
    `partition-default: ${folder}/spool`,
    `sievedir: ${folder}/sieve`,
    ...['idle', 'lmtp', 'notify'].map((name) => `${name}socket: ${folder}/conf/socket/${name}`),
    'cyrus_user: cyrus',
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
  const service = (name: string, program: string, port: number) =>
    `  ${name} cmd="${program} -C ${conf}" listen="127.0.0.1:${port}" proto="tcp4" prefork=1 maxchild=50`;
  return [
    `START {\n  recover cmd="ctl_cyrusdb -C ${conf} -r"\n}`,
    `SERVICES {\n${service('http', 'httpd', httpPort)}\n${service('imap', 'imapd', imapPort)}\n}`,
    `DAEMON {\n  idled cmd="idled -C ${conf}"\n}`,
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
