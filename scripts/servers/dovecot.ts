import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { answers, endGroup, freePorts } from './ports.ts';

/**
 * An IMAP server of its own for tests and benchmarks: Debian's Dovecot on free loopback ports, everything it writes in a
 * temporary folder, run as root or as an ordinary user. A Dovecot that the system runs is never touched.
 */
export interface DovecotServer {
  /** IMAP without TLS from the start; offers STARTTLS. */
  readonly port: number;
  /** IMAP over TLS. */
  readonly tlsPort: number;
  readonly lmtpPort: number;
  /** PEM of the certificate, made for `localhost` and 127.0.0.1, signed by itself. */
  readonly ca: string;
  /** Of the server's first process; undefined while it does not run. */
  readonly pid: number | undefined;
  /** user1, user2 …, all with the password of `PASSWORD`. */
  readonly users: readonly string[];
  /** The Maildir of a user. */
  mailDir(user: string): string;
  /** Brings a mail by LMTP, which adds headers of its own. Resolves when the server has accepted it. */
  deliver(user: string, mail: Uint8Array): Promise<void>;
  /** Puts a mail into the Maildir as it is, received at `receivedAt` (epoch ms). Not for a folder that is open: the
   * server may number such mails in another order. Returns its file. */
  drop(user: string, mail: Uint8Array, options?: { readonly folder?: string; readonly receivedAt?: number }): string;
  /** Forgets the numbers of a folder: all mails are numbered anew, under another UIDVALIDITY. */
  renumber(user: string, folder?: string): void;
  /** Runs `doveadm`; what it printed. */
  doveadm(...args: string[]): Promise<string>;
  /** Ends every process of it, sessions too, and stays down. */
  pause(): Promise<void>;
  /** Starts again after `pause`, or ends and starts: same ports, same mails. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface DovecotOptions {
  /** Default 2. */
  readonly users?: number;
  /** Lines of `dovecot.conf` after the others. */
  readonly settings?: readonly string[];
  /** More files in its folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Settings of a way to sign in that is asked before the list of users; FOLDER stands for its folder. */
  readonly passdb?: string;
}

export const PASSWORD = 'correct horse';
/** How to get what is missing. */
export const DOVECOT_MISSING = 'Dovecot is not installed (Debian: apt-get install dovecot-imapd dovecot-lmtpd)';

const SERVER = '/usr/sbin/dovecot';
const LIBEXEC = '/usr/lib/dovecot';
const START_MS = 20_000;
const STOP_MS = 15_000;
/**
 * As root every user has a uid of their own: Linux allows a uid 128 inotify instances, and beyond it Dovecot falls back
 * to looking every 30 s without a word.
 */
const UID_FIRST = 41_000;
/** Where Linux has it: the server ends with the process that started it, also when that is killed. */
const WITH_US = ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'];
const run = promisify(execFile);

/** Undefined: it is there. Otherwise how to get it. */
export function missingDovecot(): string | undefined {
  const all = [SERVER, join(LIBEXEC, 'imap'), join(LIBEXEC, 'lmtp')];
  return all.every((file) => existsSync(file)) ? undefined : DOVECOT_MISSING;
}

export async function startDovecot(options: DovecotOptions = {}): Promise<DovecotServer> {
  if (missingDovecot() !== undefined) throw new Error(DOVECOT_MISSING);
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-dovecot-'));
  const users = Array.from({ length: options.users ?? 2 }, (_, index) => `user${index + 1}`);
  const root = process.getuid?.() === 0;
  const uidOf = (user: string) => (root ? UID_FIRST + Number(user.slice(4)) : (process.getuid?.() ?? 0));
  const gid = root ? UID_FIRST : (process.getgid?.() ?? 0);
  const mailDir = (user: string) => join(folder, 'mail', user);
  const own = (path: string, user: string) => root && chownSync(path, uidOf(user), gid);
  for (const each of ['run', 'mail']) mkdirSync(join(folder, each), { mode: 0o755 });
  if (root) chownSync(folder, 0, gid);
  // Users' processes pass through.
  await run('chmod', ['755', folder]);
  for (const user of users) {
    for (const part of ['', 'cur', 'new', 'tmp']) {
      mkdirSync(join(mailDir(user), part), { mode: 0o700 });
      own(join(mailDir(user), part), user);
    }
  }
  const passwd = users.map(
    (user) => `${user}:{PLAIN}${PASSWORD}:${uidOf(user)}:${gid}::${join(folder, 'mail', user)}::`,
  );
  writeFileSync(join(folder, 'passwd'), `${passwd.join('\n')}\n`, { mode: 0o644 });
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(folder, name), text);
  await certificate(folder);
  const [port, tlsPort, lmtpPort] = await freePorts(3);
  const conf = join(folder, 'dovecot.conf');
  const lines = configuration({ folder, root, ports: { port: port!, tlsPort: tlsPort!, lmtpPort: lmtpPort! } });
  const first = options.passdb === undefined ? [] : [`passdb {\n  ${options.passdb.replaceAll('FOLDER', folder)}\n}`];
  writeFileSync(conf, `${[...first, ...lines, ...(options.settings ?? [])].join('\n')}\n`, { mode: 0o644 });

  let server: ChildProcess | undefined;
  const atExit = () => server?.kill('SIGTERM');
  process.once('exit', atExit);
  const pause = async (): Promise<void> => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // The first process tells the others (shutdown_clients), but some take their time.
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(patience);
    endGroup(child.pid!);
  };
  const launch = async (): Promise<void> => {
    const giveUpAt = performance.now() + START_MS;
    const [program, ...args] = [...(existsSync(WITH_US[0]!) ? WITH_US : []), SERVER, '-F', '-c', conf];
    const child = spawn(program!, args, { stdio: 'ignore', detached: true });
    server = child;
    for (;;) {
      if ((await answers(port!)) && (await answers(lmtpPort!))) return;
      if (child.exitCode !== null || performance.now() > giveUpAt) {
        await pause();
        throw new Error(`Dovecot did not start; its log:\n${logOf(folder)}`);
      }
      await delay(20);
    }
  };
  await launch();
  let dropped = 0;
  return {
    port: port!,
    tlsPort: tlsPort!,
    lmtpPort: lmtpPort!,
    ca: readFileSync(join(folder, 'cert.pem'), 'utf8'),
    get pid() {
      return server?.pid;
    },
    users,
    mailDir,
    deliver: (user, mail) => lmtp(lmtpPort!, user, mail),
    drop: (user, mail, { folder: name = 'INBOX', receivedAt = Date.now() } = {}) => {
      const dir = name === 'INBOX' ? mailDir(user) : join(mailDir(user), `.${name}`);
      if (!existsSync(dir)) {
        for (const part of ['', 'cur', 'new', 'tmp']) {
          mkdirSync(join(dir, part), { mode: 0o700 });
          own(join(dir, part), user);
        }
      }
      const seconds = Math.floor(receivedAt / 1000);
      const file = `${seconds}.M${String(dropped++).padStart(9, '0')}P1.test`;
      writeFileSync(join(dir, 'tmp', file), mail, { mode: 0o600 });
      own(join(dir, 'tmp', file), user);
      utimesSync(join(dir, 'tmp', file), seconds, seconds);
      const there = join(dir, 'cur', `${file}:2,`);
      // Renamed at once, as a Maildir wants it.
      renameSync(join(dir, 'tmp', file), there);
      return there;
    },
    renumber: (user, name = 'INBOX') => {
      const dir = name === 'INBOX' ? mailDir(user) : join(mailDir(user), `.${name}`);
      for (const file of ['dovecot-uidlist', 'dovecot.index', 'dovecot.index.log', 'dovecot.index.cache'])
        rmSync(join(dir, file), { force: true });
    },
    doveadm: async (...args) => (await run('/usr/bin/doveadm', ['-c', conf, ...args])).stdout,
    pause,
    restart: async () => {
      await pause();
      await launch();
    },
    stop: async () => {
      await pause();
      process.off('exit', atExit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly folder: string;
  readonly root: boolean;
  readonly ports: { readonly port: number; readonly tlsPort: number; readonly lmtpPort: number };
}

function configuration({ folder, root, ports }: Place): string[] {
  const me = process.env.USER ?? process.env.LOGNAME ?? 'nobody';
  const listener = (name: string, port: number, ssl = false) =>
    `  inet_listener ${name} {\n    address = 127.0.0.1\n    port = ${port}\n    ssl = ${ssl ? 'yes' : 'no'}\n  }`;
  return [
    `base_dir = ${folder}/run`,
    `state_dir = ${folder}/run`,
    `log_path = ${folder}/log`,
    'protocols = imap lmtp',
    'shutdown_clients = yes',
    ...(root ? [] : [`default_internal_user = ${me}`, `default_login_user = ${me}`, 'default_internal_group =']),
    'first_valid_uid = 1',
    'first_valid_gid = 1',
    `mail_location = maildir:${folder}/mail/%u`,
    'mail_fsync = never',
    'ssl = yes',
    `ssl_cert = <${folder}/cert.pem`,
    `ssl_key = <${folder}/key.pem`,
    'ssl_min_protocol = TLSv1.2',
    'disable_plaintext_auth = no',
    'auth_mechanisms = plain login',
    // A refused login is answered at once here; what waits is a person's patience.
    'auth_failure_delay = 0',
    `passdb {\n  driver = passwd-file\n  args = ${folder}/passwd\n}`,
    `userdb {\n  driver = passwd-file\n  args = ${folder}/passwd\n}`,
    'default_client_limit = 10000',
    'default_process_limit = 8000',
    'mail_max_userip_connections = 200',
    `service imap-login {\n  chroot =\n${listener('imap', ports.port)}\n${listener('imaps', ports.tlsPort, true)}`,
    '  service_count = 0\n  process_min_avail = 1\n  process_limit = 2\n  client_limit = 8000\n}',
    'service imap {\n  process_limit = 8000\n}',
    'service anvil {\n  chroot =\n}',
    `service lmtp {\n${listener('lmtp', ports.lmtpPort)}\n}`,
    'service stats {\n  chroot =\n}',
    `namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    special_use = \\Drafts
    auto = create
  }
  mailbox Junk {
    special_use = \\Junk
    auto = create
  }
  mailbox Trash {
    special_use = \\Trash
    auto = create
  }
  mailbox Sent {
    special_use = \\Sent
    auto = create
  }
}`,
  ];
}

async function certificate(folder: string): Promise<void> {
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const what = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  await run('openssl', ['req', '-x509', ...key, ...files, ...what]);
}

const logOf = (folder: string): string => {
  try {
    return readFileSync(join(folder, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  } catch {
    return '(none)';
  }
};

/** One mail by LMTP (RFC 2033): each line is sent when the one before was answered. */
async function lmtp(port: number, user: string, mail: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  let told: () => void = () => {};
  let failed: Error | undefined;
  socket.on('data', (bytes: Buffer) => {
    said += bytes.toString('latin1');
    told();
  });
  socket.on('error', (error) => {
    failed = error;
    told();
  });
  socket.on('close', () => {
    failed ??= new Error('the LMTP server closed the connection');
    told();
  });
  const answer = async (expected: string): Promise<void> => {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*(\d{3}) .*\r\n/.exec(said);
      if (whole !== null) {
        if (whole[1] !== expected) throw new Error(`LMTP answered ${whole[0].trim()}`);
        said = said.slice(whole[0].length);
        return;
      }
      if (failed !== undefined) throw failed;
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    }
  };
  try {
    await answer('220');
    for (const line of ['LHLO test', 'MAIL FROM:<sender@example.org>', `RCPT TO:<${user}>`]) {
      socket.write(`${line}\r\n`);
      await answer('250');
    }
    socket.write('DATA\r\n');
    await answer('354');
    const text = Buffer.from(mail).toString('latin1').replace(/^\./gm, '..');
    socket.write(Buffer.from(`${text}${text.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1'));
    await answer('250');
    socket.end('QUIT\r\n');
  } finally {
    socket.destroy();
  }
}
