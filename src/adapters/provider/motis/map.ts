import type { Answer } from '../../../contracts/topics.ts';
import { epochMsOf } from '../../../domain/time/travel-time.ts';
import { type FactWriter, factWriter } from '../answer.ts';
import { timeSaid } from '../booking/answer.ts';
import { validZone } from '../flight-status/zone.ts';
import type { Ride } from './ride.ts';
import type { Stop } from './schema.ts';

/** After so long past its arrival nothing more is to be known. */
const FINAL_AFTER_MS = 3_600_000;
const CANCELLED_MS = 3 * 3_600_000;

/**
 * How a train runs, for one traveller's part of it. MOTIS has no time of its own for what it says, so that of the
 * answer counts. Only a train with real time has expectations, and one without them takes none back.
 */
export function toAnswer(ride: Ride, keys: readonly string[], tz: string | undefined, fetchedAt: string): Answer {
  const out = factWriter();
  const [operation, where] = operationOf(ride);
  out.put('operation', operation, where);
  putSide(out, 'start', ride.board, ride.boardAt, ride.leg.realTime === true, tz);
  if (ride.alight !== undefined)
    putSide(out, 'end', ride.alight, ride.alightAt, ride.arrives.realTime === true, undefined);
  return {
    authority: 'status',
    assertedAt: fetchedAt,
    bookingKeys: [],
    facts: {},
    legs: [{ kind: 'train', keys: [...keys], facts: out.facts }],
  };
}

/**
 * A train that does not call at the traveller's station does not run for them; one that ends before theirs goes
 * elsewhere.
 */
function operationOf({ leg, board, boardAt, alight, alightAt, arrives }: Ride): readonly [string, string] {
  if (leg.cancelled === true) return ['cancelled', `${boardAt.replace(/\..*$/, '')}.cancelled`];
  if (board.cancelled === true) return ['cancelled', `${boardAt}.cancelled`];
  if (alight?.cancelled === true || arrives.cancelled === true) return ['diverted', `${alightAt}.cancelled`];
  return ['scheduled', `${boardAt.replace(/\..*$/, '')}.cancelled`];
}

function putSide(
  out: FactWriter,
  side: 'start' | 'end',
  stop: Stop,
  where: string,
  realTime: boolean,
  tz: string | undefined,
): void {
  const zone = validZone(stop.tz ?? tz);
  const word = side === 'start' ? 'Departure' : 'Arrival';
  const [planned, now] = [stop[`scheduled${word}`], stop[side === 'start' ? 'departure' : 'arrival']];
  const scheduled = timeSaid(planned, zone);
  out.put(`${side}.zone`, zone, `${where}.tz`);
  out.put(`${side}.scheduled`, scheduled, `${where}.scheduled${word}`, planned);
  out.put(`${side}.platform`, stop.track ?? stop.scheduledTrack ?? undefined, `${where}.track`);
  if (!realTime) return;
  const expected = timeSaid(now, zone);
  // Back on its plan: what was expected before is taken back.
  if (expected !== undefined)
    out.put(`${side}.estimated`, expected === scheduled ? null : expected, `${where}.${word.toLowerCase()}`, now);
}

/** `now`: epoch ms. */
export function isFinal({ board, alight, leg }: Ride, now: number): boolean {
  const cancelled = leg.cancelled === true || board.cancelled === true;
  const leaves = epochMsOf(board.scheduledDeparture ?? undefined);
  if (cancelled) return leaves !== undefined && now > leaves + CANCELLED_MS;
  const arrives = epochMsOf(alight?.arrival ?? alight?.scheduledArrival ?? undefined);
  return arrives !== undefined && now > arrives + FINAL_AFTER_MS;
}
