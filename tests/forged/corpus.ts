import type { MailToCheck } from '../../src/ports/authenticity.ts';
import { FakeDns, type Signer } from './dns.ts';
import { attached, type Booking, compose, html, jsonLd, sealed, signed, top } from './mails.ts';

/**
 * Forged and genuine mails about two bookings that stand: one with a known airline, one with a small hotel that is in no
 * registry. Each way of forging or sending is played with several claims.
 */
export interface Case {
  readonly name: string;
  readonly mail: Omit<MailToCheck, 'receivedAt' | 'live'> & { readonly receivedAt?: number; readonly live?: boolean };
  /** Forged ones: what the check may at most say. */
  readonly booking: Booking;
}

export const NOW = Date.parse('2026-11-20T12:00:00Z');
export const DATE = 'Fri, 20 Nov 2026 11:59:00 +0000';
export const AIR: Booking = {
  reference: 'ABC123',
  company: 'Lufthansa',
  kind: 'flight',
  start: '2026-12-01T10:05:00+01:00',
  status: 'Confirmed',
};
export const INN: Booking = {
  reference: '7711',
  company: 'Pension Seeblick',
  kind: 'stay',
  start: '2026-12-01T15:00:00+01:00',
  status: 'Confirmed',
};
export const IP = '8.8.4.4';

export interface World {
  readonly dns: FakeDns;
  readonly air: Signer;
  readonly inn: Signer;
  readonly evil: Signer;
}

export function makeWorld(): World {
  const dns = new FakeDns();
  for (const domain of ['lufthansa.com', 'pension-seeblick.net']) {
    dns.set(`_dmarc.${domain}`, 'TXT', 'v=DMARC1; p=none');
    dns.set(domain, 'TXT', `v=spf1 ip4:${IP} -all`);
  }
  return {
    dns,
    air: dns.signer('lufthansa.com'),
    inn: dns.signer('pension-seeblick.net'),
    evil: dns.signer('mass-sender.net'),
  };
}

/** A claim that would do harm, of each booking. */
export const CLAIMS: readonly (readonly [string, Booking])[] = [AIR, INN].flatMap((booking) => [
  [`cancels ${booking.reference}`, { ...booking, status: 'Cancelled' as const }],
  [
    `moves ${booking.reference}`,
    { ...booking, start: booking.start.replace('-01T', '-01T0').replace('T010', 'T06').replace('T015', 'T09') },
  ],
  [`adds to ${booking.reference}`, { ...booking, seat: '+1 900 SCAM' }],
]);

const senderOf = (booking: Booking): string =>
  booking.kind === 'flight' ? 'Lufthansa <noreply@lufthansa.com>' : 'Pension Seeblick <post@pension-seeblick.net>';
const signerOf = (world: World, booking: Booking): Signer => (booking.kind === 'flight' ? world.air : world.inn);
const FORWARDER = { ip: '1.1.1.1', helo: 'out.relay.net', sender: 'bounce@relay.net' };
const GMAIL = ['mx.google.com'];

type Way = (booking: Booking, world: World) => Promise<Omit<Case, 'name' | 'booking'>>;

const look =
  (domain: string, name = 'Lufthansa'): Way =>
  async (booking, { dns }) => ({
    mail: {
      bytes: await signed(compose({ from: `${name} <noreply@${domain}>`, date: DATE, booking }), [dns.signer(domain)]),
    },
  });

export const FORGERIES: Readonly<Record<string, Way>> = {
  'spoofed From, nothing else': async (booking) => ({
    mail: { bytes: compose({ from: senderOf(booking), date: DATE, booking }) },
  }),
  'spoofed From, sent from a host that SPF denies': async (booking) => ({
    mail: {
      bytes: compose({ from: senderOf(booking), date: DATE, booking }),
      envelope: { ip: '9.9.9.9', sender: 'noreply@lufthansa.com' },
    },
  }),
  'spoofed From, SPF passes for the sender of the envelope': async (booking, { dns }) => {
    dns.set('relay.net', 'TXT', 'v=spf1 ip4:1.1.1.1 -all');
    return { mail: { bytes: compose({ from: senderOf(booking), date: DATE, booking }), envelope: FORWARDER } };
  },
  'spoofed From, signed by another domain': async (booking, { evil }) => ({
    mail: { bytes: await signed(compose({ from: senderOf(booking), date: DATE, booking }), [evil]) },
  }),
  'signed properly by a domain of its own': async (booking, { evil }) => ({
    mail: { bytes: await signed(compose({ from: 'Bookings <a@mass-sender.net>', date: DATE, booking }), [evil]) },
  }),
  'homoglyph domain': look('lufthаnsa.com'.replace('а', '1ansa').replace('1ansansa', '1ansa')),
  'digit for letter': look('1ufthansa.com'),
  'IDN domain (punycode)': look('xn--lufthnsa-7fg.com'),
  'rn for m': look('eurovvings.com', 'Eurowings'),
  'extra word': look('lufthansa-booking.com'),
  'extra word in front': look('my-lufthansa.com'),
  'other ending': look('lufthansa.top'),
  'one letter wrong': look('lufthamsa.com'),
  'known domain inside another': look('lufthansa.com.mass-sender.net'),
  'known domain with hyphens': look('lufthansa-com.net'),
  'display name of a known sender': look('mass-sender.net', 'Lufthansa'),
  'display name with a service word': look('mass-sender.net', '"Lufthansa Customer Service"'),
  'address as display name': look('mass-sender.net', '"noreply@lufthansa.com"'),
  'encoded display name': look('mass-sender.net', '=?utf-8?B?THVmdGhhbnNh?='),
  'several From headers, the signed one below': async (booking, { evil }) => ({
    mail: {
      bytes: top(
        await signed(compose({ from: 'a@mass-sender.net', date: DATE, booking }), [evil]),
        `From: ${senderOf(booking)}`,
      ),
    },
  }),
  'two addresses in From': async (booking, { evil }) => ({
    mail: {
      bytes: await signed(compose({ from: `${senderOf(booking)}, a@mass-sender.net`, date: DATE, booking }), [evil]),
    },
  }),
  'From folded before its colon': async (booking, { evil }) => ({
    mail: {
      bytes: top(
        await signed(compose({ from: 'a@mass-sender.net', date: DATE, booking }), [evil]),
        `From\r\n : ${senderOf(booking)}`,
      ),
    },
  }),
  'body changed after signing': async (booking, world) => {
    const { kind } = booking;
    const real = kind === 'flight' ? AIR : INN;
    const mail = await signed(compose({ from: senderOf(real), date: DATE, booking: real }), [signerOf(world, real)]);
    const end = mail.indexOf('\r\n\r\n') + 4;
    return { mail: { bytes: Buffer.concat([mail.subarray(0, end), Buffer.from(html(booking))]) } };
  },
  'unsigned tail behind l=': async (booking, world) => {
    const real = booking.kind === 'flight' ? AIR : INN;
    const body = '<p>Thank you for your booking.</p>\r\n';
    const mail = await signed(
      compose({ from: senderOf(real), date: DATE, booking: real }, body),
      [signerOf(world, real)],
      { length: Buffer.byteLength(body) },
    );
    return { mail: { bytes: Buffer.concat([mail, Buffer.from(html(booking))]) } };
  },
  'unsigned tail behind l=, and Gmail says it passed': async (booking, world) => {
    const { mail } = await FORGERIES['unsigned tail behind l=']!(booking, world);
    const domain = signerOf(world, booking).domain;
    return {
      mail: {
        bytes: top(
          Buffer.from(mail.bytes),
          `Authentication-Results: mx.google.com; dkim=pass header.d=${domain}; dmarc=pass header.from=${domain}`,
        ),
        authservIds: GMAIL,
      },
    };
  },
  'nothing of the body signed (l=0)': async (booking, world) => ({
    mail: {
      bytes: await signed(compose({ from: senderOf(booking), date: DATE, booking }), [signerOf(world, booking)], {
        length: 0,
      }),
    },
  }),
  'key of 512 bits': async (booking, { dns }) => {
    const domain = booking.kind === 'flight' ? 'lufthansa.com' : 'pension-seeblick.net';
    const mail = compose({ from: senderOf(booking), date: DATE, booking });
    return { mail: { bytes: await signed(mail, [dns.signer(domain, 'weak')]) } };
  },
  'second Date above the signed one': async (booking, world) => ({
    mail: {
      bytes: top(
        await signed(
          compose({ from: senderOf(booking), date: 'Sun, 01 Nov 2026 08:00:00 +0000', booking }),
          [signerOf(world, booking)],
          { signedAt: '2026-11-01T08:00:00Z' },
        ),
        `Date: ${DATE}`,
      ),
    },
  }),
  'old mail of the sender sent again': async (booking, world) => ({
    mail: {
      bytes: await signed(
        compose({ from: senderOf(booking), date: 'Tue, 01 Sep 2026 08:00:00 +0000', booking }),
        [signerOf(world, booking)],
        { signedAt: '2026-09-01T08:00:00Z' },
      ),
    },
  }),
  'mail to somebody else sent on': async (booking, world) => ({
    mail: {
      bytes: await signed(compose({ from: senderOf(booking), to: 'eve@elsewhere.test', date: DATE, booking }), [
        signerOf(world, booking),
      ]),
      addresses: ['ada@home.test'],
    },
  }),
  'Authentication-Results brought along': async (booking, world) => ({
    mail: {
      bytes: compose({
        ...{ from: senderOf(booking), date: DATE, booking },
        top: [`Authentication-Results: mx.google.com; dmarc=pass header.from=${signerOf(world, booking).domain}`],
      }),
    },
  }),
  'Authentication-Results of another host on top': async (booking, world) => ({
    mail: {
      bytes: compose({
        ...{ from: senderOf(booking), date: DATE, booking },
        top: [`Authentication-Results: mx.evil.net; dmarc=pass header.from=${signerOf(world, booking).domain}`],
      }),
      authservIds: GMAIL,
    },
  }),
  'Authentication-Results of the host below its real ones': async (booking, world) => ({
    mail: {
      bytes: compose({
        ...{ from: senderOf(booking), date: DATE, booking },
        top: [
          'Authentication-Results: mx.google.com; spf=fail smtp.mailfrom=a@mass-sender.net; dmarc=fail header.from=x.net',
          `Authentication-Results: mx.google.com; dmarc=pass header.from=${signerOf(world, booking).domain}`,
        ],
      }),
      authservIds: GMAIL,
    },
  }),
  'results in a comment of the host': async (booking, world) => ({
    mail: {
      bytes: compose({
        ...{ from: senderOf(booking), date: DATE, booking },
        top: [
          `Authentication-Results: mx.google.com; dkim=none (dmarc=pass header.from=${signerOf(world, booking).domain}; spf=pass); dmarc=fail header.from=${signerOf(world, booking).domain}`,
        ],
      }),
      authservIds: GMAIL,
    },
  }),
  'sealed by a forwarder that is not listed': async (booking, world) => ({
    mail: {
      bytes: await sealed(
        compose({ from: senderOf(booking), date: DATE, booking }),
        world.evil,
        `mass-sender.net; dmarc=pass header.from=${signerOf(world, booking).domain}`,
      ),
    },
  }),
  'seal that names a listed forwarder, made with another key': async (booking, world) => {
    world.dns.signer('google.com', 'enough', 'arc');
    return {
      mail: {
        bytes: await sealed(
          compose({ from: senderOf(booking), date: DATE, booking }),
          { domain: 'google.com', selector: 'arc', key: world.evil.key },
          `mx.google.com; dmarc=pass header.from=${signerOf(world, booking).domain}`,
        ),
      },
    };
  },
  'quoted in a proven forward of a private sender': async (booking, { dns }) => ({
    mail: {
      bytes: await signed(
        compose({
          from: 'Ada <ada@gmail.com>',
          subject: `Fwd: Your booking ${booking.reference}`,
          date: DATE,
          booking,
        }),
        [dns.signer('gmail.com')],
      ),
    },
  }),
  'forged mail attached to a proven one': async (booking, { dns }) => ({
    mail: {
      bytes: await signed(
        attached(compose({ from: senderOf(booking), date: DATE, booking }), {
          from: 'Ada <ada@gmail.com>',
          date: DATE,
        }),
        [dns.signer('gmail.com')],
      ),
    },
  }),
  'genuine mail attached, the claim in the wrapper': async (booking, world) => {
    const real = booking.kind === 'flight' ? AIR : INN;
    const inner = await signed(compose({ from: senderOf(real), date: DATE, booking: real }), [signerOf(world, real)]);
    const outer = { from: 'Ada <ada@gmail.com>', date: DATE };
    return { mail: { bytes: await signed(attached(inner, outer, jsonLd(booking)), [world.dns.signer('gmail.com')]) } };
  },
};

export const GENUINE: Readonly<Record<string, Way>> = {
  'signed by its domain': async (booking, world) => ({
    mail: {
      bytes: await signed(compose({ from: senderOf(booking), date: DATE, booking }), [signerOf(world, booking)]),
    },
  }),
  'signed with Ed25519': async (booking, { dns }) => ({
    mail: {
      bytes: await signed(compose({ from: senderOf(booking), date: DATE, booking }), [
        dns.signer(booking.kind === 'flight' ? 'lufthansa.com' : 'pension-seeblick.net', 'ed25519'),
      ]),
    },
  }),
  'key of 1024 bits, simple canonicalisation': async (booking, { dns }) => ({
    mail: {
      bytes: await signed(
        compose({ from: senderOf(booking), date: DATE, booking }),
        [dns.signer(booking.kind === 'flight' ? 'lufthansa.com' : 'pension-seeblick.net', 'enough')],
        { canonicalization: 'simple/simple' },
      ),
    },
  }),
  'signed by a subdomain': async (booking, { dns }) => ({
    mail: {
      bytes: await signed(compose({ from: senderOf(booking), date: DATE, booking }), [
        dns.signer(booking.kind === 'flight' ? 'mail.lufthansa.com' : 'mail.pension-seeblick.net'),
      ]),
    },
  }),
  'several signatures, one of the mailing company': async (booking, world) => ({
    mail: {
      bytes: await signed(compose({ from: senderOf(booking), date: DATE, booking }), [
        signerOf(world, booking),
        world.evil,
      ]),
    },
  }),
  'from a host that SPF allows': async (booking, world) => ({
    mail: {
      bytes: compose({ from: senderOf(booking), date: DATE, booking }),
      envelope: { ip: IP, helo: 'out.test', sender: `bounce@${signerOf(world, booking).domain}` },
    },
  }),
  'forwarded by a relay, its signature whole': async (booking, world) => ({
    mail: {
      bytes: top(
        await signed(compose({ from: senderOf(booking), date: DATE, booking }), [signerOf(world, booking)]),
        'Received: from a.test by relay.net; Fri, 20 Nov 2026 12:00:00 +0000',
      ),
      envelope: FORWARDER,
    },
  }),
  'changed on its way by a listed forwarder': async (booking, world) => ({
    mail: {
      bytes: await sealed(
        compose({ from: senderOf(booking), date: DATE, booking }),
        world.dns.signer('google.com', 'strong', 'genuine'),
        `mx.google.com; dkim=pass header.d=${signerOf(world, booking).domain}; dmarc=pass header.from=${signerOf(world, booking).domain}`,
      ),
    },
  }),
  'read through Gmail': async (booking, world) => ({
    mail: {
      bytes: top(
        compose({ from: senderOf(booking), date: DATE, booking }),
        'Delivered-To: ada@gmail.com',
        `Authentication-Results: mx.google.com;\r\n       dkim=pass header.i=@${signerOf(world, booking).domain} header.s=a;\r\n       dmarc=pass (p=NONE) header.from=${signerOf(world, booking).domain}`,
      ),
      authservIds: GMAIL,
    },
  }),
  'read through Microsoft 365': async (booking, world) => ({
    mail: {
      bytes: top(
        compose({ from: senderOf(booking), date: DATE, booking }),
        `Authentication-Results: spf=pass (sender IP is 8.8.4.4) smtp.mailfrom=${signerOf(world, booking).domain}; dmarc=pass action=none header.from=${signerOf(world, booking).domain}`,
      ),
      authservIds: [''],
    },
  }),
  'attached to a forward of the traveller': async (booking, world) => ({
    mail: {
      bytes: attached(
        await signed(compose({ from: senderOf(booking), date: DATE, booking }), [signerOf(world, booking)]),
        { from: 'Ada <ada@gmail.com>', date: DATE },
        'For my trips.',
      ),
    },
  }),
  'imported with bare line feeds': async (booking, world) => {
    const mail = await signed(compose({ from: senderOf(booking), date: DATE, booking }), [signerOf(world, booking)]);
    return { mail: { bytes: Buffer.from(mail.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'), live: false } };
  },
};

export async function casesOf(ways: Readonly<Record<string, Way>>, world: World): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (const [way, make] of Object.entries(ways)) {
    for (const [claim, booking] of CLAIMS) {
      cases.push({ name: `${way}: ${claim}`, booking, ...(await make(booking, world)) });
    }
  }
  return cases;
}
