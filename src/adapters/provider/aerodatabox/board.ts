import { z } from 'zod';
import { airportByCode } from '../../../domain/geo/airports.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import { readAs } from '../http/failed.ts';
import { type Flight, flightSchema } from './schema.ts';

/**
 * Airport boards: everything that leaves an airport in half a day, in one call. The windows are fixed halves of the local
 * day, so that all flights of one half share one key whoever asks.
 */

/** `FRA 2026-12-01T00:00 2026-12-01T11:59`. Undefined: the origin, or its local time, is not known. */
export function boardKeyOf({ query, startAt }: SubjectSpec): string | undefined {
  const { from, day } = query;
  const zone = from === undefined ? undefined : (airportByCode(from)?.zone ?? query.startZone);
  if (from === undefined || day === undefined || zone === undefined || !/^[A-Z]{3}$/.test(from)) return undefined;
  const local = Temporal.Instant.fromEpochMilliseconds(startAt).toZonedDateTimeISO(zone);
  // Only the day is known, or it has been moved: which half it stands in is not known.
  if (local.toPlainDate().toString() !== day) return undefined;
  return local.hour < 12 ? `${from} ${day}T00:00 ${day}T11:59` : `${from} ${day}T12:00 ${day}T23:59`;
}

export function boardPath(key: string): string {
  const [code = '', from = '', to = ''] = key.split(' ');
  const search = 'direction=Departure&withLeg=true&withCancelled=true&withCodeshared=true&withCargo=false';
  return `/flights/airports/Iata/${code}/${from}/${to}?${search}`;
}

const boardSchema = z.object({ departures: z.array(z.unknown()).max(5000) });

/** Broken items are passed over: who is not on the board is asked about alone. */
export function flightsOnBoard(json: unknown): readonly Flight[] {
  return readAs(boardSchema, json).departures.flatMap((item) => {
    const flight = flightSchema.safeParse(item);
    return flight.success ? [flight.data] : [];
  });
}
