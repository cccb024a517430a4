import { createHash } from 'node:crypto';
import { TRANSPORT_KINDS } from '../domain/facts.ts';
import {
  legCancelled,
  legTitle,
  type Point,
  pointOf,
  reservationCancelled,
  reservationRemoved,
  textOf,
} from '../domain/leg-points.ts';
import type { Leg, Reservation } from '../domain/reservation.ts';
import { isoInstant } from '../ports/clock.ts';
import type { Traveller } from '../ports/store/accounts.ts';

/**
 * A traveller's calendar (RFC 5545, 7986). Times are UTC, so that no calendar's own zone rules can move a departure; the
 * local time stands in the text. What a source only gave as local time without a zone stays floating; days stay days.
 * UID is the leg's id, SEQUENCE the reservation's version; cancelled legs stay, marked as such.
 */
export interface CalendarItem {
  readonly reservation: Reservation;
  /** Epoch ms of its last change. */
  readonly updatedAt: number;
}

export function calendar(traveller: Pick<Traveller, 'name'>, items: readonly CalendarItem[]): string {
  const events = items
    .filter(({ reservation }) => !reservationRemoved(reservation))
    .flatMap((item) => item.reservation.legs.map((leg) => ({ leg, item })))
    .sort((a, b) => (a.leg.id < b.leg.id ? -1 : 1))
    .flatMap(({ leg, item }) => eventLines(leg, item));
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Tripwatch//Tripwatch//EN',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    `NAME:${escapeText(`Trips of ${traveller.name}`)}`,
    `X-WR-CALNAME:${escapeText(`Trips of ${traveller.name}`)}`,
    'REFRESH-INTERVAL;VALUE=DURATION:PT15M',
    'X-PUBLISHED-TTL:PT15M',
    ...events,
    'END:VCALENDAR',
  ]
    .map(folded)
    .join('');
}

/** Strong: of the bytes. */
export function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
}

function eventLines(leg: Leg, { reservation, updatedAt }: CalendarItem): string[] {
  const start = pointOf(leg, 'start');
  const end = pointOf(leg, 'end');
  const times = timeLines(leg, start, end);
  if (times === undefined) return [];
  const cancelled = legCancelled(leg) || reservationCancelled(reservation);
  const place = placeOf(leg, start);
  const link = textOf(reservation.fields, 'url.manage');
  return [
    'BEGIN:VEVENT',
    `UID:${leg.id}@tripwatch`,
    `SEQUENCE:${reservation.version}`,
    `DTSTAMP:${utc(updatedAt)}`,
    `LAST-MODIFIED:${utc(updatedAt)}`,
    ...times,
    `SUMMARY:${escapeText(cancelled ? `Cancelled: ${legTitle(leg)}` : legTitle(leg))}`,
    ...(place === undefined ? [] : [`LOCATION:${escapeText(place)}`]),
    `DESCRIPTION:${escapeText(description(leg, reservation, start, end))}`,
    `STATUS:${cancelled ? 'CANCELLED' : 'CONFIRMED'}`,
    `TRANSP:${leg.kind === 'stay' || leg.kind === 'rental' || cancelled ? 'TRANSPARENT' : 'OPAQUE'}`,
    ...(link !== undefined && /^https:\/\/[\x21-\x7e]+$/.test(link) ? [`URL:${link}`] : []),
    'END:VEVENT',
  ];
}

function timeLines(leg: Leg, start: Point, end: Point): string[] | undefined {
  if (start.time === undefined) return undefined;
  // A moment needs a zone; both points in UTC, or the end is left to the start's.
  if (start.at !== undefined) {
    const until = end.at !== undefined && end.at > start.at ? [`DTEND:${utc(end.at)}`] : [];
    return [`DTSTART:${utc(start.at)}`, ...until];
  }
  if (/^\d{4}-\d{2}-\d{2}$/.test(start.time)) return dayLines(start.time, end.time, leg);
  const local = floating(start.time);
  if (local === undefined) return undefined;
  const until = end.time === undefined ? undefined : floating(end.time);
  return [`DTSTART:${local}`, ...(until !== undefined && until > local ? [`DTEND:${until}`] : [])];
}

function dayLines(from: string, to: string | undefined, leg: Leg): string[] | undefined {
  try {
    const first = Temporal.PlainDate.from(from);
    // DTEND of whole days is the day after the last; a stay's last day is the morning one leaves, which counts.
    const last = to === undefined ? first : Temporal.PlainDate.from(to.slice(0, 10));
    const after = Temporal.PlainDate.compare(last, first) > 0 ? last : first;
    const end = leg.kind === 'stay' && Temporal.PlainDate.compare(last, first) > 0 ? after : after.add({ days: 1 });
    return [`DTSTART;VALUE=DATE:${compact(first.toString())}`, `DTEND;VALUE=DATE:${compact(end.toString())}`];
  } catch {
    return undefined;
  }
}

function description(leg: Leg, reservation: Reservation, start: Point, end: Point): string {
  const transport = TRANSPORT_KINDS.includes(leg.kind);
  const field = (path: string) => textOf(leg.fields, path);
  const lines = [
    `${transport ? 'Departs' : 'From'} ${localWords(start)}${wordsOf({ terminal: field('start.terminal'), gate: field('start.gate'), platform: field('start.platform') })}`,
    end.time === undefined
      ? undefined
      : `${transport ? 'Arrives' : 'Until'} ${localWords(end)}${wordsOf({ terminal: field('end.terminal'), gate: field('end.gate'), belt: field('end.belt') })}`,
    labelled('Reference', textOf(reservation.fields, 'reference')),
    labelled('Booked with', textOf(reservation.fields, 'provider.name')),
    labelled('State', field('operation') ?? field('status')),
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}

function localWords(point: Point): string {
  const time = (point.time ?? '').slice(0, 16).replace('T', ' ');
  const zone = point.zone === undefined ? '' : ` (${point.zone})`;
  const late =
    point.lateMinutes !== undefined && point.lateMinutes !== 0
      ? `, planned ${(point.scheduled ?? '').slice(11, 16)}`
      : '';
  return `${time} local time${zone}${late}`;
}

function wordsOf(words: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(words)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `, ${name} ${value}`)
    .join('');
}

function labelled(label: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${label}: ${value}`;
}

function placeOf(leg: Leg, start: Point): string | undefined {
  const address = textOf(leg.fields, 'start.address');
  const name = leg.kind === 'stay' || leg.kind === 'restaurant' ? textOf(leg.fields, 'name') : start.name;
  const parts = [name ?? start.name ?? start.code, address ?? start.city].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : [...new Set(parts)].join(', ');
}

/** RFC 5545 3.3.11: backslash, semicolon, comma and line breaks; other control characters are not allowed at all. */
export function escapeText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\p{Cc}\u2028\u2029]/gu, (c) => (c === '\n' ? c : ' '))
    .replace(/[\\;,]/g, (c) => `\\${c}`)
    .replace(/\n/g, '\\n');
}

/** RFC 5545 3.1: at most 75 octets a line, never inside a character. With its CRLF. */
export function folded(line: string): string {
  if (Buffer.byteLength(line) <= 75) return `${line}\r\n`;
  let out = '';
  let octets = 0;
  for (const char of line.toWellFormed()) {
    const size = Buffer.byteLength(char);
    if (octets + size > 75) {
      out += '\r\n ';
      octets = 1;
    }
    out += char;
    octets += size;
  }
  return `${out}\r\n`;
}

function utc(epochMs: number): string {
  return `${compact(isoInstant(epochMs).slice(0, 19))}Z`;
}

function floating(text: string): string | undefined {
  try {
    return compact(Temporal.PlainDateTime.from(text).toString({ smallestUnit: 'second' }));
  } catch {
    return undefined;
  }
}

function compact(iso: string): string {
  return iso.replace(/[-:]/g, '');
}
