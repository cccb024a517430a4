/**
 * 10,000 passengers on 200 flights: how many subjects and how many calls, against the fewest that can ask about all flights
 * in every round? The real tracker and connector, the sandbox's day and vendor, virtual time; no sockets.
 * Run: `node bench/coalesce.ts [passengers] [flights] [hours]`; prints with and without boards.
 */
import { createAeroDataBoxConnector } from '../src/adapters/provider/aerodatabox/connector.ts';
import { failureOfStatus } from '../src/adapters/provider/http/failures.ts';
import type { ProviderHttp } from '../src/adapters/provider/http/http.ts';
import { openSqliteStore } from '../src/adapters/store/sqlite/store.ts';
import type { Event } from '../src/contracts/event.ts';
import { DEFAULT_TENANT } from '../src/domain/ids.ts';
import type { Attribution, Reservation } from '../src/domain/reservation.ts';
import { idealCalls } from '../src/domain/schedule/choose-reading.ts';
import { askIntervalMs } from '../src/domain/schedule/freshness.ts';
import { isoInstant } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { ProviderConnector } from '../src/ports/provider.ts';
import { aeroDataBox } from '../src/sandbox/providers/aerodatabox.ts';
import type { Call } from '../src/sandbox/providers/fake.ts';
import { rng } from '../src/sandbox/random.ts';
import { makeDay } from '../src/sandbox/scenario/day.ts';
import { type Flight, HOUR, type Scenario } from '../src/sandbox/scenario/types.ts';
import { createTrackHandler } from '../src/stages/track/handler.ts';
import { createTracker } from '../src/stages/track/tracker.ts';
import { ManualClock, settle } from '../tests/contract/broker/manual-clock.ts';

export interface CoalesceFigures {
  readonly passengers: number;
  readonly flights: number;
  readonly hours: number;
  readonly subjects: number;
  readonly calls: number;
  readonly boards: number;
  readonly singles: number;
  /** The fewest calls that ask about each flight once a round, with boards where these are allowed. */
  readonly ideal: number;
  /** calls / ideal. */
  readonly share: number;
  /** The oldest answer at any look at the end of a round, seconds. */
  readonly oldestSeconds: number;
}

const FRESH_SECONDS = 300;
const STEP_MS = 5000;
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

export async function benchCoalesce(
  passengers: number,
  flightCount: number,
  hours: number,
  withBoards = true,
): Promise<CoalesceFigures> {
  const day = makeDay({ seed: 7, travellers: 10, flights: flightCount });
  const scenario: Scenario = { ...day, faults: [] };
  const clock = new ManualClock(scenario.options.startAt);
  const asked = { boards: 0, singles: 0 };
  const real = createAeroDataBoxConnector({
    account: 'flights',
    key: 'bench',
    clock,
    http: vendorHttp(scenario, clock, asked),
  });
  const { board: _board, ...plain } = real;
  const connector: ProviderConnector = withBoards ? real : plain;
  const store = openSqliteStore({ file: ':memory:', clock, logger: quiet });
  const random = { number: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
  const accounts = [
    { account: 'flights', connector, limits: [{ max: 20, perSeconds: 1 }], freshSeconds: FRESH_SECONDS },
  ];
  const tracker = createTracker({ store, clock, random, logger: quiet, accounts });
  const handler = createTrackHandler({ tracker });
  const flights = scenario.flights.slice(0, flightCount);
  await tracker.start();
  for (let i = 0; i < passengers; i++) {
    const reservation = bookingOf(flights[i % flights.length]!, i);
    const event = { data: { reservation, changes: [] } } as unknown as Event<'reservation.changed'>;
    const context = { clock, logger: quiet, signal: new AbortController().signal, attempt: 1 };
    const outcome = await handler(event, context);
    if (outcome.kind === 'ack' && outcome.commit !== undefined) await store.transact(outcome.commit);
  }
  const interval = askIntervalMs({}, FRESH_SECONDS);
  let ideal = 0;
  let subjects = 0;
  let oldest = 0;
  for (let round = 0; round < Math.floor((hours * HOUR) / interval); round++) {
    for (let left = interval; left > 0; left -= STEP_MS) {
      await clock.advance(Math.min(STEP_MS, left));
      while (tracker.status().some((one) => one.inFlight > 0)) await settle(2);
    }
    const now = clock.now();
    const active = (await store.read((tx) => tx.subjects.listActive())).filter(({ spec }) => spec.fromAt <= now);
    subjects = Math.max(subjects, active.length);
    const onBoard = Map.groupBy(active, ({ spec }) => (withBoards ? real.board!.keyOf(spec) : undefined) ?? spec.id);
    ideal += idealCalls(
      [...onBoard.values()].map((on) => on.length),
      1,
    );
    for (const { checkedAt } of active) oldest = Math.max(oldest, now - (checkedAt ?? Number.NEGATIVE_INFINITY));
  }
  await tracker.stop();
  await store.close();
  const calls = asked.boards + asked.singles;
  return {
    passengers,
    flights: flights.length,
    hours,
    subjects,
    calls,
    ...asked,
    ideal,
    share: Math.round((calls / ideal) * 1000) / 1000,
    oldestSeconds: Math.round(oldest / 1000),
  };
}

/** The sandbox's vendor without its server. */
function vendorHttp(scenario: Scenario, clock: ManualClock, asked: { boards: number; singles: number }): ProviderHttp {
  const vendor = aeroDataBox(scenario, 'bench');
  return {
    ask: async (request) => {
      const url = new URL(request.url);
      const call: Call = {
        method: 'GET',
        path: url.pathname.split('/').filter(Boolean).map(decodeURIComponent),
        query: url.searchParams,
        headers: request.headers,
        body: undefined,
        text: '',
        at: clock.now(),
        noise: rng(1, 'noise'),
      };
      if (url.pathname.includes('/airports/')) asked.boards++;
      else asked.singles++;
      const reply = vendor.refuse(call) ?? vendor.route(call)?.answer() ?? vendor.notFound(call);
      if (reply.status !== 200 && !request.also?.includes(reply.status))
        throw failureOfStatus(reply.status, {}, clock.now());
      return { status: reply.status, json: reply.status === 200 ? reply.body : undefined, headers: {} };
    },
    close: async () => {},
  };
}

function bookingOf(flight: Flight, index: number): Reservation {
  const by: Attribution = {
    observation: 'obs_bench',
    source: { kind: 'mail', ref: 'mail_bench', label: 'mail' },
    authority: 'mail-proven',
    assertedAt: isoInstant(flight.initial.departureScheduled),
    observedAt: isoInstant(flight.initial.departureScheduled),
  };
  const time = (at: number, zone: string) =>
    Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toString();
  const facts = {
    'carrier.code': flight.carrier,
    number: flight.number,
    'start.code': flight.from,
    'end.code': flight.to,
    'start.scheduled': time(flight.initial.departureScheduled, flight.fromZone),
    'end.scheduled': time(flight.initial.arrivalScheduled, flight.toZone),
  };
  const fields = Object.fromEntries(Object.entries(facts).map(([path, value]) => [path, { value, by }]));
  return {
    id: `rsv_${index}`,
    tenant: DEFAULT_TENANT,
    traveller: `trv_${index}`,
    version: 1,
    bookingKeys: [],
    fields: {},
    legs: [{ id: `leg_${index}`, kind: 'flight', keys: [], fields }],
    observations: ['obs_bench'],
    digest: 'bench',
  };
}

if (import.meta.main) {
  const [passengers = 10_000, flights = 200, hours = 6] = process.argv.slice(2).map(Number);
  const figures = [
    await benchCoalesce(passengers, flights, hours, false),
    await benchCoalesce(passengers, flights, hours, true),
  ];
  console.log(JSON.stringify({ alone: figures[0], boards: figures[1] }, null, 2));
}
