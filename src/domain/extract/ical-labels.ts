import { fold } from '../facts.ts';

/**
 * Labelled lines of an event's description (`Buchungscode: XYZ123`), in the languages that airlines and railways write.
 * Lines under a heading of departure or arrival are also kept under that heading.
 */
export type LabelName = keyof typeof LABELS;
export interface EventLabels {
  get(name: LabelName, section?: 'departure' | 'arrival'): string;
}

const LABELS = {
  reference:
    'bookingreference bookingcode bookingnumber bookingid booking buchungscode buchungsnummer buchungsreferenz reservierungsnummer reservationnumber reservationcode reservation reference confirmationnumber confirmationcode confirmation recordlocator locator pnr airlinereference referencedereservation numerodereservation localizador codigodereserva numerodereserva codicediprenotazione codiceprenotazione boekingsnummer reserveringsnummer',
  flight:
    'flightnumber flightno flight flugnr flugnummer flug vol numerodevol vuelo numerodevuelo volo numerovolo vlucht vluchtnummer',
  train: 'trainnumber train zug zugnummer zugnr treno tren trein numerodetrain',
  from: 'from von de da desde van departureairport departurestation departsfrom abflugort',
  to: 'to nach at a para naar arrivalairport arrivalstation arrivesat destination ziel ankunftsort',
  terminal: 'terminal departureterminal arrivalterminal',
  gate: 'gate departuregate boardinggate flugsteig puerta porte',
  boarding: 'boarding boardingtime einstieg einsteigezeit embarquement embarque imbarco',
  platform: 'track platform gleis voie via binario spoor',
  seat: 'seat seats sitz sitzplatz platz siege asiento posto stoel',
  coach: 'coach car carriage wagen voiture coche carrozza rijtuig',
  group: 'boardinggroup group',
  class: 'class cabin klasse classe clase',
  operator: 'operatedby durchgefuhrtvon operepar operadopor operatoda operator traincompany company',
  phone: 'phone telephone tel telefon telefono',
  checkin: 'checkin checkintime anreise arrivee entrada',
  checkout: 'checkout checkouttime abreise depart salida',
  pickup: 'pickuplocation pickup abholort abholung abholstation prisenenchargement recogida ritiro',
  dropoff:
    'dropofflocation dropoff returnlocation return ruckgabeort ruckgabe ruckgabestation restitution devolucion riconsegna',
  company: 'rentalcompany company supplier anbieter vermieter',
  person:
    'undername name passenger passengers traveller traveler guest guestname passagier reisender gast passager pasajero passeggero huesped ospite',
} as const;

const NAMES: ReadonlyMap<string, readonly LabelName[]> = (() => {
  const names = new Map<string, LabelName[]>();
  for (const [name, words] of Object.entries(LABELS) as [LabelName, string][]) {
    for (const word of words.split(' ')) names.set(word, [...(names.get(word) ?? []), name]);
  }
  return names;
})();

const DEPARTURE = /^(?:departure|abflug|abfahrt|départ|depart|salida|partenza|vertrek)\b\s*[-–:]?\s*/iu;
const ARRIVAL = /^(?:arrival|ankunft|arrivée|arrivee|llegada|arrivo|aankomst)\b\s*[-–:]?\s*/iu;

/** Reads up to 200 lines. */
export function readLabels(lines: readonly string[]): EventLabels {
  const found = new Map<string, string>();
  let section = '';
  for (const line of lines.slice(0, 200)) {
    let rest = line;
    for (const [name, heading] of [
      ['departure', DEPARTURE],
      ['arrival', ARRIVAL],
    ] as const) {
      const m = heading.exec(line);
      // `Departure gate: 16` is a label of its own, `Departure - Date: …` a heading with its first label.
      if (m === null || /^\p{L}+\s+\p{L}+\s*:/u.test(line)) continue;
      section = name;
      rest = line.slice(m[0].length);
    }
    const m = /^([\p{L}][\p{L} .'-]{0,38}?)\s*:\s*(\S.*)$/u.exec(rest);
    if (m === null) continue;
    for (const name of NAMES.get(fold(m[1] ?? '')) ?? []) {
      const value = (m[2] ?? '').trim();
      if (!found.has(name)) found.set(name, value);
      if (section !== '' && !found.has(`${section}.${name}`)) found.set(`${section}.${name}`, value);
    }
  }
  return {
    get: (name, inSection) => found.get(inSection === undefined ? name : `${inSection}.${name}`) ?? '',
  };
}
