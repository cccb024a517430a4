import { type Rng, rng } from '../random.ts';
import {
  type Booking,
  DAY,
  type DayOptions,
  type Flight,
  HOUR,
  type MailFormat,
  type MailPlan,
  MINUTE,
  type Person,
} from './types.ts';

/**
 * Which mail comes when. Order and repetition are part of the plan: the same bytes twice, an old confirmation sent on
 * again after a cancellation, a cancellation ahead of the confirmation, and a "cancelled" that the provider denies.
 */
export function planMails(
  options: DayOptions,
  people: readonly Person[],
  bookings: readonly Booking[],
  flights: readonly Flight[],
): readonly MailPlan[] {
  const departs = new Map(flights.map((flight) => [flight.id, flight.initial.departureScheduled]));
  const plans: MailPlan[] = [];
  let lies = 0;
  bookings.forEach((booking, number) => {
    const draw = rng(options.seed, 'mails', booking.id);
    const start = booking.kind === 'flight' ? departs.get(booking.segments[0]!.flight)! : options.startAt + DAY;
    // The agency's own bookings: the others come by mail as well and must be recognised as the same.
    if (booking.duffelId !== undefined && draw.chance(0.4)) return;
    booking.owners.forEach((to, place) => {
      const add = (what: Pick<MailPlan, 'at' | 'purpose' | 'saidAt'> & Partial<MailPlan>): MailPlan => {
        const plan = {
          ...looks(draw),
          to,
          booking: booking.id,
          ...what,
          id: `${booking.id}-${place}-${what.purpose}-${plans.length}`,
        };
        // Calendars name a rental by its car and place, not by company: too little to know it again beside markup.
        const format = booking.kind === 'rental' && plan.format.includes('ics') ? 'json-ld' : plan.format;
        plans.push({ ...plan, format });
        return plans.at(-1)!;
      };
      const latest = Math.min(options.startAt + 0.4 * options.hours * HOUR, start - 100 * MINUTE);
      const at = at5(draw, options.startAt + 10 * MINUTE, Math.max(options.startAt + 20 * MINUTE, latest));
      const cancelledAt = booking.cancelledAt;
      // Disorder: the cancellation overtakes the confirmation.
      const overtaken = cancelledAt !== undefined && draw.chance(0.3);
      const confirmation = add({
        at: overtaken ? cancelledAt + draw.int(15, 40) * MINUTE : at,
        purpose: 'confirmation',
        saidAt: booking.bookedAt,
      });
      const repeat = draw.number();
      if (repeat < 0.1) {
        const { id, ...same } = confirmation;
        plans.push({ ...same, id: `${id}-again`, at: confirmation.at + draw.int(2, 60) * MINUTE, sameAs: id });
      } else if (repeat < 0.18 || (cancelledAt !== undefined && repeat < 0.6)) {
        add({
          at: (cancelledAt ?? confirmation.at) + draw.int(60, 120) * MINUTE,
          purpose: 'confirmation',
          saidAt: booking.bookedAt,
          attached: true,
        });
      }
      if (cancelledAt !== undefined) {
        const bare = confirmation.at < cancelledAt && draw.chance(0.3);
        add({
          at: cancelledAt + 2 * MINUTE,
          purpose: bare ? 'bare-cancellation' : 'cancellation',
          saidAt: cancelledAt,
          format: bare ? 'json-ld' : structured(draw),
        });
      }
      if (booking.kind !== 'flight' && booking.moved !== undefined) {
        add({
          at: booking.moved.at + 2 * MINUTE,
          purpose: 'change',
          saidAt: booking.moved.at,
          format: structured(draw),
        });
      }
      if (
        booking.kind === 'flight' &&
        booking.duffelId !== undefined &&
        cancelledAt === undefined &&
        lies < 1 + number / 500
      ) {
        lies++;
        const lieAt = Math.max(confirmation.at, booking.registeredAt ?? 0) + 30 * MINUTE;
        add({ at: lieAt, purpose: 'lie', saidAt: lieAt, format: 'json-ld' });
      }
    });
  });
  for (const person of people) {
    const draw = rng(options.seed, 'promo', person.index);
    for (let count = draw.int(0, 2); count > 0; count--) {
      const at = at5(draw, options.startAt + 10 * MINUTE, options.startAt + 0.9 * options.hours * HOUR);
      plans.push({
        ...looks(draw),
        format: 'none',
        id: `promo-${person.index}-${count}`,
        at,
        to: person.index,
        purpose: 'promo',
        saidAt: at,
      });
    }
  }
  return plans.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

const structured = (draw: Rng): MailFormat => draw.pick<MailFormat>(['json-ld', 'microdata', 'json-ld+ics']);

function looks(draw: Rng): Pick<MailPlan, 'format' | 'charset' | 'encoding'> & { attached?: true } {
  const charset = draw.pick<MailPlan['charset']>(['utf-8', 'utf-8', 'utf-8', 'iso-8859-1', 'windows-1252', 'us-ascii']);
  return {
    format: draw.chance(0.12) ? 'ics' : structured(draw),
    charset,
    encoding: draw.pick<MailPlan['encoding']>(['base64', 'quoted-printable', 'quoted-printable', '8bit']),
    ...(draw.chance(0.12) ? { attached: true } : {}),
  };
}

function at5(draw: Rng, from: number, to: number): number {
  return Math.round((from + draw.number() * Math.max(0, to - from)) / 1000) * 1000;
}
