import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { type NatsServers, startNats } from '../../scripts/servers/nats.ts';
import { type Bench, openBench, Reader, skipWithoutNats, TOPIC, until } from './nats.testing.ts';

/** The relay and the feeds on one real server. */
const skip = skipWithoutNats();
let nats: NatsServers;
let raw: NatsConnection;
let benches = 0;

before(async () => {
  if (skip !== false) return;
  nats = await startNats({ sync: '2s' });
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
async function rig(t: TestContext, shards = 4) {
  const bench = await openBench(shards);
  const prefix = `t${++benches}`;
  const carrier = await bench.carrier(nats, { prefix });
  const lease = await bench.lease();
  const readers = Array.from({ length: shards }, (_, shard) => new Reader(carrier, bench.store, shard));
  const total = () => readers.reduce((sum, reader) => sum + reader.got.length, 0);
  const manager = await jetstreamManager(raw, { timeout: 500 });
  t.after(async () => {
    for (const reader of readers) reader.stop();
    await bench.close();
    await manager.streams.delete(`${prefix}-log-0`).catch(() => {});
  });
  return { bench, carrier, lease, readers, total, prefix, stream: `${prefix}-log-0`, manager };
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

test('rows arrive once, in order, without reading the store', { skip }, async (t) => {
  const r = await rig(t);
  r.carrier.take(0, r.lease);
  await r.bench.append(1);
  await until('the first row is there', 5000, () => r.total() === 1);
  await delay(1200);
  const before = r.readers.reduce((sum, reader) => sum + reader.fromStore, 0);
  for (let i = 0; i < 40; i++) {
    await r.bench.append(50);
    await delay(20);
  }
  await complete(r.bench, r.readers);
  const after = r.readers.reduce((sum, reader) => sum + reader.fromStore, 0);
  assert.ok(after - before < 1000, `${after - before} of 2000 rows were read from the store`);
  const [row] = r.readers[0]!.rows;
  assert.equal(row?.tenant, 'tnt_default');
  assert.equal(JSON.parse(row?.body ?? '').topic, TOPIC);
  await published(r);
  const { state } = await r.manager.streams.info(r.stream);
  assert.equal(state.messages, 2001);
});

test('what others put on the subjects (repeats, old and made-up rows, garbage) changes nothing', {
  skip,
}, async (t) => {
  const r = await rig(t, 1);
  r.carrier.take(0, r.lease);
  const subject = `${r.prefix}.log.notification-sent.0`;
  const kept: { data: Uint8Array; headers: MsgHdrs }[] = [];
  raw.subscribe(subject, {
    callback: (_, { data, headers: head, reply }) => void (reply && head && kept.push({ data, headers: head })),
  });
  await raw.flush();
  const noise = (async () => {
    for (let i = 0; i < 300; i++) {
      const old = kept[Math.floor((i * 7919) % Math.max(1, kept.length))];
      if (old !== undefined) raw.publish(subject, old.data, { headers: old.headers });
      if (i % 10 === 0) raw.publish(subject, 'no row at all');
      if (i % 50 === 0) {
        const head = headers();
        for (const [name, value] of Object.entries({ Seq: '9000000', Prev: '8000000', At: '1', Tenant: 't', Key: 'k' }))
          head.set(`Tripwatch-${name}`, value);
        head.set('Nats-Msg-Id', `evt_foreign${i}`);
        raw.publish(subject, '{}', { headers: head });
      }
      await delay(2);
    }
  })();
  for (let i = 0; i < 20; i++) {
    await r.bench.append(50);
    await delay(20);
  }
  await noise;
  await complete(r.bench, r.readers);
});

test('rows that never travelled are read from the store before later ones', { skip }, async (t) => {
  const r = await rig(t, 1);
  r.carrier.take(0, r.lease);
  await r.bench.append(10);
  await published(r);
  await complete(r.bench, r.readers);
  await delay(1200);
  // The relay believes to have published what it has not.
  await r.carrier.leave(0, 'hand-over');
  await r.bench.append(10);
  await r.bench.store.transact(({ db }) => db.updateTable('relay').set({ seq: 20 }).execute());
  r.carrier.take(0, r.lease);
  await r.bench.append(10);
  await complete(r.bench, r.readers);
  // And where nothing comes after them.
  await r.carrier.leave(0, 'hand-over');
  await r.bench.append(10);
  const from = performance.now();
  await complete(r.bench, r.readers);
  assert.ok(performance.now() - from < 3500);
});

test('a stream that was made anew while nobody published, and counts further on', { skip }, async (t) => {
  const r = await rig(t, 1);
  r.carrier.take(0, r.lease);
  await r.bench.append(50);
  await published(r);
  await r.carrier.leave(0, 'hand-over');
  const { config } = await r.manager.streams.info(r.stream);
  await r.manager.streams.delete(r.stream);
  const metadata = { ...config.metadata, 'tripwatch-epoch': 'another' };
  await r.manager.streams.add({ ...config, first_seq: 5000, metadata });
  await r.bench.store.transact(({ db }) =>
    db.insertInto('consumer_cursor').values({ consumer: 'slow', shard: 0, topic: TOPIC, seq: 20 }).execute(),
  );
  r.carrier.take(0, await r.bench.lease());
  await until('what is not done is there', 5000, async () => {
    const { state } = await r.manager.streams.info(r.stream);
    return state.messages === 30;
  });
});

test('a server killed and started again under load: nothing lost, flow again within 3 s', { skip }, async (t) => {
  const r = await rig(t);
  r.carrier.take(0, r.lease);
  let loading = true;
  const load = (async () => {
    while (loading) {
      await r.bench.append(10);
      await delay(20);
    }
  })();
  for (let kills = 0; kills < 3; kills++) {
    await delay(400);
    await nats.kill9(0);
    await delay(300);
    await nats.restart(0);
    const from = performance.now();
    const { last_seq: last } = await growth('the stream grows', 10_000, r);
    const flowMs = performance.now() - from;
    assert.ok(flowMs < 3000, `flow again after ${flowMs} ms, stream at ${last}`);
  }
  loading = false;
  await load;
  await complete(r.bench, r.readers);
  await published(r);
  // Acknowledged and kept: the stream has every row, each once.
  assert.equal((await r.carrier.auditRelay()).missing, 0);
  const all = await r.bench.store.read(({ db }) => db.selectFrom('log').select('seq').execute());
  const { state } = await r.manager.streams.info(r.stream);
  assert.equal(state.messages, all.length);
});

async function growth(what: string, ms: number, r: Awaited<ReturnType<typeof rig>>) {
  let first: number | undefined;
  let state = { last_seq: 0 };
  await until(what, ms, async () => {
    const info = await r.manager.streams.info(r.stream).catch(() => undefined);
    if (info === undefined) return false;
    state = info.state;
    first ??= state.last_seq;
    return state.last_seq > first;
  });
  return state;
}

test('a stream that is deleted is made anew, from what consumers have not done', { skip }, async (t) => {
  const r = await rig(t);
  r.carrier.take(0, r.lease);
  await r.bench.append(300);
  await published(r);
  await complete(r.bench, r.readers);
  // A consumer that has done the first 200 only.
  await r.bench.store.transact(async ({ db }) => {
    for (const shard of [0, 1, 2, 3])
      await db.insertInto('consumer_cursor').values({ consumer: 'slow', shard, topic: TOPIC, seq: 200 }).execute();
  });
  await r.manager.streams.delete(r.stream);
  await r.bench.append(100);
  await complete(r.bench, r.readers);
  await until('the new stream has what is not done', 10_000, async () => {
    const info = await r.manager.streams.info(r.stream).catch(() => undefined);
    return info?.state.messages === 200;
  });
});

test('what is purged from the middle is found by the audit and published again', { skip }, async (t) => {
  const r = await rig(t);
  r.carrier.take(0, r.lease);
  await r.bench.append(400);
  await published(r);
  await complete(r.bench, r.readers);
  const subject = `${r.prefix}.log.notification-sent.2`;
  const { purged } = await r.manager.streams.purge(r.stream, { filter: subject });
  assert.ok(purged > 20);
  assert.deepEqual(await r.carrier.auditRelay(), { compared: 400, missing: purged });
  assert.deepEqual(await r.carrier.auditRelay(), { compared: 400, missing: 0 });
  const { state } = await r.manager.streams.info(r.stream);
  assert.equal(state.messages, 400);
  // Others see the same events with the same ids in their bodies, and nothing here was done twice.
  await complete(r.bench, r.readers);
});

test('a relay that died between publishing and storing its place: the repeat falls away', { skip }, async (t) => {
  const r = await rig(t);
  r.carrier.take(0, r.lease);
  await r.bench.append(200);
  await published(r);
  const place = await r.bench.store.read(({ db }) => db.selectFrom('relay').selectAll().executeTakeFirstOrThrow());
  await r.bench.append(200);
  await published(r);
  await r.carrier.leave(0, 'lost');
  await r.bench.store.transact(({ db }) => db.updateTable('relay').set(place).execute());
  r.carrier.take(0, await r.bench.lease());
  await published(r);
  await complete(r.bench, r.readers);
  const { state } = await r.manager.streams.info(r.stream);
  assert.equal(state.messages, 400);
});

test('a relay whose lease another has taken stops, and its place is not stored', { skip }, async (t) => {
  const r = await rig(t);
  r.carrier.take(0, r.lease);
  await r.bench.append(50);
  await published(r);
  const other = await r.bench.lease();
  assert.ok(other.token > r.lease.token);
  const before = await r.bench.store.read(({ db }) => db.selectFrom('relay').selectAll().executeTakeFirstOrThrow());
  await r.bench.append(50);
  await until('it has let go', 5000, () => r.bench.logged.some((line) => line.includes('another process publishes')));
  const after = await r.bench.store.read(({ db }) => db.selectFrom('relay').selectAll().executeTakeFirstOrThrow());
  assert.deepEqual(after, before);
  await complete(r.bench, r.readers);
  r.carrier.take(0, other);
  await published(r);
});

test('a server that stands still for a while holds nobody up for longer than that', { skip }, async (t) => {
  const r = await rig(t, 1);
  t.after(() => nats.sigcont(0));
  r.carrier.take(0, r.lease);
  await r.bench.append(10);
  await complete(r.bench, r.readers);
  nats.sigstop(0);
  const from = performance.now();
  await r.bench.append(10);
  await complete(r.bench, r.readers);
  assert.ok(performance.now() - from < 3500, 'the store is read meanwhile');
  nats.sigcont(0);
  await published(r);
});

test('several relays share the shards, each with its stream', { skip }, async (t) => {
  const bench = await openBench(4);
  t.after(() => bench.close());
  const carrier = await bench.carrier(nats, { prefix: 'two', relays: 2 });
  for (const relay of [0, 1]) carrier.take(relay, await bench.lease(relay));
  const readers = [0, 1, 2, 3].map((shard) => new Reader(carrier, bench.store, shard));
  await bench.append(400);
  await complete(bench, readers);
  await until('everything is published', 10_000, async () => (await carrier.relayLag()).waiting === 0);
  const manager = await jetstreamManager(raw);
  const counts = await Promise.all(
    [0, 1].map(async (relay) => (await manager.streams.info(`two-log-${relay}`)).state.messages),
  );
  assert.equal(counts[0]! + counts[1]!, 400);
  assert.ok(counts.every((count) => count > 50));
  for (const reader of readers) reader.stop();
});

test('an event larger than the server takes reaches its consumers by the store', { skip }, async (t) => {
  const r = await rig(t, 1);
  r.carrier.take(0, r.lease);
  await r.bench.append(1, { padding: 'x'.repeat(1_100_000) });
  await r.bench.append(5);
  await complete(r.bench, r.readers);
  await published(r);
  assert.equal((await r.manager.streams.info(r.stream)).state.messages, 6);
});
