/**
 * What goes wrong in the world, through the whole service in one process: mails by SMTP and by import, the receipt that
 * the traveller reads over REST, the reservation that came of it. After all of it the service stands, nothing is lost,
 * and every mail is in exactly one state.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { addMailbox, addToken, addTraveller } from '../../src/api/commands/accounts.ts';
import { addEndpoint } from '../../src/api/commands/endpoints.ts';
import { openImportEnv } from '../../src/app/commands/import-env.ts';
import { importMailbox, runImport } from '../../src/app/commands/import-run.ts';
import { loadConfig } from '../../src/app/config.ts';
import { type Core, OPERATOR, openCore } from '../../src/app/core.ts';
import { prepareFolder } from '../../src/app/paths.ts';
import { type Service, startService } from '../../src/app/service.ts';
import type { Traveller } from '../../src/ports/store/accounts.ts';
import { SmtpClient } from './mail-in.testing.ts';

let root: string;
let core: Core;
let service: Service;
let traveller: Traveller;
let address: string;
let token: string;
/** Mails that were brought, other than those refused at the door: each must have a receipt at the end. */
let brought = 0;

const settings = { http: { port: 0 }, smtp: { port: 0 }, log: { level: 'silent' } };

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tripwatch-bad-'));
  const data = join(root, 'data');
  core = await openCore(loadConfig({ data, override: settings }), prepareFolder(data));
  traveller = await addTraveller(core.commands, OPERATOR, { name: 'Ada', zone: 'Europe/Berlin', locale: 'en' });
  const mailbox = await addMailbox(core.commands, OPERATOR, traveller.id, { kind: 'forward', label: 'forwarded' });
  address = mailbox.address ?? '';
  const issued = await addToken(core.commands, OPERATOR, { label: 'test', scopes: ['read', 'write', 'operate'] });
  token = issued.secret;
  service = await startService(core);
});
after(async () => {
  await service.stop();
  await core.close();
  rmSync(root, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
async function rest(path: string, body?: unknown): Promise<any> {
  const answer = await fetch(service.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.json();
}

interface Receipt {
  readonly id: string;
  readonly disposition: string;
  readonly reasonCode: string;
  readonly reason: string;
  readonly size: number;
  readonly timesSeen: number;
  readonly reservations: readonly string[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** The receipt of a mail as the traveller reads it, once it has reached its end. */
async function receiptOf(id: string): Promise<Receipt> {
  for (const patience = AbortSignal.timeout(60_000); ; ) {
    const receipt: Receipt = await rest(`/v1/receipts/${id}`);
    const open = ['seen', 'collected'].includes(receipt.disposition);
    // `imported` is said with the observations; the reservation follows.
    if (!open && (receipt.disposition !== 'imported' || receipt.reservations.length > 0)) return receipt;
    assert.ok(!patience.aborted, `no end in sight: ${JSON.stringify(receipt)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** By SMTP, as a forwarded mail comes in. */
async function mailed(bytes: Uint8Array | string): Promise<Receipt> {
  const client = await SmtpClient.open(service.smtpPort ?? 0);
  try {
    const reply = await client.send([address], Buffer.from(bytes as string));
    const id = /Stored as (mail_\w+)/.exec(reply)?.[1];
    assert.ok(id !== undefined, reply);
    brought++;
    return await receiptOf(id);
  } finally {
    client.close();
  }
}

let files = 0;
/** By `tripwatch import`, beside the running service. */
async function imported(write: (path: string) => void) {
  const path = join(root, `${++files}.eml`);
  write(path);
  const env = await openImportEnv(core);
  try {
    const mailbox = await importMailbox(env, traveller);
    const signal = AbortSignal.timeout(60_000);
    const { maxBytes } = core.config.smtp;
    const summary = await runImport(env, { paths: [path], mailbox, maxBytes, signal, onProgress: () => {} });
    brought += summary.new;
    return summary;
  } finally {
    await env.close();
  }
}

/** Newest first. */
async function receipts(): Promise<readonly Receipt[]> {
  return (await rest('/v1/receipts?limit=500')).items;
}

let mails = 0;
const head = (subject: string) =>
  `From: Air <booking@air.example>\r\nSubject: ${subject}\r\nMessage-ID: <${++mails}@air.example>\r\n` +
  'Date: Mon, 02 Nov 2026 09:15:00 +0100\r\nMIME-Version: 1.0\r\n';
const html = (subject: string, content: string, charset = 'utf-8') =>
  `${head(subject)}Content-Type: text/html; charset=${charset}\r\n\r\n${content}\r\n`;
const jsonLd = (data: string) => `<script type="application/ld+json">${data}</script>`;
const flight = (reference: string, change: object = {}, name = 'Ada Lovelace') =>
  JSON.stringify({
    '@type': 'FlightReservation',
    reservationNumber: reference,
    underName: { name },
    reservationFor: {
      flightNumber: '400',
      airline: { iataCode: 'N9' },
      departureAirport: { iataCode: 'FRA' },
      departureTime: '2031-03-04T10:05:00',
      arrivalAirport: { iataCode: 'JFK' },
      arrivalTime: '2031-03-04T12:55:00',
      ...change,
    },
  });

test('broken MIME: what can be read is read, and the rest says what to do', async () => {
  const part = `--q\r\nContent-Type: text/html\r\n\r\n${jsonLd(flight('MIME01'))}\r\n`;
  const open = await mailed(`${head('No end')}Content-Type: multipart/mixed; boundary=q\r\n\r\n${part}`);
  assert.equal(open.disposition, 'imported');

  const unclosed = await mailed(`${head('Quote')}Content-Type: multipart/mixed; boundary="q\r\n\r\n${part}--q--`);
  assert.equal(unclosed.disposition, 'merged', 'read, and the same as before');

  const lost = await mailed(`${head('Lost')}Content-Type: multipart/mixed; boundary=other\r\n\r\n${part}--q--`);
  assert.equal(lost.disposition, 'nothing-found');
  assert.match(lost.reason, /no reservation found\. It carries no reservation data/);

  const nested = Array.from(
    { length: 100 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  );
  const deep = await mailed(head('Deep') + nested.join(''));
  assert.deepEqual([deep.disposition, deep.reasonCode], ['failed', 'mime-too-deep']);
  assert.match(deep.reason, /nested too deeply to be a genuine confirmation/);

  const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251));
  const bytes = Buffer.concat([Buffer.from(head('Noise')), Buffer.from('\r\n'), noise, Buffer.from('\r\n')]);
  assert.equal((await mailed(bytes)).disposition, 'nothing-found');
});

test('a mail of 50 MB: refused at the door with its reason; imported, its receipt says what to do', async () => {
  const client = await SmtpClient.open(service.smtpPort ?? 0);
  const said = await client.say('MAIL FROM:<a@air.example> SIZE=52428800');
  client.close();
  assert.match(said, /^552 /);
  const summary = await imported((path) => {
    writeFileSync(path, html('Huge', 'x'));
    truncateSync(path, 50 * 1024 * 1024);
  });
  assert.deepEqual([summary.mails, summary.dispositions], [1, { failed: 1 }]);
  const huge = (await receipts()).find((receipt) => receipt.reasonCode === 'mail-too-large');
  assert.equal(huge?.size, 50 * 1024 * 1024);
  assert.match(huge?.reason ?? '', /50\.0 MiB, more than the limit \(smtp\.maxBytes\).*Forward it without/);
});

test('a mail that is not UTF-8 gives the names as they were written', async () => {
  const page = (reference: string) => jsonLd(flight(reference, {}, 'Zoë Müller'));
  for (const [reference, charset] of [
    ['LATIN1', 'iso-8859-1'],
    ['LATIN2', 'no-such-charset'],
    ['LATIN3', 'utf-8'],
  ] as const) {
    const receipt = await mailed(Buffer.from(html('Zoë', page(reference), charset), 'latin1'));
    assert.equal(receipt.disposition, 'imported', charset);
    const reservation = await rest(`/v1/reservations/${receipt.reservations[0]}`);
    const passenger = JSON.stringify(reservation.legs[0].passengers);
    assert.match(passenger, /Zoë Müller/, charset);
  }
});

test('an empty file: a receipt that says so', async () => {
  const summary = await imported((path) => writeFileSync(path, ''));
  assert.deepEqual(summary.dispositions, { failed: 1 });
  assert.match(summary.reasons[0]?.reason ?? '', /no content at all\. Forward or export it again/);
  const client = await SmtpClient.open(service.smtpPort ?? 0);
  const refused = await client.send([address], Buffer.alloc(0));
  client.close();
  brought++;
  assert.match(refused, /^5\d\d .*(empty|no content)/i);
});

test('cut JSON-LD: nothing is guessed, and the receipt asks for the original mail', async () => {
  const data = flight('CUT001');
  const cut = await mailed(html('Cut', jsonLd(data.slice(0, 150))));
  assert.deepEqual([cut.disposition, cut.reasonCode], ['nothing-found', 'json-ld-cut']);
  assert.match(cut.reason, /breaks off in the middle\. Forward the original mail, whole/);
  const half = await mailed(html('Half', jsonLd(flight('CUT002')) + jsonLd(data.slice(0, 150))));
  assert.equal(half.disposition, 'imported');
  assert.match(half.reason, /One reservation was found.*Some of its data breaks off: .* forward the original/);
});

test('HTML bombs: each is answered for, and what comes meanwhile is not held up', async () => {
  const item = '<div itemscope itemtype="http://schema.org/FlightReservation">';
  const bombs = [
    item + '<div itemprop=x itemscope>'.repeat(50_000),
    jsonLd('['.repeat(300_000)),
    jsonLd('{"@graph":'.repeat(30_000) + flight('BOMB01') + '}'.repeat(30_000)),
    `schema.org <div ${'a=b '.repeat(500_000)}>`,
    `${item}<b itemprop=x>${'&amp;'.repeat(200_000)}`,
  ];
  const [meanwhile, ...exploded] = await Promise.all([
    mailed(html('Between bombs', jsonLd(flight('SAFE01')))),
    ...bombs.map((bomb, i) => mailed(html(`Bomb ${i}`, bomb))),
  ]);
  assert.equal(meanwhile.disposition, 'imported');
  for (const receipt of exploded) {
    assert.ok(['nothing-found', 'failed'].includes(receipt.disposition), receipt.disposition);
    assert.ok(receipt.reason.length > 30);
  }
});

test('dates without a zone: the zone of the place where it is known; else as printed, with what to do', async () => {
  const known = await mailed(html('Zone known', jsonLd(flight('ZONE01'))));
  assert.match(known.reason, /^One reservation was found in it\. Nothing proves that it comes from air\.example\./);
  const [leg] = (await rest(`/v1/reservations/${known.reservations[0]}`)).legs;
  assert.equal(leg.start.time, '2031-03-04T10:05:00+01:00[Europe/Berlin]');
  assert.equal(leg.end.time, '2031-03-04T12:55:00-05:00[America/New_York]');

  const station = JSON.stringify({
    '@type': 'TrainReservation',
    reservationNumber: 'ZONE02',
    reservationFor: {
      trainNumber: '17',
      departureStation: { name: 'Somewhere' },
      departureTime: '2031-03-04T10:05:00',
      arrivalStation: { name: 'Elsewhere' },
      arrivalTime: '2031-03-04T12:55:00',
    },
  });
  const unknown = await mailed(html('Zone unknown', jsonLd(station)));
  assert.match(unknown.reason, /The time zone at Somewhere is not known.*as printed: set start\.zone by hand/);
  const id = unknown.reservations[0] ?? '';
  const [train] = (await rest(`/v1/reservations/${id}`)).legs;
  assert.equal(train.start.time, '2031-03-04T10:05:00', "never given the machine's zone");
  assert.equal(train.start.at, undefined);
});

test('a flight in the past is kept, and its receipt says that nothing is watched', async () => {
  const past = { departureTime: '2019-05-12T10:05:00', arrivalTime: '2019-05-12T12:55:00' };
  const receipt = await mailed(html('Long ago', jsonLd(flight('PAST01', past))));
  assert.equal(receipt.disposition, 'imported');
  assert.match(receipt.reason, /It was over on 2019-05-12, so it is kept and not watched/);
  const reservation = await rest(`/v1/reservations/${receipt.reservations[0]}`);
  assert.match(reservation.title, /N9 400 Frankfurt am Main → New York/);
});

test('an unknown airport: kept as printed, and the receipt names it', async () => {
  const change = { departureAirport: { iataCode: 'QQQ' } };
  const receipt = await mailed(html('Nowhere', jsonLd(flight('WHERE1', change))));
  assert.equal(receipt.disposition, 'imported');
  assert.match(receipt.reason, /The time zone at QQQ is not known.*set start\.zone by hand/);
  assert.match(receipt.warnings[0]?.message ?? '', /airport QQQ is not in the airport table/);
  const [leg] = (await rest(`/v1/reservations/${receipt.reservations[0]}`)).legs;
  assert.deepEqual([leg.start.code, leg.start.time], ['QQQ', '2031-03-04T10:05:00']);
});

test('the same mail 100 times: one mail, one reservation at its first version, counted', async () => {
  const same = html('Again and again', jsonLd(flight('SAME01')));
  const before = brought;
  const all: Receipt[] = [];
  for (let i = 0; i < 100; i += 10) all.push(...(await Promise.all(Array.from({ length: 10 }, () => mailed(same)))));
  brought = before + 1;
  assert.equal(new Set(all.map((receipt) => receipt.id)).size, 1);
  const receipt = await receiptOf(all[0]?.id ?? '');
  assert.equal(receipt.timesSeen, 100);
  assert.equal(receipt.reservations.length, 1);
  const history = await rest(`/v1/reservations/${receipt.reservations[0]}/history`);
  assert.equal(history.versions.length, 1, JSON.stringify(history));
});

test('a webhook to 127.0.0.1 is refused with what to do, over REST and by hand', async () => {
  for (const url of [
    'https://127.0.0.1/hook',
    'https://[::1]/hook',
    'https://2130706433/hook',
    'https://localhost/x',
  ]) {
    const answer = await rest('/v1/endpoints', { url });
    assert.deepEqual([answer.status, answer.code], [422, 'webhook-address-private'], url);
    assert.match(answer.detail, /refused.*Use a public https address, or set webhooks\.allowPrivate/);
    await assert.rejects(addEndpoint(core.commands, OPERATOR, { url }), { code: 'webhook-address-private' });
  }
  assert.equal((await rest('/v1/endpoints', { url: 'http://hooks.example.com/' })).code, 'webhook-url-invalid');
  assert.deepEqual((await rest('/v1/endpoints')).items, []);
});

test('a wrong value in the configuration: named with place and remedy, before anything starts', async () => {
  const data = join(root, 'wrong');
  const paths = prepareFolder(data);
  const refused = (config: object, ...patterns: RegExp[]) => {
    writeFileSync(join(data, 'tripwatch.config.json'), JSON.stringify(config));
    assert.throws(
      () => loadConfig({ data }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'config-invalid');
        for (const pattern of patterns) assert.match(error.message, pattern);
        return true;
      },
    );
  };
  refused({ http: { port: 99_999 } }, /http\.port \(.*tripwatch\.config\.json\): .*65535/);
  refused({ smtp: { prot: 25 } }, /unknown setting "prot" Did you mean port\?/);
  const account = { account: 'a', connector: 'duffel' };
  refused({ providers: [{ ...account, key: 'duffel_live_secret' }] }, /must be env:NAME or file:\/path/);

  // What can only be seen at the start is refused then, and leaves the folder to the next start.
  const tls = { key: 'file:/nonexistent/key.pem', cert: 'file:/nonexistent/cert.pem' };
  writeFileSync(join(data, 'tripwatch.config.json'), JSON.stringify({ ...settings, smtp: { port: 0, tls } }));
  const first = await openCore(loadConfig({ data }), paths);
  await assert.rejects(startService(first), { code: 'secret-missing', message: /\/nonexistent\/key\.pem/ });
  await first.close();
  writeFileSync(join(data, 'tripwatch.config.json'), JSON.stringify(settings));
  const second = await openCore(loadConfig({ data }), paths);
  const started = await startService(second);
  assert.equal((await started.status()).ready, true);
  await started.stop();
  await second.close();
});

test('after all of it: nothing lost, every mail in one state, nothing waits, and good mails go on', async () => {
  const good = await mailed(readFileSync(new URL('../fixtures/mail/flight-ics-cancelled.eml', import.meta.url)));
  assert.equal(good.disposition, 'imported');
  const all = await receipts();
  assert.equal(all.length, brought);
  for (const receipt of all) {
    assert.ok(
      ['imported', 'merged', 'duplicate', 'nothing-found', 'failed'].includes(receipt.disposition),
      JSON.stringify(receipt),
    );
    assert.match(receipt.reason, /\.$/, 'a sentence');
  }
  const status = await rest('/v1/status');
  assert.equal(status.mails.conserved, true, JSON.stringify(status.mails));
  // What the parser refuses for good is set aside, visibly; nothing else is.
  const letters: { code: string }[] = (await rest('/v1/dead-letters')).items;
  const failed = all.filter(
    (receipt) => receipt.reasonCode.startsWith('mime-') || receipt.reasonCode.startsWith('parse-'),
  );
  assert.deepEqual(letters.map((letter) => letter.code).sort(), failed.map((receipt) => receipt.reasonCode).sort());
});
