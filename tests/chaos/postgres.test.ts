/**
 * Several processes on PostgreSQL: killed, stopped past their leases, ended; and the server and the line to it going
 * away. `node scripts/chaos.ts` for more of each.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findPostgres, POSTGRES_MISSING, type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { postgresPlace } from './back-ends.ts';
import { freezeRun } from './freeze.ts';
import { killRun } from './kills.ts';
import { outageRun } from './outages.ts';
import { allAtOnce, databaseOutages, lineOutages } from './server-outages.ts';
import { warmUp } from './supervisor.ts';
import { takeoverRun } from './takeover.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import { expectKills, expectNone, expectWithin, KILLING_MS, present, seedOf } from './tests.ts';

/** Of the three hundred of a test run, with the other back ends. */
const KILLS = 90;

if (present('PostgreSQL', findPostgres() === undefined ? POSTGRES_MISSING : undefined)) {
  let server: PostgresServer;
  before(async () => {
    await warmUp();
    server = await startPostgres();
  });
  after(() => server?.stop());

  test(`${KILLS} times kill -9 among three processes: nothing lost, nothing doubled, nothing stuck`, async (t) => {
    const place = () => postgresPlace(server, 'kills');
    const result = await killRun({ name: 'postgres', seed: seedOf(t), kills: KILLS, withinMs: KILLING_MS, place });
    t.diagnostic(JSON.stringify(result));
    expectNone(result);
    expectKills(result);
  });

  test('processes that stood still past their leases: what they write late is refused', async (t) => {
    const place = () => postgresPlace(server, 'freeze');
    const result = await freezeRun({ name: 'freeze', seed: seedOf(t), stops: 8, place });
    t.diagnostic(JSON.stringify(result));
    expectNone(result);
    assert.ok(result.lateEffects > 0, 'no late effect was tried, so nothing was proven');
  });

  test('the checks can fail: without fences, late writes are found', async (t) => {
    const seed = seedOf(t);
    for (let round = 0; round < 5; round++) {
      const place = () => postgresPlace(server, `unfenced${round}`);
      const plan = { name: 'unfenced', seed: seed + round, stops: 6, place, broken: 'unfenced' } as const;
      const { violations } = await freezeRun(plan);
      if (violations.some(({ what }) => /stale write|overwritten|order of the key/.test(what))) return;
    }
    assert.fail('no late write was found');
  });

  test('the work of one who dies is taken within 12 s, of one who ends within a few beats', async (t) => {
    const place = () => postgresPlace(server, 'takeover');
    const result = await takeoverRun({ name: 'takeover', seed: seedOf(t), kills: 1, stops: 1, place });
    t.diagnostic(JSON.stringify(result));
    expectNone(result);
    assert.ok(result.killed.count > 0 && result.stopped.count > 0, 'no shard was busy');
    expectWithin(t, 'taken after a death', result.killed.p99, 12_000);
    expectWithin(t, 'taken after a clean end', result.stopped.p99, 3000);
  });

  test('the server is killed, the lines fail: all flows again by itself', async (t) => {
    const own = await startPostgres();
    const proxy = await startTcpProxy({ target: { port: own.port } });
    try {
      const { killed, restarted } = databaseOutages(own);
      const { reset, refused, cut, hole } = lineOutages(proxy, 2000);
      const result = await outageRun({
        name: 'outages',
        seed: seedOf(t),
        place: () => postgresPlace(own, 'outages'),
        workersPlace: () => postgresPlace(own, 'outages', proxy.port),
        outages: [killed, reset, refused, cut, hole, restarted, allAtOnce(own)],
      });
      t.diagnostic(JSON.stringify(result));
      expectNone(result);
      for (const { name, ackedMs, flowMs } of result.outages) expectWithin(t, name, Math.max(ackedMs, flowMs), 10_000);
    } finally {
      await proxy.close();
      await own.stop();
    }
  });

  test('one of three has a line that is half open: the others take its work, and it comes back', async (t) => {
    const proxy = await startTcpProxy({ target: { port: server.port } });
    try {
      const { halfOpen } = lineOutages(proxy, 0);
      const result = await outageRun({
        name: 'half-open',
        seed: seedOf(t),
        place: () => postgresPlace(server, 'half_open'),
        workersPlace: (worker) => postgresPlace(server, 'half_open', worker === 0 ? proxy.port : server.port),
        outages: [halfOpen],
        untilAllKeys: true,
      });
      t.diagnostic(JSON.stringify(result));
      expectNone(result);
      for (const { name, flowMs } of result.outages) expectWithin(t, name, flowMs, 12_000);
    } finally {
      await proxy.close();
    }
  });
}
