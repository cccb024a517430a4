import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { ProviderConnector, ReadResult, SubjectSpec, Unchanged } from '../../../ports/provider.ts';
import { foundBooking, sameId } from '../booking/answer.ts';
import { lookAtQueues } from '../booking/changed.ts';
import { bookingSubjects, meantByLookUp } from '../booking/subjects.ts';
import { answeredOther, incomplete, readAs, unreadable } from '../http/failed.ts';
import { FAILURES, type Failure } from '../http/failures.ts';
import { createProviderHttp, type ProviderHttp } from '../http/http.ts';
import { createOAuth } from '../http/oauth.ts';
import { toAnswer } from './map.ts';
import { locatorsOf, queueRequest } from './queue.ts';
import { bookingSchema, type SabreError } from './schema.ts';

/** Bookings of an agency at Sabre, by record locator. */
export const SABRE_URL = 'https://api.platform.sabre.com';
export const SABRE_SOAP_URL = 'https://webservices.platform.sabre.com';

export interface SabreOptions {
  /** Our name of the account. */
  readonly account: string;
  /** The user (EPR), its pseudo city code, and its domain: `AA` for agencies. */
  readonly user: string;
  readonly pcc: string;
  readonly domain: string;
  readonly password: string;
  /** Numbers of the queues that schedule changes land on; none: not listed. */
  readonly queues: readonly string[];
  /** Parts of a booking to ask for; fewer are faster. None: everything. */
  readonly parts: readonly string[];
  readonly clock: Clock;
  readonly url?: string;
  readonly soapUrl?: string;
  readonly http?: ProviderHttp;
}

/** The lists of queues are cheap: one call for all bookings of a queue. */
const LIST_EVERY_MS = 2 * 60_000;
/** getBooking gathers its parts from other systems; ten seconds and more are usual. */
const DEADLINE_MS = 30_000;

export function createSabreConnector(options: SabreOptions): ProviderConnector {
  const { account, clock, pcc } = options;
  const base = (options.url ?? SABRE_URL).replace(/\/+$/, '');
  const soap = (options.soapUrl ?? (options.url === undefined ? SABRE_SOAP_URL : `${base}/soap`)).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock, deadlineMs: DEADLINE_MS });
  const inner = Buffer.from(`V1:${options.user}:${pcc}:${options.domain}`).toString('base64');
  const secret = Buffer.from(`${inner}:${Buffer.from(options.password).toString('base64')}`).toString('base64');
  const tokens = createOAuth({
    http,
    clock,
    url: `${base}/v2/auth/token`,
    form: { grant_type: 'client_credentials' },
    headers: { authorization: `Basic ${secret}` },
  });
  const conversation = `tripwatch-${account}`;

  async function read(subject: SubjectSpec, known: string | undefined, signal: AbortSignal) {
    const { id, reference } = subject.query;
    const locator = (id ?? reference)?.toUpperCase();
    if (locator === undefined) throw incomplete(subject.id);
    const returnOnly = options.parts.length === 0 ? {} : { returnOnly: options.parts };
    const { json } = await tokens.use(signal, (token) =>
      http.ask(
        {
          url: `${base}/v1/trip/orders/getBooking`,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${token}`,
            'conversation-id': conversation,
          },
          body: JSON.stringify({ confirmationId: locator, ...returnOnly }),
        },
        signal,
      ),
    );
    const booking = readAs(bookingSchema, json);
    const verdict = verdictOf(booking.errors ?? []);
    if (verdict === 'absent') return { kind: 'absent' } as const;
    if (Array.isArray(verdict)) throw failure(verdict as unknown as Failure);
    const named = booking.bookingId ?? booking.request?.confirmationId;
    if (!named) throw unreadable('bookingId');
    if (!sameId(named, locator)) throw answeredOther();
    // Parts that are missing say nothing, and the signature is then none of what we have.
    const signature = verdict === 'partial' ? undefined : (booking.bookingSignature ?? undefined);
    if (signature !== undefined && signature === known) return { kind: 'unchanged' } as const;
    const answer = toAnswer(booking, locator, account, isoInstant(clock.now()));
    if (subject.everyMs !== undefined && !meantByLookUp(answer, subject)) return { kind: 'absent' } as const;
    return foundBooking(answer, clock.now(), signature);
  }

  return {
    name: 'sabre',
    label: 'Sabre',
    capabilities: {
      covers: ['booking'],
      readOne: true,
      equalityToken: true,
      ...(options.queues.length === 0 ? {} : { listChanged: true, listEveryMs: LIST_EVERY_MS }),
    },
    limitsSaid: () => http.limitsSaid?.(),
    close: () => http.close(),
    subjectsOf: (reservation) =>
      bookingSubjects(reservation, {
        account,
        label: 'Sabre booking',
        id: /^[A-Z0-9]{6}$/i,
        lookUp: { kinds: ['flight'], reference: /^[A-Z0-9]{6}$/i },
      }),
    readOne: (subject, signal) => read(subject, undefined, signal) as Promise<ReadResult>,
    readIfChanged: (subject, token, signal): Promise<ReadResult | Unchanged> => read(subject, token, signal),
    ...(options.queues.length === 0
      ? {}
      : {
          listChanged: (cursor: string | undefined, signal: AbortSignal) =>
            lookAtQueues(cursor, options.queues, (queue) => listQueue(queue, signal)),
        }),
  };

  function listQueue(queue: string, signal: AbortSignal): Promise<readonly string[]> {
    return tokens.use(signal, async (token) => {
      const body = queueRequest(token, pcc, queue, conversation);
      const headers = { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml', soapaction: 'QueueAccessLLSRQ' };
      const response = await http.ask({ url: soap, method: 'POST', as: 'text', headers, body }, signal);
      const locators = locatorsOf(response.text ?? '');
      if ('refused' in locators) throw failure(locators.refused);
      return locators;
    });
  }
}

/** What stands in `errors` of an answer with status 200. The gravest decides. */
const BY_TYPE: Readonly<Record<string, Failure | 'absent' | 'partial'>> = {
  BOOKING_NOT_FOUND: 'absent',
  UNAUTHORIZED_ACCESS: FAILURES.unauthorised,
  FORBIDDEN_ACCESS: FAILURES.refused,
  INVALID_VALUE: FAILURES.refused,
  UNPARSEABLE_REQUEST: FAILURES.refused,
  INTERNAL_SERVER_TIMEOUT: FAILURES.failed,
  DOWNLINE_SERVICE_FAILURE: FAILURES.failed,
  FAULT_RESPONSE: FAILURES.failed,
  BOOKING_RETRIEVAL: FAILURES.failed,
  RESOURCE_UNAVAILABLE: 'partial',
  JOURNEY_DATA_MISSING: 'partial',
};

function verdictOf(errors: readonly SabreError[]): Failure | 'absent' | 'partial' | 'whole' {
  const verdicts = errors.map(({ type, category }) => {
    // Another agency's booking: this one cannot be seen, the account is in order.
    if (category === 'RESOURCE_RESTRICTED') return FAILURES.refused;
    const known = type ? BY_TYPE[type] : undefined;
    return known ?? (category === 'WARNING' ? ('partial' as const) : FAILURES.failed);
  });
  return verdicts.find((one) => one !== 'partial') ?? (verdicts.length > 0 ? 'partial' : 'whole');
}

function failure([kind, code, message]: Failure): TripwatchError {
  return new TripwatchError(kind, code, message);
}
