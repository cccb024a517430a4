import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { BatchResult, ProviderConnector, ReadResult, SubjectSpec, Unchanged } from '../../../ports/provider.ts';
import { answerDigest } from '../answer.ts';
import { type Asked, askedOf } from '../flight-status/asked.ts';
import { flightSubjects } from '../flight-status/subjects.ts';
import { answeredOther, unreadable } from '../http/failed.ts';
import { createProviderHttp, type ProviderHttp } from '../http/http.ts';
import { boardKeyOf, boardPath, flightsOnBoard } from './board.ts';
import { itemsOf, operatorOf } from './identity.ts';
import { isFinal, toAnswer } from './map.ts';
import { answerSchema, type Flight, flightSchema } from './schema.ts';

/** Flight status by number and day, through a marketplace. Its webhooks are unsigned and not used yet: it is polled. */
export const AERODATABOX_URL = 'https://prod.api.market/api/v1/aedbx/aerodatabox';

export interface AeroDataBoxOptions {
  /** Our name of the account. */
  readonly account: string;
  readonly key: string;
  readonly clock: Clock;
  readonly url?: string;
  readonly http?: ProviderHttp;
}

/** From so long before departure it has live data. */
const FROM_BEFORE_MS = 72 * 3_600_000;

/** A large airport's half day with codeshares is some 3 MB. */
const BOARD_BYTES_MAX = 8 * 1024 * 1024;

export function createAeroDataBoxConnector(options: AeroDataBoxOptions): ProviderConnector {
  const base = (options.url ?? AERODATABOX_URL).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock: options.clock });
  const headers = authOf(base, options.key);

  const told = (flight: Flight, flights: readonly Flight[], subject: SubjectSpec, token?: string): ReadResult => {
    const now = options.clock.now();
    const zones = { start: subject.query.startZone, end: subject.query.endZone };
    const answer = toAnswer(flight, askedOf(subject), isoInstant(now), zones, operatorOf(flight, flights));
    const digest = answerDigest(answer);
    return { kind: 'found', digest, answer, final: isFinal(flight, now), ...(token === undefined ? {} : { token }) };
  };

  async function read(subject: SubjectSpec, token: string | undefined, signal: AbortSignal) {
    const asked = askedOf(subject);
    const url = `${base}/flights/Number/${encodeURIComponent(asked.carrier + asked.number)}/${asked.day}?dateLocalRole=Departure&withAircraftImage=false&withLocation=false`;
    const response = await http.ask({ url, headers, token, also: [204, 404] }, signal);
    if (response.unchanged) return { kind: 'unchanged' } as const;
    if (response.status !== 200) return { kind: 'absent' } as const;
    const flights = parse(response.json);
    const flight = pick(flights, asked);
    return flight === undefined ? ({ kind: 'absent' } as const) : told(flight, flights, subject, response.token);
  }

  return {
    name: 'aerodatabox',
    label: 'AeroDataBox',
    capabilities: { covers: ['flight-status'], readOne: true, board: { calls: 1 }, equalityToken: true },
    subjectsOf: (reservation) => flightSubjects(reservation, FROM_BEFORE_MS),
    limitsSaid: () => http.limitsSaid?.(),
    close: () => http.close(),
    readOne: (subject, signal) => read(subject, undefined, signal) as Promise<ReadResult>,
    readIfChanged: (subject, token, signal): Promise<ReadResult | Unchanged> => read(subject, token, signal),
    board: {
      keyOf: boardKeyOf,
      read: async (key, subjects, signal): Promise<readonly BatchResult[]> => {
        const response = await http.ask(
          { url: `${base}${boardPath(key)}`, headers, also: [204], bytesMax: BOARD_BYTES_MAX },
          signal,
        );
        const flights = response.status === 204 ? [] : flightsOnBoard(response.json);
        return subjects.map((subject) => {
          // What is missing here may stand elsewhere: another airport, another window, a number that the board leaves out.
          const [flight, ...others] = newestFirst(itemsOf(flights, askedOf(subject)));
          if (flight === undefined || others.some((one) => one.departure?.airport?.iata !== codeOf(flight)))
            return { kind: 'unanswered' };
          return told(flight, flights, subject);
        });
      },
    },
  };
}

/** RapidAPI wants its own pair of headers; every other marketplace host the one for the key. */
function authOf(base: string, key: string): Readonly<Record<string, string>> {
  const { host } = new URL(base);
  return /rapidapi/i.test(host) ? { 'x-rapidapi-key': key, 'x-rapidapi-host': host } : { 'x-api-market-key': key };
}

function parse(json: unknown): readonly Flight[] {
  const items = answerSchema.safeParse(json);
  if (!items.success) throw unreadable('it is no list of flights');
  const flights = items.data.flatMap((item) => {
    const flight = flightSchema.safeParse(item);
    return flight.success ? [flight.data] : [];
  });
  if (flights.length === 0 && items.data.length > 0) throw unreadable('no flight in it is readable');
  return flights;
}

/** The one item that is the flight asked about. An empty list is "not found". */
function pick(flights: readonly Flight[], asked: Asked): Flight | undefined {
  if (flights.length === 0) return undefined;
  const fitting = itemsOf(flights, asked);
  if (fitting.length === 0) throw answeredOther('flight');
  if (new Set(fitting.map(codeOf)).size > 1) {
    throw new TripwatchError(
      'permanent',
      'provider-ambiguous',
      'That number leaves from several airports that day; add the origin to the reservation.',
      { details: { items: fitting.length } },
    );
  }
  return newestFirst(fitting)[0];
}

/** The same flight twice (a feed in the middle of an update): the newest word counts. */
function newestFirst(flights: readonly Flight[]): readonly Flight[] {
  return [...flights].sort((a, b) => (b.lastUpdatedUtc ?? '').localeCompare(a.lastUpdatedUtc ?? ''));
}

function codeOf(flight: Flight): string | undefined {
  return flight.departure?.airport?.iata;
}
