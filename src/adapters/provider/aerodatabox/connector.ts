import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { ProviderConnector, ReadResult, SubjectSpec } from '../../../ports/provider.ts';
import { answerDigest } from '../answer.ts';
import { createProviderHttp, type ProviderHttp } from '../http/http.ts';
import { type Asked, itemsOf } from './identity.ts';
import { isFinal, toAnswer } from './map.ts';
import { answerSchema, type Flight, flightSchema } from './schema.ts';
import { subjectsOf } from './subjects.ts';

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

export function createAeroDataBoxConnector(options: AeroDataBoxOptions): ProviderConnector {
  const base = (options.url ?? AERODATABOX_URL).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock: options.clock });
  const headers = authOf(base, options.key);

  return {
    name: 'aerodatabox',
    label: 'AeroDataBox',
    capabilities: { covers: ['flight-status'], readOne: true },
    subjectsOf,
    close: () => http.close(),
    readOne: async (subject, signal): Promise<ReadResult> => {
      const asked = askedOf(subject);
      const url = `${base}/flights/Number/${encodeURIComponent(asked.carrier + asked.number)}/${asked.day}?dateLocalRole=Departure&withAircraftImage=false&withLocation=false`;
      const response = await http.ask({ url, headers, also: [204, 404] }, signal);
      if (response.status !== 200) return { kind: 'absent' };
      const flight = pick(parse(response.json), asked);
      if (flight === undefined) return { kind: 'absent' };
      const now = options.clock.now();
      const zones = { start: subject.query.startZone, end: subject.query.endZone };
      const answer = toAnswer(flight, asked, isoInstant(now), zones);
      return { kind: 'found', digest: answerDigest(answer), answer, final: isFinal(flight, now) };
    },
  };
}

/** RapidAPI wants its own pair of headers; every other marketplace host the one for the key. */
function authOf(base: string, key: string): Readonly<Record<string, string>> {
  const { host } = new URL(base);
  return /rapidapi/i.test(host) ? { 'x-rapidapi-key': key, 'x-rapidapi-host': host } : { 'x-api-market-key': key };
}

function askedOf(subject: SubjectSpec): Asked {
  const { carrier, number, day, from, to } = subject.query;
  if (carrier === undefined || number === undefined || day === undefined)
    throw new TripwatchError('defect', 'subject-incomplete', `Subject ${subject.id} names no flight and day.`);
  return { carrier, number, day, from, to };
}

function parse(json: unknown): readonly Flight[] {
  const items = answerSchema.safeParse(json);
  if (!items.success) throw unreadable('the answer is no list of flights');
  const flights = items.data.flatMap((item) => {
    const flight = flightSchema.safeParse(item);
    return flight.success ? [flight.data] : [];
  });
  if (flights.length === 0 && items.data.length > 0) throw unreadable('no flight in it has the documented form');
  return flights;
}

/** The one item that is the flight asked about. An empty list is "not found". */
function pick(flights: readonly Flight[], asked: Asked): Flight | undefined {
  if (flights.length === 0) return undefined;
  const fitting = itemsOf(flights, asked);
  if (fitting.length === 0) {
    throw new TripwatchError(
      'permanent',
      'provider-answered-other',
      'The provider answered with other flights than the one asked about; the answer was not used.',
      { details: { items: flights.length } },
    );
  }
  const origins = new Set(fitting.map((flight) => flight.departure?.airport?.iata));
  if (origins.size > 1) {
    throw new TripwatchError(
      'permanent',
      'provider-ambiguous',
      'That number leaves from several airports that day; add the origin to the reservation.',
      { details: { items: fitting.length } },
    );
  }
  // The same flight twice (a feed in the middle of an update): the newest word.
  return [...fitting].sort((a, b) => (b.lastUpdatedUtc ?? '').localeCompare(a.lastUpdatedUtc ?? ''))[0];
}

function unreadable(why: string): TripwatchError {
  return new TripwatchError('transient', 'provider-answered-unreadable', `The provider's answer was not used: ${why}.`);
}
