/**
 * Facts: flat records from a field path to a value. One vocabulary for every source and every kind of leg, so that the
 * join, the diff, the views and the evidence need no case per kind.
 *
 * Every leg has a `start` and an `end` point: departure and arrival, check-in and check-out, pick-up and drop-off.
 *
 * Times are strings in one of four forms, in order of preference:
 *  - RFC 9557 with zone:      `2026-12-01T10:05:00+01:00[Europe/Berlin]`
 *  - offset, zone unknown:    `2026-12-01T10:05:00+01:00`
 *  - local, zone unknown:     `2026-12-01T10:05:00`   (never given the host's zone)
 *  - day only:                `2026-12-01`            (the day is known, the time is not)
 */

export const KINDS = ['flight', 'train', 'bus', 'boat', 'stay', 'rental', 'event', 'restaurant', 'taxi'] as const;
export type Kind = (typeof KINDS)[number];
/** Kinds that go from one place to another by a timetable. */
export const TRANSPORT_KINDS: readonly Kind[] = ['flight', 'train', 'bus', 'boat'];

export type FactValue = string | number | boolean | null;

/** Where exactly a value was found. */
export interface Evidence {
  /** Human-readable place, e.g. `text/html part 2, JSON-LD block 1, reservationFor.departureTime`. */
  readonly where: string;
  /** The raw text found there, at most 200 characters. */
  readonly raw?: string;
}

export interface Fact {
  readonly value: FactValue;
  readonly evidence?: Evidence;
}

export type Facts = Readonly<Record<string, Fact>>;

/** Facts about a booking as a whole. */
export const BOOKING_PATHS = {
  kind: 'what is booked, for as long as no leg says it: flight | train | bus | boat | stay | rental | event | restaurant | taxi',
  status: 'booking status: confirmed | pending | hold | cancelled',
  reference: 'locator or confirmation number as printed for the traveller',
  'provider.name': 'airline, hotel, rental company, railway that the booking is with',
  'provider.code': 'IATA or other code of that provider',
  'agent.name': 'agency or site it was booked through',
  'price.amount': 'total price, decimal number as string',
  'price.currency': 'ISO 4217 code',
  bookedAt: 'instant of booking',
  'url.manage': 'https link to manage the booking',
  'url.checkin': 'https link to check in',
  removed: 'true when a person removed the reservation from view',
} as const;

/** Facts about one leg. `<person>` is the folded name of a passenger (see personKey). */
export const LEG_PATHS = {
  status: 'booking status of this leg: confirmed | pending | hold | cancelled',
  operation:
    'how it runs: scheduled | check-in | boarding | gate-closed | delayed | departed | en-route | approaching | arrived | cancelled | cancelled-uncertain | diverted | unknown',
  'carrier.code': 'IATA airline or operator code (marketing)',
  'carrier.name': 'airline, railway, bus or ferry company',
  number: 'flight, train or bus number without the carrier code',
  'operating.code': 'operating carrier where it differs',
  'operating.number': 'its number',
  name: 'hotel, event, restaurant, train name, or rental company of this leg',
  vehicle: 'car model or class',
  aircraft: 'aircraft type',
  phone: 'telephone of the place',
  'start.scheduled': 'time as scheduled',
  'start.estimated': 'time as now expected',
  'start.actual': 'time as it happened',
  'start.boarding': 'boarding time',
  'start.code': 'IATA airport code or station code',
  'start.name': 'airport, station, place',
  'start.address': 'postal address in one line',
  'start.street': 'street address',
  'start.locality': 'town',
  'start.postal': 'postal code',
  'start.country': 'ISO 3166 country code or name',
  'start.zone': 'IANA time zone of the place',
  'start.terminal': 'terminal',
  'start.gate': 'gate',
  'start.platform': 'platform or track',
  'start.desk': 'check-in desk',
  'start.until': 'local time of day until which one may check in or pick up: 22:00',
  'end.scheduled': 'time as scheduled',
  'end.estimated': 'time as now expected',
  'end.actual': 'time as it happened',
  'end.code': 'IATA airport code or station code',
  'end.name': 'airport, station, place',
  'end.address': 'postal address in one line',
  'end.street': 'street address',
  'end.locality': 'town',
  'end.postal': 'postal code',
  'end.country': 'ISO 3166 country code or name',
  'end.zone': 'IANA time zone of the place',
  'end.terminal': 'terminal',
  'end.gate': 'gate',
  'end.platform': 'platform or track',
  'end.belt': 'baggage belt',
  'diverted.code': 'airport diverted to',
  'passenger.<person>.name': 'name as printed',
  'passenger.<person>.seat': 'seat',
  'passenger.<person>.section': 'coach or section of the seat',
  'passenger.<person>.row': 'row of the seat, where it is not part of the seat',
  'passenger.<person>.ticket': 'ticket number',
  'passenger.<person>.group': 'boarding group',
  'passenger.<person>.sequence': 'check-in sequence',
  'passenger.<person>.class': 'cabin or class',
} as const;

/** Lower case letters and digits of a text without accents: for keys, never for display. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/ß/g, 'ss')
    .replace(/[øØ]/g, 'o')
    .replace(/[łŁ]/g, 'l')
    .replace(/[æÆ]/g, 'ae')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

/**
 * The same person in any order of name parts and with or without a title:
 * `DOE/JOHN MR`, `John Doe` and `Doe, John` give `doejohn`.
 */
export function personKey(name: string): string {
  const words = name
    .split(/[\s/,.]+/u)
    .map(fold)
    .filter((word) => word !== '' && !TITLES.has(word));
  return words.sort().join('') || 'unnamed';
}
const TITLES = new Set(['mr', 'mrs', 'ms', 'miss', 'mstr', 'dr', 'prof', 'herr', 'frau', 'mme', 'chd', 'inf', 'adt']);
