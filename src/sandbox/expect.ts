import type { Witness } from './folder.ts';
import { indexOf } from './scenario/state.ts';
import { instantOf } from './scenario/time.ts';
import {
  type AirBooking,
  type Booking,
  DAY,
  type Flight,
  type FlightState,
  type FlightStatus,
  HOUR,
  type PlaceBooking,
  type ProviderName,
  type Scenario,
} from './scenario/types.ts';

/**
 * What a good tracker would know and say, by a simple model of its own: intervals of values, made from the scenario and
 * from when the sandbox in fact handed things over. It shares no code with the product's join, diff or scheduler.
 */

export type ExpectedValue =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'time'; readonly at: number; readonly zone: string };

/** One value of one field, from when a source shows it until another takes its place. */
export interface Interval {
  readonly value: ExpectedValue | undefined;
  readonly from: number;
  readonly until: number;
  /** A change people are to be told of, not the state found at first sight. */
  readonly told: boolean;
}

export interface ExpectedField {
  readonly path: string;
  readonly intervals: readonly Interval[];
}

export interface ExpectedLeg {
  readonly label: string;
  readonly kind: Booking['kind'];
  readonly carrier?: string;
  readonly number?: string;
  readonly from?: string;
  /** Who knows its fields. */
  readonly by: ProviderName;
  readonly fields: readonly ExpectedField[];
}

export interface ExpectedBooking {
  readonly booking: Booking;
  readonly owner: number;
  /** When Tripwatch could first know of it. */
  readonly knownAt: number;
  readonly cancelledFrom: number | undefined;
  readonly legs: readonly ExpectedLeg[];
  /** Whether names are to be expected: not from a calendar alone. */
  readonly names: boolean;
}

/** Limit of the promise: from the provider showing it to our saying it. */
export const LATE_MS = 300_000;
/** How much later than the limit a value may still be missing without being held against anyone: it may be under way. */
export const GRACE_MS = 60_000;

export function expectBookings(scenario: Scenario, witness: Witness): readonly ExpectedBooking[] {
  const evidence = evidenceOf(scenario, witness);
  const out: ExpectedBooking[] = [];
  for (const booking of scenario.bookings) {
    for (const owner of booking.owners) {
      const seen = evidence.get(`${booking.id}/${owner}`);
      if (seen !== undefined) out.push(expectBooking(scenario, booking, owner, seen));
    }
  }
  return out;
}

/** When each proof of a booking reached Tripwatch. */
interface Evidence {
  registeredAt?: number;
  firstMailAt?: number;
  cancellationMailAt?: number;
  changeMailAt?: number;
  structured?: boolean;
}

function evidenceOf(scenario: Scenario, witness: Witness): ReadonlyMap<string, Evidence> {
  const all = new Map<string, Evidence>();
  const of = (booking: string, owner: number): Evidence => {
    const key = `${booking}/${owner}`;
    const known = all.get(key) ?? {};
    all.set(key, known);
    return known;
  };
  const plans = new Map(scenario.mails.map((plan) => [plan.id, plan]));
  for (const played of witness.mails) {
    const plan = plans.get(played.mail);
    if (plan?.booking === undefined || played.refused !== undefined) continue;
    const seen = of(plan.booking, plan.to);
    seen.firstMailAt = Math.min(seen.firstMailAt ?? Number.POSITIVE_INFINITY, played.at);
    // A cancellation by reference alone names nobody.
    if (plan.format !== 'ics' && plan.purpose !== 'bare-cancellation') seen.structured = true;
    if (plan.purpose === 'cancellation' || plan.purpose === 'bare-cancellation') {
      seen.cancellationMailAt = Math.min(seen.cancellationMailAt ?? Number.POSITIVE_INFINITY, played.at);
    }
    if (plan.purpose === 'change')
      seen.changeMailAt = Math.min(seen.changeMailAt ?? Number.POSITIVE_INFINITY, played.at);
  }
  for (const one of witness.registered) of(one.booking, one.owner).registeredAt = one.at;
  return all;
}

function expectBooking(scenario: Scenario, booking: Booking, owner: number, seen: Evidence): ExpectedBooking {
  const shown = seen.registeredAt === undefined ? undefined : visibleAt(scenario, 'duffel', seen.registeredAt);
  const knownAt = Math.min(shown ?? Number.POSITIVE_INFINITY, seen.firstMailAt ?? Number.POSITIVE_INFINITY);
  /** When a fact of the booking's own reaches us: from Duffel where it is followed there, else by mail. */
  const heard = (at: number | undefined, mailAt: number | undefined): number | undefined => {
    if (at === undefined) return undefined;
    return shown === undefined ? mailAt : Math.max(shown, visibleAt(scenario, 'duffel', at));
  };
  return {
    booking,
    owner,
    knownAt,
    cancelledFrom: heard(booking.cancelledAt, seen.cancellationMailAt),
    names: seen.structured === true || shown !== undefined,
    legs:
      booking.kind === 'flight'
        ? flightLegs(scenario, booking)
        : [placeLeg(booking, heard(booking.moved?.at, seen.changeMailAt))],
  };
}

function flightLegs(scenario: Scenario, booking: AirBooking): readonly ExpectedLeg[] {
  const index = indexOf(scenario);
  return booking.segments.map((segment) => {
    const flight = index.flight(segment.flight);
    return {
      label: `${segment.carrier} ${segment.number} of ${flight.day} from ${flight.from}`,
      kind: 'flight',
      carrier: segment.carrier,
      number: segment.number,
      from: flight.from,
      by: 'aerodatabox',
      fields: flightFields(scenario, flight),
    };
  });
}

const fieldsOfFlight = new WeakMap<Flight, readonly ExpectedField[]>();

function flightFields(scenario: Scenario, flight: Flight): readonly ExpectedField[] {
  const known = fieldsOfFlight.get(flight);
  if (known !== undefined) return known;
  const states: { readonly from: number; readonly facts: Map<string, ExpectedValue> }[] = [];
  let state = flight.initial;
  states.push({ from: Number.NEGATIVE_INFINITY, facts: factsOf(flight, state) });
  for (const step of flight.steps) {
    state = { ...state, ...step.set };
    states.push({ from: visibleAt(scenario, 'aerodatabox', step.at), facts: factsOf(flight, state) });
  }
  const paths = [...new Set(states.flatMap((one) => [...one.facts.keys()]))];
  const fields = paths.map((path): ExpectedField => {
    const changes: { from: number; value: ExpectedValue | undefined }[] = [];
    for (const { from, facts } of states) {
      const value = facts.get(path);
      const last = changes.at(-1);
      if (last !== undefined && same(last.value, value)) continue;
      // Two steps behind one wall become visible together: only the second one ever shows.
      if (last !== undefined && last.from === from) last.value = value;
      else changes.push({ from, value });
    }
    return {
      path,
      intervals: changes.map((change, at) => ({
        ...change,
        until: changes[at + 1]?.from ?? Number.POSITIVE_INFINITY,
        told: at > 0 && isNews(path, change.value, flight, changes[at - 1]!.value),
      })),
    };
  });
  fieldsOfFlight.set(flight, fields);
  return fields;
}

const OPERATIONS: Readonly<Record<FlightStatus, string>> = {
  Expected: 'scheduled',
  CheckIn: 'check-in',
  Boarding: 'boarding',
  GateClosed: 'gate-closed',
  Taxiing: 'unknown',
  Departed: 'departed',
  EnRoute: 'en-route',
  Delayed: 'delayed',
  Approaching: 'approaching',
  Arrived: 'arrived',
  Canceled: 'cancelled',
  Diverted: 'diverted',
};

function factsOf(flight: Flight, state: FlightState): Map<string, ExpectedValue> {
  const facts = new Map<string, ExpectedValue>();
  const text = (path: string, value: string | undefined): void => {
    if (value !== undefined) facts.set(path, { kind: 'text', value });
  };
  const time = (path: string, at: number | undefined, zone: string): void => {
    if (at !== undefined) facts.set(path, { kind: 'time', at, zone });
  };
  text('operation', OPERATIONS[state.status]);
  time('start.scheduled', state.departureScheduled, flight.fromZone);
  time('start.estimated', state.departureEstimated, flight.fromZone);
  time('start.actual', state.departureActual, flight.fromZone);
  text('start.terminal', state.departureTerminal);
  text('start.gate', state.departureGate);
  text('start.desk', state.desk);
  time('end.scheduled', state.arrivalScheduled, flight.toZone);
  time('end.estimated', state.arrivalEstimated, flight.toZone);
  time('end.actual', state.arrivalActual, flight.toZone);
  text('end.terminal', state.arrivalTerminal);
  text('end.belt', state.belt);
  return facts;
}

/** Fields whose every change is news; an estimate that repeats the schedule, or a status that says nothing, is none. */
const NEWS: ReadonlySet<string> = new Set([
  'start.scheduled',
  'start.terminal',
  'start.gate',
  'end.belt',
  'operation',
  'start.estimated',
]);
const SILENT: ReadonlySet<string> = new Set(['scheduled', 'delayed', 'unknown']);

function isNews(
  path: string,
  value: ExpectedValue | undefined,
  flight: Flight,
  before: ExpectedValue | undefined,
): boolean {
  if (!NEWS.has(path) || value === undefined) return false;
  if (path === 'operation') {
    const reinstated = before?.kind === 'text' && before.value === 'cancelled';
    return reinstated || (value.kind === 'text' && !SILENT.has(value.value));
  }
  if (path === 'start.estimated' && value.kind === 'time') {
    const schedules = [flight.initial, ...flight.steps.map((step) => step.set)].flatMap(
      (one) => one.departureScheduled ?? [],
    );
    return before !== undefined || value.at !== schedules.at(-1);
  }
  return true;
}

function placeLeg(booking: PlaceBooking, movedFrom: number | undefined): ExpectedLeg {
  const { zone } = booking.place;
  const end = (day: string): ExpectedValue => ({ kind: 'time', at: instantOf(day, booking.endTime, zone), zone });
  const start: ExpectedValue = { kind: 'time', at: instantOf(booking.startDay, booking.startTime, zone), zone };
  const always = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, told: false };
  const before: Interval = { ...always, value: end(booking.endDay), until: movedFrom ?? Number.POSITIVE_INFINITY };
  return {
    label: `${booking.place.name} from ${booking.startDay}`,
    kind: booking.kind,
    by: 'duffel',
    fields: [
      { path: 'start.scheduled', intervals: [{ ...always, value: start }] },
      {
        path: 'end.scheduled',
        intervals:
          booking.moved === undefined || movedFrom === undefined
            ? [before]
            : [before, { ...always, value: end(booking.moved.endDay), from: movedFrom, told: true }],
      },
    ],
  };
}

export function same(a: ExpectedValue | undefined, b: ExpectedValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.kind === 'text' ? b.kind === 'text' && a.value === b.value : b.kind === 'time' && a.at === b.at;
}

/** When a provider's API shows what happened at `at`: not while it refuses or is down. */
export function visibleAt(scenario: Scenario, provider: ProviderName, at: number): number {
  let shown = at;
  for (const fault of scenario.faults) {
    if (fault.provider === provider && fault.share >= 1 && shown >= fault.from && shown < fault.to) shown = fault.to;
  }
  return shown;
}

/** How much of a stretch a provider refused everyone or was down: nobody can learn anything then. */
export function awayMs(scenario: Scenario, provider: ProviderName, from: number, to: number): number {
  let away = 0;
  for (const fault of scenario.faults) {
    if (fault.provider !== provider || fault.share < 1) continue;
    away += Math.max(0, Math.min(to, fault.to) - Math.max(from, fault.from));
  }
  return away;
}

/** The instant before which everything must have come through by `now`: as far back as the promise, outages not counted. */
export function settledBy(scenario: Scenario, now: number): number {
  const back = now - LATE_MS - GRACE_MS;
  const away = (['aerodatabox', 'duffel'] as const).map((provider) => awayMs(scenario, provider, back - HOUR / 2, now));
  return back - Math.max(...away);
}

export interface CallBudget {
  readonly aerodatabox: number;
  readonly duffel: number;
}

/** As long as there may be news: half an hour after landing for the belt, three hours where a flight did not run to plan. */
function followedUntil(scenario: Scenario, flight: Flight): number {
  const { departureScheduled, arrivalScheduled } = flight.initial;
  const last = flight.steps.at(-1);
  if (last?.set.status === 'Arrived') return visibleAt(scenario, 'aerodatabox', last.at + HOUR / 2);
  return (last?.set.status === 'Canceled' ? departureScheduled : arrivalScheduled) + 3 * HOUR;
}

/**
 * Calls that coalescing allows up to `now`: one a subject and interval while anyone follows it, however many travellers,
 * one more at first sight and one at the end, a look-up a day of each reference, and one for what each push wakes.
 */
export function allowedCalls(
  scenario: Scenario,
  expected: readonly ExpectedBooking[],
  witness: Witness,
  now: number,
): CallBudget {
  const index = indexOf(scenario);
  const subjects = new Map<string, { provider: ProviderName; from: number; to: number }>();
  const follow = (provider: ProviderName, id: string, from: number, to: number): void => {
    const known = subjects.get(id);
    subjects.set(id, { provider, from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
  };
  const lookUps = new Set<string>();
  const registered = new Map(witness.registered.map((one) => [one.booking, one.at]));
  for (const { booking, knownAt, cancelledFrom } of expected) {
    const until = Math.min(now, cancelledFrom ?? now);
    let lastEnd = now;
    if (booking.kind === 'flight') {
      for (const segment of booking.segments) {
        const flight = index.flight(segment.flight);
        const end = followedUntil(scenario, flight);
        lastEnd = end;
        follow('aerodatabox', `${segment.carrier}${segment.number}/${flight.id}`, knownAt, Math.min(until, end));
      }
    }
    // A mailed reference is looked up at the booking provider once a day; where it is found, it is followed from then on.
    if (booking.kind !== 'rental') lookUps.add(booking.id);
    const at = booking.duffelId === undefined ? undefined : Math.min(knownAt, registered.get(booking.id) ?? knownAt);
    if (at !== undefined) follow('duffel', booking.id, at, Math.min(now, Math.max(lastEnd, at)));
  }
  const taken = witness.pushes.filter((one) => one.status >= 200 && one.status < 300);
  const days = Math.max(1, Math.ceil((now - scenario.options.startAt) / DAY));
  const budget = { aerodatabox: 0, duffel: new Set(taken.map((one) => one.eventId)).size + lookUps.size * days };
  for (const { provider, from, to } of subjects.values()) budget[provider] += 2 + Math.max(0, to - from) / LATE_MS;
  return budget;
}
