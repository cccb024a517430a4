/**
 * Travel times as documents print them, and their resolution to the forms of facts.ts (read by travel-time.ts). A time without zone gets the
 * zone of its place where that is known, and stays local where it is not; never the host's zone.
 */

/** A time as read: the wall clock shown, with whatever zone stood beside it. */
export interface ParsedTime {
  /** `2026-12-01` */
  readonly date: string;
  /** `10:05:00`; absent where only the day is known. */
  readonly time?: string;
  /** Minutes east of UTC, where an offset was printed. */
  readonly offset?: number;
  /** The offset was printed as a bare `Z`: often an instant, not a place's offset. */
  readonly utc?: true;
  /** IANA zone named beside the time, if it is one that we know. */
  readonly zone?: string;
}

const MONTHS = new Map(
  [
    ['jan', 'januar', 'january', 'janvier', 'enero', 'gennaio', 'januari'],
    ['feb', 'februar', 'february', 'fevrier', 'febrero', 'febbraio', 'februari'],
    ['mar', 'marz', 'maerz', 'march', 'mars', 'marzo', 'maart'],
    ['apr', 'april', 'avril', 'abril', 'aprile'],
    ['may', 'mai', 'mayo', 'maggio', 'mei'],
    ['jun', 'june', 'juni', 'juin', 'junio', 'giugno'],
    ['jul', 'july', 'juli', 'juillet', 'julio', 'luglio'],
    ['aug', 'august', 'aout', 'agosto', 'augustus'],
    ['sep', 'sept', 'september', 'septembre', 'septiembre', 'settembre'],
    ['oct', 'okt', 'october', 'oktober', 'octobre', 'octubre', 'ottobre'],
    ['nov', 'november', 'novembre', 'noviembre'],
    ['dec', 'dez', 'december', 'dezember', 'decembre', 'diciembre', 'dicembre'],
  ].flatMap((names, index) => names.map((name) => [name, index + 1] as const)),
);

/** Before these years and after them a date is a placeholder (0001-01-01, 9999-12-31), not a journey. */
const YEAR_MIN = 1990;
const YEAR_MAX = 2100;
/** Longer texts hold no time. */
const LENGTH_MAX = 80;

const CLOCK = String.raw`(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*(am|pm|a\.m\.|p\.m\.)?`;
const OFFSET = String.raw`\s*(z|utc|gmt|[+-]\d{1,2}(?::?\d{2})?)?`;
const ISO = new RegExp(
  String.raw`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:(?:t|\s+|t\s+)${CLOCK}${OFFSET})?(?:\[([^\]]{1,60})\])?$`,
  'i',
);
const BASIC = /^(\d{4})(\d{2})(\d{2})(?:t(\d{2})(\d{2})(\d{2})?(z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const DAY_FIRST = new RegExp(
  String.raw`^(?:\p{L}{2,12}\.?,?\s+)?(\d{1,2})\.?[\s.-]*(\p{L}{3,12})\.?[\s,.-]*(\d{4})(?:,?\s+(?:at\s+|um\s+)?${CLOCK}${OFFSET})?(?:\s*\([^)]*\))?$`,
  'iu',
);
const MONTH_FIRST = new RegExp(
  String.raw`^(?:\p{L}{3,12},?\s+)?(\p{L}{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:,?\s+(?:at\s+)?${CLOCK}${OFFSET})?$`,
  'iu',
);
const DOTTED = new RegExp(String.raw`^(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})(?:,?\s+(?:um\s+)?${CLOCK}${OFFSET})?$`, 'i');

/**
 * Reads a time in ISO 8601 (extended or basic, with the liberties seen in mails), RFC 9557, RFC 5322, or a date with a
 * month's name or in dotted form. `zone` is one that stood in a field of its own. Returns undefined for anything else,
 * for days that do not exist, and for placeholder years. All-numeric dates with slashes are not guessed.
 */
export function parseTravelTime(text: string, zone?: string): ParsedTime | undefined {
  const trimmed = text.trim();
  if (trimmed.length < 6 || trimmed.length > LENGTH_MAX) return undefined;
  let m = ISO.exec(trimmed);
  if (m) return assemble(m[1], m[2], m[3], m.slice(4, 8), m[8], zone ?? m[9]);
  m = BASIC.exec(trimmed);
  if (m) return assemble(m[1], m[2], m[3], [m[4], m[5], m[6], undefined], m[7], zone);
  m = DOTTED.exec(trimmed);
  if (m) return assemble(m[3]?.length === 2 ? `20${m[3]}` : m[3], m[2], m[1], m.slice(4, 8), m[8], zone);
  m = DAY_FIRST.exec(trimmed);
  if (m) return assemble(m[3], monthNumber(m[2]), m[1], m.slice(4, 8), m[8], zone);
  m = MONTH_FIRST.exec(trimmed);
  if (m) return assemble(m[3], monthNumber(m[1]), m[2], m.slice(4, 8), m[8], zone);
  return undefined;
}

function monthNumber(name = ''): string {
  const folded = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return String(MONTHS.get(folded) ?? 0);
}

/** Minutes since midnight of `14:05`, `2:05 PM`, `14.05`; undefined for anything else. */
export function parseClock(text: string): { readonly hour: number; readonly minute: number } | undefined {
  const m = new RegExp(`^${CLOCK}(?:\\s*(?:uhr|h|hrs))?$`, 'i').exec(text.trim().slice(0, LENGTH_MAX));
  return m ? clock(m[1], m[2], m[4]) : undefined;
}

function clock(hours = '', minutes = '', half = ''): { hour: number; minute: number } | undefined {
  let hour = Number(hours);
  const minute = Number(minutes);
  if (half !== '') {
    if (hour < 1 || hour > 12) {
      if (hour > 23) return undefined;
    } else hour = (hour % 12) + (/^p/i.test(half) ? 12 : 0);
  }
  return hour > 24 || minute > 59 || (hour === 24 && minute > 0) ? undefined : { hour, minute };
}

function assemble(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  clockParts: readonly (string | undefined)[],
  offsetText: string | undefined,
  zone: string | undefined,
): ParsedTime | undefined {
  const y = Number(year);
  if (!(y >= YEAR_MIN && y <= YEAR_MAX)) return undefined;
  let date: Temporal.PlainDate;
  try {
    date = Temporal.PlainDate.from({ year: y, month: Number(month), day: Number(day) }, { overflow: 'reject' });
  } catch {
    return undefined;
  }
  const [hours, minutes, seconds, half] = clockParts;
  if (hours === undefined) return { date: date.toString() };
  const at = clock(hours, minutes, half);
  if (at === undefined) return undefined;
  if (at.hour === 24) date = date.add({ days: 1 });
  const second = Math.min(59, Number(seconds ?? 0));
  const time = [at.hour % 24, at.minute, second].map((n) => String(n).padStart(2, '0')).join(':');
  const offset = offsetText === undefined ? undefined : offsetMinutes(offsetText);
  const known = zone === undefined ? undefined : knownZone(zone);
  return {
    date: date.toString(),
    time,
    ...(offset === undefined ? {} : { offset }),
    ...(offsetText !== undefined && /^(z|utc|gmt)$/i.test(offsetText) ? { utc: true } : {}),
    ...(known === undefined ? {} : { zone: known }),
  };
}

function offsetMinutes(text: string): number | undefined {
  if (/^(z|utc|gmt)$/i.test(text)) return 0;
  const m = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(text);
  if (!m) return undefined;
  const minutes = Number(m[2]) * 60 + Number(m[3] ?? 0);
  // No place on Earth is farther than UTC+14 or UTC-12.
  return minutes > 14 * 60 ? undefined : (m[1] === '-' ? -1 : 1) * minutes;
}

/** The zone in its IANA spelling where the runtime knows it; offsets and abbreviations are no zones. */
export function knownZone(zone: string): string | undefined {
  const cached = zoneCache.get(zone);
  if (cached !== undefined) return cached === '' ? undefined : cached;
  let found = '';
  if (/^[A-Za-z]+(?:\/[A-Za-z0-9_+-]+){1,2}$/.test(zone) && zone.length <= 60) {
    try {
      found = Temporal.PlainDateTime.from('2026-01-01').toZonedDateTime(zone).timeZoneId;
    } catch {
      found = '';
    }
  }
  if (zoneCache.size > 2000) zoneCache.clear();
  zoneCache.set(zone, found);
  return found === '' ? undefined : found;
}
const zoneCache = new Map<string, string>();

/** A fact's time, and what had to be assumed for it. */
export interface ResolvedTime {
  readonly value: string;
  /** `offset-contradicts-zone`: the printed offset is not the place's; the wall clock was believed. */
  readonly note?: 'offset-contradicts-zone';
}

/** How a printed offset is to be read at a place whose zone is known. */
export type OffsetReading = 'instant' | 'wall-clock';

/**
 * The time in the form facts.ts prefers. With the zone of the place (`placeZone`): a local time gets it; an offset that
 * agrees with it is kept; UTC is converted to it; any other offset is believed less than the wall clock beside it,
 * unless `reading` says otherwise. Without a place zone the printed zone or offset is all there is. Gaps and overlaps
 * of daylight saving are settled as Temporal's `compatible` does: a skipped time moves on, a repeated one is the first.
 */
export function resolveTime(parsed: ParsedTime, placeZone?: string, reading?: OffsetReading): ResolvedTime {
  if (parsed.time === undefined) return { value: parsed.date };
  const wall = Temporal.PlainDateTime.from(`${parsed.date}T${parsed.time}`);
  const zone = placeZone ?? parsed.zone;
  if (zone === undefined) {
    const local = wall.toString({ smallestUnit: 'second' });
    return { value: parsed.offset === undefined ? local : local + offsetText(parsed.offset) };
  }
  if (parsed.offset === undefined) return { value: zonedText(inOwnZone(parsed, wall, zone)) };
  const offsetNs = parsed.offset * 60e9;
  const instant = Temporal.Instant.from(`${wall.toString()}${offsetText(parsed.offset)}`);
  const there = instant.toZonedDateTimeISO(zone);
  if (there.offsetNanoseconds === offsetNs) return { value: zonedText(there) };
  const wanted = reading ?? (parsed.utc ? 'instant' : 'wall-clock');
  if (wanted === 'instant') return { value: zonedText(there) };
  return { value: zonedText(wall.toZonedDateTime(zone)), note: 'offset-contradicts-zone' };
}

/** A time with a zone of its own that is not the place's is an instant; otherwise it is the place's wall clock. */
function inOwnZone(parsed: ParsedTime, wall: Temporal.PlainDateTime, zone: string): Temporal.ZonedDateTime {
  return parsed.zone === undefined || parsed.zone === zone
    ? wall.toZonedDateTime(zone)
    : wall.toZonedDateTime(parsed.zone).withTimeZone(zone);
}

function zonedText(time: Temporal.ZonedDateTime): string {
  return time.toString({ smallestUnit: 'second' });
}

function offsetText(minutes: number): string {
  const abs = Math.abs(minutes);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(abs / 60))}:${two(abs % 60)}`;
}

/** An ISO instant of a time that may have come without offset (then read as UTC); undefined for a bare day. */
export function instantOf(parsed: ParsedTime): string | undefined {
  if (parsed.time === undefined) return undefined;
  const wall = Temporal.PlainDateTime.from(`${parsed.date}T${parsed.time}`);
  const instant =
    parsed.offset === undefined
      ? wall.toZonedDateTime(parsed.zone ?? 'UTC').toInstant()
      : Temporal.Instant.from(`${wall.toString()}${offsetText(parsed.offset)}`);
  return instant.toString({ smallestUnit: 'millisecond' });
}
