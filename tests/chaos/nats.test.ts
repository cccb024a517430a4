/**
 * Several processes on PostgreSQL whose log NATS carries: killed, and servers of NATS killed under load.
 * `node scripts/chaos.ts` for more of each.
 */
import { after, before, test } from 'node:test';
import { missingNats } from '../../scripts/servers/find-nats.ts';
import { type NatsServers, startNats } from '../../scripts/servers/nats.ts';
import { findPostgres, POSTGRES_MISSING, type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { natsPlace } from './back-ends.ts';
import { killRun } from './kills.ts';
import { outageRun } from './outages.ts';
import { brokerOutages } from './server-outages.ts';
import { warmUp } from './supervisor.ts';
import { expectKills, expectNone, expectWithin, KILLING_MS, present, seedOf } from './tests.ts';

/** Of the three hundred of a test run, with the other back ends. */
const KILLS = 70;

if (present('NATS', findPostgres() === undefined ? POSTGRES_MISSING : missingNats())) {
  let server: PostgresServer;
  let nats: NatsServers;
  before(async () => {
    await warmUp();
    [server, nats] = await Promise.all([startPostgres(), startNats()]);
  });
  after(() => Promise.all([server?.stop(), nats?.stop()]));

  test(`${KILLS} times kill -9 among three processes: nothing lost, nothing doubled, nothing stuck`, async (t) => {
    const place = () => natsPlace(server, nats, 'kills');
    const result = await killRun({ name: 'nats', seed: seedOf(t), kills: KILLS, withinMs: KILLING_MS, place });
    t.diagnostic(JSON.stringify(result));
    expectNone(result);
    expectKills(result);
  });

  test('the server is killed under load, and stands still: all flows again within 3 s', async (t) => {
    const { killed, stopped } = brokerOutages(nats, 'outages');
    const place = () => natsPlace(server, nats, 'outages');
    const result = await outageRun({
      name: 'nats-outages',
      seed: seedOf(t),
      place,
      outages: [killed, stopped, killed],
    });
    t.diagnostic(JSON.stringify(result));
    expectNone(result);
    for (const { name, flowMs } of result.outages) expectWithin(t, name, flowMs, 3000);
  });

  test('of three servers the leader is killed under load: all flows on', async (t) => {
    const cluster = await startNats({ nodes: 3 });
    try {
      const { leaderKilled } = brokerOutages(cluster, 'cluster');
      const place = () => natsPlace(server, cluster, 'cluster');
      const outages = [leaderKilled, leaderKilled];
      const result = await outageRun({ name: 'nats-cluster', seed: seedOf(t), place, outages });
      t.diagnostic(JSON.stringify(result));
      expectNone(result);
      for (const { name, flowMs } of result.outages) expectWithin(t, name, flowMs, 3000);
    } finally {
      await cluster.stop();
    }
  });
}
