import { airlineName } from '../geo/airlines.ts';
import { airportByCode, airportsByName, countryCode } from '../geo/airports.ts';
import { parseClock, parseTravelTime, resolveTime } from '../time/printed-time.ts';
import { epochMsOf } from '../time/travel-time.ts';
import { bodyLegs, dayOf, localText, zoneOf } from './ical-journeys.ts';
import { type EventLabels, readLabels } from './ical-labels.ts';
import type { JsonObject, JsonValue } from './json-repair.ts';
import { splitFlightNumber } from './legs.ts';
import { plausibleFlight } from './times.ts';

/** The parts of a calendar event that may tell of a journey. */
export interface CalendarEvent {
  readonly summary: string;
  readonly location: string;
  /** Lines of the description. */
  readonly lines: readonly string[];
  /** As JSON-LD times (see ical.ts). */
  readonly start: JsonValue | undefined;
  readonly end: JsonValue | undefined;
  readonly geo: readonly [number, number] | undefined;
}

/** How a kind of event is recognised: a summary that may be one, then a function that asks for proof. */
interface Recogniser {
  readonly summaries: readonly RegExp[];
  /** A reservation node, or undefined where the event lacks the proof of being travel. */
  readonly read: (
    groups: Readonly<Record<string, string | undefined>>,
    event: CalendarEvent,
    labels: EventLabels,
  ) => JsonObject | undefined;
}

const FLIGHT = '(?:flight|flug|vol|vuelo|volo|vlucht|voo)';
const TRAIN = '(?:train|zug|treno|tren|trein)';
const FROM = '(?:from|von|aus|de|da|desde|van)';
const TO = '(?:to|nach|à|a|para|per|pour|naar)';
const ARROW = String.raw`(?:-+>?|–|—|→|>|\/)`;
const NUMBER = String.raw`(?<number>[A-Z0-9]{2}\s?\d{1,4}[A-Z]?)`;
const RENTAL =
  '(?:rental car|car rental|car hire|hire car|mietwagen|leihwagen|location de voiture|autonoleggio|coche de alquiler|alquiler de coche)';
const BOOKING = '(?:reservation|booking|reservierung|buchung|réservation|reserva|prenotazione)';
const STAY = '(?:hotel|hostel|lodging|accommodation|unterkunft|hébergement|alojamiento|alloggio|stay|übernachtung)';
const pattern = (source: string) => new RegExp(source, 'iu');

const RECOGNISERS: readonly Recogniser[] = [
  {
    summaries: [
      pattern(
        String.raw`^(?:(?:your |ihr )?${FLIGHT}:?\s+)?${NUMBER}[\s,:(/–-]+(?:${FROM}\s+)?(?<from>[A-Z]{3})\)?\s*(?:${ARROW}|${TO})\s*\(?(?<to>[A-Z]{3})\b`,
      ),
      pattern(
        String.raw`^(?:${FLIGHT}:?\s+)?(?<from>[A-Z]{3})\s*(?:${ARROW}|${TO})\s*(?<to>[A-Z]{3})\b.{0,20}?\b${NUMBER}\b`,
      ),
      pattern(String.raw`\b${NUMBER}\b.{1,60}\((?<from>[A-Z]{3})\).{1,60}\((?<to>[A-Z]{3})\)`),
      pattern(String.raw`\b${FLIGHT}:?\s+${NUMBER}:\s+(?<from>.{3,60}?)\s+(?:${TO}|${ARROW})\s+(?<to>.{3,60})$`),
      pattern(String.raw`\b${FLIGHT}\s+${TO}\s+(?<to>.{3,60}?)\s+\(${NUMBER}\)$`),
      pattern(String.raw`\b${FLIGHT}\s+(?:${NUMBER}\s+)?${FROM}\s+(?<from>.{3,60}?)\s+${TO}\s+(?<to>.{3,60})$`),
      pattern(String.raw`\b${FLIGHT}\s+(?:${NUMBER}\s+)?${TO}\s+(?<to>.{3,60})$`),
    ],
    read: readFlightEvent,
  },
  {
    summaries: [
      pattern(
        String.raw`\b${TRAIN}\s+(?:(?<number>[A-Z]{0,5}\s?\d{1,6})\s+)?${FROM}\s+(?<from>.{2,60}?)\s+${TO}\s+(?<to>.{2,60})$`,
      ),
      pattern(
        String.raw`^(?<number>(?:ICE|IC|EC|TGV|RJX?|EST|THA|AVE|FR|NJ)\s?\d{1,5})[\s,:]+(?<from>.{2,60}?)\s*(?:->|→|–)\s*(?<to>.{2,60})$`,
      ),
    ],
    read: readTrainEvent,
  },
  {
    summaries: [
      pattern(String.raw`^${RENTAL}(?:\s+${BOOKING})?\s*[:–-]\s*(?<name>.{2,80})$`),
      pattern(String.raw`^${BOOKING}\s*[:–-]?\s*${RENTAL}\s*[:–-]\s*(?<name>.{2,80})$`),
    ],
    read: readRentalEvent,
  },
  {
    summaries: [
      pattern(String.raw`^${STAY}(?:\s+|-)?${BOOKING}\s*(?::|–|-|at|im|in|à|en)\s*(?<name>.{2,80})$`),
      pattern(String.raw`^${BOOKING}\s*[:–-]?\s+(?:at\s+|im\s+)?(?<name>${STAY}\s.{2,80})$`),
      pattern(String.raw`^(?:check[- ]?in|stay|staying|${STAY})\s*(?::|–|-|at\s|in\s)\s*(?<name>.{2,80})$`),
    ],
    read: readStayEvent,
  },
];

/** Reservation nodes of an event, none where nothing proves that it is travel. */
export function recogniseEvent(event: CalendarEvent): readonly JsonObject[] {
  const legs = bodyLegs(event);
  const labels = readLabels(event.lines);
  const common = commonFields(event, labels);
  if (legs.length > 0) return legs.map((leg) => ({ ...common, ...leg }));
  for (const { summaries, read } of RECOGNISERS) {
    for (const summary of summaries) {
      const groups = summary.exec(event.summary.replace(/^[^\p{L}\p{N}]+/u, ''))?.groups;
      const node = groups === undefined ? undefined : read(groups, event, labels);
      if (node !== undefined) return [{ ...common, ...node }];
    }
  }
  return [];
}

function commonFields(event: CalendarEvent, labels: EventLabels): JsonObject {
  // Codes are one word; what follows it on the line is a remark.
  const reference = /^[A-Z0-9][A-Z0-9/-]{2,30}(?=$|[\s,;])/i.exec(labels.get('reference'))?.[0] ?? '';
  const person = labels.get('person') || nameBeforeReference(event.lines);
  return {
    ...(reference === '' ? {} : { reservationNumber: reference }),
    ...(person === '' ? {} : { underName: { name: person } }),
  };
}

/** Calendar exports put the traveller's name on the line before the booking reference. */
function nameBeforeReference(lines: readonly string[]): string {
  const at = lines.findIndex((line) => /^(?:booking reference|buchungscode|confirmation)\b/i.test(line));
  const line = at > 0 ? (lines[at - 1] ?? '') : '';
  return /^\p{Lu}[\p{L}'’.-]*(?: \p{Lu}[\p{L}'’.-]*){1,3}$/u.test(line) ? line : '';
}

const FLIGHT_WORD = pattern(String.raw`(?:^|\P{L})${FLIGHT}(?:$|\P{L})`);

/** Whether the event lasts as long as a flight between its airports. */
function takesAsLongAsAFlight(event: CalendarEvent, from: JsonObject, to: JsonObject): boolean {
  const [origin, destination] = [from, to].map((one) =>
    typeof one.iataCode === 'string' ? airportByCode(one.iataCode) : undefined,
  );
  if (origin === undefined || destination === undefined || origin === destination) return false;
  const instant = (time: JsonValue | undefined, zone: string) => {
    const stated = time === undefined ? undefined : parseTravelTime(localText(time), zoneOf(time));
    return stated === undefined ? undefined : epochMsOf(resolveTime(stated, zone).value);
  };
  const start = instant(event.start, origin.zone);
  const end = instant(event.end, destination.zone);
  return start !== undefined && end !== undefined && plausibleFlight((end - start) / 3_600_000, origin, destination);
}

/** Proof: an airport that exists beside a labelled flight number, or a known airline's number with the word or the times of a flight. */
function readFlightEvent(
  groups: Readonly<Record<string, string | undefined>>,
  event: CalendarEvent,
  labels: EventLabels,
): JsonObject | undefined {
  if (!localText(event.start).includes('T')) return undefined;
  const inSummary = groups.number ?? '';
  const labelled = /^[A-Z0-9]{2}\s?\d{1,4}\b/i.exec(labels.get('flight') || labels.get('train'))?.[0] ?? '';
  const flight = splitFlightNumber(inSummary || labelled);
  if (flight.carrier === '' || flight.number === '') return undefined;
  const from = airportNode(groups.from ?? '', labels.get('from', 'departure') || labels.get('from'));
  const to = airportNode(groups.to ?? '', labels.get('to', 'arrival') || labels.get('to'));
  if (!(from.known || to.known)) return undefined;
  // With neither label nor the word, codes alone may be anything (`MS 365 SEA to SAP`): the times must fit a flight too.
  const knownCarrier = airlineName(flight.carrier) !== undefined;
  const proven =
    labelled !== '' ||
    (knownCarrier && (FLIGHT_WORD.test(event.summary) || takesAsLongAsAFlight(event, from.node, to.node)));
  if (!proven) return undefined;
  const operator = labels.get('operator');
  const boarding = parseClock(labels.get('boarding'));
  const day = dayOf(event.start);
  return {
    '@type': 'FlightReservation',
    ...seatFields(labels),
    ...(labels.get('seat') === '' ? {} : { airplaneSeat: labels.get('seat') }),
    ...(labels.get('group') === '' ? {} : { boardingGroup: labels.get('group') }),
    reservationFor: {
      '@type': 'Flight',
      flightNumber: `${flight.carrier} ${flight.number}`,
      airline: {
        iataCode: flight.carrier,
        ...(operator === '' || airlineName(flight.carrier) !== undefined ? {} : { name: operator }),
      },
      departureAirport: from.node,
      arrivalAirport: to.node,
      departureTime: event.start ?? '',
      ...(event.end === undefined ? {} : { arrivalTime: event.end }),
      ...(boarding === undefined || day === undefined ? {} : { boardingTime: atClock(day, boarding) }),
      ...optional(
        'departureTerminal',
        shortCode(labels.get('terminal', 'departure') || labels.get('terminal') || terminalIn(labels.get('from'))),
      ),
      ...optional('arrivalTerminal', shortCode(labels.get('terminal', 'arrival') || terminalIn(labels.get('to')))),
      ...optional('departureGate', shortCode(labels.get('gate'))),
    },
  };
}

function terminalIn(text: string): string {
  return /\bTERMINAL ([A-Z0-9]{1,3})$/i.exec(text)?.[1] ?? '';
}

/** An airport from a code, `Name (CODE)`, or a name that the table knows. */
function airportNode(inSummary: string, labelled: string): { readonly node: JsonObject; readonly known: boolean } {
  const candidates = [labelled, inSummary].filter((text) => text !== '');
  for (const text of candidates) {
    const code =
      /^([A-Z]{3})$/.exec(text)?.[1] ?? /(?:\(|\s)([A-Z]{3})\)?$/.exec(text)?.[1] ?? /\(([A-Z]{3})\)/.exec(text)?.[1];
    if (code !== undefined && airportByCode(code) !== undefined) {
      const name = text.replace(/\s*\([A-Z]{3}\).*$|\s+[A-Z]{3}$/, '').trim();
      return { node: { iataCode: code, ...(name === '' || name === code ? {} : { name }) }, known: true };
    }
  }
  for (const text of candidates) {
    const name = text.replace(/\s*\bTERMINAL [A-Z0-9]{1,3}$/i, '');
    if (airportsByName(name).length > 0) return { node: { name }, known: true };
  }
  return { node: { name: candidates[0] ?? '' }, known: false };
}

/** Proof: the word for a train with both stations, and a number, a reference or a seat. */
function readTrainEvent(
  groups: Readonly<Record<string, string | undefined>>,
  event: CalendarEvent,
  labels: EventLabels,
): JsonObject | undefined {
  if (!localText(event.start).includes('T')) return undefined;
  const number = groups.number ?? labels.get('train');
  if (number === '' && labels.get('reference') === '' && labels.get('seat') === '') return undefined;
  const stop = (text: string) => {
    const plain = text.replace(/\s*\(([A-Z]{3})\).*$/, '').trim();
    const code = /\(([A-Z]{3})\)/.exec(text)?.[1] ?? (/^[A-Z]{3}$/.test(plain) ? plain : undefined);
    return { name: plain, ...(code === undefined ? {} : { identifier: code }) };
  };
  const geo = event.geo === undefined ? {} : { geo: { latitude: event.geo[0], longitude: event.geo[1] } };
  const operator = labels.get('operator');
  return {
    '@type': 'TrainReservation',
    ...seatFields(labels),
    reservationFor: {
      '@type': 'TrainTrip',
      ...(number === '' ? {} : { trainNumber: number }),
      ...(operator === '' ? {} : { provider: { name: operator } }),
      departureStation: { ...stop(labels.get('from', 'departure') || (groups.from ?? '')), ...geo },
      arrivalStation: stop(labels.get('to', 'arrival') || (groups.to ?? '')),
      departureTime: event.start ?? '',
      ...(event.end === undefined ? {} : { arrivalTime: event.end }),
      ...optional('departurePlatform', shortCode(labels.get('platform', 'departure') || labels.get('platform'))),
    },
  };
}

/** Proof: the summary's words, and a reference or the places. */
function readRentalEvent(
  groups: Readonly<Record<string, string | undefined>>,
  event: CalendarEvent,
  labels: EventLabels,
): JsonObject | undefined {
  const pickup = labels.get('pickup') || event.location;
  if (labels.get('reference') === '' && labels.get('pickup') === '') return undefined;
  return {
    '@type': 'RentalCarReservation',
    reservationFor: {
      '@type': 'RentalCar',
      name: groups.name ?? '',
      ...(labels.get('company') === '' ? {} : { rentalCompany: { name: labels.get('company') } }),
    },
    ...(pickup === '' ? {} : { pickupLocation: { name: pickup } }),
    ...(labels.get('dropoff') === '' ? {} : { dropoffLocation: { name: labels.get('dropoff') } }),
    ...(event.start === undefined ? {} : { pickupTime: event.start }),
    ...(event.end === undefined ? {} : { dropoffTime: event.end }),
  };
}

/** Proof: whole days or a night between start and end, and a reference or check-in times. */
function readStayEvent(
  groups: Readonly<Record<string, string | undefined>>,
  event: CalendarEvent,
  labels: EventLabels,
): JsonObject | undefined {
  const first = dayOf(event.start);
  const end = dayOf(event.end);
  if (first === undefined || end === undefined || end <= first) return undefined;
  if (labels.get('reference') === '' && labels.get('checkin') === '') return undefined;
  // The end of a whole-day event is the day after its last; hotels mark the day of departure as the last one.
  const allDay = !localText(event.end).includes('T');
  const days = Temporal.PlainDate.from(first).until(Temporal.PlainDate.from(end)).days;
  const last = allDay && days > 1 ? Temporal.PlainDate.from(end).subtract({ days: 1 }).toString() : end;
  const time = (own: JsonValue | undefined, day: string, label: string): JsonValue => {
    const clock = parseClock(label);
    return clock !== undefined ? atClock(day, clock) : localText(own).includes('T') ? (own ?? day) : day;
  };
  return {
    '@type': 'LodgingReservation',
    checkinTime: time(event.start, first, labels.get('checkin')),
    checkoutTime: time(event.end, last, labels.get('checkout')),
    reservationFor: {
      '@type': 'LodgingBusiness',
      name: groups.name ?? '',
      ...(event.location === '' ? {} : { address: addressOf(event.location) }),
      ...(labels.get('phone') === '' ? {} : { telephone: labels.get('phone') }),
      ...(event.geo === undefined ? {} : { geo: { latitude: event.geo[0], longitude: event.geo[1] } }),
    },
  };
}

/** `Street 1, FI-02600 Espoo, Finland` in parts, where it has that form; else the line. */
function addressOf(location: string): JsonValue {
  const parts = location.split(',').map((part) => part.trim());
  const country = parts.length > 1 ? countryCode(parts.at(-1) ?? '') : undefined;
  const town = /^(?:[A-Z]{1,2}-)?(\d{4,6})\s+(\p{L}.*)$/u.exec(
    (country === undefined ? parts.at(-1) : parts.at(-2)) ?? '',
  );
  if (town === null) return location;
  const street = parts.slice(0, country === undefined ? -1 : -2).join(', ');
  return {
    '@type': 'PostalAddress',
    ...(street === '' ? {} : { streetAddress: street }),
    postalCode: town[1] ?? '',
    addressLocality: town[2] ?? '',
    ...(country === undefined ? {} : { addressCountry: country }),
  };
}

function seatFields(labels: EventLabels): JsonObject {
  const seat = labels.get('seat');
  const coach = labels.get('coach');
  if (seat === '' && coach === '') return {};
  return {
    reservedTicket: {
      ticketedSeat: { ...(seat === '' ? {} : { seatNumber: seat }), ...(coach === '' ? {} : { seatSection: coach }) },
    },
  };
}

function atClock(day: string, clock: { readonly hour: number; readonly minute: number }): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${day}T${two(clock.hour)}:${two(clock.minute)}:00`;
}

/** Terminals, gates and platforms are short; sentences that say where to look them up are not. */
function shortCode(text: string): string {
  return /^[\p{L}\d][\p{L}\d /-]{0,7}$/u.test(text) ? text : '';
}

function optional(name: string, value: string): JsonObject {
  return value === '' ? {} : { [name]: value };
}
