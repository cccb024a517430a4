import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../adapters/logger/pino.ts';
import { openSqliteStore } from '../../adapters/store/sqlite/store.ts';
import { completeEvents, type Event } from '../../contracts/event.ts';
import { TOPICS } from '../../contracts/topics.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { Clock } from '../../ports/clock.ts';
import { BODY_BYTES_MAX, createNotifyHandler, webhookBody } from '../notify/handler.ts';
import { createAlerter } from './alerter.ts';
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

const FLIGHT_AT = '2026-11-01T10:00:00+00:00[UTC]';

function flying(version: number, values: Readonly<Record<string, unknown>>, changes: readonly unknown[]) {
  const made = changed(version);
  const reservation = made.data.reservation as unknown as Reservation;
  const fields = Object.fromEntries(
    Object.entries({ number: '7', 'start.scheduled': FLIGHT_AT, ...values }).map(([path, value]) => [
      path,
      { value, by },
    ]),
  );
  const data = { ...made.data, changes, reservation: { ...reservation, legs: [{ ...reservation.legs[0]!, fields }] } };
  return { ...made, data } as unknown as Event<'reservation.changed'>;
}

test('what a traveller is told travels with the change, once, and is kept with the reservation', async () => {
  await withStore(async (run, store) => {
    await run(flying(1, {}, [{ type: 'created' }]));
    await run(
      flying(2, { operation: 'cancelled' }, [
        { type: 'cancellation', leg: 'leg_a', path: 'operation', to: 'cancelled', by },
      ]),
    );
    await run(
      flying(3, { operation: 'cancelled', 'end.belt': '4' }, [
        { type: 'belt', leg: 'leg_a', path: 'end.belt', to: '4', by },
      ]),
    );
    const events = (await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 10))).map(({ event }) =>
      TOPICS['itinerary.updated'].parse(event.data),
    );
    assert.deepEqual(
      events.map(({ alerts = [] }) =>
        alerts.filter(({ kind }) => kind === 'cancellation').map(({ certain }) => certain),
      ),
      [[], [false], []],
    );
    const told = await store.read((tx) => tx.alerts.told('tnt_a', 'trv_a', ['rsv_a']));
    assert.equal(told.get('rsv_a')?.facts['leg_a/cancelled']?.certain, false);
    assert.match(told.get('rsv_a')?.alerts[0]?.sentence ?? '', /may be cancelled: not confirmed/);
    // A version that comes late tells nothing.
    await run(flying(2, { operation: 'scheduled' }, [{ type: 'gate' }]));
    const late = (await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 10))).at(-1)?.event;
    assert.ok(late !== undefined && !('alerts' in late.data));
  });
});

test('by the clock: what is due is looked at once, told as the version that stands, and what is gone is forgotten', async () => {
  await withStore(async (run, store) => {
    await run(flying(1, { 'start.scheduled': '2026-11-02T10:00:00+00:00[UTC]' }, [{ type: 'created' }]));
    const reservation = flying(1, { 'start.scheduled': '2026-11-02T10:00:00+00:00[UTC]' }, []).data
      .reservation as unknown as Reservation;
    await store.transact((tx) => tx.reservations.putVersion(reservation, [{ type: 'created' }], NOW));
    let now = NOW;
    const later: Clock = { ...clock, now: () => now };
    const alerter = createAlerter({
      store,
      clock: later,
      logger: silentLogger,
      vendorOf: (account) => account,
      accounts: [],
    });
    assert.equal(await alerter.look(), 0);
    const dueAt = await store.read((tx) => tx.alerts.nextDueAt());
    assert.equal(dueAt, Date.UTC(2026, 10, 1, 10));
    now = dueAt!;
    assert.equal(await alerter.look(), 1);
    assert.equal(await alerter.look(), 0);
    const [, event] = await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 10));
    const data = TOPICS['itinerary.updated'].parse(event?.event.data);
    assert.deepEqual([data.version, data.changes.length, data.alerts?.[0]?.kind], [1, 0, 'check-in']);
    assert.deepEqual((await store.read((tx) => tx.log.get(event!.event.id)))?.event, event?.event);
    // A record of what is no more goes when its time comes.
    await store.transact((tx) =>
      tx.alerts.put('tnt_a', 'trv_a', 'rsv_gone', { version: 1, facts: {}, alerts: [] }, now),
    );
    assert.equal(await alerter.look(), 1);
    assert.equal((await store.read((tx) => tx.alerts.told('tnt_a', 'trv_a', ['rsv_gone']))).size, 0);
  });
});

test('one reservation that cannot be told keeps no other waiting: it is said, and tried again later', async () => {
  await withStore(async (run, store) => {
    const soon = { 'start.scheduled': '2026-11-02T10:00:00+00:00[UTC]' };
    await run(flying(1, soon, [{ type: 'created' }]));
    const reservation = flying(1, soon, []).data.reservation as unknown as Reservation;
    const broken = { ...reservation, id: 'rsv_0', legs: [{ id: 'leg_0', kind: 'flight', keys: [] }] };
    const now = Date.UTC(2026, 10, 1, 10);
    await store.transact(async (tx) => {
      await tx.reservations.putVersion(reservation, [{ type: 'created' }], NOW);
      await tx.reservations.putVersion(broken as unknown as Reservation, [{ type: 'created' }], NOW);
      await tx.alerts.put('tnt_a', 'trv_a', 'rsv_0', { version: 1, facts: {}, alerts: [] }, 1);
    });
    const errors: unknown[] = [];
    const logger = { ...silentLogger, error: (fields: unknown) => void errors.push(fields) };
    const later: Clock = { ...clock, now: () => now };
    const alerter = createAlerter({ store, clock: later, logger, vendorOf: (one) => one, accounts: [] });
    assert.equal(await alerter.look(), 2);
    assert.equal(errors.length, 1);
    assert.equal((await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 10))).length, 2);
    assert.equal(await store.read((tx) => tx.alerts.nextDueAt()), now + 3_600_000);
  });
});

test('near journeys that nobody answers about: told by the account being away, and by questions that fail', async () => {
  await withStore(async (run, store) => {
    const soon = {
      'start.scheduled': '2026-11-01T04:00:00+00:00[UTC]',
      'end.scheduled': '2026-11-01T06:00:00+00:00[UTC]',
    };
    await run(flying(1, soon, [{ type: 'created' }]));
    const reservation = flying(1, soon, []).data.reservation as unknown as Reservation;
    const spec = {
      id: 's',
      label: 'XX 7',
      query: {},
      fromAt: NOW - 1,
      startAt: NOW + 4 * 3_600_000,
      endAt: NOW + 9 * 3_600_000,
    };
    await store.transact(async (tx) => {
      await tx.reservations.putVersion(reservation, [{ type: 'created' }], NOW);
      await tx.subjects.put('sub_s', 'aero', spec);
      await tx.subjects.follow('sub_s', { tenant: 'tnt_a', traveller: 'trv_a', reservation: 'rsv_a' });
      await tx.subjects.markChecked([{ id: 'sub_s', at: NOW }]);
    });
    let now = NOW + 5 * 60_000;
    const later: Clock = { ...clock, now: () => now };
    const alerter = createAlerter({
      store,
      clock: later,
      logger: silentLogger,
      vendorOf: (one) => one,
      accounts: ['aero'],
    });
    assert.equal(await alerter.look(), 0);
    await store.transact((tx) =>
      tx.providerState.put('aero', { breakers: { readOne: { round: 1 } }, spent: {}, quotaBy403: false }, now),
    );
    now = NOW + 11 * 60_000;
    assert.equal(await alerter.look(), 1);
    const last = async () => {
      const event = (await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 20))).at(-1)?.event;
      return TOPICS['itinerary.updated'].parse(event?.data).alerts?.map(({ sentence }) => sentence);
    };
    assert.deepEqual(await last(), ['7: unverified since 00:00. Nobody who could confirm it answers.']);
    // They answer again: one message, once the pipeline has had its time.
    await store.transact(async (tx) => {
      await tx.providerState.put('aero', { breakers: {}, spent: {}, quotaBy403: false }, now);
      await tx.subjects.markChecked([{ id: 'sub_s', at: NOW + 20 * 60_000 }]);
    });
    now = NOW + 21 * 60_000;
    assert.equal(await alerter.look(), 1);
    assert.deepEqual(await last(), ['7 is verified again: nothing has changed since 00:00.']);
    now += 3_600_000;
    await alerter.look();
    assert.equal((await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 20))).length, 3);
  });
});

test('two bookings of one traveller: a late flight is told to break the next one, however it was booked', async () => {
  await withStore(async (run, store) => {
    const at = (hour: string) => `2026-11-01T${hour}:00-05:00[America/New_York]`;
    const stored = async (
      event: Event<'reservation.changed'>,
      id: string,
      leg: string,
      values: Record<string, unknown>,
    ) => {
      const reservation = event.data.reservation as unknown as Reservation;
      const fields = Object.fromEntries(Object.entries(values).map(([path, value]) => [path, { value, by }]));
      const made = {
        ...reservation,
        id,
        legs: [{ ...reservation.legs[0]!, id: leg, fields }],
      } as unknown as Reservation;
      await store.transact((tx) => tx.reservations.putVersion(made, event.data.changes as never, NOW));
      await run({
        ...event,
        id: `evt_${id}${event.data.reservation.version}`,
        data: { ...event.data, reservation: made },
      } as never);
    };
    const first = { number: '1', 'end.code': 'JFK', 'start.scheduled': at('08:00'), 'end.scheduled': at('11:00') };
    await stored(changed(1), 'rsv_one', 'leg_one', first);
    await stored(changed(1), 'rsv_two', 'leg_two', {
      number: '2',
      'start.code': 'JFK',
      'start.scheduled': at('13:00'),
      'end.scheduled': at('15:00'),
    });
    const delay = { changes: [{ type: 'delay', leg: 'leg_one', path: 'end.estimated', to: at('12:45'), by }] } as never;
    await stored(changed(2, delay), 'rsv_one', 'leg_one', { ...first, 'end.estimated': at('12:45') });
    const event = (await store.read((tx) => tx.itineraries.feed('tnt_a', 0, 10))).at(-1)?.event;
    const alerts = TOPICS['itinerary.updated'].parse(event?.data).alerts ?? [];
    assert.deepEqual(
      alerts.filter(({ kind }) => kind === 'connection').map(({ reservation, severity }) => [reservation, severity]),
      [['rsv_two', 'critical']],
    );
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
      assert.equal(woken, i, 'not before it can be seen');
      outcome.committed?.();
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
