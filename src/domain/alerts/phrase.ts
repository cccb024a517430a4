import { TRANSPORT_KINDS } from '../facts.ts';
import { designatorOf, pointOf, textOf } from '../leg-points.ts';
import type { Leg, Reservation } from '../reservation.ts';
import { timeWriter } from '../time/writer.ts';
import type { WordKey, Words } from './words/en.ts';
import { languageOf } from './words/languages.ts';

/** What alerts are phrased with: the words of a language, and how it writes times. */
export interface Language {
  readonly words: Words;
  readonly locale: string;
}

/** The language of a BCP 47 locale; English where there are no words of it. */
export function phrasingOf(locale: string): Language {
  const found = languageOf(locale);
  try {
    // English of no country, and what there are no words of: days before months.
    const wanted = found.known && locale.toLowerCase() !== 'en' ? locale : 'en-GB';
    return { words: found.words, locale: Intl.getCanonicalLocales(wanted)[0] ?? 'en-GB' };
  } catch {
    return { words: found.words, locale: 'en-GB' };
  }
}

/** Fills the braces of a sentence; it begins with a capital. */
export function phrase({ words }: Language, key: WordKey, params: Readonly<Record<string, string>>): string {
  const text = words[key].replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `40 min`, `2 h 5 min`; never negative. */
export function duration(language: Language, minutes: number): string {
  const total = Math.abs(Math.round(minutes));
  const [h, m] = [String(Math.floor(total / 60)), String(total % 60)];
  if (total < 60) return phrase(language, 'minutes', { m });
  return phrase(language, m === '0' ? 'hours' : 'hoursMinutes', { h, m });
}

/** The clock on the wall of a place; with the day where it is another than that of `besideMs` (epoch ms). */
export function clockAt(language: Language, ms: number, zone: string, besideMs?: number): string {
  return wallText(language, wallAt(ms, zone), besideMs === undefined ? undefined : wallAt(besideMs, zone));
}

/** The same of a time as facts carry it: zoned, local, or a day alone; undefined where it cannot be read. */
export function clockOf(
  language: Language,
  time: string,
  zone: string | undefined,
  beside?: string,
): string | undefined {
  const wall = wallOf(time, zone);
  if (wall === undefined) return undefined;
  if (time.length === 10) return dayText(language, wall);
  const other = beside === undefined ? undefined : wallOf(beside, zone);
  return wallText(language, wall, other);
}

function wallAt(ms: number, zone: string): Temporal.PlainDateTime {
  const instant = Temporal.Instant.fromEpochMilliseconds(Math.trunc(ms));
  try {
    return instant.toZonedDateTimeISO(zone).toPlainDateTime();
  } catch {
    // A source may name a zone that there is not.
    return instant.toZonedDateTimeISO('UTC').toPlainDateTime();
  }
}

function wallOf(time: string, zone: string | undefined): Temporal.PlainDateTime | undefined {
  try {
    if (time.includes('[')) {
      const zoned = Temporal.ZonedDateTime.from(time, { offset: 'prefer' });
      return (zone === undefined ? zoned : zoned.withTimeZone(zone)).toPlainDateTime();
    }
    if (/(Z|[+-]\d{2}:?\d{2})$/.test(time.slice(10)) && zone !== undefined)
      return Temporal.Instant.from(time).toZonedDateTimeISO(zone).toPlainDateTime();
    return Temporal.PlainDateTime.from(time.replace(/Z$/, ''));
  } catch {
    return undefined;
  }
}

function wallText(language: Language, wall: Temporal.PlainDateTime, beside?: Temporal.PlainDateTime): string {
  const time = timeWriter(language.locale).time(wall.toPlainTime());
  if (beside === undefined || beside.toPlainDate().equals(wall.toPlainDate())) return time;
  return phrase(language, 'onDay', { time, day: dayText(language, wall) });
}

function dayText(language: Language, wall: Temporal.PlainDateTime): string {
  return timeWriter(language.locale).weekday(wall.toPlainDate());
}

/** What a leg is called: `LH 400 Frankfurt → New York`, `Hotel Adler, Vienna`; names are the same in every language. */
export function legName({ words }: Language, leg: Leg): string {
  const [start, end] = [pointOf(leg, 'start'), pointOf(leg, 'end')];
  const place = (point: typeof start) => point.city ?? point.name ?? point.code;
  if (TRANSPORT_KINDS.includes(leg.kind) || leg.kind === 'taxi') {
    const what = designatorOf(leg) ?? textOf(leg.fields, 'name') ?? words[leg.kind];
    const [from, to] = [place(start), place(end)];
    return to === undefined ? what : from === undefined ? `${what} → ${to}` : `${what} ${from} → ${to}`;
  }
  const name = textOf(leg.fields, 'name') ?? start.name;
  const city = start.city === name ? undefined : start.city;
  return [leg.kind === 'rental' && name !== undefined ? `${words.rental} (${name})` : (name ?? words[leg.kind]), city]
    .filter((part) => part !== undefined)
    .join(', ');
}

/** What a booking is called: its only leg, or its company and reference. */
export function bookingName(language: Language, reservation: Reservation): string {
  const [first, ...others] = reservation.legs;
  if (first !== undefined && others.length === 0) return legName(language, first);
  const who = textOf(reservation.fields, 'provider.name');
  const reference = textOf(reservation.fields, 'reference');
  const name = [language.words.booking, who, reference].filter((part) => part !== undefined).join(' ');
  return first === undefined || reference !== undefined ? name : `${name} (${legName(language, first)})`;
}
