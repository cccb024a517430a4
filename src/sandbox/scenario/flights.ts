import { type Airport, distanceKm } from '../../domain/geo/airports.ts';
import { type Rng, rng } from '../random.ts';
import { AIRCRAFT, AIRLINES, AIRPORTS, type Airline } from './tables.ts';
import { addDays, clockOf, instantOf, localDayOf } from './time.ts';
import { type DayOptions, type Flight, type FlightState, type FlightStep, HOUR, MINUTE, type Script } from './types.ts';

/** One of each in every day, however small; more of them by weight in bigger ones. */
const ALWAYS: readonly Script[] = [
  'delay-growing',
  'gate-change',
  'cancelled',
  'reinstated',
  'delay-recovers',
  'schedule-change',
  'terminal-change',
  'diverted',
  'past-midnight',
  'delay-growing',
];
const WEIGHTED: readonly Script[] = [
  ...Array<Script>(10).fill('plain'),
  ...Array<Script>(4).fill('delay'),
  ...Array<Script>(3).fill('gate-change'),
  'delay-growing',
  'delay-growing',
  'delay-recovers',
  'terminal-change',
  'cancelled',
];

export function makeFlights(options: DayOptions): readonly Flight[] {
  const taken = new Set<string>();
  const flights: Flight[] = [];
  for (let index = 0; flights.length < options.flights; index++) {
    const draw = rng(options.seed, 'flight', index);
    const script = ALWAYS[index] ?? draw.pick(WEIGHTED);
    const flight = makeFlight(options, draw, script, taken);
    flights.push(flight);
    // One number often flies on from where it landed: the feed answers such a number with two items.
    const onward =
      script === 'plain' && draw.chance(0.3) && flights.length < options.flights
        ? onwardOf(options, draw, flight)
        : undefined;
    if (onward !== undefined) flights.push(onward);
  }
  return flights;
}

function makeFlight(options: DayOptions, draw: Rng, script: Script, taken: Set<string>): Flight {
  const airline = draw.pick(AIRLINES);
  const from = airport(draw.pick(airline.hubs));
  const to = draw.pick(AIRPORTS.filter((one) => one !== from && distanceKm(from, one) > 350));
  const number = freshNumber(draw, airline.code, taken);
  const departure = script === 'past-midnight' ? lateEvening(options, draw, from) : anyTime(options, draw, script);
  return flightOf(options, draw, { airline, from, to, number, script, departure, taken });
}

/** The same number onward, two hours after the first leg lands; only where it still leaves on the same local day. */
function onwardOf(options: DayOptions, draw: Rng, first: Flight): Flight | undefined {
  const from = airport(first.to);
  const departure = Math.ceil((first.initial.arrivalScheduled + 2 * HOUR) / (5 * MINUTE)) * 5 * MINUTE;
  if (localDayOf(departure, from.zone) !== first.day || departure > options.startAt + options.hours * HOUR) return;
  const to = draw.pick(AIRPORTS.filter((one) => one.code !== first.from && distanceKm(from, one) > 350));
  const airline = AIRLINES.find((one) => one.code === first.carrier)!;
  return flightOf(options, draw, { airline, from, to, number: first.number, script: 'plain', departure });
}

interface Route {
  readonly airline: Airline;
  readonly from: Airport;
  readonly to: Airport;
  readonly number: string;
  readonly script: Script;
  readonly departure: number;
  readonly taken?: Set<string>;
}

function flightOf(options: DayOptions, draw: Rng, route: Route): Flight {
  const { airline, from, to, number, script, departure } = route;
  const duration = (40 + Math.round(distanceKm(from, to) / 14 / 5) * 5) * MINUTE;
  const day = localDayOf(departure, from.zone);
  const partner = AIRLINES.find((one) => one.code === airline.partner);
  const initial: FlightState = {
    status: 'Expected',
    departureScheduled: departure,
    arrivalScheduled: departure + duration,
    departureTerminal: draw.pick(['1', '2', '3', 'A', 'B']),
    arrivalTerminal: draw.pick(['1', '2', '5', 'C']),
  };
  return {
    id: `${airline.code}${number}/${day}/${from.code}`,
    carrier: airline.code,
    carrierName: airline.name,
    number,
    from: from.code,
    to: to.code,
    fromZone: from.zone,
    toZone: to.zone,
    day,
    aircraft: draw.pick(AIRCRAFT),
    ...(partner === undefined || route.taken === undefined || !draw.chance(0.4)
      ? {}
      : {
          codeshare: {
            carrier: partner.code,
            carrierName: partner.name,
            number: freshNumber(draw, partner.code, route.taken),
          },
        }),
    script,
    initial,
    steps: stepsOf(options, draw, script, initial, from),
  };
}

function airport(code: string): Airport {
  return AIRPORTS.find((one) => one.code === code)!;
}

function freshNumber(draw: Rng, carrier: string, taken: Set<string>): string {
  for (;;) {
    const number = String(draw.int(11, 6999));
    if (taken.has(carrier + number)) continue;
    taken.add(carrier + number);
    return number;
  }
}

/** First and last instant of departure: late enough that its mails can come first, early enough to leave in the day. */
function departures(options: DayOptions): readonly [number, number] {
  const length = options.hours * HOUR;
  return [options.startAt + Math.max(2 * HOUR, length * 0.25), options.startAt + Math.max(2.5 * HOUR, length - HOUR)];
}

/** What happens long before departure needs a day that has begun long before. */
const EARLY_SCRIPTS: readonly Script[] = ['cancelled', 'reinstated', 'schedule-change'];

function anyTime(options: DayOptions, draw: Rng, script: Script = 'plain'): number {
  const [earliest, last] = departures(options);
  const first = EARLY_SCRIPTS.includes(script)
    ? Math.min(last, Math.max(earliest, options.startAt + 6 * HOUR))
    : earliest;
  return Math.round((first + draw.number() * (last - first)) / (5 * MINUTE)) * 5 * MINUTE;
}

/** 22:50 to 23:40 at the origin, within the day if it has such an evening, else as close as it gets. */
function lateEvening(options: DayOptions, draw: Rng, from: Airport): number {
  const [first, last] = departures(options);
  const time = draw.pick(['22:50', '23:05', '23:20', '23:40']);
  const today = localDayOf(first, from.zone);
  const evenings = [0, 1].map((days) => instantOf(addDays(today, days), time, from.zone));
  return evenings.find((at) => at >= first && at <= last) ?? anyTime(options, draw);
}

/** The life of a flight, from check-in to the belt, with what its script does to it. */
function stepsOf(
  options: DayOptions,
  draw: Rng,
  script: Script,
  initial: FlightState,
  from: Airport,
): readonly FlightStep[] {
  const steps: FlightStep[] = [];
  const add = (at: number, set: Partial<FlightState>, words = ''): void => {
    steps.push({ at: Math.round(at / MINUTE) * MINUTE, set, words });
  };
  const room = (initial.departureScheduled - options.startAt) * 0.8;
  let departure = initial.departureScheduled;
  let arrival = initial.arrivalScheduled;
  if (script === 'schedule-change') {
    const moved = draw.int(6, 18) * 5 * MINUTE;
    const sameDay = localDayOf(departure + moved, from.zone) === localDayOf(departure, from.zone);
    const shift = sameDay ? moved : -moved / 2 - ((moved / 2) % (5 * MINUTE));
    const at = departure - Math.min(5 * HOUR, room * 0.75);
    departure += shift;
    arrival += shift;
    add(
      at,
      { departureScheduled: departure, arrivalScheduled: arrival },
      `new schedule: leaves ${clockOf(departure, from.zone)} instead of ${clockOf(departure - shift, from.zone)}`,
    );
  }
  /** An instant that many minutes before the scheduled departure; nearer where the day is too young for it. */
  const before = (minutes: number): number => departure - Math.min(minutes * MINUTE, room);

  if (script === 'cancelled') {
    add(before(draw.int(90, 240)), { status: 'Canceled' }, 'cancelled');
  } else if (script === 'reinstated') {
    add(before(230), { status: 'Canceled' }, 'cancelled');
    add(before(230) + 0.3 * (before(150) - before(230)) + 10 * MINUTE, { status: 'Expected' }, 'flies after all');
  }
  const opens = script === 'reinstated' ? 140 : 180;
  add(before(opens), { status: 'CheckIn', desk: `${draw.int(100, 480)}` });

  const gate = `${draw.pick(['A', 'B', 'C', 'D'])}${draw.int(1, 60)}`;
  const gateAt = before(draw.int(105, 135));
  const newTerminal = draw.pick(['4', '5', 'D', 'E']);
  add(gateAt, { departureGate: gate }, `gate ${gate}`);
  if (script === 'gate-change' || script === 'terminal-change') {
    const other = `${draw.pick(['E', 'F', 'G', 'H'])}${draw.int(1, 60)}`;
    const terminal = script === 'terminal-change';
    add(
      departure - draw.int(52, 70) * MINUTE,
      { departureGate: other, ...(terminal ? { departureTerminal: newTerminal } : {}) },
      `gate ${gate} → ${other}${terminal ? `, terminal ${initial.departureTerminal} → ${newTerminal}` : ''}`,
    );
  }
  let late = 0;
  for (const [minutesBefore, minutes] of delaysOf(script, draw)) {
    late = minutes * MINUTE;
    const leaves = departure + late;
    add(
      departure - minutesBefore * MINUTE,
      {
        ...(minutes >= 15 ? { status: 'Delayed' } : { status: 'Expected' }),
        departureEstimated: leaves,
        arrivalEstimated: arrival + late,
      } as Partial<FlightState>,
      minutes === 0 ? 'on time again' : `${minutes} minutes late, leaves ${clockOf(leaves, from.zone)}`,
    );
  }
  const leaves = departure + late;
  const airborne = leaves + draw.int(14, 20) * MINUTE;
  const landing = arrival + late + draw.int(-2, 1) * 5 * MINUTE;
  add(leaves - 40 * MINUTE, { status: 'Boarding' }, 'boarding');
  add(leaves - 15 * MINUTE, { status: 'GateClosed' });
  if (draw.chance(0.15)) add(leaves - 8 * MINUTE, { status: 'Taxiing' });
  add(leaves, { status: 'Departed', departureEstimated: leaves });
  add(airborne, { status: 'EnRoute', departureActual: airborne, arrivalEstimated: landing }, 'in the air');
  if (script === 'diverted') {
    add(landing - 30 * MINUTE, { status: 'Diverted' }, 'diverted');
    return tidy(steps);
  }
  const belt = String(draw.int(1, 22));
  add(landing - 25 * MINUTE, { belt }, `belt ${belt}`);
  add(landing - 15 * MINUTE, { status: 'Approaching' });
  add(landing + MINUTE, { status: 'Arrived', arrivalActual: landing }, 'landed');
  return tidy(steps);
}

/** Minutes before the schedule at which it is said, and how late it then is. */
function delaysOf(script: Script, draw: Rng): readonly (readonly [number, number])[] {
  switch (script) {
    case 'delay':
      return [[draw.int(60, 95), draw.int(4, 14) * 5]];
    case 'delay-growing':
      return [
        [98, 25],
        [60, 50],
        [25, 85],
      ];
    case 'delay-recovers':
      return [
        [95, 60],
        [75, 30],
        [50, 0],
      ];
    case 'past-midnight':
      return [
        [90, 40],
        [35, 105],
      ];
    default:
      return [];
  }
}

/** In order, one a minute, and nothing after a cancellation that stands. */
function tidy(steps: readonly FlightStep[]): readonly FlightStep[] {
  const out: FlightStep[] = [];
  for (const step of [...steps].sort((a, b) => a.at - b.at)) {
    const last = out.at(-1);
    out.push(last !== undefined && step.at <= last.at ? { ...step, at: last.at + MINUTE } : step);
  }
  const cancelled = out.findIndex((step) => step.set.status === 'Canceled');
  const revived = out.some((step, index) => index > cancelled && step.set.status === 'Expected' && step.words !== '');
  return cancelled >= 0 && !revived ? out.slice(0, cancelled + 1) : out;
}
