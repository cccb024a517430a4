/** Times, ages and words as people read them. Local times are always the place's own, never the reader's. */

const locale = navigator.language || 'en';

/**
 * A travel time (RFC 9557 with zone, local without zone, or a day) split for showing in the place's own wall clock.
 * The wall clock is in the text itself, so no zone arithmetic is needed, whatever the browser knows of zones.
 */
export function wallClock(time) {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}))?/.exec(time ?? '');
  if (match === null) return undefined;
  const [, year, month, day, hour, minute] = match;
  const date = new Date(
    Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour ?? 12), Number(minute ?? 0)),
  );
  const say = (options) => new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' }).format(date);
  return {
    day: `${year}-${month}-${day}`,
    dayText: say({ weekday: 'short', day: 'numeric', month: 'short' }),
    time: hour === undefined ? undefined : say({ hour: '2-digit', minute: '2-digit' }),
    zone: /\[([^\]]+)\]/.exec(time)?.[1],
    iso: time,
  };
}

/** `40 s`, `5 min`, `3 h`, `2 days` in the reader's language. */
export function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [value, unit] =
    seconds < 90
      ? [seconds, 'second']
      : seconds < 5400
        ? [Math.round(seconds / 60), 'minute']
        : seconds < 129_600
          ? [Math.round(seconds / 3600), 'hour']
          : [Math.round(seconds / 86_400), 'day'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
}

/** An instant in the reader's own zone: for receipts and history, which happened at no particular place. */
export function moment(instant) {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(instant));
}

/** Its day alone. */
export function dayOf(instant) {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(new Date(instant));
}

export function byteSize(bytes) {
  return bytes < 1e6
    ? new Intl.NumberFormat(locale, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 1 }).format(bytes / 1e3)
    : new Intl.NumberFormat(locale, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 }).format(bytes / 1e6);
}

export const KIND = {
  flight: { name: 'Flight', start: 'Departs', end: 'Arrives' },
  train: { name: 'Train', start: 'Departs', end: 'Arrives' },
  bus: { name: 'Bus', start: 'Departs', end: 'Arrives' },
  boat: { name: 'Ferry', start: 'Departs', end: 'Arrives' },
  stay: { name: 'Stay', start: 'Check-in', end: 'Check-out' },
  rental: { name: 'Rental car', start: 'Pick-up', end: 'Drop-off' },
  event: { name: 'Event', start: 'Starts', end: 'Ends' },
  restaurant: { name: 'Table', start: 'From', end: 'Until' },
  taxi: { name: 'Taxi', start: 'Pick-up', end: 'Drop-off' },
};

/** `40 min`, `2 h`, `1 h 35 min`. */
function minutes(total) {
  const [hours, rest] = [Math.floor(total / 60), total % 60];
  return [hours > 0 ? `${hours} h` : '', rest > 0 ? `${rest} min` : ''].filter(Boolean).join(' ');
}

/** How a field is called where a person reads it. */
export const FIELD = {
  status: 'Booking status',
  operation: 'Operation',
  'start.scheduled': 'Scheduled',
  'start.estimated': 'Expected',
  'start.actual': 'Actual',
  'start.terminal': 'Terminal',
  'start.gate': 'Gate',
  'start.platform': 'Platform',
  'start.desk': 'Check-in desk',
  'end.scheduled': 'Scheduled arrival',
  'end.estimated': 'Expected arrival',
  'end.actual': 'Actual arrival',
  'end.terminal': 'Arrival terminal',
  'end.gate': 'Arrival gate',
  'end.belt': 'Baggage belt',
  aircraft: 'Aircraft',
  reference: 'Reference',
};

/** "Gate: mail from … says C33; shown is B22": the doubt, before the leg is opened. */
export function besideText({ path, shown, value, label }) {
  const person = /^passenger\..*\.(\w+)$/.exec(path)?.[1];
  return `${FIELD[path] ?? person ?? path}: ${label} says ${valueText(value)}; shown is ${valueText(shown)}`;
}

/** A field's value as people read it: times on the wall clock of the place. */
export function valueText(value) {
  if (value === null || value === undefined || value === '') return 'none';
  const time = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}(T|$)/.test(value) ? wallClock(value) : undefined;
  return time === undefined ? String(value) : [time.dayText, time.time].filter(Boolean).join(' ');
}

/** State pill of a leg: words and a tone. Colour is never the only sign. */
export function legState(leg) {
  if (leg.cancelled) return { text: 'Cancelled', tone: 'bad' };
  const late = leg.start.lateMinutes ?? 0;
  const lateText = late === 0 ? undefined : late > 0 ? `${minutes(late)} late` : `${minutes(-late)} early`;
  switch (leg.state) {
    case 'diverted':
      return { text: 'Diverted', tone: 'bad' };
    case 'cancelled-uncertain':
      return { text: 'Perhaps cancelled', tone: 'bad' };
    case 'boarding':
      return { text: 'Boarding', tone: 'now' };
    case 'gate-closed':
      return { text: 'Gate closed', tone: 'warn' };
    case 'check-in':
      return { text: 'Check-in open', tone: 'now' };
    case 'departed':
    case 'en-route':
    case 'approaching': {
      const lands = leg.end.lateMinutes ?? 0;
      return { text: lands > 4 ? `On the way, ${minutes(lands)} late` : 'On the way', tone: 'now' };
    }
    case 'arrived':
      return { text: 'Arrived', tone: 'quiet' };
    case 'pending':
    case 'hold':
      return { text: 'Not confirmed yet', tone: 'warn' };
    default:
      if (lateText !== undefined) return { text: lateText, tone: late > 14 ? 'bad' : late > 0 ? 'warn' : 'good' };
      return leg.kind === 'flight' || leg.kind === 'train'
        ? { text: leg.start.basis === 'estimated' ? 'On time' : 'As scheduled', tone: 'good' }
        : { text: 'Confirmed', tone: 'good' };
  }
}
