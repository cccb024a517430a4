/**
 * Several processes on PostgreSQL whose log NATS carries: killed, and servers of NATS killed under load.
 * `node scripts/chaos.ts` for more of each.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { missingNats } from '../../scripts/servers/find-nats.ts';
import { type NatsServers, startNats } from '../../scripts/servers/nats.ts';
import { findPostgres, POSTGRES_MISSING, type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { natsPlace } from './back-ends.ts';
import { killRun } from './kills.ts';
import { outageRun } from './outages.ts';
import { brokerOutages } from './server-outages.ts';
import { warmUp } from './supervisor.ts';
import { expectNone, expectPoints, present, seedOf } from './tests.ts';

if (present('NATS', findPostgres() === undefined ? POSTGRES_MISSING : missingNats())) {
  let server: PostgresServer;
  let nats: NatsServers;
  before(async () => {
    await warmUp();
    [server, nats] = await Promise.all([startPostgres(), startNats()]);
  });
  after(() => Promise.all([server?.stop(), nats?.stop()]));

  test('70 times kill -9 among three processes: nothing lost, nothing doubled, nothing stuck', async (t) => {
    const place = () => natsPlace(server, nats, 'kills');
    const result = await killRun({ name: 'nats', seed: seedOf(t), kills: 70, place });
    t.diagnostic(JSON.stringify(result));
    expectNone(result);
    expectPoints(result);
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
    for (const { name, flowMs } of result.outages) assert.ok(flowMs <= 3000, `${name}: ${flowMs} ms`);
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
      for (const { name, flowMs } of result.outages) assert.ok(flowMs <= 3000, `${name}: ${flowMs} ms`);
    } finally {
      await cluster.stop();
    }
  });
}
