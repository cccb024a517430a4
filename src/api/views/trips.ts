import type { TripView } from '../../contracts/http/views.ts';
import type { TravellerId } from '../../domain/ids.ts';
import { reservationRemoved, textOf } from '../../domain/leg-points.ts';
import type { Leg, Reservation } from '../../domain/reservation.ts';
import { groupTrips } from '../../domain/trips.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { Subject } from '../../ports/store/subjects.ts';
import type { ReadTx } from '../../ports/store.ts';
import type { Caller } from '../auth.ts';
import { defined, freshnessViews, legView, listedAccounts, type ViewContext } from './reservation.ts';

/** A traveller's trips, earliest first. What a person removed is left out. */
export async function tripsView(
  tx: ReadTx,
  caller: Pick<Caller, 'tenant'>,
  traveller: TravellerId,
  context: ViewContext,
): Promise<readonly TripView[]> {
  const reservations = (await tx.reservations.list(caller.tenant, traveller)).filter((one) => !reservationRemoved(one));
  const followed = new Map<string, readonly Subject[]>();
  for (const reservation of reservations) {
    followed.set(reservation.id, await tx.subjects.followedBy(caller.tenant, reservation.id));
  }
  const listed = await listedAccounts(tx, [...followed.values()].flat());
  const legs = reservations.flatMap((reservation) =>
    reservation.legs.map((leg) => ({ reservation: reservation.id, leg, of: reservation })),
  );
  return groupTrips(legs).map(
    (trip) =>
      defined({
        id: trip.id,
        traveller,
        title: trip.title,
        state: stateOf(trip, context.now),
        startsAt: trip.startsAt === undefined ? undefined : isoInstant(trip.startsAt),
        endsAt: trip.endsAt === undefined ? undefined : isoInstant(trip.endsAt),
        cancelled: trip.cancelled,
        legs: trip.legs.map(({ leg, of }) =>
          defined({
            ...legView(leg),
            reservation: of.id,
            version: of.version,
            reference: textOf(of.fields, 'reference'),
            provider: textOf(of.fields, 'provider.name') ?? textOf(of.fields, 'provider.code'),
            freshness: freshnessViews(subjectsOfLeg(leg, of, followed.get(of.id) ?? []), context, listed),
          }),
        ),
      }) as TripView,
  );
}

/** A subject named by a leg's key is about that leg alone; any other, such as the booking, is about all of them. */
function subjectsOfLeg(leg: Leg, of: Reservation, subjects: readonly Subject[]): readonly Subject[] {
  return subjects.filter(({ spec }) => {
    if (leg.keys.includes(spec.id)) return true;
    return !of.legs.some((other) => other.id !== leg.id && other.keys.includes(spec.id));
  });
}

function stateOf(
  trip: { readonly startsAt: number | undefined; readonly endsAt: number | undefined },
  now: number,
): TripView['state'] {
  if (trip.startsAt === undefined || trip.endsAt === undefined) return 'undated';
  if (now < trip.startsAt) return 'upcoming';
  return now <= trip.endsAt ? 'under-way' : 'past';
}
