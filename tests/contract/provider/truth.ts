import assert from 'node:assert/strict';
import { createProviderHttp, type ProviderHttp } from '../../../src/adapters/provider/http/http.ts';
import type { Answer } from '../../../src/contracts/topics.ts';
import type { Reservation } from '../../../src/domain/reservation.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { ProviderConnector } from '../../../src/ports/provider.ts';
import { type FakeServer, startFake, type Vendor } from '../../../src/sandbox/providers/fake.ts';
import { makeDay } from '../../../src/sandbox/scenario/day.ts';
import { cancelledBy, endDayAt, flightAt } from '../../../src/sandbox/scenario/state.ts';
import {
  type AirBooking,
  type Flight,
  HOUR,
  type PlaceBooking,
  type Scenario,
} from '../../../src/sandbox/scenario/types.ts';
import { stillClock } from '../store/harness.ts';
import { reservation } from './cases.ts';

/** The airport day against which every connector is held: its fake answers by the vendor's contract, the day is the truth. */
export const DAY: Scenario = { ...makeDay({ seed: 11, travellers: 60, flights: 40 }), faults: [] };
/** Moments to ask at. */
export const HOURS = [1, 6, 11, 16, 21].map((hour) => DAY.options.startAt + hour * HOUR);

export interface FakeRig {
  readonly fake: FakeServer;
  readonly clock: Clock & { advance(ms: number): void };
  readonly connector: ProviderConnector;
  readonly signal: AbortSignal;
  /** Puts the clock there. */
  at(time: number): void;
}

/** A fake of the day with its connector, and the clock that both share. */
export async function withFake(
  made: {
    readonly vendor: (clock: Clock) => Vendor;
    readonly connector: (options: { url: string; clock: Clock; http: ProviderHttp }) => ProviderConnector;
    readonly scenario?: Scenario;
    readonly callsPerMinuteMax?: number;
  },
  run: (rig: FakeRig) => Promise<void>,
): Promise<void> {
  const scenario = made.scenario ?? DAY;
  const clock = stillClock(scenario.options.startAt);
  const { callsPerMinuteMax = 1_000_000 } = made;
  const fake = await startFake(made.vendor(clock), { scenario, clock, port: 0, callsPerMinuteMax });
  const http = createProviderHttp({ clock });
  const connector = made.connector({ url: fake.url, clock, http });
  try {
    const at = (time: number) => clock.advance(time - clock.now());
    await run({ fake, clock, connector, at, signal: new AbortController().signal });
  } finally {
    await http.close();
    await fake.close();
  }
}

/** The reservation that a mail about a flight of the day makes. */
export function flightReservation(flight: Flight, change: Partial<Reservation> = {}): Reservation {
  const time = (at: number, zone: string) =>
    Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toString();
  return reservation(
    {
      kind: 'flight',
      facts: {
        'carrier.code': flight.carrier,
        number: flight.number,
        'start.code': flight.from,
        'end.code': flight.to,
        'start.scheduled': time(flight.initial.departureScheduled, flight.fromZone),
        'end.scheduled': time(flight.initial.arrivalScheduled, flight.toZone),
      },
    },
    change,
  );
}

const ms = (value: unknown): number | undefined =>
  typeof value === 'string' ? Temporal.ZonedDateTime.from(value).epochMilliseconds : undefined;

/** A flight-status answer says what the day says. */
export function flightAgrees(answer: Answer, flight: Flight, at: number): void {
  const truth = flightAt(flight, at);
  const of = (path: string) => answer.legs[0]!.facts[path]?.value;
  const where = `${flight.id} at ${new Date(at).toISOString()}`;
  assert.equal(ms(of('start.scheduled')), truth.departureScheduled, where);
  assert.equal(ms(of('end.scheduled')), truth.arrivalScheduled, where);
  const late = truth.departureEstimated === truth.departureScheduled ? undefined : truth.departureEstimated;
  const said = ms(of('start.estimated'));
  assert.equal(said === truth.departureScheduled ? undefined : said, late, where);
  assert.equal(of('start.gate'), truth.departureGate, where);
  assert.equal(of('end.belt'), truth.belt, where);
  assert.equal(of('start.code'), flight.from);
  assert.equal(of('end.code'), flight.to);
  const cancelled = ['cancelled', 'cancelled-uncertain'].includes(String(of('operation')));
  assert.equal(cancelled, truth.status === 'Canceled', where);
  assert.equal(of('operation') === 'diverted', truth.status === 'Diverted', where);
}

/** What a booking system says of a flight booking: the plan and whether it stands; no gates, no estimates. */
export function airAgrees(answer: Answer, booking: AirBooking, flights: readonly Flight[], at: number): void {
  const cancelled = cancelledBy(booking, at);
  assert.equal(answer.facts.status?.value === 'cancelled', cancelled, booking.id);
  for (const flight of flights) {
    const truth = flightAt(flight, at);
    const leg = answer.legs.find((one) => one.facts['start.code']?.value === flight.from);
    if (cancelled && leg === undefined) continue;
    assert.ok(leg, `${booking.id} has ${flight.id}`);
    assert.equal(ms(leg.facts['start.scheduled']?.value), truth.departureScheduled, `${booking.id} ${flight.id}`);
    assert.equal(leg.facts.status?.value === 'cancelled', cancelled, booking.id);
  }
}

/** What a booking system says of a stay or a rental. */
export function placeAgrees(answer: Answer, booking: PlaceBooking, at: number): void {
  const cancelled = cancelledBy(booking, at);
  assert.equal(answer.facts.status?.value === 'cancelled', cancelled, booking.id);
  const [leg] = answer.legs;
  assert.equal(leg?.kind, booking.kind);
  if (cancelled && leg?.facts['start.scheduled'] === undefined) return;
  assert.equal(String(leg?.facts['start.scheduled']?.value).slice(0, 10), booking.startDay);
  assert.equal(String(leg?.facts['end.scheduled']?.value).slice(0, 10), endDayAt(booking, at), booking.id);
}
