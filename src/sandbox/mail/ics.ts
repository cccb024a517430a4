import { cancelledBy, endDayAt, flightAt, type Index } from '../scenario/state.ts';
import { AIRPORTS } from '../scenario/tables.ts';
import { instantOf, localTimeOf } from '../scenario/time.ts';
import type { Booking } from '../scenario/types.ts';

/** A calendar with one event a leg, as booking sites attach it: the reference and the names in the description. */
export function calendar(index: Index, booking: Booking, saidAt: number, cancelledNow: boolean): string {
  const cancelled = cancelledNow || cancelledBy(booking, saidAt);
  const stamp = compact(Temporal.Instant.fromEpochMilliseconds(saidAt).toString({ smallestUnit: 'second' }));
  const names = booking.passengers.map((one) => `${one.given} ${one.family}`).join('\\n');
  const events = eventsOf(index, booking, saidAt).map((event, at) =>
    [
      'BEGIN:VEVENT',
      `UID:${booking.reference}-${at}@tickets.example`,
      `SEQUENCE:${cancelled ? 2 : saidAt > booking.bookedAt ? 1 : 0}`,
      `DTSTAMP:${stamp}`,
      `LAST-MODIFIED:${stamp}`,
      `SUMMARY:${event.summary}`,
      `DTSTART;TZID=${event.startZone}:${compact(event.start)}`,
      `DTEND;TZID=${event.endZone}:${compact(event.end)}`,
      `LOCATION:${text(event.location)}`,
      `DESCRIPTION:Booking reference: ${booking.reference}\\n${names}`,
      `STATUS:${cancelled ? 'CANCELLED' : 'CONFIRMED'}`,
      'END:VEVENT',
    ].map(fold),
  );
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Sandbox//Tickets//EN',
    `METHOD:${cancelled ? 'CANCEL' : 'PUBLISH'}`,
    ...events.flat(),
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}

interface Entry {
  readonly summary: string;
  readonly location: string;
  readonly start: string;
  readonly startZone: string;
  readonly end: string;
  readonly endZone: string;
}

function eventsOf(index: Index, booking: Booking, saidAt: number): readonly Entry[] {
  if (booking.kind === 'flight') {
    return booking.segments.map((segment) => {
      const flight = index.flight(segment.flight);
      const state = flightAt(flight, saidAt);
      return {
        summary: `Flight ${segment.carrier} ${segment.number} from ${flight.from} to ${flight.to}`,
        location: AIRPORTS.find((one) => one.code === flight.from)!.name,
        start: localTimeOf(state.departureScheduled, flight.fromZone),
        startZone: flight.fromZone,
        end: localTimeOf(state.arrivalScheduled, flight.toZone),
        endZone: flight.toZone,
      };
    });
  }
  const { place, startDay, startTime, endTime } = booking;
  return [
    {
      summary:
        booking.kind === 'stay'
          ? `Hotel reservation: ${text(place.name)}`
          : `Rental car reservation: ${text(booking.company)}`,
      location: `${place.street}, ${place.locality}, ${place.country}`,
      start: localTimeOf(instantOf(startDay, startTime, place.zone), place.zone),
      startZone: place.zone,
      end: localTimeOf(instantOf(endDayAt(booking, saidAt), endTime, place.zone), place.zone),
      endZone: place.zone,
    },
  ];
}

const compact = (time: string): string => time.replace(/[-:]/g, '');
const text = (value: string): string => value.replace(/[\\,;]/g, '\\$&');

/** At most 75 octets a line (RFC 5545, 3.1); characters are not cut. */
function fold(line: string): string {
  let out = '';
  let width = 0;
  for (const char of line) {
    const size = Buffer.byteLength(char);
    if (width + size > 74) {
      out += '\r\n ';
      width = 1;
    }
    out += char;
    width += size;
  }
  return out;
}
