import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { LOCATOR_ALPHABET, type Rng, rng } from '../../src/sandbox/random.ts';

/**
 * A mailbox as people have it: four of five mails are no travel (newsletters, receipts of shops, notes, meetings), the
 * rest are bookings as JSON-LD, microdata or calendar attachments, some of them changed or cancelled later. HTML of
 * 5–60 KB, in the transfer encodings that senders use. The same seed gives the same bytes.
 */
export interface MadeMail {
  readonly kind: MailKind;
  readonly bytes: string;
}
export type MailKind = 'json-ld' | 'microdata' | 'ics' | 'newsletter' | 'order' | 'note' | 'meeting';

export function makeMail(seed: number, index: number): MadeMail {
  const random = rng('mail-import', seed, index);
  const kind = random.chance(0.2) ? random.pick(TRAVEL) : random.pick(OTHER);
  return { kind, bytes: MAKERS[kind](random, seed, index) };
}

/** Writes an mbox (mboxrd); says what is in it. */
export async function writeMbox(
  path: string,
  seed: number,
  count: number,
): Promise<{ readonly bytes: number; readonly kinds: Readonly<Record<string, number>> }> {
  const out = createWriteStream(path);
  const kinds: Record<string, number> = {};
  let bytes = 0;
  for (let index = 0; index < count; index++) {
    const mail = makeMail(seed, index);
    kinds[mail.kind] = (kinds[mail.kind] ?? 0) + 1;
    const text = `From sender@example.org Tue Dec  1 09:00:00 2026\n${mail.bytes.replace(/^(>*From )/gm, '>$1')}\n`;
    bytes += Buffer.byteLength(text);
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
  return { bytes, kinds };
}

const TRAVEL: readonly MailKind[] = ['json-ld', 'json-ld', 'json-ld', 'microdata', 'ics'];
const OTHER: readonly MailKind[] = ['newsletter', 'newsletter', 'newsletter', 'order', 'note', 'meeting'];
const AIRPORTS = [
  'FRA',
  'LHR',
  'JFK',
  'CDG',
  'AMS',
  'MAD',
  'FCO',
  'VIE',
  'ZRH',
  'SIN',
  'HND',
  'SFO',
  'ORD',
  'DXB',
  'CPH',
];
const AIRLINES = [
  ['LH', 'Lufthansa'],
  ['BA', 'British Airways'],
  ['AF', 'Air France'],
  ['KL', 'KLM'],
  ['LX', 'SWISS'],
] as const;
const WORDS =
  'the a our best new summer winter travel city offer week save more with your for you and to in of from days'.split(
    ' ',
  );

const MAKERS: Readonly<Record<MailKind, (random: Rng, seed: number, index: number) => string>> = {
  'json-ld': (random, seed, index) => {
    // Every eighth speaks of an earlier booking again: a change, or a cancellation.
    const again = random.chance(0.125);
    const booking = rng('booking', seed, again ? Math.floor(index / 50) : index);
    const node = flightNode(booking, again ? random.pick(['changed', 'cancelled'] as const) : 'new');
    return multipart(
      random,
      index,
      'booking@air.example.org',
      'Your booking',
      html(random, `<script type="application/ld+json">${JSON.stringify(node)}</script>`),
    );
  },
  microdata: (random, _seed, index) => {
    const day = dayOf(random, 0);
    return multipart(
      random,
      index,
      'desk@hotel.example.org',
      'Your stay',
      html(
        random,
        `<div itemscope itemtype="http://schema.org/LodgingReservation"><meta itemprop="reservationNumber" content="${locator(random)}"><link itemprop="reservationStatus" href="http://schema.org/Confirmed"><div itemprop="underName" itemscope itemtype="http://schema.org/Person"><meta itemprop="name" content="Ada Example"></div><div itemprop="reservationFor" itemscope itemtype="http://schema.org/LodgingBusiness"><meta itemprop="name" content="Hotel ${random.pick(WORDS)} ${random.int(1, 99)}"><div itemprop="address" itemscope itemtype="http://schema.org/PostalAddress"><meta itemprop="streetAddress" content="Main Street ${random.int(1, 200)}"><meta itemprop="addressLocality" content="Vienna"><meta itemprop="addressCountry" content="AT"></div></div><meta itemprop="checkinTime" content="${day}T15:00:00+01:00"><meta itemprop="checkoutTime" content="${plusDays(day, random.int(1, 6))}T11:00:00+01:00"></div>`,
      ),
    );
  },
  ics: (random, _seed, index) => {
    const [code, name] = random.pick(AIRLINES);
    const [from, to] = random.sample(AIRPORTS, 2);
    const day = dayOf(random, 0).replaceAll('-', '');
    const number = random.int(100, 2999);
    const ics = calendar(
      `UID:${index}@air.example.org\r\nDTSTAMP:20260901T000000Z\r\nDTSTART:${day}T100000Z\r\nDTEND:${day}T123000Z\r\nSUMMARY:Flight ${code} ${number} ${from} - ${to}\r\nLOCATION:${from}\r\nDESCRIPTION:${name} booking reference ${locator(random)}`,
    );
    return multipart(random, index, 'itinerary@air.example.org', 'Your itinerary', html(random, ''), ics);
  },
  newsletter: (random, _seed, index) =>
    multipart(random, index, 'news@shop.example.org', 'This week', html(random, '')),
  order: (random, _seed, index) => {
    const node = {
      '@context': 'http://schema.org',
      '@type': 'Order',
      orderNumber: locator(random),
      price: random.int(5, 500),
    };
    return multipart(
      random,
      index,
      'orders@shop.example.org',
      'Your order',
      html(random, `<script type="application/ld+json">${JSON.stringify(node)}</script>`),
    );
  },
  note: (random, _seed, index) =>
    `${headers(random, index, 'friend@people.example.org', 'Hello')}Content-Type: text/plain; charset=utf-8\r\n\r\n${sentence(random, random.int(20, 300))}\r\n`,
  meeting: (random, _seed, index) => {
    const day = dayOf(random, 0).replaceAll('-', '');
    const ics = calendar(
      `UID:${index}@work.example.org\r\nDTSTAMP:20260901T000000Z\r\nDTSTART:${day}T090000Z\r\nDTEND:${day}T100000Z\r\nSUMMARY:Team meeting`,
    );
    return multipart(random, index, 'colleague@work.example.org', 'Invitation', html(random, ''), ics);
  },
};

function flightNode(random: Rng, state: 'new' | 'changed' | 'cancelled'): unknown {
  const reference = locator(random);
  const [code, name] = random.pick(AIRLINES);
  const stops = random.sample(AIRPORTS, random.int(2, 3));
  const day = dayOf(random, 0);
  return stops.slice(1).map((to, leg) => ({
    '@context': 'http://schema.org',
    '@type': 'FlightReservation',
    reservationNumber: reference,
    reservationStatus: `http://schema.org/${state === 'cancelled' ? 'ReservationCancelled' : 'ReservationConfirmed'}`,
    underName: { '@type': 'Person', name: 'Ada Example' },
    reservationFor: {
      '@type': 'Flight',
      flightNumber: String(100 + leg + random.int(0, 2000)),
      airline: { '@type': 'Airline', name, iataCode: code },
      departureAirport: { '@type': 'Airport', iataCode: stops[leg] },
      arrivalAirport: { '@type': 'Airport', iataCode: to },
      departureTime: `${day}T${String(8 + leg * 6).padStart(2, '0')}:${state === 'changed' ? '45' : '10'}:00`,
      arrivalTime: `${day}T${String(10 + leg * 6).padStart(2, '0')}:30:00`,
    },
  }));
}

function headers(random: Rng, index: number, from: string, subject: string): string {
  const at = Temporal.Instant.from('2026-01-01T00:00:00Z').add({ minutes: index * 45 });
  const [, month, day] = at.toString().slice(0, 10).split('-') as [string, string, string];
  const date = `${Number(day)} ${MONTHS[Number(month) - 1]} 2026 ${at.toString().slice(11, 19)} +0000`;
  const hops = Array.from(
    { length: random.int(2, 5) },
    (_, hop) =>
      `Received: from mx${hop}.example.org (mx${hop}.example.org [192.0.2.${hop}])\r\n\tby mail.example.org; ${date}\r\n`,
  );
  return (
    hops.join('') +
    `DKIM-Signature: v=1; a=rsa-sha256; d=example.org; b=${random.text(170, LOCATOR_ALPHABET)}\r\n` +
    `From: Example <${from}>\r\nTo: Ada <ada@example.org>\r\nSubject: =?UTF-8?Q?${subject.replaceAll(' ', '_')}_=E2=9C=88?= ${index}\r\n` +
    `Date: ${date}\r\nMessage-ID: <${index}@example.org>\r\nMIME-Version: 1.0\r\n`
  );
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function multipart(random: Rng, index: number, from: string, subject: string, body: string, ics?: string): string {
  const boundary = `b${random.text(20, LOCATOR_ALPHABET)}`;
  const encoding = random.pick(['quoted-printable', 'base64', '8bit'] as const);
  const alternative = joined(`a${boundary}`, [
    `Content-Type: text/plain; charset=utf-8\r\n\r\n${sentence(random, 40)}\r\n`,
    `Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${encode(body, encoding)}\r\n`,
  ]);
  const head = headers(random, index, from, subject);
  if (ics === undefined)
    return `${head}Content-Type: multipart/alternative; boundary="a${boundary}"\r\n\r\n${alternative}`;
  const mixed = joined(boundary, [
    `Content-Type: multipart/alternative; boundary="a${boundary}"\r\n\r\n${alternative}`,
    `Content-Type: text/calendar; method=REQUEST; name=a.ics\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.ics\r\n\r\n${encode(ics, 'base64')}\r\n`,
  ]);
  return `${head}Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${mixed}`;
}

function joined(boundary: string, parts: readonly string[]): string {
  return `${parts.map((part) => `--${boundary}\r\n${part}`).join('')}--${boundary}--\r\n`;
}

/** 5–60 KB of tables, as mail designers make them. */
function html(random: Rng, inside: string): string {
  const target = random.int(5_000, 60_000);
  let rows = '';
  while (rows.length < target) {
    rows += `<tr><td style="padding:8px 16px;font-family:Arial,Helvetica,sans-serif;font-size:14px;color:#${random.int(100000, 999999)}"><a href="https://click.example.org/${random.int(1, 1e9)}">${sentence(random, 12)}</a> — ${random.int(1, 999)} €</td></tr>\n`;
  }
  return `<!DOCTYPE html><html><head><meta charset="utf-8"><title>Example</title></head><body>${inside}<table>${rows}</table></body></html>`;
}

function sentence(random: Rng, words: number): string {
  return Array.from({ length: words }, () => random.pick(WORDS)).join(' ');
}

function calendar(event: string): string {
  return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\n${event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
}

function encode(text: string, encoding: 'quoted-printable' | 'base64' | '8bit'): string {
  if (encoding === '8bit') return text;
  const bytes = Buffer.from(text, 'utf8');
  if (encoding === 'base64') return bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
  let out = '';
  let line = 0;
  for (const byte of bytes) {
    const plain = (byte >= 0x20 && byte <= 0x7e && byte !== 0x3d) || byte === 0x0a;
    const piece = plain ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    if (byte === 0x0a) line = 0;
    else if (line + piece.length > 75) {
      out += '=\r\n';
      line = 0;
    }
    line += piece.length;
    out += byte === 0x0a ? '\r\n' : piece;
  }
  return out;
}

function locator(random: Rng): string {
  return random.text(6, LOCATOR_ALPHABET);
}

function dayOf(random: Rng, after: number): string {
  return plusDays('2027-01-01', after + random.int(0, 360));
}

function plusDays(day: string, days: number): string {
  return Temporal.PlainDate.from(day).add({ days }).toString();
}
