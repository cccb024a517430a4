import { createHash } from 'node:crypto';
import type { AnyNewEvent, NewEvent } from '../../contracts/event.ts';
import { type MailId, type ReservationId, sortableId } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import { indexKeys, speaksOf } from '../../domain/reconcile/claims.ts';
import { type NewVersion, reconcile, superseded } from '../../domain/reconcile/reconcile.ts';
import type { Reservation } from '../../domain/reservation.ts';
import { isoInstant } from '../../ports/clock.ts';
import { ack, type Handler } from '../../ports/handler.ts';
import type { Tx } from '../../ports/store.ts';

/**
 * Joins one more observation into the traveller's reservations. All of it happens in the transaction that also marks the
 * event as processed and stores the outgoing events, so a change is numbered and told exactly once; two workers on one
 * traveller meet in `putVersion`, which refuses the later one (`stale`), and its retry sees what the first one stored.
 */
export function reconcileHandler(): Handler<'observation.recorded'> {
  return async (event, { clock }) => {
    const observation = event.data.observation as Observation;
    return ack((tx) => recordObservation(tx, observation, clock.now(), event.data.checkedBefore));
  };
}

/** The same for callers that have a transaction already. Returns what to append. */
export async function recordObservation(
  tx: Tx,
  observation: Observation,
  now: number,
  checkedBefore?: string,
): Promise<readonly AnyNewEvent[]> {
  const { tenant, traveller } = observation;
  await tx.reservations.addObservation(observation, now);
  const known = await tx.reservations.closure(tenant, traveller, indexKeys(observation));
  const published = await tx.reservations.restingOn(
    tenant,
    traveller,
    known.map((one) => one.id),
  );
  const newId = (seed: string) => reservationId(now, tenant, traveller, seed);
  const events: AnyNewEvent[] = [];
  const standing = new Map(published.map((one) => [one.id, one]));
  for (const made of reconcile({ tenant, traveller }, known, published, newId)) {
    await tx.reservations.putVersion(made.reservation, made.changes, now);
    standing.set(made.reservation.id, made.reservation);
    for (const gone of made.merged) {
      await tx.reservations.merge(tenant, gone.id, made.reservation.id, now);
      standing.delete(gone.id);
    }
    events.push(...eventsOf(made, observation, now, checkedBefore));
  }
  await linkReceipt(tx, observation, [...standing.values()]);
  const old = superseded(known, standing.values());
  if (old.length > 0) await tx.reservations.retire(tenant, traveller, old);
  return events;
}

/** The mail's receipt names the reservations that it speaks of, also when it said nothing new. */
async function linkReceipt(tx: Tx, observation: Observation, reservations: readonly Reservation[]): Promise<void> {
  const { source, tenant } = observation;
  if (source.kind !== 'mail' || !source.ref.startsWith('mail_')) return;
  for (const reservation of reservations) {
    if (speaksOf(observation, reservation))
      await tx.mails.linkReservation(tenant, source.ref as MailId, reservation.id);
  }
}

/** One event for the reservation, and one for each that it swallowed, so that nobody goes on following a dead id. */
function eventsOf(made: NewVersion, observation: Observation, now: number, checkedBefore?: string): AnyNewEvent[] {
  const { reservation, changes, merged } = made;
  const times = {
    changedAt: isoInstant(now),
    assertedAt: observation.assertedAt,
    observedAt: observation.observedAt,
    ...(checkedBefore === undefined ? {} : { checkedBefore }),
  };
  const about = (subject: ReservationId) => ({
    topic: 'reservation.changed' as const,
    tenant: observation.tenant,
    traveller: observation.traveller,
    key: observation.traveller,
    subject,
  });
  const changed = { ...about(reservation.id), data: { reservation, changes, ...times } };
  const goodbyes = merged.map((gone) => ({
    ...about(gone.id),
    data: { reservation: gone, changes: [], ...times, mergedInto: reservation.id },
  }));
  // The domain's lists are readonly, the contract's are not; contracts/observation.ts keeps the two equal otherwise.
  return [changed, ...goodbyes] as unknown as NewEvent<'reservation.changed'>[];
}

/** Sorts by the time it was made, so that the oldest can survive a merge; the rest derives from the booking. */
function reservationId(now: number, ...parts: readonly string[]): ReservationId {
  return sortableId('rsv', now, createHash('sha256').update(parts.join('\n')).digest().subarray(0, 10));
}
