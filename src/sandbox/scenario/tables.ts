import { type Airport, airportByCode } from '../../domain/geo/airports.ts';

/** Where the day plays: real airports of many zones, half-hour ones and both sides of the date line among them. */
const CODES =
  'FRA MUC LHR CDG AMS MAD ZRH CPH IST HEL LIS DUB EWR JFK ORD SFO ATL YYZ GRU SCL DXB DEL BOM SIN HND ICN SYD ADL AKL ADD NBO KTM'.split(
    ' ',
  );

export const AIRPORTS: readonly Airport[] = CODES.map((code) => {
  const airport = airportByCode(code);
  if (airport === undefined) throw new Error(`The airport table has no ${code}; run scripts/build-airports.ts.`);
  return airport;
});

export interface Airline {
  readonly code: string;
  readonly name: string;
  readonly hubs: readonly string[];
  /** Code of the partner that sells its seats under an own number. */
  readonly partner?: string;
}

export const AIRLINES: readonly Airline[] = [
  { code: 'LH', name: 'Lufthansa', hubs: ['FRA', 'MUC'], partner: 'UA' },
  { code: 'UA', name: 'United Airlines', hubs: ['EWR', 'ORD', 'SFO'], partner: 'LH' },
  { code: 'BA', name: 'British Airways', hubs: ['LHR'], partner: 'AA' },
  { code: 'AA', name: 'American Airlines', hubs: ['JFK', 'ORD'], partner: 'BA' },
  { code: 'AF', name: 'Air France', hubs: ['CDG'], partner: 'DL' },
  { code: 'KL', name: 'KLM', hubs: ['AMS'], partner: 'DL' },
  { code: 'DL', name: 'Delta Air Lines', hubs: ['ATL', 'JFK'], partner: 'KL' },
  { code: 'IB', name: 'Iberia', hubs: ['MAD'], partner: 'BA' },
  { code: 'LX', name: 'Swiss', hubs: ['ZRH'], partner: 'LH' },
  { code: 'SK', name: 'Scandinavian Airlines', hubs: ['CPH'] },
  { code: 'TK', name: 'Turkish Airlines', hubs: ['IST'] },
  { code: 'AY', name: 'Finnair', hubs: ['HEL'], partner: 'BA' },
  { code: 'TP', name: 'TAP Air Portugal', hubs: ['LIS'] },
  { code: 'EI', name: 'Aer Lingus', hubs: ['DUB'] },
  { code: 'AC', name: 'Air Canada', hubs: ['YYZ'], partner: 'LH' },
  { code: 'LA', name: 'LATAM Airlines', hubs: ['GRU', 'SCL'] },
  { code: 'EK', name: 'Emirates', hubs: ['DXB'], partner: 'QF' },
  { code: 'AI', name: 'Air India', hubs: ['DEL', 'BOM'] },
  { code: 'SQ', name: 'Singapore Airlines', hubs: ['SIN'], partner: 'LH' },
  { code: 'NH', name: 'All Nippon Airways', hubs: ['HND'], partner: 'UA' },
  { code: 'KE', name: 'Korean Air', hubs: ['ICN'] },
  { code: 'QF', name: 'Qantas', hubs: ['SYD', 'ADL'], partner: 'EK' },
  { code: 'NZ', name: 'Air New Zealand', hubs: ['AKL'] },
  { code: 'ET', name: 'Ethiopian Airlines', hubs: ['ADD'] },
  { code: 'KQ', name: 'Kenya Airways', hubs: ['NBO'] },
];

export const AIRCRAFT = ['Airbus A320', 'Airbus A321neo', 'Airbus A350-900', 'Boeing 737-800', 'Boeing 787-9'] as const;

/** Invented people; names with letters beyond ASCII, because mails and keys must carry them. */
export const GIVEN_NAMES =
  'Aino Amara Beatriz Carlos Chloé Dariusz Elif Farid Giulia Håkon Ines Jürgen Kaori Lucía Mateus Nadia Oluwaseun Priya Quentin Rosa Søren Tamsin Ulrike Viktor Wanjiru Ximena Yusuf Zoë'.split(
    ' ',
  );
export const FAMILY_NAMES =
  'Almeida Bergström Castellanos Dąbrowski Eriksen Fontaine Grünwald Haddad Ibrahim Jansen Kowalczyk Lindqvist Müller Nakagawa Okonkwo Peña Quispe Rossi Strauß Tremblay Uchida Vasquez Wójcik Yılmaz Zeller'.split(
    ' ',
  );

export const HOTEL_NAMES = [
  'Harbour House',
  'Grand Meridian',
  'Hôtel du Canal',
  'Park Lodge',
  'Zum Löwen',
  'The Lantern',
];
export const STREETS = ['Station Road', 'Rue des Fleurs', 'Hafenstraße', 'Calle Mayor', 'Market Street', 'Lake View'];
export const RENTAL_COMPANIES = ['Bluebird Car Hire', 'Roadrunner Rentals', 'Nordwind Autovermietung'];
