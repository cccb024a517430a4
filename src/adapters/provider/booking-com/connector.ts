import type { Answer } from '../../../contracts/topics.ts';
import { kindOf, TripwatchError } from '../../../domain/errors.ts';
import { textOf } from '../../../domain/leg-points.ts';
import type { Reservation } from '../../../domain/reservation.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { BatchResult, LimitsSaid, ProviderConnector, ReadResult, SubjectSpec } from '../../../ports/provider.ts';
import { foundBooking, sameId } from '../booking/answer.ts';
import { bookingSubjects, meantByLookUp } from '../booking/subjects.ts';
import { answeredOther, incomplete, readAs } from '../http/failed.ts';
import { createProviderHttp, type ProviderHttp } from '../http/http.ts';
import { carAnswer, stayAnswer } from './map.ts';
import { type BookingCar, type BookingStay, carsAnswer, staysAnswer } from './schema.ts';

/** Stays and rentals that an affiliate sold through Booking.com's Demand API: up to a hundred in one call. */
export const BOOKING_COM_URL = 'https://demandapi.booking.com/3.2';

export interface BookingComOptions {
  /** Our name of the account. */
  readonly account: string;
  readonly token: string;
  readonly affiliateId: string;
  /** What the agency knows its bookings by: ids of orders, or the numbers of reservations that mails print. */
  readonly ids: 'orders' | 'reservations';
  readonly clock: Clock;
  readonly url?: string;
  readonly http?: ProviderHttp;
}

const IDS_MAX = 100;
/** After a refusal nothing is answered for about so long; the refusal itself does not say so. */
const BLOCKED_MS = 60_000;
/** A hundred orders with their details. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;
const ID = /^[A-Za-z0-9_-]{1,60}$/;

export function createBookingComConnector(options: BookingComOptions): ProviderConnector {
  const { account, clock, ids } = options;
  const base = (options.url ?? BOOKING_COM_URL).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock });
  const headers = {
    authorization: `Bearer ${options.token}`,
    'x-affiliate-id': options.affiliateId,
    'content-type': 'application/json',
  };
  let shutOut: LimitsSaid | undefined;

  /** Orders of one kind, asked for by ids of one kind, in one call. */
  async function ask({ thing, by }: Group, wanted: readonly string[], signal: AbortSignal): Promise<Found> {
    const url = `${base}/orders/details/${thing === 'stay' ? 'accommodations' : 'cars'}`;
    const extras = thing === 'stay' ? { extras: ['accommodation_details'] } : {};
    const body = JSON.stringify({ [by]: wanted, ...extras });
    shutOut = undefined;
    const { json } = await http
      .ask({ url, method: 'POST', headers, body, bytesMax: BODY_BYTES_MAX }, signal)
      .catch((error: unknown) => {
        if (kindOf(error) === 'rate-limited' && (error as TripwatchError).retryAt === undefined)
          shutOut = { limits: [], left: 0, resetAt: clock.now() + BLOCKED_MS };
        throw error;
      });
    const idOf = (one: BookingStay | BookingCar) => (by === 'orders' ? one.id : one.reservation);
    const sorted = <T extends BookingStay | BookingCar>(items: readonly T[], answer: Mapper<T>): Found => {
      const known = new Set(wanted.map((id) => id.toLowerCase()));
      return {
        strangers: items.some((one) => !known.has(idOf(one)?.toLowerCase() ?? '')),
        of: (id) => {
          const mine = items.filter((one) => sameId(idOf(one), id));
          const [key] = mine.flatMap((one) => (ids === 'orders' ? one.id : one.reservation) ?? []);
          if (mine.length === 0 || key === undefined) return undefined;
          return answer(mine, { id: key, account, fetchedAt: isoInstant(clock.now()) });
        },
      };
    };
    return thing === 'stay'
      ? sorted(readAs(staysAnswer, json).data, stayAnswer)
      : sorted(readAs(carsAnswer, json).data, carAnswer);
  }

  /** What the call says about one of those it was made for. Errors: permanent `provider-answered-other`. */
  function resultOf(subject: SubjectSpec, found: Found): ReadResult {
    const answer = found.of(wantedOf(subject));
    // Whoever answers about others does not say that this one does not exist.
    if (answer === undefined && found.strangers) throw answeredOther();
    if (answer === undefined) return { kind: 'absent' };
    if (subject.everyMs !== undefined && !meantByLookUp(answer, subject)) return { kind: 'absent' };
    return foundBooking(answer, clock.now());
  }

  async function readMany(subjects: readonly SubjectSpec[], signal: AbortSignal): Promise<readonly BatchResult[]> {
    const [first] = subjects;
    if (first === undefined) return [];
    const batch = batchOf(first);
    const mine = subjects.filter((one) => batchOf(one) === batch);
    const found = await ask(groupOf(first, ids), [...new Set(mine.map(wantedOf))], signal);
    return subjects.map((one) =>
      batchOf(one) === batch ? settled(() => resultOf(one, found)) : ({ kind: 'unanswered' } as const),
    );
  }

  function batchOf(subject: SubjectSpec): string {
    const { thing, by } = groupOf(subject, ids);
    return `${thing} ${by}`;
  }

  return {
    name: 'booking-com',
    label: 'Booking.com',
    capabilities: { covers: ['booking'], readOne: true, readManyMax: IDS_MAX },
    // That of their sandbox; the one in production is the partner's own.
    limits: [{ max: 50, perSeconds: 60 }],
    limitsSaid: () => shutOut ?? http.limitsSaid?.(),
    close: () => http.close(),
    subjectsOf: (reservation) =>
      bookingSubjects(reservation, {
        account,
        label: 'Booking.com order',
        id: ID,
        lookUp: { kinds: ['stay', 'rental'], reference: /^\d{8,12}$/ },
        more: thingOf,
      }),
    readOne: async (subject, signal) =>
      resultOf(subject, await ask(groupOf(subject, ids), [wantedOf(subject)], signal)),
    readMany,
    batchOf,
  };
}

interface Group {
  readonly thing: 'stay' | 'car';
  readonly by: 'orders' | 'reservations';
}

type Mapper<T> = (items: readonly T[], about: { id: string; account: string; fetchedAt: string }) => Answer;

interface Found {
  /** Orders that nobody asked for. */
  readonly strangers: boolean;
  readonly of: (id: string) => Answer | undefined;
}

function groupOf({ query }: SubjectSpec, ids: Group['by']): Group {
  return { thing: query.thing === 'car' ? 'car' : 'stay', by: query.id === undefined ? 'reservations' : ids };
}

function wantedOf({ id, query }: SubjectSpec): string {
  const wanted = query.id ?? query.reference;
  if (wanted === undefined) throw incomplete(id);
  return wanted;
}

/** Each kind has an address of its own there, and an id does not tell which it is. Undefined: neither. */
function thingOf({ legs, fields }: Reservation): { readonly thing: 'stay' | 'car' } | undefined {
  const kinds = legs.length > 0 ? legs.map((leg) => leg.kind) : [textOf(fields, 'kind') ?? 'stay'];
  if (kinds.includes('stay')) return { thing: 'stay' };
  return kinds.includes('rental') ? { thing: 'car' } : undefined;
}

function settled(result: () => ReadResult): BatchResult {
  try {
    return result();
  } catch (error) {
    if (error instanceof TripwatchError) return { kind: 'failed', error };
    throw error;
  }
}
