import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { ProviderConnector, ReadResult, SubjectSpec, Unchanged } from '../../../ports/provider.ts';
import { answerDigest } from '../answer.ts';
import { askedOf } from '../flight-status/asked.ts';
import { flightSubjects } from '../flight-status/subjects.ts';
import { answeredOther, readAs, unreadable } from '../http/failed.ts';
import { createProviderHttp, type ProviderHttp } from '../http/http.ts';
import { itemsOf, oneFlight } from './identity.ts';
import { isFinal, toAnswer } from './map.ts';
import { answerSchema, flightSchema } from './schema.ts';

/** FlightAware's AeroAPI: the same subjects as every flight-status vendor. Counted there in result sets; one a question. */
export const AEROAPI_URL = 'https://aeroapi.flightaware.com/aeroapi';

export interface AeroApiOptions {
  readonly key: string;
  readonly clock: Clock;
  readonly url?: string;
  readonly http?: ProviderHttp;
}

const HOUR = 3_600_000;
/** It knows flights so long ahead, and so long back. */
const AHEAD_MS = 48 * HOUR;
const BACK_MS = 10 * 24 * HOUR;
/** A local day lies within so much of the same day in UTC. */
const ZONE_HOURS = 14;

export function createAeroApiConnector(options: AeroApiOptions): ProviderConnector {
  const { clock } = options;
  const base = (options.url ?? AEROAPI_URL).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock });

  async function read(subject: SubjectSpec, token: string | undefined, signal: AbortSignal) {
    const asked = askedOf(subject);
    const search = windowOf(asked.day, clock.now());
    if (search === undefined) return { kind: 'absent' } as const;
    const url = `${base}/flights/${encodeURIComponent(asked.carrier + asked.number)}?${search}`;
    const headers = { 'x-apikey': options.key };
    const response = await http.ask({ url, headers, token, also: [404] }, signal);
    if (response.unchanged) return { kind: 'unchanged' } as const;
    if (response.status === 404) return { kind: 'absent' } as const;
    const items = readAs(answerSchema, response.json).flights;
    const flights = items.flatMap((item) => flightSchema.safeParse(item).data ?? []);
    if (items.length === 0) return { kind: 'absent' } as const;
    if (flights.length === 0) throw unreadable('no flight in it is readable');
    const fitting = itemsOf(flights, asked);
    if (fitting.length === 0) throw answeredOther('flight');
    const one = oneFlight(fitting, asked.to);
    if (one === undefined) {
      throw new TripwatchError(
        'permanent',
        'provider-ambiguous',
        'That number leaves from several airports that day; add the origin to the reservation.',
        { details: { items: fitting.length } },
      );
    }
    const now = clock.now();
    const zones = { start: subject.query.startZone, end: subject.query.endZone };
    const answer = toAnswer(one.flight, one.divertedTo, asked, isoInstant(now), zones);
    const found = { kind: 'found', digest: answerDigest(answer), answer, final: isFinal(one.flight, now) } as const;
    return response.token === undefined ? found : { ...found, token: response.token };
  }

  return {
    name: 'aeroapi',
    label: 'FlightAware',
    capabilities: { covers: ['flight-status'], readOne: true, equalityToken: true },
    subjectsOf: (reservation) => flightSubjects(reservation, AHEAD_MS),
    limitsSaid: () => http.limitsSaid?.(),
    close: () => http.close(),
    readOne: (subject, signal) => read(subject, undefined, signal) as Promise<ReadResult>,
    readIfChanged: (subject, token, signal): Promise<ReadResult | Unchanged> => read(subject, token, signal),
  };
}

/** The local day wherever it is, within what the vendor takes. Undefined: it lies outside. */
function windowOf(day: string, now: number): string | undefined {
  const noon = Temporal.PlainDate.from(day).toZonedDateTime('UTC').epochMilliseconds;
  const start = Math.max(noon - ZONE_HOURS * HOUR, now - BACK_MS + HOUR);
  const end = Math.min(noon + (24 + ZONE_HOURS) * HOUR, now + AHEAD_MS);
  if (start >= end) return undefined;
  // Whole hours, so that the question, and with it a cached answer, stays the same for a while.
  const hour = (at: number) => isoInstant(Math.floor(at / HOUR) * HOUR).replace('.000Z', 'Z');
  return new URLSearchParams({
    ident_type: 'designator',
    start: hour(start),
    end: hour(end),
    max_pages: '1',
  }).toString();
}
