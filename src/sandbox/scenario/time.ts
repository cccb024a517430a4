/** Times of the day as the sources write them. */

export function zoned(at: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
}

/** `2026-12-01` at the place. */
export function localDayOf(at: number, zone: string): string {
  return zoned(at, zone).toPlainDate().toString();
}

/** `2026-12-01T10:05:00` at the place. */
export function localTimeOf(at: number, zone: string): string {
  return zoned(at, zone).toPlainDateTime().toString({ smallestUnit: 'second' });
}

/** `2026-12-01T10:05:00+01:00`. */
export function offsetTimeOf(at: number, zone: string): string {
  return zoned(at, zone).toString({ smallestUnit: 'second', timeZoneName: 'never' });
}

/** `10:05`, for people. */
export function clockOf(at: number, zone: string): string {
  return zoned(at, zone).toPlainTime().toString({ smallestUnit: 'minute' });
}

/** Instant of a local day and `HH:mm` at a place. */
export function instantOf(day: string, time: string, zone: string): number {
  return Temporal.PlainDateTime.from(`${day}T${time}`).toZonedDateTime(zone).epochMilliseconds;
}

export function addDays(day: string, days: number): string {
  return Temporal.PlainDate.from(day).add({ days }).toString();
}
