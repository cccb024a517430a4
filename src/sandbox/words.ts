import { indexOf } from './scenario/state.ts';
import { AIRPORTS } from './scenario/tables.ts';
import { clockOf } from './scenario/time.ts';
import type { Fault, Flight, MailPlan, Scenario } from './scenario/types.ts';

/** Lines of the live log, in UTC: `06:40  LH 400 Frankfurt → New York: gate A13 → B22`. */

export function line(at: number, text: string): string {
  return `${clockOf(Math.max(0, at), 'UTC')}  ${text}`;
}

export function flightName(flight: Flight): string {
  return `${flight.carrier} ${flight.number} ${cityOf(flight.from)} → ${cityOf(flight.to)}`;
}

export function cityOf(code: string): string {
  const airport = AIRPORTS.find((one) => one.code === code);
  return airport === undefined || airport.city === ''
    ? code
    : airport.city.replace(/\s*\(.*$/, '').replace(/^.*, /, '');
}

/** Everything that the sandbox does by itself, as lines with their time, in order. */
export function happenings(scenario: Scenario): readonly { readonly at: number; readonly text: string }[] {
  const { startAt } = scenario.options;
  const flights = scenario.flights.flatMap((flight) =>
    flight.steps
      .filter((step) => step.words !== '' && step.at >= startAt && step.at <= scenario.endAt)
      .map((step) => ({ at: step.at, text: `${flightName(flight)}: ${step.words}` })),
  );
  const faults = scenario.faults
    .filter((fault) => fault.share >= 1)
    .map((fault) => ({
      at: fault.from,
      text: `${LABELS[fault.provider] ?? fault.provider} ${FAULTS[fault.kind]} for ${(fault.to - fault.from) / 60_000} minutes`,
    }));
  return [...flights, ...faults].sort((a, b) => a.at - b.at);
}

const LABELS: Readonly<Record<string, string>> = {
  aerodatabox: 'The flight-status feed',
  duffel: 'The booking system',
};
const FAULTS: Readonly<Record<Fault['kind'], string>> = {
  wall: 'refuses everyone (429)',
  outage: 'is down',
  slow: 'is slow',
  truncated: 'breaks off answers',
  other: 'answers about something else',
};

export function mailWords(scenario: Scenario, plan: MailPlan): string {
  const person = scenario.people[plan.to]!;
  const name = `${person.given} ${person.family}`;
  if (plan.purpose === 'promo') return `advertisement to ${name}`;
  const booking = indexOf(scenario).booking(plan.booking!);
  const what = { flight: 'flight', stay: 'hotel', rental: 'car' }[booking.kind];
  const purpose = {
    confirmation: 'confirmation',
    change: 'change',
    cancellation: 'cancellation',
    'bare-cancellation': 'cancellation',
    lie: 'false cancellation',
  }[plan.purpose];
  return `mail to ${name}: ${what} ${purpose} ${booking.reference}${plan.sameAs === undefined ? '' : ' (again)'}${plan.attached ? ' (forwarded)' : ''}`;
}
