import { fold } from '../../../domain/facts.ts';
import { airportByCode } from '../../../domain/geo/airports.ts';
import { instantOf } from '../answer.ts';
import { type Asked, type Designator, designatorIn, sameNumber } from '../flight-status/asked.ts';
import { validZone } from '../flight-status/zone.ts';
import type { AeroAirport, AeroFlight } from './schema.ts';

/**
 * The items that are the flight asked about: under its own number or as a codeshare, on the scheduled local day of
 * departure, from the origin. A bare number brings two weeks of days; a diversion brings the same flight twice.
 */
export function itemsOf(flights: readonly AeroFlight[], asked: Asked): readonly AeroFlight[] {
  return flights.filter(
    (flight) =>
      [flight.ident_iata, flight.ident, ...(flight.codeshares_iata ?? [])].some(
        (name) => name != null && sameNumber(name, asked.carrier, asked.number),
      ) &&
      dayOf(flight) === asked.day &&
      (asked.from === undefined || asked.from === '' || fold(flight.origin?.code_iata ?? '') === fold(asked.from)),
  );
}

/** Whose flight it is, where it was asked about under a partner's number. Undefined: it is the operator's own. */
export function operatorOf(flight: AeroFlight, asked: Asked): Designator | undefined {
  const own = designatorIn(flight.ident_iata);
  if (own === undefined || sameNumber(`${own.carrier}${own.number}`, asked.carrier, asked.number)) return undefined;
  return own;
}

/** Scheduled local day of departure. */
function dayOf(flight: AeroFlight): string | undefined {
  const at = instantOf(flight.scheduled_out ?? flight.scheduled_off);
  const zone = zoneOf(flight.origin);
  if (at === undefined || zone === undefined) return undefined;
  return Temporal.Instant.from(at).toZonedDateTimeISO(zone).toPlainDate().toString();
}

export function zoneOf(place: AeroAirport, known?: string): string | undefined {
  const code = place?.code_iata ?? undefined;
  return validZone((code && airportByCode(code)?.zone) || (place?.timezone ?? undefined) || known);
}

/**
 * One flight of the items: where it was diverted, the one that goes where it was to go, and where it went instead.
 * Undefined: they are several flights.
 */
export function oneFlight(
  items: readonly AeroFlight[],
  to: string | undefined,
): { readonly flight: AeroFlight; readonly divertedTo: AeroAirport } | undefined {
  if (new Set(items.map((one) => one.origin?.code_iata)).size !== 1) return undefined;
  const planned =
    items.find((one) => to !== undefined && fold(one.destination?.code_iata ?? '') === fold(to)) ??
    items.find((one) => one.diverted === true) ??
    items[0]!;
  const elsewhere = items.find(
    (one) => one !== planned && one.destination?.code_iata !== planned.destination?.code_iata,
  );
  return { flight: planned, divertedTo: planned.diverted === true ? elsewhere?.destination : undefined };
}
