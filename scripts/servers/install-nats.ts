import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NATS_VERSION, natsCache } from './find-nats.ts';

/**
 * Builds the pinned nats-server from the Go module proxy into this user's cache, once: two minutes of one core, about
 * 25 MB. Its sources are checked against Go's checksum database. Prints where it is; without Go it says so and ends with
 * status 1, and Debian's package does.
 */
export function installNats(): string {
  const folder = natsCache();
  const path = join(folder, 'nats-server');
  if (spawnSync(path, ['--version']).status === 0) return path;
  const go = ['go', '/usr/local/go/bin/go'].find((program) => spawnSync(program, ['version']).status === 0);
  if (go === undefined)
    throw new Error('Go is not installed, and it builds nats-server (or use Debian: apt-get install nats-server)');
  // Built beside it and moved: whoever looks meanwhile finds nothing or all.
  const build = `${folder}.${process.pid}`;
  mkdirSync(build, { recursive: true });
  const module = `github.com/nats-io/nats-server/v2@v${NATS_VERSION}`;
  const args = ['-n', '19', go, 'install', module];
  const env = { ...process.env, GOBIN: build, CGO_ENABLED: '0' };
  const { status, stderr } = spawnSync('nice', args, { env, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(build, { recursive: true, force: true });
    throw new Error(`go install ${module} failed: ${stderr.trim().slice(-500)}`);
  }
  mkdirSync(folder, { recursive: true });
  renameSync(join(build, 'nats-server'), path);
  rmSync(build, { recursive: true, force: true });
  return path;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.stdout.write(`${installNats()}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
