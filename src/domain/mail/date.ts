/**
 * A date of RFC 5322 section 3.3 with the obsolete forms of section 4.3 (two-digit years, named and military zones,
 * comments), and what senders write instead: `GMT+01:00`, a month before the day (asctime), ISO 8601. Returns epoch
 * milliseconds; undefined when it is no date, never a guess at the order of day and month in `1/2/2026`.
 */
export function parseMailDate(text: string): number | undefined {
  if (text.length > 200) return undefined;
  const plain = withoutComments(text).trim();
  const rfc = RFC_DATE.exec(plain);
  if (rfc !== null) return fromParts(rfc[1]!, rfc[2]!, rfc[3]!, rfc[4]!, rfc[5]!, rfc[6], rfc[7]);
  const c = ASCTIME.exec(plain);
  if (c !== null) return fromParts(c[2]!, c[1]!, c[7]!, c[3]!, c[4]!, c[5], c[6] ?? c[8]);
  const iso = ISO_DATE.exec(plain);
  if (iso !== null) return fromParts(iso[3]!, iso[2]!, iso[1]!, iso[4]!, iso[5]!, iso[6], iso[7]);
  return undefined;
}

const RFC_DATE =
  /^(?:[A-Za-z]{2,9}\.?,?\s*)?(\d{1,2})[\s-]+([A-Za-z]{3,9})\.?,?[\s-]+(\d{2,4}),?\s+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*(\S+)?/;
const ASCTIME =
  /^(?:[A-Za-z]{3,9},?\s+)?([A-Za-z]{3,9})\s+(\d{1,2}),?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s+([A-Z+-][A-Z0-9:+-]*))?\s+(\d{4})(?:\s+(\S+))?/;
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?\s*(\S+)?/;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function fromParts(
  dayText: string,
  monthText: string,
  yearText: string,
  hourText: string,
  minuteText: string,
  secondText: string | undefined,
  zoneText: string | undefined,
): number | undefined {
  const month = /^\d/.test(monthText) ? Number(monthText) : MONTHS.indexOf(monthText.slice(0, 3).toLowerCase()) + 1;
  const day = Number(dayText);
  const year = fullYear(yearText);
  const hour = Number(hourText);
  const minute = Number(minuteText);
  // A leap second is legal in a mail and unknown to epoch time.
  const second = Math.min(Number(secondText ?? '0'), 59);
  if (month < 1 || month > 12 || day < 1 || day > MONTH_DAYS[month - 1]!) return undefined;
  if (month === 2 && day === 29 && !isLeap(year)) return undefined;
  if (hour > 23 || minute > 59 || Number(secondText ?? '0') > 60) return undefined;
  // Outside of this, the sender's clock is wrong and the date says nothing.
  if (year < 1970 || year > 2999) return undefined;
  const offset = offsetMinutes(zoneText ?? '');
  return (daysSinceEpoch(year, month, day) * 1440 + hour * 60 + minute - offset) * 60_000 + second * 1000;
}

/** RFC 5322 section 4.3: 00–49 is this century, 50–99 and three digits count from 1900. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return text.length === 3 ? 1900 + year : year;
}

/** Section 4.3: military letters were often used wrongly, and so were other names: all of these mean "unknown", −0000. */
const ZONES: Readonly<Record<string, number>> = {
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
};

function offsetMinutes(zone: string): number {
  const numeric = /^(?:GMT|UTC|UT)?([+-])(\d{1,2}):?(\d{2})?$/.exec(zone.toUpperCase());
  if (numeric === null) return ZONES[zone.toUpperCase()] ?? 0;
  const minutes = Number(numeric[2]) * 60 + Number(numeric[3] ?? '0');
  if (Number(numeric[3] ?? '0') > 59 || minutes > 18 * 60) return 0;
  return numeric[1] === '-' ? -minutes : minutes;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Days from 1970-01-01 in the Gregorian calendar: whole years, leap days before them, then the day of the year. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
  let dayOfYear = day - 1;
  for (let m = 1; m < month; m++) dayOfYear += m === 2 && !isLeap(year) ? 28 : MONTH_DAYS[m - 1]!;
  return (year - 1970) * 365 + leapDays + dayOfYear;
}

/** `Fri, 1 Jan 2026 (New Year) 10:00 +0100 (CET)`: nested comments go. */
function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let out = '';
  let depth = 0;
  for (const char of text) {
    if (char === '(') depth++;
    else if (char === ')' && depth > 0) depth--;
    else if (depth === 0) out += char;
    if (char === ')' && depth === 0) out += ' ';
  }
  return out;
}
