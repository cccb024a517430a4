import { ID_ALPHABET, rng } from '../random.ts';
import {
  type AirBooking,
  type Booking,
  type DayOptions,
  type Flight,
  type FlightStep,
  MINUTE,
  type PushPlan,
} from './types.ts';

/**
 * What Duffel pushes: at least once, late, twice, out of order, and now and then not at all, so that only the slow poll
 * finds the change.
 */
export function planPushes(
  options: DayOptions,
  bookings: readonly Booking[],
  flights: readonly Flight[],
): readonly PushPlan[] {
  const byId = new Map(flights.map((flight) => [flight.id, flight]));
  const plans: PushPlan[] = [];
  for (const booking of bookings) {
    if (booking.duffelId === undefined) continue;
    const draw = rng(options.seed, 'pushes', booking.id);
    const say = (createdAt: number, type: string, object: Record<string, string>, key: string): void => {
      const event = {
        eventId: `wev_0000${draw.text(18, ID_ALPHABET)}`,
        type,
        createdAt,
        object,
        idempotencyKey: key,
      };
      const fate = draw.number();
      if (fate < 0.15) return;
      const at = createdAt + (fate < 0.35 ? draw.int(60, 400) * 1000 : draw.int(1, 4) * 1000);
      plans.push({ ...event, at });
      if (fate > 0.75) plans.push({ ...event, at: at + draw.int(1, 600) * 1000 });
    };
    if (booking.kind === 'flight') {
      for (const change of changesOf(booking, byId)) {
        const object = { id: booking.duffelId, aic_id: change.id };
        say(change.at, 'order.airline_initiated_change_detected', object, change.id);
      }
      if (booking.cancelledAt !== undefined) {
        say(
          booking.cancelledAt,
          'order_cancellation.confirmed',
          { id: `ore_${booking.duffelId.slice(4)}`, order_id: booking.duffelId },
          `ore_${booking.duffelId.slice(4)}`,
        );
      }
    }
    // Types that nobody has told us of come as well.
    if (draw.chance(0.1))
      say(
        options.startAt + draw.int(30, 300) * MINUTE,
        'order.seat_polished',
        { id: booking.duffelId },
        booking.duffelId,
      );
  }
  return plans.sort((a, b) => a.at - b.at);
}

export interface AirlineChange {
  readonly id: string;
  readonly at: number;
  readonly flight: Flight;
  readonly step: FlightStep;
}

/** The changes the airline made to the schedule of a booking's flights, oldest first. */
export function changesOf(booking: AirBooking, flights: ReadonlyMap<string, Flight>): readonly AirlineChange[] {
  return booking.segments
    .flatMap((segment, position) => {
      const flight = flights.get(segment.flight)!;
      return flight.steps
        .filter((step) => step.set.departureScheduled !== undefined)
        .map((step) => ({
          id: `aic_${(booking.duffelId ?? booking.id).slice(4)}${position}`,
          at: step.at,
          flight,
          step,
        }));
    })
    .sort((a, b) => a.at - b.at);
}
