import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type NatsServers, startNats } from '../../scripts/servers/nats.ts';
import { type Bench, openBench, Reader, skipWithoutNats, TOPIC, until } from './nats.testing.ts';

/** The relay and the feeds on one real server. */
const skip = skipWithoutNats();
let nats: NatsServers;
let raw: NatsConnection;
let benches = 0;

before(async () => {
  if (skip !== false) return;
  nats = await startNats();
  raw = await connect({
    servers: [...nats.hosts],
    user: nats.user,
    pass: nats.password,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
});
after(async () => {
  await raw?.close();
  await nats?.stop();
});

/** A store, a running relay, a reader for each shard; every test has its own streams. */
async function rig(shards = 4) {
  const bench = await openBench(shards);
  const prefix = `t${++benches}`;
  const carrier = await bench.carrier(nats, { prefix });
  const lease = await bench.lease();
  const readers = Array.from({ length: shards }, (_, shard) => new Reader(carrier, bench.store, shard));
  const total = () => readers.reduce((sum, reader) => sum + reader.got.length, 0);
  const manager = await jetstreamManager(raw);
  const end = async () => {
    for (const reader of readers) reader.stop();
    await bench.close();
    await manager.streams.delete(`${prefix}-log-0`).catch(() => {});
  };
  return { bench, carrier, lease, readers, total, prefix, stream: `${prefix}-log-0`, manager, end };
}

/** Every reader has every row of its shard, once, in order. */
async function complete(bench: Bench, readers: readonly Reader[]): Promise<void> {
  for (const [shard, reader] of readers.entries()) {
    const rows = await bench.rows(shard);
    await until(`shard ${shard} has all ${rows.length}`, 15_000, () => reader.got.length >= rows.length);
    assert.deepEqual(reader.got, rows);
  }
}

async function published(r: Awaited<ReturnType<typeof rig>>): Promise<void> {
  await until('everything is published', 15_000, async () => (await r.carrier.relayLag()).waiting === 0);
}

test('rows arrive once, in order, without reading the store', { skip }, async () => {
  const r = await rig();
  r.carrier.take(0, r.lease);
  await r.bench.append(1);
  await until('the first row is there', 5000, () => r.total() === 1);
  await delay(1200);
  const before = r.readers.reduce((sum, reader) => sum + reader.fromStore, 0);
  await r.bench.append(2000);
  await complete(r.bench, r.readers);
  const after = r.readers.reduce((sum, reader) => sum + reader.fromStore, 0);
  assert.ok(after - before < 200, `${after - before} of 2000 rows were read from the store`);
  const [row] = r.readers[0]!.rows;
  assert.equal(row?.tenant, 'tnt_default');
  assert.equal(JSON.parse(row?.body ?? '').topic, TOPIC);
  await published(r);
  const { state } = await r.manager.streams.info(r.stream);
  assert.equal(state.messages, 2001);
  await r.end();
});
