import { fold } from '../../../domain/facts.ts';
import type { Flight } from './schema.ts';

/** A flight as it is asked about. */
export interface Asked {
  readonly carrier: string;
  readonly number: string;
  /** Scheduled local day of departure. */
  readonly day: string;
  /** IATA codes, where the reservation knows them. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** `LH 400`, `lh0400` and `LH400` are one number. */
export function sameNumber(printed: string, carrier: string, number: string): boolean {
  const digits = number.replace(/^0+/, '').toLowerCase();
  const own = fold(carrier);
  const text = fold(printed);
  return text.startsWith(own) && text.slice(own.length).replace(/^0+/, '') === digits;
}

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
