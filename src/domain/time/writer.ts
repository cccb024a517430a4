/** Times and days as people of a language write them. Making one takes longer than all else that a sentence needs. */
export interface TimeWriter {
  /** `14:05` */
  readonly time: (time: Temporal.PlainTime) => string;
  /** `Tue 1 Dec` */
  readonly weekday: (day: Temporal.PlainDate) => string;
  /** `1 Dec` */
  readonly day: (day: Temporal.PlainDate) => string;
}

const writers = new Map<string, TimeWriter>();
const WRITERS_MAX = 200;

/** The one of a locale (BCP 47). Errors: RangeError for what is no locale. */
export function timeWriter(locale: string): TimeWriter {
  const held = writers.get(locale);
  if (held !== undefined) return held;
  if (writers.size >= WRITERS_MAX) writers.clear();
  const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short' });
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
  const writer = {
    time: (one: Temporal.PlainTime) => time.format(one),
    weekday: (one: Temporal.PlainDate) => weekday.format(one),
    day: (one: Temporal.PlainDate) => day.format(one),
  };
  writers.set(locale, writer);
  return writer;
}
