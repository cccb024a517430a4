import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { ChangedList, LimitsSaid, ProviderConnector, ReadResult, SubjectSpec } from '../../../ports/provider.ts';
import { foundBooking, sameId } from '../booking/answer.ts';
import { meantByLookUp } from '../booking/subjects.ts';
import { answeredOther, incomplete, readAs, unreadable } from '../http/failed.ts';
import { createProviderHttp, type ProviderHttp, type ProviderRequest } from '../http/http.ts';
import { toAnswer } from './map.ts';
import { createProperties } from './properties.ts';
import { type Itinerary, itinerariesSchema, itinerarySchema, notificationSchema } from './schema.ts';
import { authorization, receivePush, wakesOf } from './signature.ts';
import { ITINERARY, subjectsOf } from './subjects.ts';

/** Stays booked through Expedia Rapid (v3). Notices wake a check; those that did not arrive are swept up by a list. */
export const RAPID_URL = 'https://api.ean.com/v3';

export interface ExpediaOptions {
  /** Our name of the account. */
  readonly account: string;
  readonly key: string;
  readonly secret: string;
  readonly clock: Clock;
  readonly url?: string;
  readonly email?: string | undefined;
  readonly affiliatePrefix?: string | undefined;
  /** The address that the vendor wants to be told; ours, as no customer is present. */
  readonly customerIp: string;
  /** `signed`: only notices signed as our calls are. `unsigned`: any. `none`: this account takes none, nor sweeps. */
  readonly pushes: 'signed' | 'unsigned' | 'none';
  /** Ask for the names of houses. */
  readonly names: boolean;
  readonly http?: ProviderHttp;
}

const LIST_EVERY_MS = 2 * 60_000;
/** Full pages have a next one. */
const LIST_MAX = 25;
/** The vendor wants name and version. */
const USER_AGENT = 'Tripwatch/1 (+https://tripwatch.dev)';

export function createExpediaConnector(options: ExpediaOptions): ProviderConnector {
  const { account, clock, key, secret, email, pushes } = options;
  const base = (options.url ?? RAPID_URL).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock });
  let said: LimitsSaid | undefined;

  async function ask(path: string, signal: AbortSignal, more: Partial<ProviderRequest> = {}) {
    const headers = {
      authorization: authorization({ key, secret }, clock.now()),
      'accept-encoding': 'gzip',
      'customer-ip': options.customerIp,
      'user-agent': USER_AGENT,
    };
    said = undefined;
    // A refusal tells as well which of the limits is used up.
    const explain = (_status: number, _body: unknown, told: Readonly<Record<string, string>>) => {
      said = limitsIn(told);
      return undefined;
    };
    const response = await http.ask({ url: `${base}${path}`, headers, explain, ...more }, signal);
    said = limitsIn(response.headers);
    return response;
  }
  const propertyOf = createProperties(ask, clock);

  async function read(subject: SubjectSpec, signal: AbortSignal): Promise<ReadResult> {
    const { id, reference, access = email, name: knownName, registeredAs } = subject.query;
    const asked = id ?? reference;
    if (asked === undefined || access === undefined) throw incomplete(subject.id);
    const byId = id !== undefined || ITINERARY.test(asked);
    const proof = new URLSearchParams(access.includes('@') ? { email: access } : { token: access });
    if (!byId) proof.set('affiliate_reference_id', asked);
    const path = byId ? `/itineraries/${encodeURIComponent(asked)}?${proof}` : `/itineraries?${proof}`;
    const { status, json } = await ask(path, signal, { also: [404], read: [206] });
    if (status === 404) return { kind: 'absent' };
    const itinerary = byId ? readAs(itinerarySchema, json) : ownOf(readAs(itinerariesSchema, json), asked);
    if (itinerary === undefined) return { kind: 'absent' };
    if (byId && !sameId(itinerary.itinerary_id, asked)) throw answeredOther();
    // So answers a booking of the last minutes, and one of which a part is missing: nothing is cancelled by that.
    if (!itinerary.rooms?.length) throw unreadable('rooms');
    const property = options.names ? await propertyOf(itinerary.property_id, signal) : undefined;
    const fetchedAt = isoInstant(clock.now());
    const answer = toAnswer(itinerary, { account, registeredAs, reference, knownName, property, fetchedAt });
    if (answer.legs.length === 0) throw unreadable('rooms.checkin');
    if (subject.everyMs !== undefined && !meantByLookUp(answer, subject)) return { kind: 'absent' };
    return foundBooking(answer, clock.now());
  }

  return {
    name: 'expedia',
    label: 'Expedia Rapid',
    capabilities: {
      covers: ['booking'],
      readOne: true,
      // The signature of a notice does not cover what it says.
      ...(pushes === 'none' ? {} : { push: 'hint', listChanged: true, listEveryMs: LIST_EVERY_MS }),
    },
    subjectsOf: (reservation) => subjectsOf(reservation, options),
    readOne: read,
    limitsSaid: () => said ?? http.limitsSaid?.(),
    close: () => http.close(),
    ...(pushes === 'none'
      ? {}
      : {
          receivePush: (request) => receivePush(request, pushes === 'signed' ? { key, secret } : undefined),
          listChanged: async (cursor: string | undefined, signal: AbortSignal): Promise<ChangedList> => {
            const { json } = await ask('/notifications?undeliverable=true', signal);
            const listed = readAs(itinerariesSchema, json);
            // Each is told once: one that cannot be read must not cost the others.
            const notices = listed.flatMap((one) => notificationSchema.safeParse(one).data ?? []);
            return {
              cursor: notices.at(-1)?.event_id ?? cursor ?? '',
              wakes: [...new Set(notices.flatMap((one) => wakesOf(one.itinerary_id)))],
              more: listed.length >= LIST_MAX,
            };
          },
        }),
  };
}

/** Of those found by the agency's number; an empty list is "not found". */
function ownOf(found: readonly unknown[], reference: string): Itinerary | undefined {
  const readable = found.flatMap((one) => itinerarySchema.safeParse(one).data ?? []);
  if (readable.length === 0 && found.length > 0) throw unreadable('no itinerary in it is readable');
  const own = readable.find((one) => sameId(one.affiliate_reference_id, reference));
  if (own === undefined && readable.length > 0) throw answeredOther();
  return own;
}

/** The vendor tells what is left in per cent of a number that it does not name: only "nothing" says something. */
function limitsIn(headers: Readonly<Record<string, string>>): LimitsSaid | undefined {
  const resets = ['minute', 'day'].flatMap((span) => {
    const left = headers[`rate-limit-${span}-remaining`];
    const resetAt = Number(headers[`rate-limit-${span}-reset`] ?? '');
    return left?.trim() && Number(left) <= 0 && resetAt > 0 ? [resetAt] : [];
  });
  return resets.length === 0 ? undefined : { limits: [], left: 0, resetAt: Math.max(...resets) };
}
