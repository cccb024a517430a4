import { pointOf, spanOf } from '../../domain/leg-points.ts';
import type { Change, Reservation } from '../../domain/reservation.ts';
import { FRESHNESS_CLASSES, freshnessClassOf } from '../../domain/schedule/freshness.ts';

/** Which provider account's word changes are, and how near the journey is; undefined: no provider's. Pure. */
export function confirmationOf(
  changes: readonly Change[],
  reservation: Reservation,
  now: number,
): { readonly account: string; readonly urgency: string } | undefined {
  const change = changes.find((one) => one.by?.source.account !== undefined);
  const account = change?.by?.source.account;
  if (change === undefined || account === undefined) return undefined;
  const leg = reservation.legs.find((one) => one.id === change.leg);
  const startAt = (leg && pointOf(leg, 'start').at) ?? spanOf(reservation.legs).startsAt;
  // What is under way stays as urgent as what is about to begin.
  const index = startAt === undefined ? FRESHNESS_CLASSES.length - 1 : freshnessClassOf({ startAt }, now);
  return { account, urgency: FRESHNESS_CLASSES[index]!.name };
}
