import { localDay } from '../../../domain/keys.ts';
import { epochMsOf } from '../../../domain/time/travel-time.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import { incomplete } from '../http/failed.ts';
import { likeStation, likeTrain } from './names.ts';
import type { Stop, StopTime, Trip, TripLeg } from './schema.ts';

/** Finding the train that was asked about on a board, and the traveller's stops in a trip. */

export interface AskedRide {
  /** Of the leg: each form in which reservations may have it. */
  readonly keys: readonly string[];
  readonly number: string;
  readonly day: string;
  /** As the reservation has it: with a zone, an offset, or local. */
  readonly at: string;
  readonly from: string;
  readonly to: string | undefined;
}

/** Errors: defect `subject-incomplete`. */
export function askedOf(subject: SubjectSpec): AskedRide {
  const { keys, number, day, at, from, to } = subject.query;
  if (keys === undefined || number === undefined || day === undefined || at === undefined || from === undefined)
    throw incomplete(subject.id);
  return { keys: keys.split(' '), number, day, at, from, to };
}

/** Works on the line move a train by so much and it is still the one that was booked. */
export const MOVED_MS_MAX = 2 * 3_600_000;
const MINUTE = 60_000;

interface Standing {
  /** Of the stop's planned departure from that of the booking, ms. */
  readonly off: number;
  readonly sure: boolean;
}

/** How well a planned departure fits; undefined: it is another train, another day, another station. */
function standing(
  asked: AskedRide,
  train: Parameters<typeof likeTrain>[1],
  stop: Stop,
  tz: string | undefined,
): Standing | undefined {
  const [named, called] = [likeTrain(asked.number, train), likeStation(asked.from, stop.name)];
  const zone = stop.tz ?? tz;
  const planned = epochMsOf(stop.scheduledDeparture ?? undefined);
  const wanted = epochMsOf(asked.at, zone);
  if (named === undefined || called === undefined || planned === undefined || wanted === undefined) return undefined;
  const off = Math.abs(planned - wanted);
  const sure = off < MINUTE;
  if (!sure && (named === 'line' || called === 'part' || off > MOVED_MS_MAX)) return undefined;
  if (localDayAt(planned, zone) !== asked.day && !sure) return undefined;
  return { off, sure };
}

function localDayAt(at: number, zone: string | undefined): string | undefined {
  return localDay(
    Temporal.Instant.fromEpochMilliseconds(at)
      .toZonedDateTimeISO(zone ?? 'UTC')
      .toPlainDate()
      .toString(),
  );
}

/**
 * The train asked about among the departures of a station. To the minute where one stands so; else the only one of that
 * number within two hours. The same train stands there once for each feed that knows it: the one with real time first.
 */
export function onBoard(board: readonly StopTime[], asked: AskedRide, tz: string | undefined): StopTime | undefined {
  const fitting = board.flatMap((entry) => {
    const found = standing(asked, entry, entry.place, tz);
    return found === undefined ? [] : [{ entry, ...found }];
  });
  const sure = fitting.filter((one) => one.sure);
  const among = sure.length > 0 ? sure : fitting;
  if (sure.length === 0 && new Set(fitting.map((one) => one.off)).size > 1) return undefined;
  return (among.find((one) => one.entry.realTime) ?? among[0])?.entry;
}

export interface Ride {
  readonly leg: TripLeg;
  readonly board: Stop;
  readonly boardAt: string;
  readonly alight: Stop | undefined;
  readonly alightAt: string;
  /** Of the part of the trip that the alighting stop is in. */
  readonly arrives: TripLeg;
}

/** The traveller's stops in a trip; undefined: it is not the train that was asked about. */
export function rideIn(trip: Trip, asked: AskedRide, tz: string | undefined): Ride | undefined {
  const stops = trip.legs.flatMap((leg, i) => {
    const middle = (leg.intermediateStops ?? []).map((stop, j) => ({ stop, where: `intermediateStops[${j}]` }));
    const all = [{ stop: leg.from, where: 'from' }, ...middle, { stop: leg.to, where: 'to' }];
    return all.map(({ stop, where }) => ({ leg, stop, where: `legs[${i}].${where}` }));
  });
  let best: { index: number; off: number } | undefined;
  for (const [index, { leg, stop, where }] of stops.entries()) {
    // Where a part of the trip ends, the next part's number is boarded.
    if (where.endsWith('.to')) continue;
    const off = standing(asked, leg, stop, tz)?.off;
    if (off !== undefined && off < (best?.off ?? Number.POSITIVE_INFINITY)) best = { index, off };
  }
  if (best === undefined) return undefined;
  const { leg, stop, where } = stops[best.index]!;
  const after = stops.slice(best.index + 1);
  const { to } = asked;
  const off =
    to === undefined ? undefined : (after.find((one) => likeStation(to, one.stop.name) === 'same') ?? only(after, to));
  return { leg, board: stop, boardAt: where, alight: off?.stop, alightAt: off?.where ?? '', arrives: off?.leg ?? leg };
}

/** The only stop whose name is part of the other; two of them leave it open. */
function only<T extends { readonly stop: Stop }>(stops: readonly T[], name: string): T | undefined {
  const like = stops.filter((one) => likeStation(name, one.stop.name) !== undefined);
  return new Set(like.map((one) => one.stop.name)).size === 1 ? like[0] : undefined;
}
