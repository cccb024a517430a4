import { known } from '../reconcile/fields.ts';
import type { Attribution, Leg } from '../reservation.ts';
import { byPerson, type Found, factOf, type Looking, NOTHING, toldOf } from './found.ts';
import { type Cancelled, cancelledBy, isCertain, isVouched, saysCancelled } from './grounds.ts';
import { bookingName, legName } from './phrase.ts';

/** What is not certain yet is looked at again so soon, and then ever more seldom, ms. */
const LOOK_AGAIN_MS_MIN = 60_000;
const LOOK_AGAIN_MS_MAX = 3_600_000;

/**
 * Whether a leg (undefined: the whole booking) takes place. "May be cancelled" is told once, its certainty once, and that it
 * takes place after all once.
 */
export function cancellationOf(looking: Looking, leg: Leg | undefined): Found {
  const { reservation, told, words, language, now } = looking;
  const cancelled = cancelledBy(leg === undefined ? reservation.fields : leg.fields);
  const fact = factOf(leg, 'cancelled');
  const before = toldOf(told, fact);
  const by = cancelled.by ?? (leg === undefined ? wordOfLegs(reservation.legs) : undefined);
  const name = leg === undefined ? bookingName(language, reservation) : legName(language, leg);
  const about = { by, ...(leg === undefined ? {} : { leg: leg.id }) };
  const params = {
    leg: name,
    by: by?.authority === 'mail' || by === undefined ? language.words.someone : by.source.label,
  };

  if (cancelled.state === 'no') {
    if (before?.value !== true) return NOTHING;
    const known = [{ fact, value: false, certain: true }];
    if (byPerson(by)) return { news: [], known };
    return {
      news: [
        {
          ...about,
          kind: 'reinstated',
          severity: 'warning',
          certain: isVouched(by),
          key: before.certain ? 'reinstated' : 'cancelledNot',
          params,
          facts: [{ fact, value: false }],
        },
      ],
      known: [],
    };
  }
  if (byPerson(by)) return { news: [], known: [{ fact, value: true, certain: true }] };
  const certain = isCertain(cancelled, words, leg, saysCancelled);
  const again = certain ? {} : { dueAt: now + lookAgainMs(before?.at, now) };
  if (before?.value === true && (before.certain || !certain)) return { ...NOTHING, ...again };
  return {
    news: [
      {
        ...about,
        kind: 'cancellation',
        severity: certain ? 'critical' : 'warning',
        certain,
        key: !certain ? 'cancelledMaybe' : before?.value === true ? 'cancelledSure' : 'cancelled',
        params,
        facts: [{ fact, value: true }],
      },
    ],
    known: [],
    ...again,
  };
}

/** The booking is cancelled as a whole: its legs' own cancellations are no further news, nor is that they are not. */
export function ofBooking(looking: Looking, state: Cancelled['state']): Found['known'] {
  const { reservation, told } = looking;
  const before = toldOf(told, factOf(undefined, 'cancelled'));
  return reservation.legs.flatMap((leg): Found['known'] => {
    const fact = factOf(leg, 'cancelled');
    const own = toldOf(told, fact);
    const cancelled = known(leg.fields, 'status') === 'cancelled' || known(leg.fields, 'operation') === 'cancelled';
    if (state === 'yes' && cancelled) return [{ fact, value: true, certain: true }];
    // What the booking's return brings back with it.
    if (state === 'no' && before?.value === true && own?.value === true && !cancelled)
      return [{ fact, value: false, certain: true }];
    return [];
  });
}

/** Of a booking that nobody speaks of as a whole: whose word it is that its legs take place; the weakest of them. */
function wordOfLegs(legs: readonly Leg[]): Attribution | undefined {
  const said = legs.flatMap(({ fields }) => cancelledBy(fields).by ?? []);
  return said.find((one) => !isVouched(one)) ?? said[0];
}

function lookAgainMs(toldAt: number | undefined, now: number): number {
  const age = toldAt === undefined ? 0 : now - toldAt;
  return Math.min(LOOK_AGAIN_MS_MAX, Math.max(LOOK_AGAIN_MS_MIN, Math.floor(age / 4)));
}
