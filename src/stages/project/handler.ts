import type { Event } from '../../contracts/event.ts';
import type { Alert } from '../../domain/alerts/alert.ts';
import type { TravellerId } from '../../domain/ids.ts';
import { reservationCancelled, reservationRemoved, reservationTitle, spanOf } from '../../domain/leg-points.ts';
import type { Change, Reservation } from '../../domain/reservation.ts';
import { describeChanges } from '../../domain/reservation-view.ts';
import { isoInstant } from '../../ports/clock.ts';
import { ack, type Handler } from '../../ports/handler.ts';
import type { ItineraryItem } from '../../ports/store/itineraries.ts';
import type { Tx } from '../../ports/store.ts';
import { confirmationOf } from './confirmation.ts';
import { alertsData, tellOf, type VendorOf } from './tell.ts';

/**
 * Keeps the read side and publishes: the row that lists read, and one `itinerary.updated` for each version, in the log
 * for notify and, complete with its id, on the change stream, with what of it the traveller is told (tell.ts). All in the transaction that marks the event processed, so
 * each version is published exactly once.
 *
 * A version that comes late leaves the row alone, because it holds a newer one; its changes are still published, because
 * they happened and nobody was told. Receivers see the order by `version`.
 */
export function createProjectHandler(options: { readonly vendorOf?: VendorOf } = {}): Handler<'reservation.changed'> {
  const { vendorOf = (account) => account } = options;
  return async (event, { clock }) =>
    ack(async (tx) => {
      const now = clock.now();
      const reservation = event.data.reservation as Reservation;
      await keepRow(tx, event, reservation, now);
      const alerts = await alertsOf(tx, event, reservation, { now, vendorOf });
      const [published] = await tx.append(
        [
          {
            topic: 'itinerary.updated',
            tenant: reservation.tenant,
            traveller: reservation.traveller,
            key: reservation.traveller,
            subject: reservation.id,
            data: updated(event, reservation, alerts, now),
          },
        ],
        { source: 'project', cause: event, seed: event.id },
      );
      await tx.itineraries.appendFeed(reservation.tenant, reservation.traveller as TravellerId, published!);
      return [];
    });
}

async function keepRow(
  tx: Tx,
  event: Event<'reservation.changed'>,
  reservation: Reservation,
  now: number,
): Promise<void> {
  // Joined into another: its own row goes, also when an older version of it comes late.
  const current = await tx.reservations.get(reservation.tenant, reservation.id);
  if (event.data.mergedInto !== undefined || (current !== undefined && current.id !== reservation.id)) {
    await tx.itineraries.remove(reservation.tenant, reservation.id);
    return;
  }
  await tx.itineraries.put(itineraryItem(reservation, now));
}

/** What of it the traveller is told. One that was joined into another is spoken of by that one. */
async function alertsOf(
  tx: Tx,
  { data }: Event<'reservation.changed'>,
  reservation: Reservation,
  telling: { readonly now: number; readonly vendorOf: VendorOf },
): Promise<readonly Alert[]> {
  if (data.mergedInto !== undefined) return [];
  return tellOf(tx, reservation, { ...telling, changes: data.changes as readonly Change[] });
}

/** The row of a state; pure. */
export function itineraryItem(reservation: Reservation, now: number): ItineraryItem {
  return {
    tenant: reservation.tenant,
    traveller: reservation.traveller,
    reservation: reservation.id,
    version: reservation.version,
    ...spanOf(reservation.legs),
    cancelled: reservationCancelled(reservation),
    removed: reservationRemoved(reservation),
    updatedAt: now,
  };
}

function updated(event: Event<'reservation.changed'>, reservation: Reservation, alerts: readonly Alert[], now: number) {
  const { changes, changedAt, assertedAt, observedAt, checkedBefore, mergedInto } = event.data;
  const confirmation = confirmationOf(changes as readonly Change[], reservation, now);
  return {
    reservationId: reservation.id,
    version: reservation.version,
    title: reservationTitle(reservation),
    sentences: describeChanges(changes as readonly Change[], reservation),
    changes,
    ...(alerts.length === 0 ? {} : { alerts: alertsData(alerts) }),
    changedAt,
    ...(assertedAt === undefined ? {} : { assertedAt }),
    ...(observedAt === undefined ? {} : { observedAt }),
    ...(checkedBefore === undefined ? {} : { checkedBefore }),
    publishedAt: isoInstant(now),
    ...(confirmation === undefined ? {} : { confirmation }),
    ...(mergedInto === undefined ? {} : { mergedInto }),
  };
}
