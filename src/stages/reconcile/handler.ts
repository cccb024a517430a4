import { createHash } from 'node:crypto';
import type { AnyEvent, AnyNewEvent, NewEvent } from '../../contracts/event.ts';
import { type MailId, type ReservationId, sortableId, type TenantId } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import { indexKeys, speaksOf } from '../../domain/reconcile/claims.ts';
import { type NewVersion, reconcile, superseded } from '../../domain/reconcile/reconcile.ts';
import type { Reservation } from '../../domain/reservation.ts';
import { isoInstant } from '../../ports/clock.ts';
import { ack, type Handler } from '../../ports/handler.ts';
import type { MailEffect } from '../../ports/store/mails.ts';
import type { Tx } from '../../ports/store.ts';
import { settleMail } from '../extract/settle.ts';

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
  await noteEffect(tx, observation, events.length > 0 ? 'brought' : 'known', now);
  return events;
}

/** Dead letter hook: the owner sees on the receipt that what a mail says could not be recorded. */
export async function reconcileFailed(tx: Tx, event: AnyEvent): Promise<void> {
  // May be of any shape: that can be why it is set aside.
  const observation = (event.data as { readonly observation?: Partial<Observation> } | undefined)?.observation;
  if (observation?.id === undefined || observation.source === undefined) return;
  const { id, source } = observation;
  const now = Temporal.Instant.from(event.time).epochMilliseconds;
  await noteEffect(tx, { tenant: event.tenantid as TenantId, id, source }, 'failed', now);
}

/** What a mail brought is said on its receipt, once all of it has been joined. */
async function noteEffect(
  tx: Pick<Tx, 'mails'>,
  { tenant, id, source }: Pick<Observation, 'tenant' | 'id' | 'source'>,
  effect: MailEffect,
  now: number,
): Promise<void> {
  const mail = mailOf(source);
  if (mail === undefined) return;
  await settleMail(tx, tenant, mail, await tx.mails.noteEffect(tenant, mail, id, effect), now);
}

const mailOf = ({ kind, ref }: Observation['source']): MailId | undefined =>
  kind === 'mail' && typeof ref === 'string' && ref.startsWith('mail_') ? (ref as MailId) : undefined;

/** The mail's receipt names the reservations that it speaks of, also when it said nothing new. */
async function linkReceipt(tx: Tx, observation: Observation, reservations: readonly Reservation[]): Promise<void> {
  const mail = mailOf(observation.source);
  if (mail === undefined) return;
  for (const reservation of reservations) {
    if (speaksOf(observation, reservation)) await tx.mails.linkReservation(observation.tenant, mail, reservation.id);
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
