import { signMail } from '../../src/sandbox/mail/sign.ts';
import { benchMail } from '../imap/mails.ts';

const DOMAIN = 'example-air.example';

/** What a booking of the benchmarks is called: found again in the change that its mail makes. */
export const referenceOf = (n: number): string => `REF${String(n).padStart(6, '0')}`;
export const REFERENCE = /REF\d{6}/;

/** A booking mail of about 20 KB, signed by its sender; the same for the same number. */
export function travelMail(n: number): Buffer {
  const day = String(1 + (n % 28)).padStart(2, '0');
  const markup = {
    '@context': 'http://schema.org',
    '@type': 'FlightReservation',
    reservationNumber: referenceOf(n),
    reservationStatus: 'http://schema.org/ReservationConfirmed',
    underName: { '@type': 'Person', name: 'Ada Example' },
    reservationFor: {
      '@type': 'Flight',
      flightNumber: String(100 + (n % 900)),
      airline: { '@type': 'Airline', name: 'Example Air', iataCode: 'XQ' },
      departureAirport: { '@type': 'Airport', iataCode: 'FRA' },
      arrivalAirport: { '@type': 'Airport', iataCode: 'JFK' },
      departureTime: `2027-03-${day}T10:05:00+01:00`,
      arrivalTime: `2027-03-${day}T13:05:00-04:00`,
    },
  };
  const rows = Array.from({ length: 120 }, (_, i) => `<tr><td>Line ${i}</td><td>Your journey, part ${i * n}</td></tr>`);
  const html = `<html><head><script type="application/ld+json">${JSON.stringify(markup)}</script></head><body><table>\r\n${rows.join('\r\n')}\r\n</table></body></html>\r\n`;
  const head =
    `From: Example Air <noreply@${DOMAIN}>\r\nTo: me@example.org\r\nSubject: Your booking ${referenceOf(n)}\r\n` +
    `Message-ID: <booking-${n}@${DOMAIN}>\r\nDate: Mon, 01 Jun 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n` +
    'Content-Type: text/html; charset=utf-8\r\n\r\n';
  return signMail(Buffer.from(head + html), DOMAIN);
}

/** Every so many-th mail is travel; the others are such as fill a mailbox. */
export const mixedMail = (n: number, travelEvery: number): Buffer =>
  n % travelEvery === 0 ? travelMail(n) : benchMail(n, false);
