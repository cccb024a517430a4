import { createHash } from 'node:crypto';
import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { BatchResult, LimitsSaid, ProviderConnector, ReadResult, SubjectSpec } from '../../../ports/provider.ts';
import { foundBooking, sameId } from '../booking/answer.ts';
import { bookingSubjects, meantByLookUp } from '../booking/subjects.ts';
import { answeredOther, incomplete, readAs, unreadable } from '../http/failed.ts';
import { createProviderHttp, type ProviderHttp } from '../http/http.ts';
import { boardKeyOf, boardQuery, checkInOf, PAGE, PAGES_MAX } from './board.ts';
import { toAnswer } from './map.ts';
import { explain, failureOf, quotaSaid } from './refusals.ts';
import { bookingAnswerSchema, type HotelbedsBooking, type HotelbedsError, listAnswerSchema } from './schema.ts';

/** Hotels that an agency sold through Hotelbeds, by booking reference. */
export const HOTELBEDS_URL = 'https://api.hotelbeds.com';

export interface HotelbedsOptions {
  /** Our name of the account. */
  readonly account: string;
  readonly key: string;
  readonly secret: string;
  readonly clock: Clock;
  readonly url?: string;
  readonly http?: ProviderHttp;
}

const REFERENCE = /^\d{1,4}-\d{3,10}$/;

export function createHotelbedsConnector(options: HotelbedsOptions): ProviderConnector {
  const { account, clock, key, secret } = options;
  const base = `${(options.url ?? HOTELBEDS_URL).replace(/\/+$/, '')}/hotel-api/1.0/bookings`;
  const http = options.http ?? createProviderHttp({ clock });
  let said: LimitsSaid | undefined;

  /** Undefined: not found. */
  async function ask(url: string, signal: AbortSignal): Promise<unknown> {
    said = undefined;
    const seconds = Math.floor(clock.now() / 1000);
    const listen = (headers: Readonly<Record<string, string>>) => {
      said = quotaSaid(headers, clock.now());
    };
    const response = await http.ask(
      {
        url,
        headers: {
          'api-key': key,
          // Good for a short time only, so it is made anew for each question.
          'x-signature': createHash('sha256').update(`${key}${secret}${seconds}`).digest('hex'),
          'accept-encoding': 'gzip',
        },
        also: [404],
        explain: (status, body, headers) => {
          listen(headers);
          return explain(status, body, headers);
        },
      },
      signal,
    );
    listen(response.headers);
    return response.status === 404 ? undefined : response.json;
  }

  async function readOne(subject: SubjectSpec, signal: AbortSignal): Promise<ReadResult> {
    const { id, reference } = subject.query;
    const wanted = id ?? reference;
    if (wanted === undefined) throw incomplete(subject.id);
    const json = await ask(`${base}/${encodeURIComponent(wanted)}`, signal);
    if (json === undefined) return { kind: 'absent' };
    const { booking, error } = readAs(bookingAnswerSchema, json);
    if (error && refused(error) === 'absent') return { kind: 'absent' };
    if (!booking?.reference) throw unreadable('booking.reference');
    if (!sameId(booking.reference, wanted)) throw answeredOther();
    const answer = toAnswer(booking, account, booking.reference, isoInstant(clock.now()));
    if (subject.everyMs !== undefined && !meantByLookUp(answer, subject)) return { kind: 'absent' };
    return foundBooking(answer, clock.now());
  }

  async function readBoard(
    board: string,
    subjects: readonly SubjectSpec[],
    signal: AbortSignal,
  ): Promise<readonly BatchResult[]> {
    const found = new Map<string, HotelbedsBooking>();
    for (let page = 0; page < PAGES_MAX; page++) {
      const json = await ask(`${base}?${boardQuery(board, page * PAGE + 1, clock.now())}`, signal);
      if (json === undefined) throw unreadable('it has no list');
      const { bookings, error } = readAs(listAnswerSchema, json);
      if (error) refused(error);
      if (!bookings) throw unreadable('bookings');
      for (const one of bookings.bookings) if (one.reference) found.set(one.reference, one);
      if (bookings.bookings.length === 0 || (page + 1) * PAGE >= (bookings.total ?? 0)) break;
    }
    return subjects.map(({ query }) => {
      const booking = found.get(query.id ?? '');
      // It may have been moved to other days, or the list lacks it.
      if (booking?.status == null || !booking.hotel?.checkIn) return { kind: 'unanswered' };
      return foundBooking(toAnswer(booking, account, query.id!, isoInstant(clock.now())), clock.now());
    });
  }

  return {
    name: 'hotelbeds',
    label: 'Hotelbeds',
    capabilities: { covers: ['booking'], readOne: true, board: { calls: 1 } },
    // Those of a key for trying out, spread over the day; a partner's own are told in the account.
    limits: [
      { max: 50, perSeconds: 86_400 },
      { max: 1, perSeconds: 1800 },
    ],
    limitsSaid: () => said ?? http.limitsSaid?.(),
    close: () => http.close(),
    subjectsOf: (reservation) =>
      bookingSubjects(reservation, {
        account,
        label: 'Hotelbeds booking',
        id: REFERENCE,
        lookUp: { kinds: ['stay'], reference: REFERENCE },
        more: checkInOf,
      }),
    readOne,
    board: { keyOf: boardKeyOf, read: readBoard },
  };
}

function refused(error: HotelbedsError): 'absent' {
  const failure = failureOf(error);
  if (failure === 'absent') return failure;
  const [kind, code, message] = failure;
  throw new TripwatchError(kind, code, message);
}
