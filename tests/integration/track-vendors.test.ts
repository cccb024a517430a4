import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBookingComConnector } from '../../src/adapters/provider/booking-com/connector.ts';
import { createHotelbedsConnector } from '../../src/adapters/provider/hotelbeds/connector.ts';
import { failureOfStatus } from '../../src/adapters/provider/http/failures.ts';
import type { ProviderHttp } from '../../src/adapters/provider/http/http.ts';
import { createTravelportConnector } from '../../src/adapters/provider/travelport/connector.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ProviderConnector } from '../../src/ports/provider.ts';
import { bookingCom, reservationOf } from '../../src/sandbox/providers/booking-com.ts';
import type { Call, Vendor } from '../../src/sandbox/providers/fake.ts';
import { hotelbeds, hotelbedsReference } from '../../src/sandbox/providers/hotelbeds.ts';
import { travelport } from '../../src/sandbox/providers/travelport.ts';
import { rng } from '../../src/sandbox/random.ts';
import { makeDay } from '../../src/sandbox/scenario/day.ts';
import { indexOf } from '../../src/sandbox/scenario/state.ts';
import type { AirBooking, Booking, PlaceBooking } from '../../src/sandbox/scenario/types.ts';
import { fieldsOf } from '../contract/provider/cases.ts';
import { type FakeProvider, HOUR, MINUTE, NOW, openTrackRig, type TrackRig } from './track.testing.ts';

/** The tracker with real connectors before the fakes of the day: what each vendor's limits allow, and how soon news is told. */

/** Most happens in its second half, which begins soon. */
const DAY = { ...makeDay({ seed: 6, travellers: 120, flights: 40, startAt: NOW - 10 * HOUR }), faults: [] };
const SECRET = 'secret';
const isStay = (one: Booking): one is PlaceBooking => one.kind === 'stay' && one.bookedAt < NOW;
const between = (one: Booking, from: number, to: number): boolean =>
  one.cancelledAt !== undefined && one.cancelledAt > from && one.cancelledAt <= to;

interface Asked {
  readonly at: number;
  readonly status: number;
  readonly endpoint: string;
}

/** The fake without its sockets, so that time can be moved. `perMinute`: calls before it says that it is too many. */
function lineTo(vendor: Vendor, clock: Clock, perMinute: number, asked: Asked[]): ProviderHttp {
  let [minute, used] = [-1, 0];
  return {
    ask: async (request) => {
      const url = new URL(request.url);
      const at = clock.now();
      const text = request.body ?? '';
      const isForm = Object.values(request.headers).some((value) => /form/.test(value));
      const call: Call = {
        method: request.method ?? 'GET',
        path: url.pathname.split('/').filter(Boolean),
        query: url.searchParams,
        headers: request.headers,
        body: text === '' || isForm ? undefined : JSON.parse(text),
        text,
        at,
        noise: rng(DAY.options.seed, 'line', asked.length),
      };
      const now = Math.floor(at / MINUTE);
      if (now !== minute) [minute, used] = [now, 0];
      const left = perMinute - ++used;
      const route = vendor.route(call);
      const reply =
        vendor.refuse(call) ??
        (left < 0 ? vendor.tooMany(call, (minute + 1) * MINUTE, perMinute) : route?.answer()) ??
        vendor.notFound(call);
      asked.push({ at, status: reply.status, endpoint: route?.endpoint ?? '' });
      const headers = { ...vendor.headers(call, { max: perMinute, left, freeAt: at }), ...reply.headers };
      if (request.also?.includes(reply.status)) return { status: reply.status, json: undefined, headers };
      if (reply.status !== 200)
        throw failureOfStatus(reply.status, headers, at, request.explain?.(reply.status, reply.body, headers));
      return { status: 200, json: structuredClone(reply.body), headers };
    },
    close: async () => {},
  };
}

async function tracked(
  vendor: Vendor,
  perMinute: number,
  make: (parts: { clock: Clock; http: ProviderHttp }) => ProviderConnector,
  run: (rig: TrackRig, asked: readonly Asked[]) => Promise<void>,
): Promise<void> {
  const asked: Asked[] = [];
  let limits: ProviderConnector['limits'];
  const connected = (clock: Clock): FakeProvider => {
    const connector = make({ clock, http: lineTo(vendor, clock, perMinute, asked) });
    limits = connector.limits;
    return connector as unknown as FakeProvider;
  };
  // The rig wants the limits before it makes the connector; they do not depend on its line.
  const nobody: ProviderHttp = { ask: async () => assert.fail(), close: async () => {} };
  const known = make({ clock: { now: () => NOW } as Clock, http: nobody });
  const rig = await openTrackRig({ limits: known.limits ?? [{ max: 60, perSeconds: 60 }] }, {}, connected);
  assert.deepEqual(limits, known.limits);
  try {
    await run(rig, asked);
  } finally {
    await rig.close();
  }
}

/** Follows bookings by what they are registered as. */
async function follow(rig: TrackRig, ids: readonly (readonly [id: string, booking: Booking])[]): Promise<void> {
  for (const [i, [id, booking]] of ids.entries())
    await rig.changed(`t${i}`, [`id:fake:${id}`], { fields: fieldsOf({ kind: booking.kind }) });
}

interface Said {
  readonly facts: Readonly<Record<string, { readonly value: unknown }>>;
}

/** When each was first told as cancelled. */
async function toldCancelled(rig: TrackRig): Promise<ReadonlyMap<string, number>> {
  const told = new Map<string, number>();
  for (const event of await rig.events('subject.observed')) {
    // The whole of it, or a part.
    const { answer } = event.data as unknown as {
      answer: Said & { bookingKeys: string[]; legs: Said[] };
    };
    const id = answer.bookingKeys.find((key) => key.startsWith('id:fake:'))?.slice('id:fake:'.length) ?? '';
    const isCancelled = [answer, ...answer.legs].some(({ facts }) => facts.status?.value === 'cancelled');
    if (isCancelled && !told.has(id)) told.set(id, Date.parse(event.time));
  }
  return told;
}

const late = (told: ReadonlyMap<string, number>, id: string, one: Booking): number =>
  (told.get(id) ?? Number.POSITIVE_INFINITY) - Math.max(NOW, one.cancelledAt!);

test('Hotelbeds with 50 calls a day: never over, and all stay as fresh as one call each half hour allows', () => {
  const stays = DAY.bookings.filter(isStay).map((one) => [hotelbedsReference(one), one] as const);
  const keys = { key: 'k', secret: SECRET };
  return tracked(
    hotelbeds(DAY, { ...keys, quotaPerDay: 50 }),
    240,
    (parts) => createHotelbedsConnector({ account: 'fake', ...keys, ...parts }),
    async (rig, asked) => {
      await follow(rig, stays);
      assert.ok(stays.length > 30);
      await rig.advance(6 * HOUR, MINUTE);
      assert.ok(asked.length <= 13 && asked.length > 10, `${asked.length} calls`);
      assert.ok(
        asked.every(({ status }) => status !== 403),
        'none refused',
      );
      const told = await toldCancelled(rig);
      const gone = stays.filter(([, one]) => between(one, NOW, NOW + 5 * HOUR));
      assert.ok(gone.length > 1);
      for (const [id, one] of gone)
        assert.ok(late(told, id, one) <= 32 * MINUTE, `${id} after ${late(told, id, one)} ms`);
    },
  );
});

test('Booking.com: stays and cars in a call or two each round, and what is cancelled is told within five minutes', () => {
  const places = DAY.bookings
    .filter((one): one is PlaceBooking => one.kind !== 'flight' && one.bookedAt < NOW)
    .map((one) => [reservationOf(one), one] as const);
  return tracked(
    bookingCom(DAY, { token: 't', affiliateId: '1' }),
    50,
    (parts) =>
      createBookingComConnector({
        account: 'fake',
        token: 't',
        affiliateId: '1',
        ids: 'reservations',
        url: 'https://demand.example/3.2',
        ...parts,
      }),
    async (rig, asked) => {
      await follow(rig, places);
      await rig.advance(10 * MINUTE);
      const before = asked.length;
      const HOURS = 4;
      await rig.advance(HOURS * HOUR, 30_000);
      const rounds = (HOURS * HOUR) / 270_000;
      const calls = asked.length - before;
      assert.ok(places.some(([, one]) => one.kind === 'rental') && places.length > 50);
      assert.ok(calls < rounds * 6, `${calls} calls in ${Math.round(rounds)} rounds of ${places.length} bookings`);
      assert.ok(asked.every(({ status }) => status !== 429));
      const told = await toldCancelled(rig);
      const gone = places.filter(([, one]) => between(one, NOW, rig.clock.now() - 6 * MINUTE));
      assert.ok(gone.length > 0);
      for (const [id, one] of gone)
        assert.ok(late(told, id, one) <= 5 * MINUTE, `${id} after ${late(told, id, one)} ms`);
    },
  );
});

test('Travelport: a queue tells of what changed long before its round, in an account that is asked slowly', () => {
  const index = indexOf(DAY);
  // Who is on the queue already is not told of again before somebody has taken it off.
  const isMoved = (one: AirBooking): boolean =>
    one.segments.some(({ flight }) => {
      const { initial, steps } = index.flight(flight);
      return steps.some(
        ({ set }) => (set.departureScheduled ?? initial.departureScheduled) !== initial.departureScheduled,
      );
    });
  const air = DAY.bookings
    .filter((one): one is AirBooking => one.kind === 'flight' && one.bookedAt < NOW && !isMoved(one))
    .filter((one, i) => i < 25 || between(one, NOW, NOW + 4 * HOUR))
    .map((one) => [one.reference.toUpperCase(), one] as const);
  const who = { user: 'u', password: 'p', clientId: 'c', clientSecret: SECRET, pcc: 'AB12', core: '1G' } as const;
  return tracked(
    travelport(DAY, { ...who, queue: '50' }),
    60,
    (parts) => createTravelportConnector({ account: 'fake', ...who, queues: ['50'], ...parts }),
    async (rig, asked) => {
      await follow(rig, air);
      await rig.advance(4 * HOUR, 30_000);
      assert.ok(asked.every(({ status }) => status === 200));
      const told = await toldCancelled(rig);
      const gone = air.filter(([, one]) => between(one, NOW, rig.clock.now() - 6 * MINUTE));
      assert.ok(gone.length > 0);
      for (const [id, one] of gone)
        assert.ok(late(told, id, one) <= 4 * MINUTE, `${id} after ${late(told, id, one)} ms`);
    },
  );
});
