/** Instants of RFC 5322 date headers, with the obsolete zone names that are still sent. */
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const ZONES: Readonly<Record<string, number>> = {
  ut: 0,
  utc: 0,
  gmt: 0,
  z: 0,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
};

/** ISO instant (Z) of a Date header; undefined where it is none. An unknown zone counts as UTC (RFC 5322, 4.3). */
export function parseMailDate(header: string): string | undefined {
  const m =
    /(\d{1,2})\s+([A-Za-z]{3})[a-z]*\.?\s+(\d{4}|\d{2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([+-]\d{4}|[A-Za-z]{1,4})?/.exec(
      header.slice(0, 200),
    );
  if (!m) return undefined;
  const month = MONTHS.indexOf((m[2] ?? '').toLowerCase()) + 1;
  const year = m[3]?.length === 2 ? Number(m[3]) + (Number(m[3]) < 50 ? 2000 : 1900) : Number(m[3]);
  const zone = m[7] ?? '';
  const offset = /^[+-]\d{4}$/.test(zone)
    ? (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)))
    : (ZONES[zone.toLowerCase()] ?? 0);
  try {
    return Temporal.PlainDateTime.from(
      {
        year,
        month,
        day: Number(m[1]),
        hour: Number(m[4]),
        minute: Number(m[5]),
        second: Math.min(59, Number(m[6] ?? 0)),
      },
      { overflow: 'reject' },
    )
      .toZonedDateTime('UTC')
      .subtract({ minutes: offset })
      .toInstant()
      .toString({ smallestUnit: 'millisecond' });
  } catch {
    return undefined;
  }
}
