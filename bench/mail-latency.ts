/**
 * How long from the moment a mail is accepted by SMTP until its reservation stands in the store, at a steady rate?
 * Measured to the arrival of the change on the SSE stream, which comes after the store: an upper bound.
 *
 *   npm run bench -- mail-latency [--mails 400] [--rate 20]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import nodemailer, { type Transporter } from 'nodemailer';
import { type ServiceProcess, spread, startServiceProcess } from './service/process.ts';

export interface MailLatency {
  readonly mails: number;
  readonly perSecond: number;
  /** ms */
  readonly acceptedToSse: ReturnType<typeof spread>;
  /** ms the sender waits for its 250. */
  readonly accept: ReturnType<typeof spread>;
}

export async function mailLatency(options: { readonly mails: number; readonly rate: number }): Promise<MailLatency> {
  const service = await startServiceProcess();
  const transport = nodemailer.createTransport({
    pool: true,
    host: '127.0.0.1',
    port: service.smtpPort,
    ignoreTLS: true,
    maxConnections: 4,
    maxMessages: 10_000,
  });
  try {
    const arrived = new Map<string, number>();
    const stream = service.changes((event, at) => {
      const reference = /REF\d{6}/.exec(JSON.stringify(event.data))?.[0];
      if (reference !== undefined && !arrived.has(reference)) arrived.set(reference, at);
    });
    const address = await mailbox(service);
    // Threads, pools and statements are made on first use; a user's tenth mail is what counts.
    for (let i = 0; i < 20; i++) await send(transport, address, 900_000 + i);
    const accepted = new Map<string, number>();
    const waits: number[] = [];
    const sending: Promise<void>[] = [];
    const began = performance.now();
    for (let i = 0; i < options.mails; i++) {
      const due = (i * 1000) / options.rate - (performance.now() - began);
      if (due > 0) await delay(due);
      sending.push(
        (async () => {
          const from = performance.now();
          const reference = await send(transport, address, i);
          accepted.set(reference, performance.timeOrigin + performance.now());
          waits.push(performance.now() - from);
        })(),
      );
    }
    await Promise.all(sending);
    for (let i = 0; i < 200 && [...accepted.keys()].some((one) => !arrived.has(one)); i++) await delay(50);
    stream.stop();
    const missing = [...accepted.keys()].filter((one) => !arrived.has(one));
    if (missing.length > 0)
      throw new Error(`${missing.length} of ${accepted.size} mails made no change within 10 s, e.g. ${missing[0]}`);
    return {
      mails: accepted.size,
      perSecond: options.rate,
      acceptedToSse: spread([...accepted].map(([reference, at]) => Math.max(0, arrived.get(reference)! - at))),
      accept: spread(waits),
    };
  } finally {
    transport.close();
    await service.stop();
  }
}

async function mailbox(service: ServiceProcess): Promise<string> {
  const traveller = await service.call<{ id: string }>('POST', '/v1/travellers', {
    name: 'Bench',
    zone: 'Europe/Berlin',
  });
  const box = await service.call<{ address: string }>('POST', `/v1/travellers/${traveller.id}/mailboxes`, {
    kind: 'forward',
  });
  return box.address;
}

async function send(transport: Transporter, to: string, n: number): Promise<string> {
  const reference = `REF${String(n).padStart(6, '0')}`;
  const day = String(1 + (n % 28)).padStart(2, '0');
  const markup = {
    '@context': 'http://schema.org',
    '@type': 'FlightReservation',
    reservationNumber: reference,
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
  const rows = Array.from(
    { length: 120 },
    (_, i) =>
      `<tr><td style="padding:4px 8px;font:14px sans-serif">Line ${i}</td><td>Your journey with us, part ${i * n}</td></tr>`,
  ).join('\n');
  await transport.sendMail({
    envelope: { from: 'noreply@example-air.example', to: [to] },
    from: 'Example Air <noreply@example-air.example>',
    to,
    subject: `Your booking ${reference}`,
    html: `<html><head><script type="application/ld+json">${JSON.stringify(markup)}</script></head><body><h1>Thank you</h1><table>${rows}</table></body></html>`,
  });
  return reference;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { mails: { type: 'string', default: '400' }, rate: { type: 'string', default: '20' } },
  });
  console.log(JSON.stringify(await mailLatency({ mails: Number(values.mails), rate: Number(values.rate) }), null, 2));
}
