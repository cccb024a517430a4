const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Epoch ms of a moment as operators write it: an age before `now` (`90s`, `30m`, `2h`, `7d`), an instant
 * (`2026-12-01T10:00:00Z`) or a day (`2026-12-01`, its beginning in UTC). Undefined: it is none of these.
 */
export function momentOf(text: string, now: number): number | undefined {
  const age = /^(\d{1,6})([smhd])$/.exec(text);
  if (age !== null) return now - Number(age[1]) * UNITS_MS[age[2] as keyof typeof UNITS_MS];
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  if (!day && !/^\d{4}-\d{2}-\d{2}T/.test(text)) return undefined;
  try {
    return Temporal.Instant.from(day ? `${text}T00:00:00Z` : text).epochMilliseconds;
  } catch {
    return undefined;
  }
}
