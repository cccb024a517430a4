import type { Kind } from '../facts.ts';
import { isObject, type JsonObject, type JsonValue } from './json-repair.ts';
import type { ExtractLimits } from './limits.ts';
import { list, typesOf } from './node.ts';

/** One reservation as a document states it, with where it was found. */
export interface ReservationNode {
  readonly kind: Kind;
  readonly node: JsonObject;
  readonly where: string;
  readonly extractor: string;
  /** ISO instant of the mail that carries it, where known: the forwarded one's own date. */
  readonly mailDate: string | undefined;
}

const RESERVATION_KINDS: Readonly<Record<string, Kind>> = {
  FlightReservation: 'flight',
  TrainReservation: 'train',
  BusReservation: 'bus',
  BoatReservation: 'boat',
  LodgingReservation: 'stay',
  HotelReservation: 'stay',
  RentalCarReservation: 'rental',
  EventReservation: 'event',
  FoodEstablishmentReservation: 'restaurant',
  TaxiReservation: 'taxi',
};

/** What is reserved tells the kind where the reservation's own type is general. */
const SUBJECT_KINDS: Readonly<Record<string, Kind>> = {
  Flight: 'flight',
  TrainTrip: 'train',
  BusTrip: 'bus',
  BoatTrip: 'boat',
  LodgingBusiness: 'stay',
  Hotel: 'stay',
  Hostel: 'stay',
  Resort: 'stay',
  BedAndBreakfast: 'stay',
  RentalCar: 'rental',
  Car: 'rental',
  Event: 'event',
  FoodEstablishment: 'restaurant',
  Restaurant: 'restaurant',
  Taxi: 'taxi',
  TaxiService: 'taxi',
};

/** Properties through which a document's top-level node leads to reservations. Actions and their results are none. */
const CONTAINERS = [
  '@graph',
  'mainEntity',
  'about',
  'itemListElement',
  'item',
  'reservations',
  'subReservation',
] as const;
/** What a package's parts inherit from it. */
const INHERITED = [
  'reservationNumber',
  'reservationId',
  'reservationStatus',
  'underName',
  'bookingTime',
  'modifiedTime',
  'bookingAgent',
  'broker',
  'provider',
] as const;

/** Reservations in a JSON-LD value or a list of microdata items, in document order. */
export function findReservations(
  value: JsonValue,
  found: Omit<ReservationNode, 'kind' | 'node'>,
  limits: ExtractLimits,
): readonly ReservationNode[] {
  const out: ReservationNode[] = [];
  const visit = (one: JsonValue, inherited: JsonObject, where: string, depth: number): void => {
    if (depth > limits.nodeDepthMax || out.length >= limits.reservationsMax) return;
    if (Array.isArray(one)) {
      const items = one as readonly JsonValue[];
      items.forEach((item, index) => {
        visit(item, inherited, items.length > 1 ? `${where}[${index}]` : where, depth + 1);
      });
      return;
    }
    if (!isObject(one)) return;
    const types = typesOf(one);
    const node = Object.keys(inherited).length === 0 ? one : { ...inherited, ...one };
    const kind = types.map((type) => own(RESERVATION_KINDS, type)).find((k) => k !== undefined);
    if (kind !== undefined) {
      out.push({ ...found, kind, node, where });
      return;
    }
    if (types.includes('ReservationPackage')) {
      const passed = Object.fromEntries(
        INHERITED.flatMap((name) => (node[name] === undefined ? [] : [[name, node[name]]])),
      );
      visit(one.subReservation ?? [], passed as JsonObject, `${where} subReservation`, depth + 1);
      return;
    }
    if (types.includes('Reservation')) {
      // A general reservation may cover several things of different kinds.
      for (const subject of list(one.reservationFor)) {
        const subjectKind = isObject(subject)
          ? typesOf(subject)
              .map((type) => own(SUBJECT_KINDS, type))
              .find((k) => k !== undefined)
          : undefined;
        if (subjectKind !== undefined)
          out.push({ ...found, kind: subjectKind, node: { ...node, reservationFor: subject }, where });
      }
      return;
    }
    for (const name of CONTAINERS)
      if (one[name] !== undefined) visit(one[name], inherited, `${where} ${name}`.trim(), depth + 1);
  };
  visit(value, {}, found.where, 0);
  return out;
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
