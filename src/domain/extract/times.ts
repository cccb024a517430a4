import { type Airport, distanceKm } from '../geo/airports.ts';
import { type OffsetReading, type ParsedTime, parseClock, parseTravelTime, resolveTime } from '../time/printed-time.ts';
import { epochMsOf } from '../time/travel-time.ts';
import type { FactWriter, Warnings } from './draft.ts';
import { isObject, type JsonObject, type JsonValue } from './json-repair.ts';
import { list, text } from './node.ts';
import type { Place } from './places.ts';

/** A time as a node states it, with the property it was found at. */
export interface StatedTime {
  readonly parsed: ParsedTime;
  readonly raw: string;
  readonly property: string;
}

/**
 * The first readable time among some properties: a text, a number of epoch digits is none, an object with `@value` and
 * `timezone`. What is there but unreadable is warned about.
 */
export function statedTime(
  node: JsonObject,
  properties: readonly string[],
  prefix: string,
  warnings: Warnings,
  where: string,
): StatedTime | undefined {
  for (const name of properties) {
    for (const one of list(node[name])) {
      const raw = isObject(one) ? text(one['@value'] ?? one.value ?? one.dateTime ?? one.date) : text(one);
      if (raw === '') continue;
      const zone = isObject(one) ? text(one.timezone ?? one.timeZone) : '';
      const parsed = parseTravelTime(raw, zone === '' ? undefined : zone);
      const property = prefix === '' ? name : `${prefix}.${name}`;
      if (parsed !== undefined) return { parsed, raw, property };
      // A check-in time of `15:00` beside a check-in date is read with that date (see stayTime).
      if (parseClock(raw) === undefined)
        warnings.add(
          'unreadable-time',
          `"${raw.slice(0, 60)}" is no time that can be read`,
          `${where}, ${property}`,
          raw,
        );
    }
  }
  return undefined;
}

/** A day beside a time of day: `checkinDate: 2026-12-01`, `checkinTime: 15:00`. */
export function withClock(stated: StatedTime | undefined, clockValue: JsonValue | undefined): StatedTime | undefined {
  if (stated === undefined || stated.parsed.time !== undefined) return stated;
  const at = parseClock(text(clockValue));
  if (at === undefined || at.hour === 24) return stated;
  return {
    ...stated,
    parsed: { ...stated.parsed, time: `${clockText(at)}:00` },
    raw: `${stated.raw} ${text(clockValue)}`,
  };
}

/**
 * A check-in that is stated as hours, `15:00 - 22:00` or an interval of two times: from when on, and until what time of day
 * (`22:00`). Undefined: it is one time, or none.
 */
export function hoursOf(value: JsonValue | undefined): { readonly from: string; readonly until: string } | undefined {
  const parts = text(value)
    .slice(0, HOURS_CHARS_MAX)
    .replace(/^(?:from|von|ab)\s+/i, '')
    .split(/\s*[–—/]\s*|\s+(?:-|to|until|till|bis)\s+|(?<=\d)-(?=\d{1,2}:\d{2}$)/i);
  const [from, last] = parts;
  if (parts.length !== 2 || from === undefined || last === undefined) return undefined;
  const at = parseClock(last);
  const until = at === undefined ? parseTravelTime(last)?.time : clockText(at);
  if (until === undefined || (at === undefined) !== (parseClock(from) === undefined)) return undefined;
  return parseClock(from) === undefined && parseTravelTime(from)?.time === undefined
    ? undefined
    : { from, until: until.slice(0, 5) };
}

const HOURS_CHARS_MAX = 80;

function clockText({ hour, minute }: { readonly hour: number; readonly minute: number }): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(hour % 24)}:${two(minute)}`;
}

/** Midnight and the last minute of a day stand for the day where nobody arrives at night by plan. */
export function dayIfMidnight(stated: StatedTime | undefined): StatedTime | undefined {
  if (stated?.parsed.time === undefined || !/^(?:00:00|23:59)/.test(stated.parsed.time)) return stated;
  return { ...stated, parsed: { date: stated.parsed.date } };
}

/** Writes a time at a place whose offset is believed as printed (hotels, stations): the zone only names it. */
export function writeTimeAsPrinted(
  path: string,
  stated: StatedTime | undefined,
  zone: string | undefined,
  facts: FactWriter,
): void {
  if (stated === undefined) return;
  const { parsed } = stated;
  let value = resolveTime(parsed, parsed.offset === undefined ? zone : undefined).value;
  if (parsed.offset !== undefined && zone !== undefined) {
    const there = resolveTime(parsed, zone, 'instant').value;
    if (there.startsWith(value)) value = there;
  }
  facts.set(path, value, stated.property, stated.raw);
}

interface FlightTimes {
  readonly departure: StatedTime | undefined;
  readonly arrival: StatedTime | undefined;
  readonly boarding: StatedTime | undefined;
}

/**
 * Writes the times of a flight in the zones of its airports. Where a printed offset contradicts an airport's zone, the
 * usual reading (UTC is an instant, any other offset a slip beside a true wall clock) is checked against the distance:
 * if it makes the flight impossibly short or long and the other reading does not, the other one is taken.
 */
export function writeFlightTimes(
  times: FlightTimes,
  from: Place,
  to: Place,
  facts: FactWriter,
  warnings: Warnings,
  where: string,
): void {
  const reading = plausibleReading(times, from, to);
  const write = (path: string, stated: StatedTime | undefined, place: Place) => {
    if (stated === undefined) return;
    const resolved = resolveTime(stated.parsed, place.zone, reading);
    facts.set(path, resolved.value, stated.property, stated.raw);
    if (resolved.note !== undefined) {
      warnings.add(
        'offset-contradicts-zone',
        `the offset of "${stated.raw}" is not that of ${place.zone ?? 'the place'} on that day; the local time was believed`,
        `${where}, ${stated.property}`,
        stated.raw,
      );
    }
  };
  write('start.scheduled', times.departure, from);
  write('end.scheduled', times.arrival, to);
  write('start.boarding', times.boarding, from);
}

/** Whether a scheduled flight between two airports may take so many hours. */
export function plausibleFlight(hours: number, from: Airport, to: Airport): boolean {
  const expected = 0.6 + distanceKm(from, to) / 800;
  return hours >= expected * 0.5 - 0.3 && hours <= expected * 2 + 2;
}

function plausibleReading(times: FlightTimes, from: Place, to: Place): OffsetReading | undefined {
  if (times.departure?.parsed.offset === undefined && times.arrival?.parsed.offset === undefined) return undefined;
  if (
    from.airport === undefined ||
    to.airport === undefined ||
    times.departure === undefined ||
    times.arrival === undefined
  )
    return undefined;
  const { departure, arrival } = times;
  const hours = (reading: OffsetReading | undefined) => {
    const start = epochMsOf(resolveTime(departure.parsed, from.zone, reading).value);
    const end = epochMsOf(resolveTime(arrival.parsed, to.zone, reading).value);
    return start === undefined || end === undefined ? Number.NaN : (end - start) / 3_600_000;
  };
  const { airport: origin } = from;
  const { airport: destination } = to;
  const plausible = (h: number) => plausibleFlight(h, origin, destination);
  const usual = hours(undefined);
  if (Number.isNaN(usual) || plausible(usual)) return undefined;
  return (['wall-clock', 'instant'] as const).find((reading) => plausible(hours(reading)));
}
