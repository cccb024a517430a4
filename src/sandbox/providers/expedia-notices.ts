import { rng } from '../random.ts';
import type { PlaceBooking, Scenario } from '../scenario/types.ts';
import { affiliateOf, type ExpediaFakeOptions, itineraryIdOf, signRapid } from './expedia.ts';
import type { Call, Reply } from './fake.ts';
import { type NoticeDesk, postNotice, type Registered, takeDue } from './notices.ts';

/**
 * Notices of the fake Rapid: posted where the partner registered, twice now and then; what does not arrive is listed
 * once.
 */
export interface RapidDesk extends NoticeDesk {
  /** At most 25 that did not arrive, each only this once. */
  readonly undelivered: (at: number) => readonly RapidNotice[];
  readonly test: (call: Call) => Reply;
}

export interface RapidNotice {
  readonly event_id: string;
  readonly event_type: string;
  readonly event_time: string;
  readonly itinerary_id: string;
  readonly email: string;
  readonly message: string;
  readonly affiliate_reference_id: string;
}

export interface RapidDeskOptions extends ExpediaFakeOptions {
  readonly scenario: Scenario;
  /** Where notices go; absent: no address is registered, and all of them are undeliverable. */
  readonly registered?: Registered;
  /** Of those that happen, so many are not even tried. Default: a fifth. */
  readonly lostShare?: number;
}

/** A page of the list. */
const LIST_MAX = 25;
const KNOWN_TYPES = /^itinerary\.(agent|supplier|fraud|payment_verification|traveler)\./;

export function rapidDesk(options: RapidDeskOptions): RapidDesk {
  const { scenario, registered, lostShare = 0.2 } = options;
  const open = happenings(scenario, options.email).filter((one) => !registered?.posted?.has(one.notice.event_id));
  const missed: { at: number; notice: RapidNotice }[] = [];

  async function post(notice: RapidNotice): Promise<boolean> {
    if (registered === undefined) return false;
    const { url, clock, onPosted } = registered;
    const headers = { 'content-type': 'application/json', authorization: signRapid(options, clock.now()) };
    const taken = await postNotice(url, headers, JSON.stringify(notice));
    if (taken) onPosted?.(notice.event_id);
    return taken;
  }

  return {
    deliver: async (signal) => {
      for (const one of takeDue(open, registered?.clock.now() ?? 0)) {
        if (signal.aborted) return;
        const draw = rng(scenario.options.seed, 'rapid', one.notice.event_id);
        const arrived = !draw.chance(lostShare) && (await post(one.notice));
        if (!arrived) missed.push(one);
        else if (draw.chance(0.2)) await post(one.notice);
      }
    },
    undelivered: (at) => {
      if (registered === undefined) missed.push(...takeDue(open, at));
      return missed.splice(0, LIST_MAX).map((one) => one.notice);
    },
    test: (call) => {
      const type = (call.body as { event_type?: unknown } | null)?.event_type;
      if (typeof type !== 'string' || !KNOWN_TYPES.test(type))
        return { status: 400, body: { type: 'invalid_input', message: 'event_type is not known' } };
      void post({ ...open[0]?.notice, event_id: `test-${call.at}`, event_type: type } as RapidNotice);
      return { status: 204 };
    },
    nextAt: (after) => open.find((one) => one.at > after)?.at,
  };
}

/** What hotels and agents do to the day's stays. */
function happenings(scenario: Scenario, email: string) {
  const stays = scenario.bookings.filter((one): one is PlaceBooking => one.kind === 'stay');
  const made = stays.flatMap((one) => {
    const told = (at: number | undefined, type: string) =>
      at === undefined || at < scenario.options.startAt ? [] : [{ at, notice: noticeOf(one, at, type, email) }];
    return [...told(one.moved?.at, 'itinerary.agent.change'), ...told(one.cancelledAt, 'itinerary.supplier.cancel')];
  });
  return made.sort((a, b) => a.at - b.at);
}

function noticeOf(one: PlaceBooking, at: number, type: string, email: string): RapidNotice {
  return {
    event_id: `${itineraryIdOf(one)}-${at}`,
    event_type: type,
    event_time: Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'millisecond' }),
    itinerary_id: itineraryIdOf(one),
    email,
    message: 'Words for people',
    affiliate_reference_id: affiliateOf(one),
  };
}
