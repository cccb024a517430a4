/**
 * Travel times as facts carry them (see facts.ts): zoned (RFC 9557), local without a zone, or a day only. What documents
 * print is read by printed-time.ts. Nothing here guesses a zone; where one is missing, an answer says so.
 */

export type TimePrecision = 'zoned' | 'local' | 'day';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const LOCAL = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/;

/** How much a time says; `undefined` for a text that is no time. */
export function timePrecision(text: unknown): TimePrecision | undefined {
  if (typeof text !== 'string') return undefined;
  if (DAY.test(text)) return 'day';
  if (LOCAL.test(text)) return 'local';
  return /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(Z|[+-]\d{2}|\])/.test(text) ? 'zoned' : undefined;
}

/**
 * One spelling per moment and zone, to the second; a text that cannot be read comes back unchanged.
 * Where offset and zone contradict each other the zone's rules win (RFC 9557, section 3.4).
 */
export function canonicalTime(text: string): string {
  const zoned = parseZoned(text);
  if (zoned) return zoned.toString({ smallestUnit: 'second', calendarName: 'never' });
  try {
    if (LOCAL.test(text)) return Temporal.PlainDateTime.from(text).toString({ smallestUnit: 'second' });
  } catch {
    // Not a real moment, such as 30 February: shown as printed.
  }
  return text;
}

/** The zoned time; an offset without a zone name is its own zone. `undefined` when no zone is known. */
export function parseZoned(text: string, fallbackZone?: string): Temporal.ZonedDateTime | undefined {
  try {
    if (text.includes('[')) return Temporal.ZonedDateTime.from(text, { offset: 'prefer' });
    if (DAY.test(text)) return undefined;
    const offset = /(Z|[+-]\d{2}(?::?\d{2})?)$/.exec(text.slice(10));
    if (offset) {
      const zone = fallbackZone ?? (offset[1] === 'Z' ? 'UTC' : offset[1]!);
      return Temporal.Instant.from(text).toZonedDateTimeISO(zone);
    }
    return fallbackZone === undefined ? undefined : Temporal.PlainDateTime.from(text).toZonedDateTime(fallbackZone);
  } catch {
    return undefined;
  }
}

/**
 * Epoch milliseconds of a time, `undefined` if it names no moment by itself. `fallbackZone` is the zone of the place.
 */
export function epochMsOf(text: unknown, fallbackZone?: string): number | undefined {
  return typeof text === 'string' ? parseZoned(text, fallbackZone)?.epochMilliseconds : undefined;
}

/** For ordering only: unzoned times and days count as UTC, what is unreadable comes last. */
export function orderingMsOf(text: unknown, fallbackZone?: string): number {
  if (typeof text !== 'string') return Number.POSITIVE_INFINITY;
  const known = epochMsOf(text, fallbackZone);
  if (known !== undefined) return known;
  try {
    return Temporal.PlainDateTime.from(text).toZonedDateTime(fallbackZone ?? 'UTC').epochMilliseconds;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
