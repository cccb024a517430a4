import { dkimSign, sealMessage } from 'mailauth';
import type { Signer } from './dns.ts';

/** What a mail says of one booking, as schema.org in its HTML. */
export interface Booking {
  readonly reference: string;
  readonly company: string;
  readonly kind: 'flight' | 'stay';
  /** A local time: when the flight leaves, or the stay begins. */
  readonly start: string;
  readonly status: 'Confirmed' | 'Cancelled';
  readonly seat?: string;
}

export interface Mail {
  readonly from: string;
  readonly to?: string;
  readonly subject?: string;
  readonly date: string;
  readonly booking: Booking;
  /** Header lines on top of all others. */
  readonly top?: readonly string[];
}

export function jsonLd({ reference, company, kind, start, status, seat }: Booking): string {
  const common = {
    '@context': 'http://schema.org',
    reservationNumber: reference,
    reservationStatus: `http://schema.org/Reservation${status}`,
  };
  const said =
    kind === 'flight'
      ? {
          '@type': 'FlightReservation',
          ...common,
          ...(seat === undefined ? {} : { airplaneSeat: seat }),
          reservationFor: {
            flightNumber: '400',
            airline: { name: company, iataCode: 'LH' },
            departureAirport: { iataCode: 'FRA' },
            arrivalAirport: { iataCode: 'JFK' },
            departureTime: start,
          },
        }
      : {
          '@type': 'LodgingReservation',
          ...common,
          checkinTime: start,
          reservationFor: { name: company, telephone: seat ?? '+49 30 1234' },
        };
  return `<script type="application/ld+json">${JSON.stringify(said)}</script>`;
}

export function html(booking: Booking): string {
  return `<html><body><p>Your booking ${booking.reference}</p>\r\n${jsonLd(booking)}\r\n</body></html>\r\n`;
}

export function compose(mail: Mail, body = html(mail.booking), type = 'text/html; charset=utf-8'): Buffer {
  const { from, to = 'ada@home.test', subject = `Your booking ${mail.booking.reference}`, date, top = [] } = mail;
  const id = Buffer.from(`${from}${subject}${date}${body.length}`).toString('hex').slice(0, 24);
  const head = [
    ...top,
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${date}`,
    `Message-ID: <${id}@mail.test>`,
    'MIME-Version: 1.0',
    `Content-Type: ${type}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

export interface Signing {
  readonly canonicalization?: string;
  readonly signedAt?: string;
  /** Bytes of the body that are signed. */
  readonly length?: number;
  readonly headers?: readonly string[];
}

export async function signed(mail: Buffer, signers: readonly Signer[], how: Signing = {}): Promise<Buffer> {
  const { signatures, errors } = await dkimSign(mail, {
    canonicalization: how.canonicalization ?? 'relaxed/relaxed',
    ...(how.signedAt === undefined ? {} : { signTime: new Date(how.signedAt) }),
    ...(how.headers === undefined ? {} : { headerList: [...how.headers] }),
    signatureData: signers.map(({ domain, selector, key }) => ({
      signingDomain: domain,
      selector,
      privateKey: key,
      ...(how.length === undefined ? {} : { maxBodyLength: how.length }),
    })),
  } as Parameters<typeof dkimSign>[1]);
  if (errors.length > 0 || signatures === '') throw new Error(`not signed: ${JSON.stringify(errors)}`);
  return Buffer.concat([Buffer.from(signatures), mail]);
}

/** As a forwarder seals it (ARC), with what it says it found. */
export async function sealed(mail: Buffer, { domain, selector, key }: Signer, results: string): Promise<Buffer> {
  const seal = { signingDomain: domain, selector, privateKey: key, authResults: results, cv: 'none' };
  return Buffer.concat([await sealMessage(mail, seal), mail]);
}

export function top(mail: Buffer, ...lines: string[]): Buffer {
  return Buffer.concat([Buffer.from(lines.map((line) => `${line}\r\n`).join('')), mail]);
}

export function attached(inner: Buffer, outer: Omit<Mail, 'booking'>, words = 'Please see.'): Buffer {
  const body = [
    ...['--cut', 'Content-Type: text/html; charset=utf-8', '', words],
    ...['--cut', 'Content-Type: message/rfc822', '', inner.toString('latin1')],
    ...['--cut--', ''],
  ].join('\r\n');
  const booking = { reference: 'none', company: '', kind: 'flight', start: '', status: 'Confirmed' } as const;
  return compose(
    { ...outer, booking, subject: outer.subject ?? 'Fwd: booking' },
    body,
    'multipart/mixed; boundary="cut"',
  );
}
