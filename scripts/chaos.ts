/**
 * Real processes and servers, with everything going wrong that can be made to; see docs/operating/chaos.md.
 *
 *   node scripts/chaos.ts --backend sqlite|postgres|nats --kills N     kill -9 at random and at named points
 *   node scripts/chaos.ts --scenario freeze --count N                  SIGSTOP past the lease; --unfenced: to see it fail
 *   node scripts/chaos.ts --scenario takeover --count N                how long the work of the dead lies still
 *   node scripts/chaos.ts --scenario outages --backend postgres|nats --count N    servers and lines that fail, N rounds
 *   node scripts/chaos.ts --scenario restart --count N                 the service killed and started again
 *
 * Prints its progress, and at the end one line of JSON. `--seed N` repeats the choices of a run, though not its timing.
 * Ends with 1 when a promise was broken; the folder of that run is kept and named.
 */
import { parseArgs } from 'node:util';
import { natsPlace, type Place, postgresPlace, sqlitePlace } from '../tests/chaos/back-ends.ts';
import { freezeRun } from '../tests/chaos/freeze.ts';
import { type KillResult, killRun } from '../tests/chaos/kills.ts';
import { outageRun } from '../tests/chaos/outages.ts';
import { restartRun } from '../tests/chaos/restarts.ts';
import { allAtOnce, brokerOutages, databaseOutages, lineOutages } from '../tests/chaos/server-outages.ts';
import { warmUp } from '../tests/chaos/supervisor.ts';
import { takeoverRun } from '../tests/chaos/takeover.ts';
import { startTcpProxy } from '../tests/chaos/tcp-proxy.ts';
import { type NatsServers, startNats } from './servers/nats.ts';
import { type PostgresServer, startPostgres } from './servers/postgres.ts';

/** Each with tables of its own, so that the checks of a long run stay fast and what is kept stays small. */
const KILLS_IN_ONE = 250;

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'kills' },
    backend: { type: 'string', default: 'sqlite' },
    kills: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string' },
    unfenced: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : numberOf('seed', values.seed);
const count = numberOf('count', values.count ?? values.kills ?? '10');
const startedAt = performance.now();
const seconds = (): number => Math.round((performance.now() - startedAt) / 1000);
const tell = (text: string): void => console.log(`${String(seconds()).padStart(6)} s  ${text}`);

tell(`scenario ${values.scenario}, seed ${seed}`);
await warmUp();
switch (values.scenario) {
  case 'kills':
    await kills();
    break;
  case 'freeze':
    await withServers(async (server) => {
      const place = () => postgresPlace(server, 'freeze');
      const progress = (stops: number) => tell(`${stops} of ${count} stops`);
      const broken = values.unfenced ? { broken: 'unfenced' as const } : {};
      report(await freezeRun({ name: 'freeze', seed, stops: count, place, progress, ...broken }));
    });
    break;
  case 'takeover':
    await withServers(async (server) => {
      const place = () => postgresPlace(server, 'takeover');
      const progress = (done: number) => tell(`${done} of ${2 * count}`);
      report(await takeoverRun({ name: 'takeover', seed, kills: count, stops: count, place, progress }));
    });
    break;
  case 'outages':
    await withServers(outages);
    break;
  case 'restart': {
    const { lost, ...result } = await restartRun(count);
    report({ ...result, violations: lost });
    break;
  }
  default:
    fail(`--scenario is kills, freeze, takeover, outages or restart; ${values.scenario} is none of them.`);
}

async function kills(): Promise<void> {
  const { backend } = values;
  if (backend !== 'sqlite' && backend !== 'postgres' && backend !== 'nats')
    fail(`--backend is sqlite, postgres or nats; ${backend} is none of them.`);
  const one = async (placeOf: (name: string) => (folder: string) => Place): Promise<void> => {
    const results: KillResult[] = [];
    let done = 0;
    while (done < count) {
      const before = done;
      const result = await killRun({
        name: backend,
        seed: seed + results.length,
        kills: Math.min(KILLS_IN_ONE, count - done),
        place: placeOf(`run${results.length}`),
        progress: (n) => {
          if (n % 25 === 0) tell(`${before + n} of ${count} kills`);
        },
      });
      results.push(result);
      done += result.kills;
      tell(`run ${results.length}: ${JSON.stringify(result)}`);
    }
    report({ backend, ...summed(results) });
  };
  if (backend === 'sqlite') await one(() => sqlitePlace);
  else
    await withServers(async (server, nats) =>
      one((name) => () => (nats === undefined ? postgresPlace(server, name) : natsPlace(server, nats, name))),
    );
}

function summed(results: readonly KillResult[]) {
  const sum = (of: (result: KillResult) => number) => results.reduce((all, result) => all + of(result), 0);
  const points: Record<string, number> = {};
  for (const result of results)
    for (const [name, times] of Object.entries(result.points)) points[name] = (points[name] ?? 0) + times;
  return {
    violations: results.flatMap((result) => result.violations),
    ...{ kills: sum((one) => one.kills), early: sum((one) => one.early), reboots: sum((one) => one.reboots) },
    unanswered: sum((one) => one.unanswered),
    ...{ acknowledged: sum((one) => one.facts.acked), stored: sum((one) => one.facts.stored) },
    ...{ effects: sum((one) => one.facts.effects), dead: sum((one) => one.facts.dead) },
    takeovers: sum((one) => one.facts.takeovers),
    points,
    folders: results.flatMap((result) => result.folder ?? []),
  };
}

async function outages(server: PostgresServer, nats: NatsServers | undefined): Promise<void> {
  const rounds = <T>(all: readonly T[]): T[] => Array.from({ length: count }, () => all).flat();
  const progress = (name: string, figures: object) => tell(`${name}: ${JSON.stringify(figures)}`);
  if (nats !== undefined) {
    const { killed, stopped } = brokerOutages(nats, 'outages');
    const place = () => natsPlace(server, nats, 'outages');
    report(
      await outageRun({
        name: 'nats',
        seed,
        place,
        progress,
        outages: rounds([killed, stopped, allAtOnce(server, nats)]),
      }),
    );
    const cluster = await startNats({ nodes: 3 });
    try {
      const { leaderKilled } = brokerOutages(cluster, 'cluster');
      const place = () => natsPlace(server, cluster, 'cluster');
      report(await outageRun({ name: 'cluster', seed, place, progress, outages: rounds([leaderKilled]) }));
    } finally {
      await cluster.stop();
    }
    return;
  }
  const proxy = await startTcpProxy({ target: { port: server.port } });
  try {
    const { killed, restarted } = databaseOutages(server);
    const lines = lineOutages(proxy, 5000);
    report(
      await outageRun({
        name: 'postgres',
        ...{ seed, progress },
        place: () => postgresPlace(server, 'outages'),
        workersPlace: () => postgresPlace(server, 'outages', proxy.port),
        outages: rounds([killed, restarted, ...Object.values(lines), allAtOnce(server)]),
      }),
    );
  } finally {
    await proxy.close();
  }
}

async function withServers(
  work: (server: PostgresServer, nats: NatsServers | undefined) => Promise<void>,
): Promise<void> {
  const server = await startPostgres();
  const nats = values.backend === 'nats' ? await startNats() : undefined;
  try {
    await work(server, nats);
  } finally {
    await nats?.stop();
    await server.stop();
  }
}

/** The last line. */
function report<R extends { readonly violations: readonly unknown[] }>(result: R): void {
  console.log(JSON.stringify({ scenario: values.scenario, seed, seconds: seconds(), ...result }));
  if (result.violations.length > 0 && !values.unfenced) process.exitCode = 1;
}

function numberOf(name: string, text: string): number {
  if (!/^\d+$/.test(text)) fail(`--${name} takes a whole number; ${JSON.stringify(text)} is none.`);
  return Number(text);
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
