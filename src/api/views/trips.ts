import type { TripView } from '../../contracts/http/views.ts';
import type { TravellerId } from '../../domain/ids.ts';
import { reservationRemoved, textOf } from '../../domain/leg-points.ts';
import type { Reservation } from '../../domain/reservation.ts';
import { groupTrips } from '../../domain/trips.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { ReadTx } from '../../ports/store.ts';
import type { Caller } from '../auth.ts';
import { defined, freshnessView, legView, type ViewContext } from './reservation.ts';

/** A traveller's trips, earliest first; `past` ones only when asked for. What a person removed is left out. */
export async function tripsView(
  tx: ReadTx,
  caller: Pick<Caller, 'tenant'>,
  traveller: TravellerId,
  context: ViewContext,
): Promise<readonly TripView[]> {
  const reservations = (await tx.reservations.list(caller.tenant, traveller)).filter((one) => !reservationRemoved(one));
  const freshness = new Map<string, TripView['legs'][number]['freshness']>();
  for (const reservation of reservations) {
    const subjects = await tx.subjects.followedBy(caller.tenant, reservation.id);
    freshness.set(
      reservation.id,
      subjects.map((subject) => freshnessView(subject, context)),
    );
  }
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
            freshness: freshnessOfLeg(leg.keys, of, freshness.get(of.id) ?? []),
          }),
        ),
      }) as TripView,
  );
}

/** A subject about one leg (its id holds the leg key) belongs to that leg; one about the booking belongs to all. */
function freshnessOfLeg(
  keys: readonly string[],
  of: Reservation,
  all: TripView['legs'][number]['freshness'],
): TripView['legs'][number]['freshness'] {
  if (of.legs.length === 1 || all.length === 0) return all;
  const words = keys.map((key) => /^leg:flight:[a-z0-9]{2}0*(\d+)/.exec(key)?.[1]).filter((n) => n !== undefined);
  return all.filter((one) => {
    const number = /^[A-Z0-9]{2} ?0*(\d+)\b/.exec(one.about)?.[1];
    return number === undefined || words.includes(number);
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
