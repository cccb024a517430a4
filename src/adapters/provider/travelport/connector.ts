import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { ProviderConnector, ReadResult, SubjectSpec } from '../../../ports/provider.ts';
import { foundBooking } from '../booking/answer.ts';
import { lookAtQueues } from '../booking/changed.ts';
import { bookingSubjects, meantByLookUp } from '../booking/subjects.ts';
import { answeredOther, incomplete, readAs, unreadable } from '../http/failed.ts';
import type { Failure } from '../http/failures.ts';
import { createProviderHttp, type ProviderHttp } from '../http/http.ts';
import { createOAuth } from '../http/oauth.ts';
import { toAnswer } from './map.ts';
import { type Verdict, verdictOf } from './problems.ts';
import { queueAnswer, reservationAnswer, type TravelportReservation, type TravelportWhole } from './schema.ts';
import { type Core, locatorsOf } from './status.ts';

/** Reservations of an agency at Travelport, by locator: Galileo, Apollo or Worldspan as the account's core says. */
export const TRAVELPORT_URL = 'https://api.travelport.net';

export interface TravelportOptions {
  /** Our name of the account. */
  readonly account: string;
  readonly user: string;
  readonly password: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly pcc: string;
  readonly core: Core;
  /** Where the agency has one. */
  readonly accessGroup?: string | undefined;
  /** Numbers of the queues that schedule changes land on; none: not listed. */
  readonly queues: readonly string[];
  readonly clock: Clock;
  readonly url?: string;
  /** Where tokens are handed out. Default: the `auth` host beside the `api` host. */
  readonly authUrl?: string | undefined;
  readonly http?: ProviderHttp;
}

/** The lists of queues are cheap: one call for all reservations of a queue. */
const LIST_EVERY_MS = 2 * 60_000;
const DEADLINE_MS = 30_000;
/** Where the token does not say how long it is good. */
const TOKEN_MS = 24 * 3_600_000;

export function createTravelportConnector(options: TravelportOptions): ProviderConnector {
  const { account, clock, core, pcc } = options;
  const base = (options.url ?? TRAVELPORT_URL).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock, deadlineMs: DEADLINE_MS });
  const tokens = createOAuth({
    http,
    clock,
    url: `${(options.authUrl ?? authOf(base)).replace(/\/+$/, '')}/oauth/token`,
    form: {
      grant_type: 'password',
      username: options.user,
      password: options.password,
      client_id: options.clientId,
      client_secret: options.clientSecret,
    },
    lifeMs: TOKEN_MS,
  });
  const headers = (token: string) => ({
    authorization: `Bearer ${token}`,
    // It insists on being allowed to pack.
    'accept-encoding': 'gzip',
    'accept-version': '11',
    'content-version': '11',
    'tvp-pcc-core': `${pcc}_${core}`,
    ...(options.accessGroup === undefined ? {} : { xauth_travelport_accessgroup: options.accessGroup }),
    traceid: `tripwatch-${account}`,
  });

  function ask(locator: string, signal: AbortSignal): Promise<Asked> {
    const url = `${base}/11/air/book/reservation/reservations/${encodeURIComponent(locator)}?detailViewInd=true`;
    return tokens.use(signal, async (token) => {
      const response = await http.ask({ url, headers: headers(token), also: [404] }, signal);
      if (response.status === 404) return { verdict: 'absent', whole: undefined };
      const { ReservationResponse, ErrorResponse, Result } = readAs(reservationAnswer, response.json);
      // A token that ended is told inside an answer, too.
      const verdict = unlessFailure(verdictOf([Result, ErrorResponse?.Result, ReservationResponse?.Result]));
      return { verdict, whole: ReservationResponse ?? undefined };
    });
  }

  async function readOne(subject: SubjectSpec, signal: AbortSignal): Promise<ReadResult> {
    const { id, reference } = subject.query;
    const locator = (id ?? reference)?.toUpperCase();
    if (locator === undefined) throw incomplete(subject.id);
    let { verdict, whole } = await ask(locator, signal);
    let calls = 1;
    // With a warning, a part is missing that is often there a moment later: one more question, and what it brings counts.
    if (verdict === 'partial' && whole?.Reservation && lacksFlights(whole.Reservation)) {
      calls++;
      ({ verdict, whole } = await ask(locator, signal));
    }
    const made = calls === 1 ? {} : { calls };
    if (verdict === 'absent') return { kind: 'absent', ...made };
    if (!whole?.Reservation) throw unreadable('ReservationResponse.Reservation');
    const { Reservation } = whole;
    checkIdentity(Reservation, locator, core);
    const about = { id: locator, account, fetchedAt: isoInstant(clock.now()), isWhole: verdict === 'whole' };
    const answer = toAnswer({ ...whole, Reservation }, about);
    if (subject.everyMs !== undefined && !meantByLookUp(answer, subject)) return { kind: 'absent', ...made };
    return { ...foundBooking(answer, clock.now()), ...made };
  }

  async function listQueue(queue: string, signal: AbortSignal): Promise<readonly string[]> {
    const body = { '@type': 'AgencyQueueSummary', Queue: [{ value: Number(queue), pccOverride: pcc }] };
    return tokens.use(signal, async (token) => {
      const request = {
        url: `${base}/11/air/queue/queue/list`,
        method: 'POST',
        headers: { ...headers(token), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      } as const;
      const answer = readAs(queueAnswer, (await http.ask(request, signal)).json);
      const said = answer.AgencyQueueResponse;
      unlessFailure(verdictOf([answer.Result, answer.ErrorResponse?.Result, said?.Result]));
      if (!said) throw unreadable('AgencyQueueResponse');
      return (said.AgencyQueue?.QueueList ?? []).flatMap(({ Locator }) => {
        const value = Locator?.value?.toUpperCase() ?? '';
        return LOCATOR.test(value) ? [value] : [];
      });
    });
  }

  return {
    name: 'travelport',
    label: 'Travelport',
    capabilities: {
      covers: ['booking'],
      readOne: true,
      ...(options.queues.length === 0 ? {} : { listChanged: true, listEveryMs: LIST_EVERY_MS }),
    },
    limitsSaid: () => http.limitsSaid?.(),
    close: () => http.close(),
    subjectsOf: (reservation) =>
      bookingSubjects(reservation, {
        account,
        label: 'Travelport reservation',
        id: LOCATOR,
        lookUp: { kinds: ['flight'], reference: LOCATOR },
      }),
    readOne,
    ...(options.queues.length === 0
      ? {}
      : {
          listChanged: (cursor: string | undefined, signal: AbortSignal) =>
            lookAtQueues(cursor, options.queues, (queue) => listQueue(queue, signal)),
        }),
  };
}

interface Asked {
  readonly verdict: Exclude<Verdict, Failure>;
  readonly whole: TravelportWhole | undefined;
}

const LOCATOR = /^[A-Z0-9]{6}$/i;

function unlessFailure(verdict: Verdict): Exclude<Verdict, Failure> {
  if (typeof verdict === 'string') return verdict;
  const [kind, code, message] = verdict;
  throw new TripwatchError(kind, code, message);
}

/**
 * The reservation's own locator must be the one asked for, in the core that was asked: the same six characters are
 * another booking in another core.
 */
function checkIdentity({ Identifier, Receipt }: TravelportReservation, locator: string, core: Core): void {
  const own = locatorsOf(Receipt).filter(({ isOwn }) => isOwn);
  const named = Identifier?.value?.toUpperCase() ?? '';
  if (own.length === 0) {
    if (!LOCATOR.test(named)) throw unreadable('Receipt.Confirmation.Locator');
    if (named !== locator) throw answeredOther();
    return;
  }
  if (!own.some(({ value, source }) => value === locator && (source === '' || source === core))) throw answeredOther();
}

/** Its receipts speak of flights that it does not show: what happened to them may be just what is missing. */
function lacksFlights({ Offer, Receipt }: TravelportReservation): boolean {
  const spoken = Receipt.some((one) => (one.Confirmation?.OfferStatus?.StatusAir ?? []).length > 0);
  return spoken && !Offer.some((offer) => offer.Product.some((product) => product.FlightSegment.length > 0));
}

/** `https://auth.pp.travelport.net` beside `https://api.pp.travelport.net`; elsewhere the same host. */
function authOf(base: string): string {
  return base.replace(/^(https?:\/\/)api\./, '$1auth.');
}
