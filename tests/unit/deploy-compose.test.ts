import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectionsOfAProcess, deploy, pinned, ROLES, root, stagesOf, text, yaml } from './deploy-files.ts';

/** deploy/compose.yaml, as far as can be seen without an engine. */
interface Mount {
  readonly source: string;
  readonly target: string;
}
interface Service {
  readonly image: string;
  readonly build?: unknown;
  readonly command: readonly string[];
  readonly user: string;
  readonly restart: string;
  readonly read_only: boolean;
  readonly privileged?: boolean;
  readonly cap_drop: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly networks: readonly string[] | Readonly<Record<string, { readonly aliases: readonly string[] }>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly configs?: readonly Mount[];
  readonly secrets?: readonly (Mount | string)[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy: { readonly resources: { readonly limits: Readonly<Record<string, string | number>> } };
  readonly healthcheck?: { readonly test: readonly string[] };
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose = yaml<Compose>('compose.yaml');
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.image.startsWith('tripwatch:'));
const networksOf = (service: Service) =>
  Array.isArray(service.networks) ? (service.networks as readonly string[]) : Object.keys(service.networks);

test('every name that a service uses is declared, and every declared one is used', () => {
  const used = { networks: new Set<string>(), volumes: new Set<string>(), configs: new Set(), secrets: new Set() };
  for (const [name, service] of services) {
    for (const network of networksOf(service)) used.networks.add(network);
    for (const volume of service.volumes ?? []) used.volumes.add(volume.split(':')[0]!);
    for (const config of service.configs ?? []) used.configs.add(config.source);
    for (const secret of service.secrets ?? []) used.secrets.add(typeof secret === 'string' ? secret : secret.source);
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      assert.ok(other in compose.services, `${name} waits for ${other}`);
      assert.equal(condition, 'service_healthy');
      assert.ok(compose.services[other]!.healthcheck !== undefined, `${other} has no health check`);
    }
  }
  for (const kind of ['networks', 'volumes', 'configs', 'secrets'] as const)
    assert.deepEqual([...used[kind]].sort(), Object.keys(compose[kind]).sort(), kind);
  for (const { file } of Object.values(compose.configs)) assert.ok(existsSync(join(deploy, file)), file);
  for (const { file } of Object.values(compose.secrets)) assert.match(file, /^\.\/secrets\//);
});

test('every service: pinned image, no rights to spare, bounded memory, comes back by itself', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [name, service] of services) {
    assert.ok(pinned(service.image), `${name}: ${service.image}`);
    assert.equal(service.build, undefined, `${name} would be built once for each service`);
    assert.equal(service.restart, 'unless-stopped', name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.equal(service.cap_add, undefined, name);
    assert.ok(!service.privileged, name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.ok(service.deploy.resources.limits.memory !== undefined, name);
    assert.ok(service.deploy.resources.limits.pids !== undefined, name);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, `${name}: ${port}`);
    for (const variable of Object.keys(service.environment))
      assert.ok(!/PASSWORD|SECRET|TOKEN/.test(variable) || variable.endsWith('_FILE'), `${name}: ${variable}`);
  }
  for (const [name, service] of ours) assert.equal(service.image, `tripwatch:${version}`, name);
});

test('the roles together are all there are, and each process has a name of its own', () => {
  const roles = ours.flatMap(([, service]) => stagesOf(service.command));
  assert.deepEqual([...new Set(roles)].sort(), [...ROLES].sort());
  const names = ours.map(([, service]) => service.environment.TRIPWATCH_WORKER_NAME);
  assert.deepEqual(
    names,
    ours.map(([name]) => name),
  );
});

test('what reads mails of strangers reaches no network but the inner one', () => {
  assert.equal(compose.networks.inside?.internal, true);
  for (const [name, service] of services) {
    const readsMails = stagesOf(service.command).includes('extract');
    const isServer = !service.image.startsWith('tripwatch:');
    if (readsMails || isServer) assert.deepEqual(networksOf(service), ['inside'], name);
  }
});

test('configuration and secrets are mounted where the configuration looks for them', () => {
  const config = text('config/tripwatch.config.json');
  const wanted = [...config.matchAll(/"file:([^"]+)"/g)].map((match) => match[1]!);
  assert.equal(wanted.length, 3);
  for (const [name, service] of ours) {
    const targets = (service.secrets ?? []).map((one) => (typeof one === 'string' ? one : one.target));
    assert.deepEqual(targets.sort(), wanted.sort(), name);
    assert.equal(service.configs?.[0]?.target, service.environment.TRIPWATCH_CONFIG, name);
  }
});

test('the three NATS servers are found by the names in their routes and in the address', () => {
  const nats = services.filter(([, service]) => service.image.startsWith('nats:'));
  assert.equal(nats.length, 3);
  for (const [name, service] of nats) {
    assert.equal(service.environment.SERVER_NAME, name);
    const { aliases } = (service.networks as Record<string, { aliases: readonly string[] }>).inside!;
    assert.deepEqual(aliases, ['nats', `${name}.nats-peers`]);
    assert.deepEqual(service.volumes, [`${name}:/data`], 'each has a disk of its own');
  }
});

test('PostgreSQL has connections for all processes, a command line beside each, and its operator', () => {
  const max = Number(/^max_connections = (\d+)$/m.exec(text('config/postgresql.conf'))?.[1]);
  const each = connectionsOfAProcess();
  assert.ok(ours.length * each * 2 + 10 <= max, `${ours.length} processes of ${each} need more than ${max}`);
});
