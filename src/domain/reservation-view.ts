import type { FactValue } from './facts.ts';
import { airportByCode } from './geo/airports.ts';
import { legTitle, pointOf, textOf } from './leg-points.ts';
import type { Change, Fields, Leg, Reservation } from './reservation.ts';
import { epochMsOf, parseZoned } from './time/travel-time.ts';
import { timeWriter } from './time/writer.ts';

export { legTitle };

/** Sentences are English for now, so times and days in them are too: 14:35, 1 Dec. */
const ENGLISH = 'en-GB';

/** The decided value of a field; undefined where nobody said one or it was withdrawn. */
export function value(fields: Fields, path: string): FactValue | undefined {
  return Object.hasOwn(fields, path) ? (fields[path]!.value ?? undefined) : undefined;
}

/** Best known start of a leg (actual, else estimated, else scheduled) in the form of facts.ts. */
export function legStart(leg: Pick<Leg, 'fields'>): string | undefined {
  return pointOf(leg, 'start').time;
}

/** Best known end of a leg. */
export function legEnd(leg: Pick<Leg, 'fields'>): string | undefined {
  return pointOf(leg, 'end').time;
}

/**
 * One change as a plain sentence with local times, e.g. `LH 400 Frankfurt → New York is now expected to leave at 14:35,
 * 40 min late (was 13:55)`. `leg` is the leg that the change names, as it is after the change; `reservation` gives the
 * booking a name where the change concerns all of it. English; `locale` formats clock times and days.
 */
export function describeChange(change: Change, leg?: Leg, locale = ENGLISH, reservation?: Reservation): string {
  const subject = leg === undefined ? bookingTitle(reservation) : legTitle(leg);
  const sentence = change.besidePerson
    ? besideSentence(change, subject, leg, locale)
    : plainSentence(change, subject, leg, locale, reservation);
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** What only machines ask for: in the changes, but no sentence for people. */
const UNSPOKEN = new Set(['bookedAt', 'provider.code']);

/**
 * What a version brought, in order, each told with its own leg. An amount and its currency are one sentence; what only
 * machines ask for has none.
 */
export function describeChanges(changes: readonly Change[], reservation: Reservation, locale = ENGLISH): string[] {
  const legs = new Map(reservation.legs.map((leg) => [leg.id, leg]));
  const priced = new Set(changes.filter((one) => one.path === 'price.amount').map((one) => one.leg));
  const told = changes.filter(
    (one) => !UNSPOKEN.has(one.path ?? '') && !(one.path === 'price.currency' && priced.has(one.leg)),
  );
  return told.map((change) =>
    describeChange(change, change.leg === undefined ? undefined : legs.get(change.leg), locale, reservation),
  );
}

/** What a booking is called: its reference, its company, its only leg, or just "the booking". */
export function bookingTitle(reservation: Reservation | undefined): string {
  if (reservation === undefined) return 'the booking';
  const [only, ...others] = reservation.legs;
  const reference = textOf(reservation.fields, 'reference');
  const of = reference === undefined ? '' : ` (${reference})`;
  if (only !== undefined && others.length === 0) return `${legTitle(only)}${of}`;
  const provider = textOf(reservation.fields, 'provider.name');
  if (provider !== undefined) return `the booking with ${provider}${of}`;
  if (reference !== undefined) return `the booking ${reference}`;
  const registered = registeredAt(reservation);
  return registered === undefined ? 'the booking' : `the booking ${registered.id} at ${registered.account}`;
}

/** The provider's own id of a booking that is known by nothing else yet. */
function registeredAt(reservation: Reservation): { readonly account: string; readonly id: string } | undefined {
  for (const key of reservation.bookingKeys) {
    const [, account, id] = /^id:([^:]+):(.+)$/.exec(key) ?? [];
    if (account !== undefined && id !== undefined && account !== 'person') return { account, id };
  }
  return undefined;
}

function nothingKnown(reservation: Reservation | undefined): boolean {
  return reservation !== undefined && reservation.legs.length === 0 && registeredAt(reservation) !== undefined;
}

function plainSentence(
  change: Change,
  subject: string,
  leg: Leg | undefined,
  locale: string,
  reservation: Reservation | undefined,
): string {
  const { type, from, to } = change;
  const was = from === undefined || from === null ? '' : ` (was ${show(from)})`;
  switch (type) {
    case 'created':
      return nothingKnown(reservation)
        ? `${subject} was registered; its details are asked for`
        : `${subject} was added`;
    case 'leg-added':
      return `${subject} was added to the booking`;
    case 'leg-removed':
      return `a part of ${subject} was joined with another one or moved to another booking`;
    case 'removed':
      return `${subject} was removed from view`;
    case 'restored':
      return `${subject} is shown again`;
    case 'merged':
      return `${subject} was joined with another entry for the same booking`;
    case 'cancellation':
      return `${subject} is cancelled${sourceOf(change)}`;
    case 'reinstated':
      return `${subject} is no longer cancelled`;
    case 'delay':
      return delaySentence(change, subject, leg, locale);
    case 'schedule':
      return scheduleSentence(change, subject, leg, locale);
    case 'diversion':
      // A train is not led to another airport: it ends, or turns, before the traveller's station.
      if (leg?.kind === 'train' && to === 'diverted')
        return `${subject} does not go to ${pointOf(leg, 'end').name ?? 'its destination'}`;
      return `${subject} is diverted${typeof to === 'string' && to !== 'diverted' ? ` to ${airportName(to)}` : ''}`;
    case 'status':
      return `${subject} ${statusWords(to)}`;
    case 'seat':
      return to === null
        ? `${subject}: the seat was withdrawn${was}`
        : `${subject}: ${whose(change, leg)}seat is now ${show(to)}${was}`;
    case 'price':
      return `${subject}: the price is now ${priceWords(change, leg?.fields ?? reservation?.fields)}${was}`;
    case 'passenger':
      return `${subject}: ${passengerWords(change)}`;
    case 'place':
      return `${subject} now ${verbs(leg, change)[2]} ${String(change.path).endsWith('.code') ? airportName(String(to)) : show(to)}${was}`;
    case 'gate':
    case 'terminal':
    case 'platform':
    case 'belt':
    case 'desk':
    case 'aircraft':
      return deskSentence(change, subject, was);
    case 'details':
      return detailSentence(change, subject, was, leg, locale);
  }
}

/** `412.60 EUR`: an amount says nothing without its currency. */
function priceWords({ path, to }: Change, fields: Fields | undefined): string {
  const currency = path === 'price.amount' && fields !== undefined ? textOf(fields, 'price.currency') : undefined;
  return currency === undefined ? show(to) : `${show(to)} ${currency}`;
}

/** The person's word stands; the sentence says who says otherwise. */
function besideSentence(change: Change, subject: string, leg: Leg | undefined, locale: string): string {
  const { by, from, to } = change;
  const who = by?.source.label ?? 'another source';
  const said = timeText(to, change.path, leg, locale) ?? show(to);
  const kept = timeText(from, change.path, leg, locale) ?? show(from);
  return `${subject}: ${who} says ${pathWords(change.path)} ${said}; shown is still ${kept}`;
}

function delaySentence(change: Change, subject: string, leg: Leg | undefined, locale: string): string {
  const [leave, left] = verbs(leg, change);
  const { from, to, minutes, path = '' } = change;
  if (to === null || to === undefined) return `${subject}: no new time to ${leave} is given any more`;
  const end = path.startsWith('end') ? 'end' : 'start';
  const scheduled = leg === undefined ? undefined : value(leg.fields, `${end}.scheduled`);
  const at = timeText(to, path, leg, locale, scheduled) ?? show(to);
  const late = minutes === undefined ? '' : `, ${lateness(minutes)}`;
  // Providers know wheels-up and touch-down, the schedule is gate to gate: comparing them would make every flight late.
  if (path.endsWith('.actual') && leg?.kind === 'flight')
    return `${subject} ${end === 'start' ? 'took off' : 'landed'} at ${at}`;
  if (path.endsWith('.actual')) return `${subject} ${left} at ${at}${late}`;
  if (minutes === 0 && (from === undefined || from === null))
    return `${subject} is expected to ${leave} on time, at ${at}`;
  const before = timeText(from ?? scheduled, path, leg, locale, scheduled);
  const was = before === undefined || before === at ? '' : ` (was ${before})`;
  if (minutes === 0) return `${subject} is on time again: expected to ${leave} at ${at}${was}`;
  return `${subject} is now expected to ${leave} at ${at}${late}${was}`;
}

function lateness(minutes: number): string {
  if (minutes === 0) return 'on time';
  const total = Math.abs(minutes);
  const [hours, rest] = [Math.floor(total / 60), total % 60];
  const text = hours === 0 ? `${rest} min` : rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
  return `${text} ${minutes > 0 ? 'late' : 'early'}`;
}

function scheduleSentence(change: Change, subject: string, leg: Leg | undefined, locale: string): string {
  const { from, to, path } = change;
  if (to === null || to === undefined) return `${subject}: the scheduled time was withdrawn`;
  const [leave] = verbs(leg, change);
  const now = timeText(to, path, leg, locale, from) ?? show(to);
  const was = timeText(from, path, leg, locale, to);
  return `${subject} is now scheduled to ${leave} at ${now}${was === undefined ? '' : ` (was ${was})`}`;
}

function deskSentence({ type, path = '', to }: Change, subject: string, was: string): string {
  const where = path.startsWith('end.') && type !== 'belt' ? 'arrival ' : '';
  const what = type === 'belt' ? 'baggage belt' : type === 'desk' ? 'check-in desk' : `${where}${type}`;
  return to === null || to === undefined
    ? `${subject}: the ${what} was withdrawn${was}`
    : `${subject}: ${what} ${show(to)}${was}`;
}

function detailSentence(change: Change, subject: string, was: string, leg: Leg | undefined, locale: string): string {
  const { path, to, from } = change;
  if (path === 'unproven') return questionSentence(change, subject);
  if (path === 'bookingKeys') {
    return to === null || to === undefined
      ? `${subject} is no longer known under another reference`
      : `${subject} is now known under another reference too`;
  }
  if (path === undefined) return `${subject}: details changed`;
  if (to === null || to === undefined) return `${subject}: ${pathWords(path)} was withdrawn${was}`;
  const time = timeText(to, path, leg, locale);
  const before = timeText(from, path, leg, locale);
  // The diff calls it a detail when it is as late as before, which at first means: on time.
  if (path.endsWith('.estimated') && time !== undefined && (from === undefined || from === null))
    return `${subject} is expected to ${verbs(leg, change)[0]} as planned, at ${time}`;
  const wasTime = before === undefined || before === time ? '' : ` (was ${before})`;
  return time === undefined
    ? `${subject}: ${pathWords(path)} is ${show(to)}${was}`
    : `${subject}: ${pathWords(path)} is ${time}${wasTime}`;
}

/** An unproven mail's word is told as what it is, so that nobody acts on it. */
function questionSentence({ to, by }: Change, subject: string): string {
  const who = by?.source.label ?? 'a mail';
  if (to === null || to === undefined) return `${subject}: something unproven that stood beside it is settled`;
  return to === 'cancelled'
    ? `${subject}: ${who} says that it is cancelled, which nothing proves; it stands, and its provider is asked`
    : `${subject}: ${who} says something else about it, which nothing proves; it stands as it was`;
}

/** [to do, did, does at] of one end of a leg. */
function verbs(leg: Leg | undefined, change: Change): readonly [string, string, string] {
  const start = !String(change.path ?? 'start').startsWith('end');
  switch (leg?.kind) {
    case 'stay':
      return start ? ['begin', 'began', 'is at'] : ['end', 'ended', 'ends at'];
    case 'rental':
      return start ? ['begin', 'began', 'is picked up at'] : ['end', 'ended', 'is returned at'];
    case 'event':
    case 'restaurant':
      return start ? ['begin', 'began', 'is at'] : ['end', 'ended', 'ends at'];
    default:
      return start ? ['leave', 'left', 'leaves from'] : ['arrive', 'arrived', 'goes to'];
  }
}

const STATUS_WORDS: Readonly<Record<string, string>> = {
  scheduled: 'is scheduled',
  'check-in': 'is open for check-in',
  boarding: 'is boarding',
  'gate-closed': 'has closed its gate',
  delayed: 'is delayed',
  departed: 'has departed',
  'en-route': 'is on its way',
  approaching: 'is about to arrive',
  arrived: 'has arrived',
  'cancelled-uncertain': 'may be cancelled: the airline has not confirmed it',
  unknown: 'has no known status',
  confirmed: 'is confirmed',
  pending: 'is not confirmed yet',
  hold: 'is on hold',
  cancelled: 'is reported cancelled',
};

function statusWords(to: FactValue | undefined): string {
  if (to === null || to === undefined) return 'has no known status any more';
  const text = String(to);
  return Object.hasOwn(STATUS_WORDS, text) ? STATUS_WORDS[text]! : `is now ${text}`;
}

function passengerWords({ path = '', from, to }: Change): string {
  if (path.endsWith('.name')) {
    if (from === undefined || from === null) return `${show(to)} is on this booking`;
    return to === null ? `${show(from)} is no longer named` : `the name ${show(from)} is now ${show(to)}`;
  }
  return `${pathWords(path)} is now ${show(to)}`;
}

/** `for DOE/JOHN: ` where the leg has several passengers. */
function whose({ path = '' }: Change, leg: Leg | undefined): string {
  const person = /^passenger\.(.*)\.[^.]*$/.exec(path)?.[1];
  if (leg === undefined || person === undefined) return '';
  const people = Object.keys(leg.fields).filter((name) => /^passenger\..*\.name$/.test(name));
  const name = textOf(leg.fields, `passenger.${person}.name`);
  return people.length > 1 && name !== undefined ? `${name}'s ` : '';
}

const PATH_WORDS: Readonly<Record<string, string>> = {
  status: 'the status',
  operation: 'the status',
  reference: 'the reference',
  name: 'the name',
  number: 'the number',
  vehicle: 'the car',
  phone: 'the telephone number',
  'carrier.name': 'the company',
  'carrier.code': "the company's code",
  'operating.code': 'the operating airline',
  'provider.name': 'the provider',
  'agent.name': 'the agency',
  'url.manage': 'the link to manage the booking',
  'url.checkin': 'the link to check in',
  'start.scheduled': 'the scheduled start',
  'start.actual': 'the actual start',
  'start.estimated': 'the expected start',
  'end.estimated': 'the expected end',
  'start.boarding': 'the boarding time',
  'end.scheduled': 'the scheduled end',
  'end.actual': 'the actual end',
};

function pathWords(path: string | undefined): string {
  if (path === undefined) return 'a detail';
  if (Object.hasOwn(PATH_WORDS, path)) return PATH_WORDS[path]!;
  const [first, ...rest] = path.split('.');
  const last = rest.at(-1) ?? first!;
  if (first === 'passenger') return `the passenger's ${last}`;
  return first === 'start' || first === 'end' ? `the ${last} at the ${first}` : `the ${path.replaceAll('.', ' ')}`;
}

function sourceOf({ by }: Change): string {
  return by === undefined || by.authority === 'person' ? '' : ` (${by.source.label})`;
}

function show(shown: FactValue | undefined): string {
  if (shown === null || shown === undefined) return 'unknown';
  if (shown === true) return 'yes';
  return shown === false ? 'no' : String(shown);
}

function airportName(code: string): string {
  const airport = /^[A-Z]{3}$/.test(code) ? airportByCode(code) : undefined;
  return airport === undefined ? code : `${airport.city || airport.name} (${code})`;
}

/**
 * Local clock time of a time fact, with the day where it differs from that of `beside` (or where there is no hour).
 * Undefined for what is no time.
 */
function timeText(
  time: FactValue | undefined,
  path: string | undefined,
  leg: Leg | undefined,
  locale: string,
  beside?: FactValue,
): string | undefined {
  if (typeof time !== 'string' || !/\.(scheduled|estimated|actual|boarding)$/.test(path ?? '')) return undefined;
  const wall = wallOf(time, path!, leg);
  if (wall === undefined) return undefined;
  const writer = timeWriter(locale);
  const day = writer.weekday(wall.toPlainDate());
  if (time.length === 10) return day;
  const clock = writer.time(wall.toPlainTime());
  const other = typeof beside === 'string' ? wallOf(beside, path!, leg) : undefined;
  return other !== undefined && !other.toPlainDate().equals(wall.toPlainDate()) ? `${clock} on ${day}` : clock;
}

/** Wall clock at the place: a time in another zone (UTC from a feed) is moved to the zone of the place if it is known. */
function wallOf(time: string, path: string, leg: Leg | undefined): Temporal.PlainDateTime | undefined {
  const zone = leg === undefined ? undefined : pointOf(leg, path.startsWith('end') ? 'end' : 'start').zone;
  try {
    if (epochMsOf(time, zone) === undefined) return Temporal.PlainDateTime.from(time);
    const zoned = parseZoned(time, zone)!;
    return (zone === undefined ? zoned : zoned.withTimeZone(zone)).toPlainDateTime();
  } catch {
    return undefined;
  }
}
