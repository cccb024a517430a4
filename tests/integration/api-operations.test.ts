import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { createApi } from '../../src/api/api.ts';
import { addEndpoint } from '../../src/api/commands/endpoints.ts';
import type { Event } from '../../src/contracts/event.ts';
import type { ReservationId } from '../../src/domain/ids.ts';
import { createSender } from '../../src/stages/notify/sender.ts';
import { FLIGHT, idle, startApi } from './api.testing.ts';

let service: Awaited<ReturnType<typeof startApi>>;
before(async () => {
  service = await startApi({
    config: {
      providers: [{ account: 'adb', connector: 'aerodatabox', label: 'AeroDataBox', key: 'env:X', freshSeconds: 300 }],
    },
    consumers: [
      { name: 'reconcile', reads: 'observation.recorded' },
      { name: 'track', reads: 'reservation.changed' },
    ],
  });
});
after(() => service.close());

const add = async (reference: string, number: string) => {
  const added = await service.call('POST', '/v1/reservations', FLIGHT(service.traveller, reference, number));
  await idle(service.pump);
  return added.body as { reservation: { id: ReservationId }; event: Event['id']; observation: string };
};

test('freshness: who was asked, how long ago, and that it could not be verified', async () => {
  const { reservation } = await add('FRESH1', '801');
  const now = service.deps.clock.now();
  const spec = { id: 'leg:x', label: 'LH 801 of 1 Dec', query: {}, fromAt: 0, startAt: 0, endAt: 0 };
  const follower = { tenant: 'tnt_default', traveller: service.traveller, reservation: reservation.id } as const;
  await service.store.transact(async (tx) => {
    await tx.subjects.put('sub_x', 'adb', spec);
    await tx.subjects.follow('sub_x', follower);
  });
  const freshness = async () => (await service.call('GET', `/v1/reservations/${reservation.id}`)).body.freshness[0];
  assert.equal((await freshness()).state, 'not-checked-yet');
  await service.store.transact((tx) => tx.subjects.markChecked([{ id: 'sub_x', at: now - 40_000 }]));
  const ok = await freshness();
  assert.equal(ok.label, 'AeroDataBox');
  assert.equal(ok.state, 'ok');
  assert.ok(ok.ageSeconds >= 40 && ok.ageSeconds < 60);
  assert.equal(Date.parse(ok.due), now - 40_000 + 300_000);
  assert.equal(ok.lateSeconds, undefined);
  // The calls allow no better: it says by how much, and that the answer is an old one.
  await service.store.transact((tx) => tx.subjects.put('sub_y', 'adb', { ...spec, id: 'leg:y' }));
  await service.store.transact(async (tx) => {
    await tx.subjects.follow('sub_y', follower);
    await tx.subjects.markChecked([{ id: 'sub_y', at: now - 1_500_000 }]);
  });
  const all = (await service.call('GET', `/v1/reservations/${reservation.id}`)).body.freshness;
  const late = all.find((one: { subject: string }) => one.subject === 'sub_y');
  assert.ok(late.lateSeconds >= 1200 && late.lateSeconds < 1230);
  await service.store.transact((tx) => tx.subjects.unfollow('sub_y', 'tnt_default', reservation.id));
  await service.store.transact((tx) => tx.subjects.markChecked([{ id: 'sub_x', at: now, failure: 'quota used up' }]));
  const failing = await freshness();
  assert.equal(failing.state, 'unverified-since');
  assert.equal(failing.reason, 'quota used up');
  const subject = await service.call('GET', '/v1/explain/sub_x');
  assert.equal(subject.body.reservations[0].id, reservation.id);
  const other = await service.operator('tnt_other');
  assert.equal((await service.as(other.token)('GET', '/v1/explain/sub_x')).status, 404);
  const trips = await service.call('GET', `/v1/trips?traveller=${service.traveller}`);
  const leg = trips.body.items[0].legs.find((one: { reservation: string }) => one.reservation === reservation.id);
  assert.equal(leg.freshness[0].state, 'unverified-since');
});

test('explain shows what an event waits for, and a dead letter with what to do; replay and discard need a reason to exist', async () => {
  const { reservation, event, observation } = await add('DEAD01', '802');
  const explained = await service.call('GET', `/v1/explain/${reservation.id}`);
  const changed = explained.body.events.find((one: { topic: string }) => one.topic === 'reservation.changed');
  assert.deepEqual(changed.waitingFor, ['track']);
  // Said again it changes nothing, and is part of the story all the same.
  assert.equal((await add('DEAD01', '802')).reservation.id, reservation.id, 'answered at once with what stands');
  const confirmed = await service.call('GET', `/v1/explain/${reservation.id}`);
  const topics = confirmed.body.events.map((one: { topic: string }) => one.topic);
  assert.equal(topics.filter((topic: string) => topic === 'observation.recorded').length, 2);
  assert.equal(topics.filter((topic: string) => topic === 'reservation.changed').length, 1);
  const now = service.deps.clock.now();
  const letter = (id: 'dead_one' | 'dead_two') =>
    service.store.transact((tx) =>
      tx.deadLetters.add({
        id,
        tenant: 'tnt_default',
        consumer: id === 'dead_one' ? 'reconcile' : 'track',
        topic: 'observation.recorded',
        eventId: event,
        key: service.traveller,
        correlation: observation,
        provider: undefined,
        attempts: [{ at: now, kind: 'poison', code: 'x', message: 'broken' }],
        kind: 'poison',
        code: 'x',
        message: 'broken',
        createdAt: now,
      }),
    );
  await letter('dead_one');
  await letter('dead_two');
  const again = await service.call('GET', `/v1/explain/${observation}`);
  assert.match(
    again.body.summary.join('\n'),
    /set aside by reconcile \(x\): broken Replay or discard dead letter dead_one/,
  );
  assert.equal((await service.call('GET', '/v1/dead-letters?state=open&stage=track')).body.items.length, 1);
  const one = await service.call('GET', '/v1/dead-letters/dead_one?payload=true');
  assert.equal(one.body.payload.id, event);
  assert.equal((await service.call('POST', '/v1/dead-letters/dead_one/discard', {})).status, 422);
  const discarded = await service.call('POST', '/v1/dead-letters/dead_one/discard', { reason: 'test data' });
  assert.equal(discarded.body.state, 'discarded');
  assert.equal(discarded.body.decision, 'test data');
  assert.equal((await service.call('POST', '/v1/dead-letters/dead_one/replay')).status, 409);
  assert.equal((await service.call('POST', '/v1/dead-letters/dead_two/replay')).body.state, 'replayed');
});

test('a stream client that does not read is cut off; others go on', async () => {
  const { port } = new URL(service.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.pause();
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await new Promise<void>((resolve) => {
    socket.write(`GET /v1/changes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${service.token}\r\n\r\n`, () =>
      resolve(),
    );
  });
  const sentence = 'x'.repeat(200_000);
  let cut = false;
  for (let i = 0; i < 100 && !cut; i++) {
    const event = { id: `evt_slow${i}`, topic: 'itinerary.updated', data: { sentences: [sentence] } } as never;
    await service.store.transact((tx) => tx.itineraries.appendFeed('tnt_default', service.traveller, event));
    service.api.wake();
    // The kernel takes several MB before the service sees that nobody reads.
    cut = await Promise.race([
      closed.then(() => true),
      service.deps.clock.sleep(5, new AbortController().signal).then(() => false),
    ]);
    if (i > 60) socket.resume();
  }
  socket.resume();
  await closed;
});

test('a hundred hanging endpoints delay a good one by nothing that matters', async () => {
  const { store, clock, random, secrets } = service.deps;
  const at = new Map<string, number>();
  let done = () => {};
  const sender = createSender({
    store,
    clock,
    random,
    secrets,
    logger: silentLogger,
    post: {
      post: async ({ url }, signal) => {
        if (url.includes('hang')) {
          await clock.sleep(60_000, signal);
        }
        at.set(url, clock.now());
        done();
        return { status: 204, retryAfter: undefined };
      },
    },
  });
  const caller = service.caller;
  for (let i = 0; i < 100; i++) await addEndpoint(service.deps, caller, { url: `https://hang${i}.example.com/` });
  await addEndpoint(service.deps, caller, { url: 'https://good.example.com/' });
  await add('HANG01', '803');
  await add('HANG02', '804');
  const arrived = new Promise<void>((resolve) => (done = resolve));
  const started = clock.now();
  sender.start();
  await arrived;
  assert.ok(clock.now() - started < 2000);
  await sender.stop();
});

test('a port that is taken: an error that says which and what to do', async () => {
  const port = Number(new URL(service.url).port);
  const config = { ...service.deps.config, http: { ...service.deps.config.http, port } };
  await assert.rejects(createApi({ ...service.deps, config }).listen(), { code: 'http-listen', message: /http\.port/ });
});
