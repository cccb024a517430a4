import ICAL from 'ical.js';
import { knownZone } from '../time/printed-time.ts';
import { EXTRACTORS } from './claim.ts';
import type { Warnings } from './draft.ts';
import { type CalendarEvent, recogniseEvent } from './ical-events.ts';
import {
  type CalendarZone,
  type JCal,
  type JCalProperty,
  offsetInZone,
  readCalendarZone,
  WINDOWS_ZONES,
} from './ical-zones.ts';
import type { JsonObject, JsonValue } from './json-repair.ts';
import { parseJsonLeniently } from './json-repair.ts';
import type { ExtractLimits } from './limits.ts';
import { findReservations, type ReservationNode } from './reservation-nodes.ts';

const EVENTS_MAX = 500;

/**
 * Reservations in a calendar (RFC 5545, 5546): JSON-LD carried in an X- property is taken as it is; else the event's
 * texts are compared with the patterns of ical-events.ts. Meetings and other events are no travel. Never throws.
 */
export function readCalendar(
  text: string,
  at: { readonly where: string; readonly mailDate: string | undefined },
  limits: ExtractLimits,
  warnings: Warnings,
): readonly ReservationNode[] {
  let calendars: readonly JCal[];
  try {
    const parsed = ICAL.parse(tidy(text)) as unknown as JCal | readonly JCal[];
    calendars = typeof parsed[0] === 'string' ? [parsed as JCal] : (parsed as readonly JCal[]);
  } catch (error) {
    warnings.add(
      'calendar-invalid',
      `the calendar cannot be read: ${error instanceof Error ? error.message.slice(0, 120) : 'unknown'}`,
      at.where,
    );
    return [];
  }
  return calendars.flatMap((calendar) => {
    const cancelled = textOf(calendar, 'method').toUpperCase() === 'CANCEL';
    const zones = zonesOf(calendar);
    const events = latestOfEach(calendar[2].filter(([name]) => name === 'vevent').slice(0, EVENTS_MAX));
    return events.flatMap((event, index) => {
      const where = `${at.where}, event ${index + 1}`;
      const found = { where, extractor: EXTRACTORS.ical, mailDate: at.mailDate };
      const extra: JsonObject = {
        ...(cancelled || textOf(event, 'status').toUpperCase() === 'CANCELLED'
          ? { reservationStatus: 'Cancelled' }
          : {}),
        ...modifiedTime(event),
      };
      const carried = carriedJson(event, limits).map((value) => withExtra(value, extra));
      const nodes = carried.flatMap((value) =>
        findReservations(value, { ...found, extractor: EXTRACTORS.jsonLd }, limits),
      );
      if (nodes.length > 0) return nodes;
      return recogniseEvent(readEvent(event, zones)).flatMap((node) =>
        findReservations({ ...node, ...extra }, found, limits),
      );
    });
  });
}

/** ical.js gives up at a line that is none; blank lines and stray text are dropped. */
function tidy(text: string): string {
  return text
    .split(/\r?\n|\r/)
    .filter((line) => /^[ \t].|^[A-Za-z][\w-]*(?:;[^:]*)?:|^[A-Za-z][\w-]*;/.test(line))
    .join('\r\n');
}

/** Of several states of one event the one with the highest SEQUENCE. Repeating events are no journeys. */
function latestOfEach(events: readonly JCal[]): readonly JCal[] {
  const latest = new Map<string, JCal>();
  events.forEach((event, index) => {
    if (property(event, 'rrule') !== undefined) return;
    const key = `${textOf(event, 'uid') || `#${index}`} ${textOf(event, 'recurrence-id')} ${textOf(event, 'dtstart')}`;
    const before = latest.get(key);
    if (before === undefined || Number(textOf(event, 'sequence')) >= Number(textOf(before, 'sequence')))
      latest.set(key, event);
  });
  return [...latest.values()];
}

function property(component: JCal, name: string): JCalProperty | undefined {
  return component[1].find(([own]) => own === name);
}

function textOf(component: JCal, name: string): string {
  const value = property(component, name)?.[3];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function modifiedTime(event: JCal): JsonObject {
  const times = ['last-modified', 'dtstamp']
    .map((name) => textOf(event, name))
    .filter((text) => /^\d{4}-.*Z$/.test(text));
  const newest = times.sort().at(-1);
  return newest === undefined ? {} : { modifiedTime: newest };
}

/** JSON-LD in X- properties, whose values ical.js leaves escaped. */
function carriedJson(event: JCal, limits: ExtractLimits): readonly JsonValue[] {
  return event[1].flatMap(([name, , , value]) => {
    if (!name.startsWith('x-') || typeof value !== 'string' || !/^\s*[[{]/.test(value) || !value.includes('@type'))
      return [];
    if (value.length > limits.jsonBytesMax) return [];
    const parsed = parseJsonLeniently(value.replace(/\\([,;])/g, '$1'), limits.nodeDepthMax * 2);
    return parsed.problem === 'cut' || parsed.problem === 'invalid' ? [] : parsed.values;
  });
}

/** The calendar's own cancellation outranks what the carried data says; its time of change only fills in. */
function withExtra(value: JsonValue, extra: JsonObject): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((one) => withExtra(one, extra));
  if (typeof value !== 'object' || value === null) return value;
  const { reservationStatus, ...rest } = extra;
  return { ...rest, ...(value as JsonObject), ...(reservationStatus === undefined ? {} : { reservationStatus }) };
}

function readEvent(event: JCal, zones: ReadonlyMap<string, CalendarZone>): CalendarEvent {
  const geo = property(event, 'geo')?.[3];
  return {
    summary: oneLine(textOf(event, 'summary')),
    location: oneLine(textOf(event, 'location')),
    lines: textOf(event, 'description')
      .slice(0, DESCRIPTION_MAX)
      .split(/\r?\n/)
      .map(oneLine)
      .filter((line) => line !== ''),
    start: timeOf(property(event, 'dtstart'), zones),
    end: timeOf(property(event, 'dtend'), zones),
    geo: Array.isArray(geo) && typeof geo[0] === 'number' && typeof geo[1] === 'number' ? [geo[0], geo[1]] : undefined,
  };
}
const DESCRIPTION_MAX = 10_000;

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 500);
}

/** A time as JSON-LD: with its zone, with an offset from the calendar's own VTIMEZONE, in UTC, or floating. */
function timeOf(prop: JCalProperty | undefined, zones: ReadonlyMap<string, CalendarZone>): JsonValue | undefined {
  const value = prop?.[3];
  if (prop === undefined || typeof value !== 'string') return undefined;
  const id = prop[1].tzid;
  if (typeof id !== 'string' || !value.includes('T') || value.endsWith('Z')) return value;
  const zone = zoneName(id);
  if (zone !== undefined) return { '@value': value, timezone: zone };
  const own = zones.get(id);
  if (own === undefined) return value;
  try {
    const offset = offsetInZone(own, value);
    if (offset === undefined) return value;
    const two = (n: number) => String(n).padStart(2, '0');
    return `${value}${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  } catch {
    return value;
  }
}

/** IANA zone of a TZID: as it is, at the end of a path (`/citadel.org/2026/Europe/Berlin`), or a Windows name. */
function zoneName(id: string): string | undefined {
  const path =
    /(?:^|\/)((?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)\/[\w/+-]{2,40})$/.exec(
      id,
    )?.[1];
  const windows = WINDOWS_ZONES.get(id);
  return knownZone(path ?? id) ?? windows;
}

function zonesOf(calendar: JCal): ReadonlyMap<string, CalendarZone> {
  const zones = new Map<string, CalendarZone>();
  for (const component of calendar[2].slice(0, 50)) {
    const id = textOf(component, 'tzid');
    if (component[0] === 'vtimezone' && zoneName(id) === undefined) zones.set(id, readCalendarZone(component));
  }
  return zones;
}
