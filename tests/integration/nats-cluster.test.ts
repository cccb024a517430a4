import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { startNats } from '../../scripts/servers/nats.ts';
import { openBench, Reader, skipWithoutNats, until } from './nats.testing.ts';

/** Three servers on loopback, a few thousand events, and the leader of the stream killed twice while they flow. */
const skip = skipWithoutNats();
const STREAM = 'tripwatch-log-0';

test('the leader killed under load: 0 lost, readers never wait long, the stream grows again within 10 s', {
  skip,
}, async (t) => {
  const nats = await startNats({ nodes: 3, sync: '10s' });
  const bench = await openBench(4);
  const raw = await connect({
    servers: [...nats.hosts],
    user: nats.user,
    pass: nats.password,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  t.after(async () => {
    await bench.close();
    await raw.close();
    await nats.stop();
  });
  const manager = await jetstreamManager(raw, { timeout: 500, checkAPI: false });
  const info = () => manager.streams.info(STREAM).catch(() => undefined);
  const carrier = await bench.carrier(nats, { replicas: 3 });
  carrier.take(0, await bench.lease());
  const readers = [0, 1, 2, 3].map((shard) => new Reader(carrier, bench.store, shard));
  t.after(() => {
    for (const reader of readers) reader.stop();
  });
  await until('the stream has a leader', 20_000, async () => (await info())?.cluster?.leader !== undefined);

  let loading = true;
  const load = (async () => {
    while (loading) {
      await bench.append(5);
      await delay(25);
    }
  })();
  const waits: number[] = [];
  for (let kills = 0; kills < 2; kills++) {
    await delay(1500);
    const before = await info();
    const leader = nats.nodeNamed(before?.cluster?.leader ?? '');
    assert.ok(leader >= 0, 'the leader is one of ours');
    await nats.kill9(leader);
    const from = performance.now();
    let seen = before?.state.last_seq ?? 0;
    // What was acknowledged before the kill does not count: it must grow twice.
    for (let growths = 0; growths < 2; growths++)
      await until('the stream grows under another leader', 30_000, async () => {
        const now = await info();
        if (now === undefined || now.cluster?.leader === before?.cluster?.leader || now.state.last_seq <= seen)
          return false;
        seen = now.state.last_seq;
        return true;
      });
    waits.push(Math.round(performance.now() - from));
    await nats.restart(leader);
  }
  loading = false;
  await load;
  t.diagnostic(`the stream grew again after ${waits.join(' and ')} ms`);

  for (const [shard, reader] of readers.entries()) {
    const rows = await bench.rows(shard);
    await until(`shard ${shard} has all ${rows.length}`, 10_000, () => reader.got.length >= rows.length);
    assert.deepEqual(reader.got, rows);
    const gaps = reader.at.slice(1).map((at, i) => at - reader.at[i]!);
    const longest = Math.max(...gaps);
    t.diagnostic(
      `shard ${shard}: ${rows.length} rows, ${reader.fromStore} from the store, longest wait ${Math.round(longest)} ms`,
    );
    assert.ok(longest < 2500, `a reader waited ${longest} ms`);
  }
  await until('everything is published', 20_000, async () => (await carrier.relayLag()).waiting === 0);
  const { missing } = await carrier.auditRelay();
  t.diagnostic(`${missing} acknowledged events were lost by NATS and published again`);
  const total = (await Promise.all([0, 1, 2, 3].map((shard) => bench.rows(shard)))).flat().length;
  assert.equal((await info())?.state.messages, total);
  for (const wait of waits) assert.ok(wait < 10_000, `the stream stood for ${wait} ms`);
});
