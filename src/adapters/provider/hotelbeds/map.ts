import type { Answer } from '../../../contracts/topics.ts';
import { factWriter } from '../answer.ts';
import { bookingAnswer, dayAndTime, putPerson } from '../booking/answer.ts';
import type { HotelbedsBooking } from './schema.ts';

/** A status that is not in the table is left open: it is never taken for a cancellation. */
const STATES: Readonly<Record<string, string>> = {
  CONFIRMED: 'confirmed',
  PRECONFIRMED: 'pending',
  CANCELLED: 'cancelled',
};

/** A booking in our words. Names go when it is cancelled; their absence says nothing. Net rates are the agency's own. */
export function toAnswer(booking: HotelbedsBooking, account: string, id: string, fetchedAt: string): Answer {
  const { hotel, holder } = booking;
  const known = booking.status?.trim().toUpperCase() ?? '';
  const status = Object.hasOwn(STATES, known) ? STATES[known] : undefined;
  const facts = factWriter();
  facts.put('reference', id, 'booking.reference');
  facts.put('status', status, 'booking.status', booking.status);
  const out = factWriter();
  out.put('status', status, 'booking.status', booking.status);
  out.put('name', hotel?.name ?? undefined, 'booking.hotel.name');
  out.put('start.name', hotel?.name ?? undefined, 'booking.hotel.name');
  out.put('start.locality', hotel?.destinationName ?? undefined, 'booking.hotel.destinationName');
  out.put('start.scheduled', dayAndTime(hotel?.checkIn, undefined), 'booking.hotel.checkIn');
  out.put('end.scheduled', dayAndTime(hotel?.checkOut, undefined), 'booking.hotel.checkOut');
  const guests = (hotel?.rooms ?? []).flatMap((room) => room.paxes ?? []);
  for (const { name, surname } of guests) putPerson(out, { given: name, family: surname }, 'booking.hotel.rooms.paxes');
  putPerson(out, { given: holder?.name, family: holder?.surname }, 'booking.holder');
  return bookingAnswer({
    account,
    id,
    kind: 'stay',
    references: [id],
    assertedAt: fetchedAt,
    facts,
    legs: [{ kind: 'stay', out }],
  });
}
