import { epochMsOf } from '../../../domain/time/travel-time.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { ProviderConnector, ReadResult, SubjectSpec, Unchanged } from '../../../ports/provider.ts';
import { answerDigest } from '../answer.ts';
import { answeredOther, readAs, unreadable } from '../http/failed.ts';
import { createProviderHttp, type ProviderHttp, type ProviderRequest } from '../http/http.ts';
import { isFinal, toAnswer } from './map.ts';
import { likeStation } from './names.ts';
import { type AskedRide, askedOf, MOVED_MS_MAX, onBoard, rideIn } from './ride.ts';
import { boardSchema, type Match, matchesSchema, matchSchema, stopTimeSchema, tripSchema } from './schema.ts';
import { trainSubjects } from './subjects.ts';

/**
 * Trains by MOTIS, as Transitous serves it for most of Europe and beyond: no key, but a policy to ask little and say
 * who asks.
 */
export const TRANSITOUS_URL = 'https://api.transitous.org';

export interface MotisOptions {
  readonly clock: Clock;
  readonly url?: string;
  /** How the people who run the service reach those who run this: a mail address or a page. */
  readonly contact: string;
  readonly http?: ProviderHttp;
}

const MINUTE = 60_000;
/** Without these, a large station's trams and buses fill the board. */
const MODES = 'HIGHSPEED_RAIL,LONG_DISTANCE,NIGHT_RAIL,REGIONAL_FAST_RAIL,REGIONAL_RAIL,SUBURBAN,RAIL,OTHER';
/** Where to look, from the planned departure: to the minute first, then where works on the line have moved it to. */
const WINDOWS = [
  { fromMs: -2 * MINUTE, seconds: 300 },
  { fromMs: -MOVED_MS_MAX, seconds: (2 * MOVED_MS_MAX) / 1000 },
] as const;
/** Four hours of trains at a large station are some 500 KB. */
const BOARD_BYTES_MAX = 8 * 1024 * 1024;
/** Trips and stations remembered: some 20 MB. */
const KEPT_MAX = 50_000;

interface Found {
  readonly tripId: string;
  readonly tz: string | undefined;
}

/**
 * A train has no id that a traveller knows, and the service's own change with every timetable that it loads. So a train
 * is found once by its station's departures, and then asked about by its trip until the service forgets that. Two or
 * three calls the first time, one afterwards.
 */
export function createMotisConnector(options: MotisOptions): ProviderConnector {
  const { clock } = options;
  const base = (options.url ?? TRANSITOUS_URL).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock });
  const headers = { 'user-agent': `Tripwatch (+https://tripwatch.dev; ${options.contact})` };
  const stations = new Map<string, readonly Match[]>();
  const trips = new Map<string, Found>();

  const ask = (
    path: string,
    query: Record<string, string>,
    signal: AbortSignal,
    more: Pick<ProviderRequest, 'token' | 'bytesMax'> = {},
  ) => http.ask({ url: `${base}${path}?${new URLSearchParams(query)}`, headers, also: [404], ...more }, signal);

  /** Stations of that name, the likeliest first. */
  async function stationsNamed(name: string, signal: AbortSignal): Promise<readonly Match[]> {
    const known = stations.get(name);
    if (known !== undefined) return known;
    const { status, json } = await ask('/api/v1/geocode', { text: name, type: 'STOP' }, signal);
    const listed = status === 404 ? [] : readAs(matchesSchema, json);
    const matches = listed.flatMap((one) => matchSchema.safeParse(one).data ?? []);
    if (matches.length === 0 && listed.length > 0) throw unreadable('no station in it is readable');
    const like = (match: Match) => (match.type && match.type !== 'STOP' ? undefined : likeStation(name, match.name));
    const same = matches.filter((one) => like(one) === 'same');
    const found = [...same, ...matches.filter((one) => like(one) === 'part')].slice(0, 2);
    keep(stations, name, found);
    return found;
  }

  async function find(asked: AskedRide, signal: AbortSignal): Promise<Found | undefined> {
    for (const { id, tz } of await stationsNamed(asked.from, signal)) {
      const at = epochMsOf(asked.at, tz ?? undefined);
      if (at === undefined) continue;
      for (const { fromMs, seconds } of WINDOWS) {
        const window = { time: isoInstant(at + fromMs), window: String(seconds), n: '1' };
        // By the plan, so that a late train stands where it was booked.
        const how = { mode: MODES, withAlerts: 'false', realtimeMode: 'REALTIME_ANNOTATION_ONLY' };
        const { status, json } = await ask('/api/v6/stoptimes', { stopId: id, ...window, ...how }, signal, {
          bytesMax: BOARD_BYTES_MAX,
        });
        const listed = status === 404 ? [] : readAs(boardSchema, json).stopTimes;
        const board = listed.flatMap((one) => stopTimeSchema.safeParse(one).data ?? []);
        if (board.length === 0 && listed.length > 0) throw unreadable('no departure in it is readable');
        const entry = onBoard(board, asked, tz ?? undefined);
        if (entry !== undefined) return { tripId: entry.tripId, tz: entry.place.tz ?? tz ?? undefined };
      }
    }
    return undefined;
  }

  async function read(
    subject: SubjectSpec,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<ReadResult | Unchanged> {
    const asked = askedOf(subject);
    const kept = trips.get(subject.id);
    for (const known of kept === undefined ? [undefined] : [kept, undefined]) {
      const found = known ?? (await find(asked, signal));
      if (found === undefined) return { kind: 'absent' };
      const query = { tripId: found.tripId, detailedLegs: 'false', joinInterlinedLegs: 'false' };
      const response = await ask('/api/v6/trip', query, signal, { token });
      if (response.unchanged) return { kind: 'unchanged' };
      const ride = response.status === 404 ? undefined : rideIn(readAs(tripSchema, response.json), asked, found.tz);
      if (ride !== undefined) {
        keep(trips, subject.id, found);
        const answer = toAnswer(ride, asked.keys, found.tz, isoInstant(clock.now()));
        const result = {
          kind: 'found',
          digest: answerDigest(answer),
          answer,
          final: isFinal(ride, clock.now()),
        } as const;
        return response.token === undefined ? result : { ...result, token: response.token };
      }
      // The timetable was loaded anew: the trip is gone, or its id is another's now.
      trips.delete(subject.id);
      if (known === undefined && response.status !== 404) throw answeredOther('train');
    }
    return { kind: 'absent' };
  }

  return {
    name: 'motis',
    label: options.url === undefined ? 'Transitous' : 'MOTIS',
    capabilities: { covers: ['flight-status'], readOne: true, equalityToken: true },
    // What the policy of the public service bears; an own server bears more.
    limits: [{ max: 60, perSeconds: 60 }],
    subjectsOf: trainSubjects,
    readOne: (subject, signal) => read(subject, undefined, signal) as Promise<ReadResult>,
    readIfChanged: (subject, token, signal) => read(subject, token, signal),
    limitsSaid: () => http.limitsSaid?.(),
    close: () => http.close(),
  };
}

/** The oldest goes where there are too many. */
function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  if (map.size >= KEPT_MAX) map.delete(map.keys().next().value!);
  map.set(key, value);
}
