import { fold } from '../../../domain/facts.ts';
import { type Asked, sameNumber } from '../flight-status/asked.ts';
import type { Flight } from './schema.ts';

/**
 * The items that are the flight asked about: same number, same scheduled local day of departure, same origin (and
 * destination, where several remain). Codeshares of it stand in the answer under other numbers and are left out.
 */
export function itemsOf(flights: readonly Flight[], asked: Asked): readonly Flight[] {
  const fitting = flights.filter(
    (flight) =>
      sameNumber(flight.number, asked.carrier, asked.number) &&
      flight.departure?.scheduledTime?.local.slice(0, 10) === asked.day &&
      same(flight.departure?.airport?.iata, asked.from),
  );
  if (fitting.length < 2 || asked.to === undefined) return fitting;
  const there = fitting.filter((flight) => fold(flight.arrival?.airport?.iata ?? '') === fold(asked.to ?? ''));
  return there.length > 0 ? there : fitting;
}

function same(found: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === '' || fold(found ?? '') === fold(wanted);
}
