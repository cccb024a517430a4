import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AckPolicy, DiscardPolicy, jetstreamManager, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { type NatsServers, startNats } from '../../scripts/servers/nats.ts';
import { settleInstallation } from '../../src/adapters/broker/nats/relay-rows.ts';
import { checkVersion } from '../../src/adapters/broker/nats/version.ts';
import type { TripwatchError } from '../../src/domain/errors.ts';
import { silent } from '../contract/broker/rig.ts';
import { type Bench, openBench, Reader, skipWithoutNats, until } from './nats.testing.ts';

/** What is checked at start, and streams that are not what they were. */
const skip = skipWithoutNats();
let nats: NatsServers;

before(async () => {
  if (skip === false) nats = await startNats();
});
after(() => nats?.stop());

const code = (wanted: string, message: RegExp) => (error: TripwatchError) => {
  assert.equal(error.code, wanted, error.message);
  assert.match(error.message, message);
  return true;
};

async function manage(servers = nats) {
  const connection = await connect({ servers: [...servers.hosts], user: servers.user, pass: servers.password });
  return { connection, manager: await jetstreamManager(connection) };
}

async function complete(bench: Bench, reader: Reader): Promise<void> {
  const rows = await bench.rows(0);
  await until(`all ${rows.length} are there`, 15_000, () => reader.got.length >= rows.length);
  assert.deepEqual(reader.got, rows);
}

test('servers that are too old are refused, those with known faults are named', () => {
  const warned: string[] = [];
  const logger = { ...silent, warn: (_: object, message: string) => void warned.push(message) };
  for (const old of ['2.9.10', '2.10.22', '1.99.99', 'nonsense', undefined])
    assert.throws(() => checkVersion(old, logger), code('broker-version', /2\.10\.23 is needed/));
  checkVersion('2.10.23', logger);
  checkVersion('2.12.2', logger);
  assert.equal(warned.length, 2);
  for (const good of ['2.12.3', '2.12.10-RC.1', '2.14.9', '3.0.0']) checkVersion(good, logger);
  assert.equal(warned.length, 2);
});

test('a stream that would lose events silently is refused, with the way to mend it', { skip }, async (t) => {
  const bench = await openBench(2);
  const { connection, manager } = await manage();
  t.after(async () => {
    await bench.close();
    await connection.close();
  });
  const installation = await bench.store.transact(({ db }) => settleInstallation(db, 'fresh'));
  // Each stream has a name of its own: the server may still be removing the files of one that was just deleted.
  const good = (prefix: string) => ({
    name: `${prefix}-log-0`,
    subjects: [`${prefix}.log.*.0`, `${prefix}.log.*.1`],
    max_age: nanos(3 * 24 * 3600 * 1000),
    metadata: { 'tripwatch-installation': installation, 'tripwatch-epoch': 'e' },
  });
  const refused: readonly (readonly [Partial<StreamConfig>, RegExp])[] = [
    [{ storage: StorageType.Memory }, /kept in memory .*nats stream rm c0-log-0/],
    [{ discard: DiscardPolicy.New }, /refuses events when it is full .*--discard old/],
    [{ max_age: nanos(60_000) }, /keeps events for 60 s instead of 259200 s .*--max-age 259200s/],
    [{ max_msgs_per_subject: 5 }, /5 events of a topic's shard only .*--max-msgs-per-subject -1/],
    [{ max_msgs: 10 }, /10 events only/],
    [{ max_bytes: 1000 }, /1000 bytes only/],
    [{ no_ack: true }, /does not acknowledge/],
    [{ retention: 'workqueue' }, /retention is workqueue/],
    [{ subjects: ['c8.log.*.0'] }, /does not take c8\.log\.\*\.1/],
  ];
  for (const [index, [fault, message]] of refused.entries()) {
    await manager.streams.add({ ...good(`c${index}`), ...fault });
    await assert.rejects(bench.carrier(nats, { prefix: `c${index}` }), code('broker-stream-unsafe', message));
  }
  await manager.streams.add({ ...good('c'), max_age: 0 });
  await bench.carrier(nats, { prefix: 'c' });
});

test('a stream of another installation is refused', { skip }, async (t) => {
  const [one, other] = [await openBench(1), await openBench(1)];
  t.after(() => Promise.all([one.close(), other.close()]));
  await one.carrier(nats, { prefix: 'shared' });
  await one.carrier(nats, { prefix: 'shared' });
  await assert.rejects(
    other.carrier(nats, { prefix: 'shared' }),
    code('broker-stream-foreign', /another installation/),
  );
});

test('wrong credentials and addresses are refused, and no password is shown', { skip }, async (t) => {
  const bench = await openBench(1);
  t.after(() => bench.close());
  const url = `nats://tripwatch:wrong-secret@${nats.hosts[0]}`;
  await assert.rejects(bench.carrier({ urls: [url] }), code('broker-unauthorised', /127\.0\.0\.1/));
  await assert.rejects(bench.carrier({ urls: ['http://a:wrong-secret@b'] }), code('broker-address', /http:\/\/…@b/));
  await assert.rejects(bench.carrier({ urls: [] }), code('broker-address', /No address/));
  assert.ok(!bench.logged.join().includes('wrong-secret'));
});

test('the rights that the operating page names are enough, and others cannot publish', { skip }, async (t) => {
  const page = readFileSync(new URL('../../docs/operating/nats.md', import.meta.url), 'utf8');
  const written = /^authorization \{[\s\S]*?^\}/m.exec(page)?.[0] ?? '';
  const authorization = written.replace('$TRIPWATCH_PASSWORD', 'one').replace('$WAREHOUSE_PASSWORD', 'two');
  assert.notEqual(authorization, written);
  const own = await startNats({ config: authorization });
  const bench = await openBench(1);
  t.after(async () => {
    await bench.close();
    await own.stop();
  });
  const carrier = await bench.carrier({ urls: [`nats://tripwatch:one@${own.hosts[0]}`] });
  carrier.take(0, await bench.lease());
  const reader = new Reader(carrier, bench.store, 0);
  t.after(() => reader.stop());
  await bench.append(100);
  await complete(bench, reader);
  await until('published', 5000, async () => (await carrier.relayLag()).waiting === 0);
  assert.deepEqual(await carrier.auditRelay(), { compared: 100, missing: 0 });

  const other = await connect({ servers: [...own.hosts], user: 'warehouse', pass: 'two' });
  t.after(() => other.close());
  const manager = await jetstreamManager(other);
  const config = {
    durable_name: 'warehouse',
    filter_subject: 'tripwatch.log.notification-sent.*',
    ack_policy: AckPolicy.Explicit,
  };
  await manager.consumers.add('tripwatch-log-0', config);
  const consumer = await manager.jetstream().consumers.get('tripwatch-log-0', 'warehouse');
  const ids = new Set<string>();
  for await (const message of await consumer.fetch({ max_messages: 100, expires: 5000 })) {
    ids.add(message.json<{ id: string }>().id);
    message.ack();
  }
  assert.equal(ids.size, 100);
  await assert.rejects(
    manager.jetstream().publish('tripwatch.log.mail-seen.0', '{}', { timeout: 1000 }),
    /[Pp]ermission/,
  );
  await assert.rejects(manager.streams.delete('tripwatch-log-0'), /[Pp]ermission/);
});

test('TLS: a server that is not trusted, or that would go on unencrypted, is refused', { skip }, async (t) => {
  const fixture = (name: string) => new URL(`../fixtures/tls/${name}`, import.meta.url).pathname;
  const [certificate, key] = [fixture('test-only.cert.pem'), fixture('test-only.key.pem')];
  const own = await startNats({ config: `tls { cert_file: "${certificate}", key_file: "${key}" }` });
  const bench = await openBench(1);
  t.after(async () => {
    await bench.close();
    await own.stop();
  });
  const urls = own.urls.map((url) => url.replace('nats://', 'tls://'));
  const ca = readFileSync(certificate, 'utf8');
  const trusting = await bench.carrier({ urls }, { tls: { ca, serverName: 'in.example' } });
  assert.equal(trusting.connected, true);
  const doubts = [{}, { ca }, { serverName: 'in.example' }];
  const doubting = await Promise.all(doubts.map((tls) => bench.carrier({ urls }, { prefix: 'other', tls })));
  for (const { connected } of doubting) assert.equal(connected, false);
  const plain = await bench.carrier(
    { urls: nats.urls.map((url) => url.replace('nats://', 'tls://')) },
    { prefix: 'plain' },
  );
  assert.equal(plain.connected, false);
});

test('three replicas on one server are refused', { skip }, async (t) => {
  const bench = await openBench(1);
  t.after(() => bench.close());
  const wanted = code('broker-stream-unsafe', /3 copies .* no cluster/);
  await assert.rejects(bench.carrier(nats, { prefix: 'three', replicas: 3 }), wanted);
});

test('a start without NATS goes on from the store, and NATS joins when it comes', { skip }, async (t) => {
  const bench = await openBench(1);
  const own = await startNats();
  t.after(async () => {
    await bench.close();
    await own.stop();
  });
  await own.kill9(0);
  const carrier = await bench.carrier(own);
  assert.equal(carrier.connected, false);
  carrier.take(0, await bench.lease());
  const reader = new Reader(carrier, bench.store, 0);
  t.after(() => reader.stop());
  await bench.append(20);
  await complete(bench, reader);
  assert.equal((await carrier.relayLag()).waiting, 20);
  await own.restart(0);
  await until('the log is published', 5000, async () => (await carrier.relayLag()).waiting === 0);
  assert.equal(carrier.connected, true);
  await bench.append(20);
  await complete(bench, reader);
});

test('a stream restored from an old copy: what it lacks is published again', { skip }, async (t) => {
  const bench = await openBench(1);
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-nats-restore-'));
  const own = await startNats({ folder });
  t.after(async () => {
    await bench.close();
    await own.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const carrier = await bench.carrier(own);
  carrier.take(0, await bench.lease());
  const reader = new Reader(carrier, bench.store, 0);
  t.after(() => reader.stop());
  await bench.append(100);
  await until('published', 5000, async () => (await carrier.relayLag()).waiting === 0);
  await own.kill9(0);
  const [home, copy] = [join(folder, 'node-0', 'jetstream'), join(folder, 'copy')];
  cpSync(home, copy, { recursive: true });
  await own.restart(0);
  await bench.append(200);
  await until('published', 5000, async () => (await carrier.relayLag()).waiting === 0);
  await own.kill9(0);
  rmSync(home, { recursive: true });
  cpSync(copy, home, { recursive: true });
  await own.restart(0);
  const { connection, manager } = await manage(own);
  t.after(() => connection.close());
  await until('the stream has all 300', 10_000, async () => {
    const { state } = await manager.streams.info('tripwatch-log-0');
    return state.messages === 300;
  });
  await bench.append(50);
  await complete(bench, reader);
});

test('NATS takes nothing more (its disk is full): the log waits, readers go on, and it is said', {
  skip,
}, async (t) => {
  const bench = await openBench(1);
  const own = await startNats({ storeMax: '1MB', sync: '1m' });
  t.after(async () => {
    await bench.close();
    await own.stop();
  });
  const carrier = await bench.carrier(own);
  carrier.take(0, await bench.lease());
  const reader = new Reader(carrier, bench.store, 0);
  t.after(() => reader.stop());
  for (let i = 0; i < 20; i++) await bench.append(100, { padding: 'x'.repeat(1000) });
  await complete(bench, reader);
  const { waiting, oldestAt } = await carrier.relayLag();
  assert.ok(waiting > 500 && waiting < 2000, `${waiting} wait`);
  assert.ok(oldestAt !== undefined);
  await until('it is said', 12_000, () => bench.logged.some((line) => /^error NATS takes nothing/.test(line)));
});
