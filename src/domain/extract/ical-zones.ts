/** Time zone names that Outlook and Exchange write into TZID, with the IANA zone of their main place (Unicode CLDR). */
export const WINDOWS_ZONES: ReadonlyMap<string, string> = new Map(
  `W. Europe Standard Time=Europe/Berlin
Romance Standard Time=Europe/Paris
Central Europe Standard Time=Europe/Budapest
Central European Standard Time=Europe/Warsaw
GMT Standard Time=Europe/London
Greenwich Standard Time=Atlantic/Reykjavik
E. Europe Standard Time=Europe/Chisinau
FLE Standard Time=Europe/Kyiv
GTB Standard Time=Europe/Bucharest
Turkey Standard Time=Europe/Istanbul
Russian Standard Time=Europe/Moscow
Israel Standard Time=Asia/Jerusalem
Egypt Standard Time=Africa/Cairo
South Africa Standard Time=Africa/Johannesburg
Morocco Standard Time=Africa/Casablanca
W. Central Africa Standard Time=Africa/Lagos
E. Africa Standard Time=Africa/Nairobi
Arab Standard Time=Asia/Riyadh
Arabian Standard Time=Asia/Dubai
Pakistan Standard Time=Asia/Karachi
India Standard Time=Asia/Kolkata
SE Asia Standard Time=Asia/Bangkok
China Standard Time=Asia/Shanghai
Singapore Standard Time=Asia/Singapore
Taipei Standard Time=Asia/Taipei
Tokyo Standard Time=Asia/Tokyo
Korea Standard Time=Asia/Seoul
W. Australia Standard Time=Australia/Perth
AUS Eastern Standard Time=Australia/Sydney
E. Australia Standard Time=Australia/Brisbane
Cen. Australia Standard Time=Australia/Adelaide
New Zealand Standard Time=Pacific/Auckland
Eastern Standard Time=America/New_York
Central Standard Time=America/Chicago
Mountain Standard Time=America/Denver
US Mountain Standard Time=America/Phoenix
Pacific Standard Time=America/Los_Angeles
Alaskan Standard Time=America/Anchorage
Hawaiian Standard Time=Pacific/Honolulu
Atlantic Standard Time=America/Halifax
Newfoundland Standard Time=America/St_Johns
Canada Central Standard Time=America/Regina
Central Standard Time (Mexico)=America/Mexico_City
SA Pacific Standard Time=America/Bogota
SA Eastern Standard Time=America/Cayenne
E. South America Standard Time=America/Sao_Paulo
Argentina Standard Time=America/Buenos_Aires
Pacific SA Standard Time=America/Santiago`
    .split('\n')
    .map((line) => line.split('=') as [string, string]),
);

/** Component and property of ical.js' jCal form (RFC 7265). */
export type JCalProperty = readonly [
  name: string,
  params: Readonly<Record<string, string | string[]>>,
  type: string,
  ...values: unknown[],
];
export type JCal = readonly [name: string, properties: readonly JCalProperty[], components: readonly JCal[]];

/** One STANDARD or DAYLIGHT part of a VTIMEZONE. */
interface Observance {
  readonly from: number;
  readonly to: number;
  readonly start: Temporal.PlainDateTime;
  /** Month and weekday (`-1SU`) of the yearly change; absent where it happened once. */
  readonly yearly: { readonly month: number; readonly nth: number; readonly weekday: number } | undefined;
}
export type CalendarZone = readonly Observance[];

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
/** Real zones have two parts, or a few dozen where they list history. */
const OBSERVANCES_MAX = 100;

/**
 * Reads a VTIMEZONE. Only the yearly rule that time zones are written with is followed (ical.js follows every rule, and
 * one that recurs each second ends the process); a part with another rule counts from its start.
 */
export function readCalendarZone(component: JCal): CalendarZone {
  return component[2].slice(0, OBSERVANCES_MAX).flatMap(([, properties]) => {
    const value = (name: string) => properties.find(([own]) => own === name)?.[3];
    const to = offsetMinutes(value('tzoffsetto'));
    const start = value('dtstart');
    if (to === undefined || typeof start !== 'string') return [];
    try {
      const at = Temporal.PlainDateTime.from(start.replace(/Z$/, ''));
      return [{ from: offsetMinutes(value('tzoffsetfrom')) ?? to, to, start: at, yearly: yearlyRule(value('rrule')) }];
    } catch {
      return [];
    }
  });
}

function yearlyRule(rule: unknown): Observance['yearly'] {
  if (typeof rule !== 'object' || rule === null) return undefined;
  const { freq, bymonth, byday } = rule as Readonly<Record<string, unknown>>;
  const month = Number(Array.isArray(bymonth) ? bymonth[0] : bymonth);
  const m = /^([+-]?[1-5])(MO|TU|WE|TH|FR|SA|SU)$/.exec(String(Array.isArray(byday) ? byday[0] : byday));
  if (freq !== 'YEARLY' || !(month >= 1 && month <= 12) || m === null) return undefined;
  return { month, nth: Number(m[1]), weekday: WEEKDAYS.indexOf(m[2] ?? '') + 1 };
}

/** Offset in minutes that the zone gives a local time; undefined for a zone without readable parts. */
export function offsetInZone(zone: CalendarZone, local: string): number | undefined {
  const time = Temporal.PlainDateTime.from(local);
  const onsets = zone
    .flatMap((part) => onsetsBefore(part, time).map((onset) => ({ onset, part })))
    .sort((a, b) => Temporal.PlainDateTime.compare(a.onset, b.onset));
  const latest = onsets.findLast(({ onset }) => Temporal.PlainDateTime.compare(onset, time) <= 0);
  return latest?.part.to ?? zone.toSorted((a, b) => Temporal.PlainDateTime.compare(a.start, b.start))[0]?.from;
}

function onsetsBefore(part: Observance, time: Temporal.PlainDateTime): readonly Temporal.PlainDateTime[] {
  const { yearly } = part;
  if (yearly === undefined) return [part.start];
  return [time.year - 1, time.year].flatMap((year) => {
    if (year < part.start.year) return [];
    const first = Temporal.PlainDate.from({ year, month: yearly.month, day: 1 });
    const ahead = (yearly.weekday - first.dayOfWeek + 7) % 7;
    const days = Array.from({ length: 5 }, (_, week) => 1 + ahead + week * 7).filter((day) => day <= first.daysInMonth);
    const day = days.at(yearly.nth > 0 ? yearly.nth - 1 : yearly.nth);
    return day === undefined ? [] : [first.with({ day }).toPlainDateTime(part.start.toPlainTime())];
  });
}

function offsetMinutes(value: unknown): number | undefined {
  const m = typeof value === 'string' ? /^([+-])(\d{2}):?(\d{2})/.exec(value) : null;
  if (m === null) return undefined;
  const minutes = Number(m[2]) * 60 + Number(m[3]);
  return minutes > 14 * 60 ? undefined : (m[1] === '-' ? -1 : 1) * minutes;
}
