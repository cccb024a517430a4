import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { routeTable } from '../../src/api/routes.ts';
import {
  connectionsOfAProcess,
  deploy,
  documents,
  filesIn,
  pinned,
  postgresSettings,
  ROLES,
  root,
  stagesOf,
  text,
  yaml,
} from './deploy-files.ts';

/** deploy/kubernetes, as far as can be seen without a cluster. */
type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly values: readonly string[] }[];
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}
interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly resources: Readonly<Record<'requests' | 'limits', { readonly cpu?: string; readonly memory?: string }>>;
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[]; readonly add?: readonly string[] };
  };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly hostNetwork?: boolean;
  readonly securityContext: {
    readonly runAsNonRoot: boolean;
    readonly runAsUser: number;
    readonly seccompProfile: Labels;
  };
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}
interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Record<string, unknown> & {
    readonly selector: Selector;
    readonly replicas: number;
    readonly serviceName?: string;
    readonly podSelector: Selector;
    readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}
interface Kustomization {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
  readonly configMapGenerator: readonly { readonly name: string; readonly files?: readonly string[] }[];
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  Namespace: 'v1',
  Service: 'v1',
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  PodDisruptionBudget: 'policy/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  Ingress: 'networking.k8s.io/v1',
  Cluster: 'postgresql.cnpg.io/v1',
  Job: 'batch/v1',
};
/** Made by hand, as docs/operating/deployment.md says. */
const SECRETS = ['tripwatch', 'tripwatch-nats', 'tripwatch-providers'];

const kustomization = yaml<Kustomization>('kustomization.yaml');
const things = kustomization.resources.flatMap((file) => documents<Thing>(file));
const examples = filesIn('kubernetes/examples').flatMap((file) => documents<Thing>(file));
const workloads = things.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
const ours = workloads.filter(({ metadata }) => metadata.name !== 'nats');
const podOf = (thing: Thing) => thing.spec.template.spec;
const containerOf = (thing: Thing) => podOf(thing).containers[0]!;

function selects(selector: Selector, labels: Labels): boolean {
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}
const selected = (selector: Selector) =>
  workloads.filter((one) => selects(selector, one.spec.template.metadata.labels));

/** `768Mi`, `1Gi` in MiB. */
const mebibytes = (size = '') => Number.parseInt(size, 10) * (size.endsWith('Gi') ? 1024 : 1);

test('every file belongs to the kustomization, every thing has a known kind and a name of its own', () => {
  const files = readdirSync(join(deploy, 'kubernetes')).filter((name) => name.endsWith('.yaml'));
  assert.deepEqual([...kustomization.resources].sort(), files.map((name) => `kubernetes/${name}`).sort());
  for (const { kind, apiVersion } of [...things, ...examples]) assert.equal(apiVersion, API_VERSIONS[kind], kind);
  for (const { kind, metadata } of examples) assert.equal(metadata.namespace, 'tripwatch', `${kind} ${metadata.name}`);
  const names = things.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  assert.equal(new Set(names).size, names.length);
});

test('selectors meet pods, and the ports that they name exist', () => {
  for (const thing of workloads) {
    assert.deepEqual(selected(thing.spec.selector), [thing], thing.metadata.name);
    if (thing.kind === 'StatefulSet')
      assert.ok(things.some(({ kind, metadata }) => kind === 'Service' && metadata.name === thing.spec.serviceName));
  }
  for (const { kind, metadata, spec } of things) {
    const selector =
      kind === 'Service'
        ? { matchLabels: spec.selector as Labels }
        : kind === 'PodDisruptionBudget'
          ? spec.selector
          : undefined;
    const chosen = selector === undefined ? [] : selected(selector);
    if (selector !== undefined) assert.equal(chosen.length, 1, `${kind} ${metadata.name}`);
    if (kind === 'NetworkPolicy') assert.ok(selected(spec.podSelector).length > 0, metadata.name);
    if (kind !== 'Service') continue;
    const ports = containerOf(chosen[0]!).ports.map(({ name }) => name);
    for (const { targetPort } of spec.ports as readonly { targetPort: string }[])
      assert.ok(ports.includes(targetPort), `${metadata.name}: ${targetPort}`);
  }
  const disrupted = things.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ metadata }) => metadata.name);
  assert.deepEqual(disrupted.sort(), workloads.map(({ metadata }) => metadata.name).sort());
});

test('configuration, secrets and volumes that a pod names exist', () => {
  const maps = kustomization.configMapGenerator.map(({ name }) => name);
  for (const thing of workloads) {
    const { name } = thing.metadata;
    const said = JSON.stringify(podOf(thing));
    for (const [, map = ''] of said.matchAll(/"config[Mm]ap(?:Ref)?":\{"name":"([^"]+)"/g))
      assert.ok(maps.includes(map), map);
    for (const [, secret = ''] of said.matchAll(/"secret(?:Name)?":(?:\{"name":)?"([^"]+)"/g))
      assert.ok(SECRETS.includes(secret), `${name}: ${secret}`);
    const volumes = [...podOf(thing).volumes, ...(thing.spec.volumeClaimTemplates ?? []).map((one) => one.metadata)];
    const known = volumes.map((volume) => volume.name);
    for (const { name: volume } of containerOf(thing).volumeMounts)
      assert.ok(known.includes(volume), `${name}: ${volume}`);
  }
  const page = readFileSync(join(root, 'docs/operating/deployment.md'), 'utf8');
  for (const name of SECRETS) assert.ok(page.includes(`create secret generic ${name} `), `how is ${name} made?`);
  for (const thing of ours) {
    const mounts = containerOf(thing).volumeMounts.map(({ mountPath }) => mountPath);
    for (const [, path = ''] of text('config/tripwatch.config.json').matchAll(/"file:([^"]+)\/[^/"]+"/g))
      assert.ok(mounts.includes(path), `${thing.metadata.name}: nothing is mounted at ${path}`);
  }
});

test('every pod runs without rights that it does not need', () => {
  const jobs = examples.filter(({ kind }) => kind === 'Job');
  assert.equal(jobs.length, 1);
  for (const thing of [...workloads, ...jobs]) {
    const { name } = thing.metadata;
    const pod = podOf(thing);
    assert.equal(pod.containers.length, 1, name);
    assert.equal(pod.automountServiceAccountToken, false, name);
    assert.equal(pod.enableServiceLinks, false, `${name}: TRIPWATCH_…_PORT would be set and refused`);
    assert.ok(!pod.hostNetwork, name);
    assert.equal(pod.securityContext.runAsNonRoot, true, name);
    assert.ok(pod.securityContext.runAsUser > 0, name);
    assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault', name);
    const { securityContext, resources } = containerOf(thing);
    assert.equal(securityContext.allowPrivilegeEscalation, false, name);
    assert.equal(securityContext.readOnlyRootFilesystem, true, name);
    assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] }, name);
    assert.ok(mebibytes(resources.requests.memory) > 0 && resources.requests.cpu !== undefined, name);
    assert.ok(mebibytes(resources.limits.memory) >= mebibytes(resources.requests.memory), name);
  }
});

test('images are pinned, ours to the version of this code', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.deepEqual(kustomization.images, [{ name: 'tripwatch', newTag: version }]);
  for (const thing of workloads) {
    const { image } = containerOf(thing);
    if (image !== 'tripwatch') assert.ok(pinned(image), image);
  }
  for (const { spec } of examples)
    if (typeof spec.imageName === 'string') assert.ok(pinned(spec.imageName), spec.imageName);
});

test('probes ask for what is served; liveness does not depend on the database', () => {
  const served = routeTable(() => assert.fail('not asked for')).map(({ path }) => path);
  for (const thing of ours) {
    const { startupProbe, readinessProbe, livenessProbe, ports } = containerOf(thing);
    assert.equal(readinessProbe.httpGet.path, '/readyz');
    assert.equal(livenessProbe.httpGet.path, '/healthz');
    for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
      assert.ok(served.includes(httpGet.path), httpGet.path);
      assert.ok(ports.some(({ name }) => name === httpGet.port));
    }
    assert.ok(startupProbe.periodSeconds * startupProbe.failureThreshold >= 600, 'a migration takes its time');
    assert.ok(livenessProbe.periodSeconds * livenessProbe.failureThreshold >= 30);
    assert.ok(podOf(thing).terminationGracePeriodSeconds >= 30, 'more than the 10 s of the drain');
  }
});

test('the roles together are all there are; those that hold work keep their names', () => {
  const roles = ours.flatMap((thing) => stagesOf(containerOf(thing).args));
  assert.deepEqual([...roles].sort(), [...ROLES].sort());
  for (const thing of ours) {
    const holdsWork = stagesOf(containerOf(thing).args).some((role) => role !== 'api' && role !== 'watch');
    assert.equal(thing.kind, holdsWork ? 'StatefulSet' : 'Deployment', thing.metadata.name);
    assert.ok(containerOf(thing).env.some(({ name }) => name === 'TRIPWATCH_WORKER_NAME'));
  }
});

test('a worker has the memory that its parsing threads may take', () => {
  const { workers } = JSON.parse(text('config/tripwatch.config.json')) as { workers: number };
  const worker = ours.find((thing) => stagesOf(containerOf(thing).args).includes('extract'))!;
  // 272 MiB a thread (src/adapters/extractor/threads/pool.ts), and the rest of the process.
  assert.ok(mebibytes(containerOf(worker).resources.limits.memory) >= workers * 272 + 512);
});

test('PostgreSQL has connections for as many processes as there may be', () => {
  const scaler = examples.find(({ kind }) => kind === 'HorizontalPodAutoscaler')!;
  const { scaleTargetRef, maxReplicas } = scaler.spec as unknown as { scaleTargetRef: Labels; maxReplicas: number };
  const scaled = ours.filter(
    ({ kind, metadata }) => kind === scaleTargetRef.kind && metadata.name === scaleTargetRef.name,
  );
  assert.equal(scaled.length, 1);
  const { store } = JSON.parse(text('config/tripwatch.config.json')) as { store: { shards: number } };
  assert.ok(maxReplicas <= store.shards, 'more workers than shards have nothing to do');
  const most = ours.map((thing) => (thing === scaled[0] ? maxReplicas : thing.spec.replicas)).reduce((a, b) => a + b);
  const surge = ours.filter(({ kind }) => kind === 'Deployment').length;
  const needed = (most + surge + 2) * connectionsOfAProcess() + 10;
  const [cluster] = examples.filter(({ kind }) => kind === 'Cluster');
  const { parameters } = cluster!.spec.postgresql as { parameters: Labels };
  for (const max of [parameters.max_connections, postgresSettings().get('max_connections')])
    assert.ok(needed <= Number(max), `${needed} connections may be needed, ${max} are allowed`);
  const policies = text('kubernetes/network-policies.yaml');
  assert.ok(policies.includes(`cnpg.io/cluster: ${cluster!.metadata.name} `), 'and the network leads there');
});
