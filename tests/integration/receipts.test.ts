/**
 * What a mail brought, on its receipt, through the whole service: the same booking told by several mails, by several ways,
 * in one process with SMTP intake, REST and an import.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { addMailbox, addToken, addTraveller } from '../../src/api/commands/accounts.ts';
import { openImportEnv } from '../../src/app/commands/import-env.ts';
import { importMailbox, runImport } from '../../src/app/commands/import-run.ts';
import { loadConfig } from '../../src/app/config.ts';
import { type Core, OPERATOR, openCore } from '../../src/app/core.ts';
import { prepareFolder } from '../../src/app/paths.ts';
import { type Service, startService } from '../../src/app/service.ts';
import type { Traveller } from '../../src/ports/store/accounts.ts';
import { sendAndSettle } from './mail-in.testing.ts';

let root: string;
let core: Core;
let service: Service;
let traveller: Traveller;
const addresses: string[] = [];
let token: string;

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tripwatch-receipts-'));
  const data = join(root, 'data');
  const override = { http: { port: 0 }, smtp: { port: 0 }, log: { level: 'silent' } };
  core = await openCore(loadConfig({ data, override }), prepareFolder(data));
  traveller = await addTraveller(core.commands, OPERATOR, { name: 'Ada', zone: 'Europe/Berlin', locale: 'en' });
  for (const label of ['private', 'work']) {
    const mailbox = await addMailbox(core.commands, OPERATOR, traveller.id, { kind: 'forward', label });
    addresses.push(mailbox.address ?? '');
  }
  token = (await addToken(core.commands, OPERATOR, { label: 'test', scopes: ['read', 'write', 'operate'] })).secret;
  service = await startService(core);
});
after(async () => {
  await service?.stop();
  await core?.close();
  rmSync(root, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
async function rest(path: string): Promise<any> {
  return (await fetch(service.url + path, { headers: { authorization: `Bearer ${token}` } })).json();
}

const mailed = (to: string, text: string) => sendAndSettle(service.smtpPort ?? 0, rest, to, Buffer.from(text));

const flight = (reference: string, number = 'LH400', time = '2026-12-01T10:05:00+01:00') =>
  `{"@type":"FlightReservation","reservationNumber":"${reference}","reservationFor":{"flightNumber":"${number}",` +
  `"departureAirport":{"iataCode":"FRA"},"arrivalAirport":{"iataCode":"JFK"},"departureTime":"${time}"}}`;
const mail = (name: string, json: string, more = '', day = '02') =>
  `${more}From: booking@nordlicht.example\r\nSubject: Your booking\r\nDate: ${day} Nov 2026 09:15:00 +0100\r\n` +
  `Message-ID: <${name}@nordlicht.example>\r\nContent-Type: text/html\r\n\r\n` +
  `<script type="application/ld+json">${json}</script>\r\n`;

test('a mail is imported where it brings something, and merged into what is known where not', async () => {
  const [to] = addresses;
  const first = await mailed(to!, mail('one', flight('AAA111')));
  assert.deepEqual(
    [first.disposition, first.reasonCode, first.reservations.length],
    ['imported', 'reservations-found', 1],
  );
  const again = await mailed(to!, mail('two', flight('AAA111')));
  assert.deepEqual([again.disposition, again.reasonCode], ['merged', 'known-already'], again.reason);
  assert.deepEqual(again.reservations, first.reservations);
  assert.ok(again.reason.includes(first.reservations[0]), again.reason);
  const { items } = await rest(`/v1/receipts?disposition=merged&traveller=${traveller.id}`);
  assert.deepEqual(
    items.map(({ id }: { id: string }) => id),
    [again.id],
  );

  const half = await mailed(to!, mail('three', `[${flight('AAA111')},${flight('BBB222', 'LH402')}]`));
  assert.equal(half.disposition, 'imported');
  assert.match(half.reason, /^2 reservations were found in it\..* One of them held nothing new\.$/);
  assert.equal(half.reservations.length, 2);
  const moved = await mailed(to!, mail('four', flight('AAA111', 'LH400', '2026-12-01T11:45:00+01:00'), '', '03'));
  assert.equal(moved.disposition, 'imported', 'a change is something');
  const late = await mailed(to!, mail('old', flight('AAA111', 'LH400', '2026-12-01T09:00:00+01:00'), '', '01'));
  assert.equal(late.disposition, 'merged', 'something newer is known');
});

test('the same mail by another way is a duplicate, and says of which', async () => {
  const bytes = mail('five', flight('CCC333'));
  const first = await mailed(addresses[0]!, bytes);
  const same = await mailed(addresses[1]!, bytes);
  assert.deepEqual([same.disposition, same.reasonCode], ['duplicate', 'same-bytes'], same.reason);
  assert.ok(same.reason.includes(first.id), same.reason);
  const relayed = await mailed(addresses[1]!, mail('five', flight('CCC333'), 'X-Relay: work.example\r\n'));
  assert.deepEqual([relayed.disposition, relayed.reasonCode], ['duplicate', 'same-message-id'], relayed.reason);
  assert.ok(relayed.reason.includes(first.id), relayed.reason);
  // Once more to where it was: the same mail, counted.
  const counted = await mailed(addresses[0]!, bytes);
  assert.deepEqual([counted.id, counted.disposition, counted.timesSeen], [first.id, 'imported', 2]);
  const copied = await mailed(addresses[1]!, mail('five', flight('DDD444', 'LH404')));
  assert.equal(copied.disposition, 'imported', 'a Message-ID proves nothing: what is new in it counts');
});

test('what holds nothing is a duplicate where the same bytes came before; an import says how many were', async () => {
  const empty = mail('six', '{"@type":"Thing"}');
  assert.equal((await mailed(addresses[0]!, empty)).disposition, 'nothing-found');
  const folder = join(root, 'letters');
  mkdirSync(folder);
  for (const [n, text] of [empty, mail('five', flight('CCC333')), mail('seven', flight('CCC333'))].entries())
    writeFileSync(join(folder, `${n}.eml`), text);
  const env = await openImportEnv(core);
  try {
    const mailbox = await importMailbox(env, traveller);
    const summary = await runImport(env, {
      ...{ mailbox, paths: [folder], maxBytes: 1_000_000, onProgress: () => {} },
      signal: AbortSignal.timeout(50_000),
    });
    assert.deepEqual(summary.dispositions, { duplicate: 2, merged: 1 });
    const { mails } = await rest(`/v1/mailboxes/${mailbox.id}`);
    assert.deepEqual([mails.imported, mails.opened], [0, 3]);
    const { mails: all } = await rest('/v1/status');
    assert.equal(all.conserved, true);
  } finally {
    await env.close();
  }
  const opened = { traveller: traveller.id, limit: 200 };
  const { mails } = await core.store.read((tx) => tx.privacy.opened(OPERATOR.tenant, opened));
  assert.ok(
    mails.some(({ disposition }) => disposition === 'duplicate'),
    'it was opened, and the list of these says so',
  );
});
