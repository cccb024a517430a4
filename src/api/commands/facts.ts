import {
  BOOKING_PATHS,
  type Fact,
  type Facts,
  type FactValue,
  KINDS,
  LEG_PATHS,
  personKey,
} from '../../domain/facts.ts';
import { airportByCode } from '../../domain/geo/airports.ts';
import { canonicalTime, parseZoned, timePrecision } from '../../domain/time/travel-time.ts';
import { Problem } from '../problems.ts';

/** Checks and spells what a person typed, so that it compares with what other sources say. */

const PASSENGER = /^passenger\.([^.]{1,100})\.(name|seat|section|ticket|group|sequence|class)$/;
const TIME = /^(start|end)\.(scheduled|estimated|actual|boarding)$/;
const STATUSES = ['confirmed', 'pending', 'hold', 'cancelled'];
const EVIDENCE = { where: 'entered by hand' };

/** `zones`: the zone of start and end where the leg already knows it. Errors: `field-unknown`, `field-invalid`. */
export function checkedFacts(
  values: Readonly<Record<string, FactValue>>,
  of: 'booking' | 'leg',
  zones: { readonly start?: string | undefined; readonly end?: string | undefined } = {},
): Facts {
  const known = of === 'booking' ? BOOKING_PATHS : LEG_PATHS;
  const facts: Record<string, Fact> = {};
  for (const [given, value] of Object.entries(values)) {
    const path = spelledPath(given);
    if (!Object.hasOwn(known, path) && !(of === 'leg' && PASSENGER.test(path))) {
      throw new Problem(
        'field-unknown',
        `"${given}" is no field of a ${of}. Fields are ${Object.keys(known).slice(0, 12).join(', ')}, …; docs/glossary.md lists them all.`,
      );
    }
    if (path === 'removed')
      throw new Problem('field-invalid', '"removed" is not set by hand: DELETE the reservation instead.');
    facts[path] = { value: value === null ? null : checkedValue(path, value, values, zones), evidence: EVIDENCE };
  }
  return facts;
}

function spelledPath(path: string): string {
  const match = PASSENGER.exec(path);
  return match === null ? path : `passenger.${personKey(match[1] ?? '')}.${match[2]}`;
}

function checkedValue(
  path: string,
  value: string | number | boolean,
  all: Readonly<Record<string, FactValue>>,
  zones: { readonly start?: string | undefined; readonly end?: string | undefined },
): FactValue {
  const text = String(value).trim();
  if (TIME.test(path)) return checkedTime(path, text, all, zones);
  if (path === 'status' && !STATUSES.includes(text)) throw invalid(path, text, `one of ${STATUSES.join(', ')}`);
  if (path === 'kind' && !KINDS.some((kind) => kind === text)) throw invalid(path, text, `one of ${KINDS.join(', ')}`);
  if (path.endsWith('.zone') && !isZone(text)) throw invalid(path, text, 'an IANA time zone such as Europe/Berlin');
  if (path.startsWith('url.') && !/^https:\/\/[^\s]+$/.test(text)) throw invalid(path, text, 'an https:// address');
  if (path === 'price.amount' && !/^\d{1,12}(\.\d{1,4})?$/.test(text))
    throw invalid(path, text, 'a number such as 129.90');
  if (path === 'price.currency' && !/^[A-Z]{3}$/.test(text)) throw invalid(path, text, 'a currency code such as EUR');
  if (path === 'bookedAt') return checkedInstant(path, text);
  if (text === '') throw invalid(path, text, 'a value, or null to say that there is none');
  return path.endsWith('.code') ? text.toUpperCase() : text;
}

function checkedTime(
  path: string,
  text: string,
  all: Readonly<Record<string, FactValue>>,
  zones: { readonly start?: string | undefined; readonly end?: string | undefined },
): string {
  const side = path.startsWith('start') ? 'start' : 'end';
  const wanted = 'a time such as 2026-12-01T10:05:00+01:00[Europe/Berlin], 2026-12-01T10:05 (local time) or 2026-12-01';
  const precision = timePrecision(text);
  if (precision === undefined) throw invalid(path, text, wanted);
  const code = all[`${side}.code`];
  const zone = all[`${side}.zone`] ?? (typeof code === 'string' ? airportByCode(code)?.zone : undefined) ?? zones[side];
  try {
    if (precision === 'day') return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString();
    if (precision === 'local') Temporal.PlainDateTime.from(text, { overflow: 'reject' });
  } catch {
    throw invalid(path, text, 'a day and time that exist');
  }
  const zoned = parseZoned(text, typeof zone === 'string' ? zone : undefined);
  if (zoned !== undefined) return zoned.toString({ smallestUnit: 'second' });
  if (precision === 'zoned') throw invalid(path, text, wanted);
  return canonicalTime(text);
}

function checkedInstant(path: string, text: string): string {
  try {
    return Temporal.Instant.from(text).toString();
  } catch {
    throw invalid(path, text, 'an instant such as 2026-12-01T09:05:00Z');
  }
}

function isZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

function invalid(path: string, text: string, wanted: string): Problem {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new Problem('field-invalid', `"${path}" cannot be "${shown}". Write ${wanted}.`, [
    { path: `facts.${path}`, message: `expected ${wanted}` },
  ]);
}
