import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../adapters/logger/pino.ts';
import { openSqliteStore } from '../../adapters/store/sqlite/store.ts';
import { completeEvents, type Event } from '../../contracts/event.ts';
import { TOPICS } from '../../contracts/topics.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { Clock } from '../../ports/clock.ts';
import { BODY_BYTES_MAX, createNotifyHandler, webhookBody } from '../notify/handler.ts';
import { createProjectHandler } from './handler.ts';

const NOW = Date.UTC(2026, 10, 1);
const clock: Clock = { now: () => NOW, monotonic: () => 0, speed: 1, sleep: async () => {} };
const context = { clock, logger: silentLogger, signal: new AbortController().signal, attempt: 1 };
const by = {
  observation: 'obs_a',
  source: { kind: 'provider', ref: 'sub_a', label: 'AeroDataBox' },
  authority: 'status',
  assertedAt: '2026-11-01T00:00:00Z',
  observedAt: '2026-11-01T00:00:00Z',
} as const;

function changed(
  version: number,
  more: Partial<Event<'reservation.changed'>['data']> = {},
): Event<'reservation.changed'> {
  const reservation: Reservation = {
    id: 'rsv_a',
    tenant: 'tnt_a',
    traveller: 'trv_a',
    version,
    bookingKeys: [],
    fields: {},
    legs: [
      {
        id: 'leg_a',
        kind: 'flight',
        keys: [],
        fields: { number: { value: '7', by }, 'start.gate': { value: `B${version}`, by } },
      },
    ],
    observations: ['obs_a'],
    digest: String(version),
  };
  const data = {
    reservation,
    changes: [{ type: 'gate', leg: 'leg_a', path: 'start.gate', to: `B${version}`, by }],
    changedAt: '2026-11-01T00:00:00.000Z',
    ...more,
  } as Event<'reservation.changed'>['data'];
  const [event] = completeEvents(
    [{ topic: 'reservation.changed', tenant: 'tnt_a', traveller: 'trv_a', key: 'trv_a', subject: 'rsv_a', data }],
    { source: 'test', seed: `${version}${more.mergedInto ?? ''}` },
    '2026-11-01T00:00:00.000Z',
  );
  return event as Event<'reservation.changed'>;
}

async function withStore(
  work: (
    run: (event: Event<'reservation.changed'>) => Promise<void>,
    store: ReturnType<typeof openSqliteStore>,
  ) => Promise<void>,
) {
  const store = openSqliteStore({ file: ':memory:', clock, logger: silentLogger });
  await store.transact(async (tx) => {
    await tx.accounts.ensureTenant('tnt_a', 'a', NOW);
    await tx.accounts.addTraveller({
      id: 'trv_a',
      tenant: 'tnt_a',
      name: 'A',
      zone: 'UTC',
      locale: 'en',
      createdAt: NOW,
    });
  });
  const handler = createProjectHandler();
  const run = async (event: Event<'reservation.changed'>) => {
    const outcome = await handler(event, context);
    assert.ok(outcome.kind === 'ack' && outcome.commit);
    await store.transact(async (tx) => assert.deepEqual(await outcome.commit!(tx), []));
  };
  await work(run, store);
  await store.close();
}

test('a version is shown and published, complete and with the id it has in the log', async () => {
  await withStore(async (run, store) => {
    await run(changed(1));
    await run(changed(1));
    const feed = await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 10));
    assert.equal(feed.length, 1);
    const { event } = feed[0]!;
    assert.deepEqual((await store.read((tx) => tx.log.get(event.id)))?.event, event);
    const data = TOPICS['itinerary.updated'].parse(event.data);
    assert.equal(data.version, 1);
    assert.match(data.sentences[0]!, /gate B1/);
    assert.equal((await store.read((tx) => tx.itineraries.list('tnt_a', {})))[0]!.version, 1);
  });
});

test('an older version that comes late is published, and changes nothing that is shown', async () => {
  await withStore(async (run, store) => {
    await run(changed(2));
    await run(changed(1));
    const rows = await store.read((tx) => tx.itineraries.list('tnt_a', {}));
    assert.deepEqual(
      rows.map((row) => row.version),
      [2],
    );
    const feed = await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 10));
    assert.deepEqual(
      feed.map((item) => (item.event.data as { version: number }).version),
      [2, 1],
    );
  });
});

test('joined into another: its row goes', async () => {
  await withStore(async (run, store) => {
    await run(changed(1));
    await run(changed(2, { mergedInto: 'rsv_b' }));
    assert.deepEqual(await store.read((tx) => tx.itineraries.list('tnt_a', {})), []);
  });
});

test('notify queues for active endpoints of the tenant and the traveller, once', async () => {
  await withStore(async (run, store) => {
    await run(changed(1));
    const event = (await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 1)))[0]!
      .event as Event<'itinerary.updated'>;
    const endpoint = {
      tenant: 'tnt_a',
      url: 'https://x.example',
      sealedSecrets: [],
      stateReason: undefined,
      createdAt: NOW,
    } as const;
    await store.transact(async (tx) => {
      await tx.accounts.addEndpoint({ ...endpoint, id: 'whe_all', traveller: undefined, state: 'active' });
      await tx.accounts.addEndpoint({ ...endpoint, id: 'whe_mine', traveller: 'trv_a', state: 'active' });
      await tx.accounts.addEndpoint({ ...endpoint, id: 'whe_other', traveller: 'trv_b', state: 'active' });
      await tx.accounts.addEndpoint({ ...endpoint, id: 'whe_off', traveller: undefined, state: 'disabled' });
    });
    let woken = 0;
    for (let i = 0; i < 2; i++) {
      const outcome = await createNotifyHandler({ onDeliveries: () => void woken++ })(event, context);
      assert.ok(outcome.kind === 'ack' && outcome.commit);
      await store.transact((tx) => outcome.commit!(tx));
    }
    const queued = await store.read((tx) => tx.notifications.list('tnt_a', { limit: 10 }));
    assert.deepEqual(queued.map((one) => one.endpoint).sort(), ['whe_all', 'whe_mine']);
    assert.equal(woken, 2);
  });
});

test('a body stays below 20 kB whatever changed, and says what it left out', () => {
  const data = (count: number, length: number) => ({
    reservationId: 'rsv_a',
    version: 1,
    title: 't',
    sentences: Array.from({ length: count }, () => 's'.repeat(length)),
    changes: Array.from({ length: count }, () => ({ type: 'details', path: 'name', to: 'x'.repeat(length), by })),
    changedAt: '2026-11-01T00:00:00Z',
    publishedAt: '2026-11-01T00:00:00Z',
  });
  for (const [count, length] of [
    [1, 10],
    [40, 10],
    [500, 10],
    [1, 4000],
    [100, 4000],
    [5, 15_000],
  ] as const) {
    const body = webhookBody({ topic: 'itinerary.updated', data: data(count, length) } as never);
    assert.ok(Buffer.byteLength(body) < BODY_BYTES_MAX, `${count} × ${length}`);
    const parsed = JSON.parse(body);
    assert.equal(parsed.type, 'itinerary.updated');
    assert.equal(parsed.data.truncated === true, parsed.data.changes.length < count || !parsed.data.changes[0]?.by);
  }
});
