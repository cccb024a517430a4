import type { CalendarEvent } from './ical-events.ts';
import type { JsonObject, JsonValue } from './json-repair.ts';

/**
 * Journeys that a description lists leg by leg. Two forms are common: timetable exports, in any language
 * (`ab 10:26 Frankfurt(Main)Hbf - Gleis 19 (ICE 16)` / `an 11:33 Köln Hbf - Gleis 6`), and the British journey planner
 * (`Journey Details: A (AAA) to B (BBB), dep 12:40, arr 17:12`).
 */
export function bodyLegs(event: CalendarEvent): readonly JsonObject[] {
  const day = dayOf(event.start);
  if (day === undefined) return [];
  const legs = [...timetableLegs(event.lines), ...plannerLegs(event.lines)].slice(0, 50);
  // The calendar's zone is only known to hold where the journey starts and ends.
  const startZone = zoneOf(event.start);
  const endZone = zoneOf(event.end);
  const clock = new RollingDay(day);
  return legs.map((leg, index) => {
    const departure = clock.at(leg.departure);
    const arrival = clock.at(leg.arrival);
    const words = leg.bus ? BUS : TRAIN;
    return {
      '@type': words.reservation,
      reservationFor: {
        '@type': words.trip,
        ...(leg.number === '' ? {} : { [words.number]: leg.number }),
        [`departure${words.stop}`]: { name: leg.from, ...inCountry(leg.country) },
        [`arrival${words.stop}`]: { name: leg.to, ...inCountry(leg.country) },
        departureTime: index === 0 ? zoned(departure, startZone) : departure,
        arrivalTime: index === legs.length - 1 ? zoned(arrival, endZone) : arrival,
        ...(leg.departurePlatform === '' ? {} : { departurePlatform: leg.departurePlatform }),
        ...(leg.arrivalPlatform === '' ? {} : { arrivalPlatform: leg.arrivalPlatform }),
        ...(leg.company === '' ? {} : { provider: { name: leg.company } }),
      },
    };
  });
}

const TRAIN = { reservation: 'TrainReservation', trip: 'TrainTrip', number: 'trainNumber', stop: 'Station' } as const;
const BUS = { reservation: 'BusReservation', trip: 'BusTrip', number: 'busNumber', stop: 'BusStop' } as const;

interface BodyLeg {
  readonly bus: boolean;
  readonly number: string;
  readonly from: string;
  readonly to: string;
  readonly departure: string;
  readonly arrival: string;
  readonly departurePlatform: string;
  readonly arrivalPlatform: string;
  readonly company: string;
  /** ISO code where the form of the list tells it. */
  readonly country: string;
}

const STOP = String.raw`^\p{L}{1,8}\.?\s+(\d{1,2}:\d{2})\s+(.+?)(?:\s+-\s+\p{L}+\.?\s+([\p{L}\d /-]{1,12}))?\s*`;
/** A departure ends with the train in parentheses; letters then digits, so that remarks do not pass for one. */
const LEAVES = new RegExp(`${STOP}\\(\\s*(\\p{L}{1,8}\\s*\\d{1,6})\\s*\\)$`, 'u');
const ARRIVES = new RegExp(`${STOP}$`, 'u');

function timetableLegs(lines: readonly string[]): BodyLeg[] {
  const legs: BodyLeg[] = [];
  for (let i = 0; i + 1 < lines.length; i++) {
    const leaves = LEAVES.exec(lines[i] ?? '');
    const arrives = leaves === null ? null : ARRIVES.exec(lines[i + 1] ?? '');
    if (leaves === null || arrives === null || LEAVES.test(lines[i + 1] ?? '')) continue;
    const number = (leaves[4] ?? '').replace(/\s+/g, ' ');
    legs.push({
      bus: /^bus\b/i.test(number),
      number,
      from: leaves[2] ?? '',
      to: arrives[2] ?? '',
      departure: leaves[1] ?? '',
      arrival: arrives[1] ?? '',
      departurePlatform: (leaves[3] ?? '').trim(),
      arrivalPlatform: (arrives[3] ?? '').trim(),
      company: '',
      country: '',
    });
  }
  return legs;
}

const PLANNER =
  /^Journey Details: (.+?)(?: \([A-Z]{3}\))? to (.+?)(?: \([A-Z]{3}\))?, dep (\d{1,2}:\d{2}), arr (\d{1,2}:\d{2})$/;

function plannerLegs(lines: readonly string[]): BodyLeg[] {
  const legs: BodyLeg[] = [];
  lines.forEach((line, index) => {
    const m = PLANNER.exec(line);
    if (m === null) return;
    const details = [lines[index + 1] ?? '', lines[index + 2] ?? ''];
    const mode =
      details.map((text) => /^Mode of Transport: (.+)$/.exec(text)?.[1]).find((found) => found !== undefined) ?? '';
    if (/walk|transfer|taxi/i.test(mode)) return;
    legs.push({
      bus: /bus|coach/i.test(mode),
      number: '',
      from: m[1] ?? '',
      to: m[2] ?? '',
      departure: m[3] ?? '',
      arrival: m[4] ?? '',
      departurePlatform: '',
      arrivalPlatform: '',
      company: /^Train Company: (.+)$/.exec(details[0] ?? '')?.[1] ?? '',
      // The planner of the British railways: all of its stops are in one country.
      country: 'GB',
    });
  });
  return legs;
}

/** Gives each clock time of a journey its day: one that goes back has passed midnight. */
class RollingDay {
  private day: Temporal.PlainDate;
  private last = '';

  constructor(day: string) {
    this.day = Temporal.PlainDate.from(day);
  }

  at(clock: string): string {
    const time = clock.padStart(5, '0');
    if (this.last !== '' && time < this.last) this.day = this.day.add({ days: 1 });
    this.last = time;
    return `${this.day.toString()}T${time}:00`;
  }
}

function inCountry(country: string): JsonObject {
  return country === '' ? {} : { address: { addressCountry: country } };
}

/** The day of a time, if there is such a day: calendars hold `00000000` too. */
export function dayOf(time: JsonValue | undefined): string | undefined {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(localText(time))?.[0];
  if (day === undefined) return undefined;
  try {
    return Temporal.PlainDate.from(day).toString();
  } catch {
    return undefined;
  }
}

export function localText(time: JsonValue | undefined): string {
  if (typeof time === 'string') return time;
  const value =
    typeof time === 'object' && time !== null && !Array.isArray(time) ? (time as JsonObject)['@value'] : undefined;
  return typeof value === 'string' ? value : '';
}

export function zoneOf(time: JsonValue | undefined): string | undefined {
  const zone =
    typeof time === 'object' && time !== null && !Array.isArray(time) ? (time as JsonObject).timezone : undefined;
  return typeof zone === 'string' ? zone : undefined;
}

function zoned(time: string, zone: string | undefined): JsonValue {
  return zone === undefined ? time : { '@value': time, timezone: zone };
}
