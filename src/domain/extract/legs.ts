import { type Kind, personKey } from '../facts.ts';
import { airlineCode, airlineName } from '../geo/airlines.ts';
import { legKeys } from '../keys.ts';
import { FactWriter, type Warnings } from './draft.ts';
import { isObject, type JsonObject, type JsonValue } from './json-repair.ts';
import { child, firstText, iataCode, list, nameOf, text } from './node.ts';
import { writeAirport, writePlace } from './places.ts';
import { dayIfMidnight, hoursOf, statedTime, withClock, writeFlightTimes, writeTimeAsPrinted } from './times.ts';

/** What a leg's facts say, with the keys that make it the same leg as another source's. */
export interface LegFacts {
  readonly facts: FactWriter;
  readonly keys: readonly string[];
  /** Whom it is booked with, as far as the leg says it. */
  readonly providerName: string;
  readonly providerCode: string;
}

interface LegInput {
  readonly kind: Kind;
  /** The reservation. */
  readonly node: JsonObject;
  /** One element of its reservationFor. */
  readonly trip: JsonObject;
  readonly where: string;
  readonly warnings: Warnings;
}

/** Reads one leg of any kind from a reservation node. */
export function readLeg(input: LegInput): LegFacts {
  switch (input.kind) {
    case 'flight':
      return readFlight(input);
    case 'train':
    case 'bus':
    case 'boat':
      return readRide(input, input.kind);
    case 'stay':
      return readStay(input);
    case 'rental':
    case 'taxi':
      return readHire(input);
    default:
      return readVisit(input);
  }
}

const FOR = 'reservationFor';

function readFlight({ node, trip, where, warnings }: LegInput): LegFacts {
  const facts = new FactWriter(where);
  const airlines = [trip.airline, trip.provider, trip.seller, node.provider];
  let name = airlines.map(nameOf).find((found) => found !== '') ?? '';
  let code = airlines.map(iataCode).find((found) => found.length === 2) ?? '';
  // `"airline": "LH"` is a code, not a name.
  if (code === '' && /^[A-Z0-9]{2}$/.test(name)) {
    code = name;
    name = '';
  }
  const { carrier, number, raw } = splitFlightNumber(firstText(trip, 'flightNumber', 'identifier'));
  const marketing = carrier || code || airlineCode(name) || '';
  if (carrier !== '') facts.set('carrier.code', carrier, `${FOR}.flightNumber`, raw);
  else if (code !== '') facts.set('carrier.code', code, `${FOR}.airline.iataCode`);
  else facts.derive('carrier.code', marketing, 'airline table');
  if (carrier === '' || carrier === code || code === '') facts.set('carrier.name', name, `${FOR}.airline.name`);
  facts.derive('carrier.name', marketing === '' ? undefined : airlineName(marketing), 'airline table');
  facts.set('number', number, `${FOR}.flightNumber`, raw);
  const operating = iataCode(trip.operatedBy) || airlineCode(nameOf(trip.operatedBy)) || '';
  if (operating !== marketing) facts.set('operating.code', operating, `${FOR}.operatedBy`);
  facts.set('aircraft', nameOf(trip.aircraft), `${FOR}.aircraft`);
  const from = writeAirport('start', trip.departureAirport, `${FOR}.departureAirport`, facts, warnings, where);
  const to = writeAirport('end', trip.arrivalAirport, `${FOR}.arrivalAirport`, facts, warnings, where);
  const time = (...names: string[]) => statedTime(trip, names, FOR, warnings, where);
  const times = {
    departure: time('departureTime', 'departureDay'),
    arrival: time('arrivalTime'),
    boarding: time('boardingTime'),
  };
  writeFlightTimes(times, from, to, facts, warnings, where);
  for (const [side, word] of [
    ['start', 'departure'],
    ['end', 'arrival'],
  ] as const) {
    facts.set(`${side}.terminal`, text(trip[`${word}Terminal`]), `${FOR}.${word}Terminal`);
    facts.set(`${side}.gate`, text(trip[`${word}Gate`]), `${FOR}.${word}Gate`);
  }
  const start = facts.facts['start.scheduled']?.value;
  const keys = legKeys({
    kind: 'flight',
    carrier: marketing,
    number,
    from: from.identity,
    to: to.identity,
    start: typeof start === 'string' ? start : undefined,
  });
  return { facts, keys, providerName: name, providerCode: marketing };
}

/** `LH 400`, `LH400`, `0400`, `DLH 400` into carrier and number. A suffix letter belongs to the number. */
export function splitFlightNumber(printed: string): {
  readonly carrier: string;
  readonly number: string;
  readonly raw: string;
} {
  const squeezed = printed.toUpperCase().replace(/[\s.\-–/]+/g, '');
  const m = /^([A-Z][A-Z0-9]|[0-9][A-Z])0*(\d{1,4}[A-Z]?)$/.exec(squeezed) ?? /^()0*(\d{1,4}[A-Z]?)$/.exec(squeezed);
  return m
    ? { carrier: m[1] ?? '', number: m[2] ?? '', raw: printed }
    : { carrier: '', number: squeezed.slice(0, 12), raw: printed };
}

const RIDES = {
  train: { stop: ['Station'], number: 'trainNumber', name: 'trainName', company: 'trainCompany', platform: 'Platform' },
  bus: {
    stop: ['BusStop', 'BusStation', 'Station'],
    number: 'busNumber',
    name: 'busName',
    company: 'busCompany',
    platform: 'Platform',
  },
  boat: {
    stop: ['BoatTerminal', 'Terminal', 'Station'],
    number: 'boatNumber',
    name: 'boatName',
    company: 'boatCompany',
    platform: 'Pier',
  },
} as const;

function readRide({ node, trip, where, warnings }: LegInput, kind: keyof typeof RIDES): LegFacts {
  const facts = new FactWriter(where);
  const words = RIDES[kind];
  const companies = [trip.provider, trip[words.company], node.provider];
  const company = companies.map(nameOf).find((found) => found !== '') ?? '';
  facts.set('carrier.name', company, `${FOR}.provider`);
  const number = text(trip[words.number]);
  const name = text(trip[words.name]);
  facts.set('number', number, `${FOR}.${words.number}`);
  facts.set('name', name, `${FOR}.${words.name}`);
  const side = (which: 'start' | 'end', word: 'departure' | 'arrival') => {
    const property =
      words.stop.map((stop) => `${word}${stop}`).find((candidate) => nameOf(trip[candidate]) !== '') ??
      `${word}${words.stop[0]}`;
    const place = writePlace(which, trip[property], `${FOR}.${property}`, facts);
    const days = word === 'departure' ? [`${word}Time`, `${word}Day`] : [`${word}Time`];
    writeTimeAsPrinted(`${which}.scheduled`, statedTime(trip, days, FOR, warnings, where), place.zone, facts);
    facts.set(
      `${which}.platform`,
      text(trip[`${word}${words.platform}`] ?? trip[`${word}Platform`]),
      `${FOR}.${word}${words.platform}`,
    );
    return place;
  };
  const from = side('start', 'departure');
  const to = side('end', 'arrival');
  const start = facts.facts['start.scheduled']?.value;
  // `ICE 577`, name `ICE` with number `577`, and `577` alone are one train: each form gives a key.
  const forms = new Set([number, `${name}${number}`, number.replace(/^[^\d]+/, '')].filter((form) => /\d/.test(form)));
  const identity = { kind, from: from.identity, to: to.identity, start: typeof start === 'string' ? start : undefined };
  const keys = [
    ...new Set([...(forms.size === 0 ? [''] : forms)].flatMap((form) => legKeys({ ...identity, number: form }))),
  ];
  return { facts, keys, providerName: company, providerCode: '' };
}

function readStay({ node, trip, where, warnings }: LegInput): LegFacts {
  const facts = new FactWriter(where);
  const name = nameOf(trip);
  facts.set('name', name, `${FOR}.name`);
  facts.set('phone', text(trip.telephone), `${FOR}.telephone`);
  const place = writePlace('start', trip, FOR, facts);
  const hours = hoursOf(node.checkinTime);
  const said = hours === undefined ? node : { ...node, checkinTime: hours.from };
  const side = (path: string, word: 'checkin' | 'checkout') => {
    const stated = statedTime(said, [`${word}Time`, `${word}Date`], '', warnings, where);
    writeTimeAsPrinted(path, dayIfMidnight(withClock(stated, said[`${word}Time`])), place.zone, facts);
  };
  if (hours !== undefined) facts.set('start.until', hours.until, 'checkinTime', text(node.checkinTime));
  side('start.scheduled', 'checkin');
  side('end.scheduled', 'checkout');
  const start = facts.facts['start.scheduled']?.value;
  const keys = legKeys({ kind: 'stay', name, start: typeof start === 'string' ? start : undefined });
  return { facts, keys, providerName: name, providerCode: '' };
}

function readHire({ kind, node, trip, where, warnings }: LegInput): LegFacts {
  const facts = new FactWriter(where);
  const companies = [trip.rentalCompany, node.provider, trip.provider, ...(kind === 'taxi' ? [trip] : [])];
  const company = companies.map(nameOf).find((found) => found !== '') ?? '';
  facts.set('name', company, kind === 'rental' ? `${FOR}.rentalCompany` : `${FOR}.provider`);
  const model = [nameOf(trip.brand), nameOf(trip.model)].filter((part) => part !== '').join(' ');
  const vehicle = kind === 'rental' ? nameOf(trip) : '';
  facts.set('vehicle', [vehicle, model].filter((part) => part !== '').join(', '), FOR);
  const from = writePlace('start', node.pickupLocation, 'pickupLocation', facts);
  const to = writePlace('end', node.dropoffLocation, 'dropoffLocation', facts);
  const location = list(node.pickupLocation).find(isObject);
  if (location !== undefined) facts.set('phone', text(location.telephone), 'pickupLocation.telephone');
  writeTimeAsPrinted(
    'start.scheduled',
    statedTime(node, ['pickupTime', 'pickupDate'], '', warnings, where),
    from.zone,
    facts,
  );
  writeTimeAsPrinted(
    'end.scheduled',
    statedTime(node, ['dropoffTime', 'dropoffDate'], '', warnings, where),
    to.zone ?? from.zone,
    facts,
  );
  const start = facts.facts['start.scheduled']?.value;
  const keys = legKeys({ kind, name: company || from.identity, start: typeof start === 'string' ? start : undefined });
  return { facts, keys, providerName: company, providerCode: '' };
}

/** Events and restaurant tables: somewhere at a time. */
function readVisit({ kind, node, trip, where, warnings }: LegInput): LegFacts {
  const facts = new FactWriter(where);
  const name = nameOf(trip);
  facts.set('name', name, `${FOR}.name`);
  const venue: JsonValue | undefined = kind === 'event' ? trip.location : trip;
  const place = writePlace('start', venue, kind === 'event' ? `${FOR}.location` : FOR, facts);
  facts.set('phone', text(trip.telephone), `${FOR}.telephone`);
  const time = (word: 'start' | 'end') =>
    statedTime(trip, [`${word}Date`, `${word}Time`], FOR, warnings, where) ??
    statedTime(node, [`${word}Time`, `${word}Date`], '', warnings, where);
  writeTimeAsPrinted('start.scheduled', time('start'), place.zone, facts);
  writeTimeAsPrinted('end.scheduled', time('end'), place.zone, facts);
  const start = facts.facts['start.scheduled']?.value;
  const keys = legKeys({ kind, name, start: typeof start === 'string' ? start : undefined });
  const organiser = nameOf(trip.organizer) || nameOf(trip.performer);
  return {
    facts,
    keys,
    providerName: kind === 'event' ? nameOf(node.provider) || organiser : name,
    providerCode: '',
  };
}

/** Facts of each passenger under `passenger.<person>.`. Seats without a name are kept under `unnamed`. */
export function readPassengers(node: JsonObject, trip: JsonObject, where: string): FactWriter {
  const facts = new FactWriter(where);
  const tickets = list(node.reservedTicket).filter(isObject);
  const named = (value: JsonValue | undefined) =>
    list(value)
      .map(nameOf)
      .filter((name) => name !== '');
  let names = named(node.underName);
  if (names.length === 0) names = tickets.flatMap((ticket) => named(ticket.underName));
  if (names.length === 0) names = named(trip.underName);
  const people = names.length > 0 ? [...new Set(names)] : [''];
  people.slice(0, PASSENGERS_MAX).forEach((name, index) => {
    const person = name === '' ? 'unnamed' : personKey(name).slice(0, 80);
    const own = tickets.find((ticket) => name !== '' && personKey(nameOf(ticket.underName)) === person);
    const ticket =
      own ?? (tickets.length === people.length ? tickets[index] : people.length === 1 ? tickets[0] : undefined);
    const put = (what: string, value: string, property: string) =>
      facts.set(`passenger.${person}.${what}`, value, property);
    put('name', name, 'underName.name');
    const seat = child(ticket ?? {}, 'ticketedSeat') ?? child(node, 'ticketedSeat', 'seat');
    const common = people.length === 1;
    const printed = common
      ? text(node.airplaneSeat) || text(trip.airplaneSeat)
      : (text(node.airplaneSeat).split(/[,;/]\s*/)[index] ?? '');
    put('seat', printed || (seat === undefined ? '' : text(seat.seatNumber)), 'seat');
    put('row', seat === undefined ? '' : text(seat.seatRow), 'ticketedSeat.seatRow');
    put('section', seat === undefined ? '' : text(seat.seatSection), 'ticketedSeat.seatSection');
    put('class', nameOf(node.airplaneSeatClass) || (seat === undefined ? '' : text(seat.seatingType)), 'class');
    put(
      'ticket',
      (ticket === undefined ? '' : text(ticket.ticketNumber)) || (common ? text(node.ticketNumber) : ''),
      'ticketNumber',
    );
    if (common) {
      put('group', text(node.boardingGroup), 'boardingGroup');
      put('sequence', text(node.passengerSequenceNumber), 'passengerSequenceNumber');
    }
  });
  return facts;
}
const PASSENGERS_MAX = 50;
