import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cyrusCache, missingCyrus } from './find-cyrus.ts';

/**
 * Unpacks Debian's Cyrus, with whatever libraries of it are not there, into this user's cache, once: some 15 MB. It is not
 * installed, because Debian lets a machine have one IMAP server, and that is Dovecot. Prints where it is; without Debian's
 * tools it says so and ends with status 1.
 */
export function installCyrus(): string {
  const folder = cyrusCache();
  if (missingCyrus() === undefined) return folder;
  const wanted = ['cyrus-imapd', 'cyrus-caldav', 'cyrus-common', 'sasl2-bin'];
  const plan = run('apt-get', ['install', '--simulate', '--no-install-recommends', ...wanted]);
  const needed = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!);
  // Built beside it and moved: whoever looks meanwhile finds nothing or all.
  const build = `${folder}.${process.pid}`;
  const debs = join(build, 'debs');
  mkdirSync(debs, { recursive: true });
  try {
    run('apt-get', ['download', '-q', ...new Set([...wanted, ...needed])], debs);
    for (const deb of readdirSync(debs)) run('dpkg-deb', ['--extract', join(debs, deb), join(build, 'root')]);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(join(build, 'root'), folder);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
  const missing = missingCyrus();
  if (missing !== undefined) throw new Error(missing);
  return folder;
}

function run(program: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', ...(cwd ? { cwd } : {}) });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args[0]} failed: ${(error?.message ?? stderr).trim().slice(-500)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.stdout.write(`${installCyrus()}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
