import { rng } from '../random.ts';
import { changesOf } from '../scenario/pushes.ts';
import type { AirBooking, Scenario } from '../scenario/types.ts';
import { orderChangeNotice, orderIdOf } from './ndc-airline.ts';
import { type NoticeDesk, postNotice, type Registered, takeDue } from './notices.ts';

/**
 * The airline's order change notices: in any of its forms, late, twice, and now and then not at all. What nobody takes
 * does not come again; only asking finds it.
 */
export interface NdcDeskOptions {
  readonly scenario: Scenario;
  readonly owner: string;
  /** What the airline signs in with where it posts. */
  readonly user: string;
  readonly password: string;
  readonly registered: Registered;
}

const FORMS = ['21.3', '17.2', 'soap'] as const;

export function ndcDesk({ scenario, owner, user, password, registered }: NdcDeskOptions): NoticeDesk {
  const { url, clock, posted, onPosted } = registered;
  const open = planned(scenario, owner).filter((one) => !posted?.has(one.id));
  const headers = {
    'content-type': 'text/xml; charset=utf-8',
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  };
  return {
    deliver: async (signal) => {
      for (const { id, body } of takeDue(open, clock.now())) {
        if (signal.aborted) return;
        if (await postNotice(url, headers, body)) onPosted?.(id);
      }
    },
    nextAt: (after) => open.find((one) => one.at > after)?.at,
  };
}

/** In order of time. */
function planned(scenario: Scenario, owner: string) {
  const flights = new Map(scenario.flights.map((flight) => [flight.id, flight]));
  const made = scenario.bookings.flatMap((booking) => {
    if (booking.kind !== 'flight') return [];
    const draw = rng(scenario.options.seed, 'ndc-notices', booking.id);
    const happened = [...changesOf(booking, flights).map(({ at }) => at), booking.cancelledAt].flatMap((at) =>
      at === undefined || at < scenario.options.startAt ? [] : [at],
    );
    return happened.flatMap((happenedAt, i) => {
      const body = orderChangeNotice(orderIdOf(booking, owner), owner, booking, draw.pick(FORMS));
      const fate = draw.number();
      const at = happenedAt + (fate < 0.35 ? draw.int(60, 400) : draw.int(1, 4)) * 1000;
      const again = at + draw.int(1, 600) * 1000;
      if (fate < 0.15) return [];
      const notice = (time: number, nth: number) => ({ at: time, id: `${idOf(booking)}/${i}/${nth}`, body });
      return [notice(at, 0), ...(fate > 0.75 ? [notice(again, 1)] : [])];
    });
  });
  return made.sort((a, b) => a.at - b.at);
}

function idOf(booking: AirBooking): string {
  return `ndc ${booking.id}`;
}
