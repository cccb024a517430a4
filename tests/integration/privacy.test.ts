import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { addKey } from '../../src/adapters/secrets/keyring.ts';
import { addMailbox, addRule, addToken, addTraveller } from '../../src/api/commands/accounts.ts';
import { addEndpoint } from '../../src/api/commands/endpoints.ts';
import { loadConfig } from '../../src/app/config.ts';
import { type Core, OPERATOR, openCore } from '../../src/app/core.ts';
import { dataPaths, prepareFolder } from '../../src/app/paths.ts';
import { settle } from '../../src/app/pipeline.ts';
import { eraseTraveller } from '../../src/app/privacy/erase.ts';
import { exportTraveller } from '../../src/app/privacy/export.ts';
import { forgetKey, keyUses, rotateKeys } from '../../src/app/privacy/keys.ts';
import type { Mailbox, Traveller } from '../../src/ports/store/accounts.ts';
import { createRetention } from '../../src/runtime/retention.ts';
import { createIntake } from '../../src/stages/watch/intake.ts';
import { flightMail } from './cli.testing.ts';

/** What is kept of people: encrypted, listed, exported, let go in time, and erased with proof. On SQLite with files. */

const folder = mkdtempSync(join(tmpdir(), 'tripwatch-privacy-'));
const signal = new AbortController().signal;
const DAY_MS = 86_400_000;
let core: Core;
let ada: Traveller;
let bob: Traveller;
let mailboxes: Readonly<Record<string, Mailbox>>;
const shared = flightMail({ reference: 'BOTH01', number: '11', from: 'Nordlicht <booking@nordlicht.example>' });

async function open(): Promise<void> {
  core = await openCore(
    loadConfig({ data: folder, override: { log: { level: 'silent' }, workers: 1, webhooks: { allowPrivate: true } } }),
    prepareFolder(folder),
  );
}
async function receive(mailbox: Mailbox, ...mails: readonly string[]): Promise<void> {
  const intake = createIntake({ store: core.store, blobs: core.blobs, clock: core.clock, logger: core.logger });
  for (const mail of mails) await intake.accept({ mailbox, bytes: Buffer.from(mail), via: 'smtp' });
  await settle(core, signal);
}
const filesIn = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
const holdings = (who: Traveller) => core.store.read((tx) => tx.privacy.holdings(who.tenant, who.id));
const receiptsOf = async (who: Traveller) =>
  (await core.store.read((tx) => tx.mails.list(who.tenant, { traveller: who.id, limit: 50 }))).receipts;
/** A look as it will be `days` from now. */
const retention = (days: number, keepDays: number) => {
  const clock = { ...core.clock, now: () => core.clock.now() + days * DAY_MS };
  // What was put just now counts as put long ago.
  const blobs = {
    ...core.blobs,
    remove: (...[ref, owner]: Parameters<Core['blobs']['remove']>) => core.blobs.remove(ref, owner, 0),
  };
  return createRetention({ store: core.store, blobs, clock, logger: core.logger, keepDays });
};

before(async () => {
  await open();
  const { commands } = core;
  ada = await addTraveller(commands, OPERATOR, { name: 'Ada Lovelace', zone: 'Europe/London', locale: 'en' });
  bob = await addTraveller(commands, OPERATOR, { name: 'Bob Babbage', zone: 'Europe/London', locale: 'en' });
  const boxes: Record<string, Mailbox> = {};
  for (const who of [ada, bob]) {
    boxes[who.id] = await addMailbox(commands, OPERATOR, who.id, { kind: 'forward', label: 'forwarded' });
    await addRule(commands, OPERATOR, who.id, { action: 'deny', field: 'domain', pattern: 'shop.example' });
    await addToken(commands, OPERATOR, { label: 'phone', scopes: ['read'], traveller: who.id });
    await addEndpoint(commands, OPERATOR, { url: 'http://127.0.0.1:9/x', traveller: who.id });
  }
  mailboxes = boxes;
  const denied = flightMail({ reference: 'DENY01', number: '12', from: 'news@shop.example' });
  await receive(boxes[ada.id]!, shared, denied, flightMail({ reference: 'ADA001', number: '77' }));
  await receive(boxes[bob.id]!, shared);
});
after(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

test('raw mails are encrypted on the disk', () => {
  const files = filesIn(dataPaths(folder).mails);
  assert.equal(files.length, 3, 'the same mail of two travellers of one tenant is stored once');
  for (const file of files)
    for (const text of ['BOTH01', 'ADA001', 'nordlicht']) assert.ok(!readFileSync(file).includes(text), text);
});

test('every mail that was opened is listed with the reason; what a rule kept closed is not', async () => {
  const { mails } = await core.store.read((tx) => tx.privacy.opened(ada.tenant, { traveller: ada.id, limit: 50 }));
  assert.deepEqual(mails.map(({ why, kept }) => [why, kept]).toSorted(), [
    ['no-rule', true],
    ['no-rule', true],
  ]);
  assert.ok(mails.every(({ from }) => from !== 'news@shop.example'));
  const first = await core.store.read((tx) => tx.privacy.opened(ada.tenant, { limit: 1 }));
  assert.equal(first.mails.length, 1);
  const rest = await core.store.read((tx) => tx.privacy.opened(ada.tenant, { limit: 50, before: first.next! }));
  assert.equal(rest.mails.length, 2);
});

test('no table is forgotten: whatever holds something of a traveller is counted and erased', async () => {
  const { NOT_PERSONAL, PERSONAL } = await import('../../src/adapters/store/sql/privacy-traveller.ts');
  const { sql } = await import('kysely');
  const { rows } = await core.store.read(({ db }) =>
    sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`.execute(db),
  );
  const known = [...PERSONAL, ...Object.keys(NOT_PERSONAL), 'migration'];
  assert.deepEqual(
    rows.map(({ name }) => name).filter((name) => !known.includes(name)),
    [],
  );
  // What is said to hold nothing of a traveller does not.
  for (const name of Object.keys(NOT_PERSONAL)) {
    const { rows: all } = await core.store.read(({ db }) => sql`SELECT * FROM ${sql.table(name)}`.execute(db));
    assert.ok(!JSON.stringify(all).includes('Lovelace'), name);
  }
});

test('an export holds everything of one traveller, no secrets, and nothing of another', async () => {
  const path = join(folder, 'ada.json');
  const counts = await exportTraveller(core, ada, path);
  const text = readFileSync(path, 'utf8');
  const told = JSON.parse(text);
  assert.equal(told.format, 'tripwatch-export/1');
  assert.equal(told.mail.length, 3);
  assert.equal(counts.mail, 3);
  assert.ok(told.reservation.length >= 2 && told.observation.length >= 2 && told.log.length >= 6);
  const raw = told.rawMails.map((one: { base64: string }) => Buffer.from(one.base64, 'base64').toString());
  assert.equal(raw.length, 3);
  assert.ok(raw.some((mail: string) => mail.includes('ADA001')));
  for (const secret of ['sealed_secrets', 'v1.', '"hash"', bob.id, 'Babbage'])
    assert.ok(!text.includes(secret), secret);
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(exportTraveller(core, ada, path), { code: 'export-file' });
  rmSync(path);
});

test('a new key takes over: stored secrets are sealed anew, old mails stay readable, and the old key goes when nothing needs it', async () => {
  const old = core.keyring.current.id;
  const rotated = await rotateKeys(core);
  assert.equal(rotated.made, true);
  assert.equal(rotated.resealed, 2);
  assert.notEqual(rotated.key, old);
  // A process that runs on reads what the new key sealed.
  const [endpoint] = await core.store.read((tx) => tx.accounts.listEndpoints(ada.tenant));
  assert.match(core.secrets.open(endpoint!.sealedSecrets[0]!, endpoint!.id), /^whsec_/);
  await core.close();
  await open();
  assert.equal(core.keyring.current.id, rotated.key);
  const uses = await keyUses(core);
  assert.deepEqual(
    uses.map(({ id, current, secrets, mails }) => [id, current, secrets, mails]),
    [
      [rotated.key, true, 2, 0],
      [old, false, 0, 3],
    ],
  );
  for (const receipt of await receiptsOf(ada)) await core.blobs.get(receipt.raw!, ada.tenant);
  await assert.rejects(forgetKey(core, old), { code: 'key-needed' });
  await assert.rejects(forgetKey(core, rotated.key), { code: 'key-needed' });

  // One that was stopped after the key was made is taken up, not begun anew.
  const next = addKey(dataPaths(folder).key);
  await core.close();
  await open();
  assert.deepEqual(await rotateKeys(core), { key: next, made: false, resealed: 2 });
  await forgetKey(core, rotated.key);
  assert.equal(readFileSync(dataPaths(folder).key, 'utf8').trim().split('\n').length, 2);
});

test('a traveller is erased with proof; another who had the same mail keeps it', async () => {
  const bobHas = await holdings(bob);
  const proof = await eraseTraveller(core, ada, signal);
  assert.ok(proof.before.mail === 3 && proof.before.rawMails === 3 && proof.before.log! >= 6);
  assert.ok(proof.before.endpoint === 1 && proof.before.api_token === 1 && proof.before.reservation! >= 2);
  for (const [name, count] of Object.entries(proof.after)) assert.equal(count, 0, name);
  assert.deepEqual(await holdings(bob), bobHas, 'nothing of the other was touched');
  const [receipt] = await receiptsOf(bob);
  assert.match(Buffer.from(await core.blobs.get(receipt!.raw!, bob.tenant)).toString(), /BOTH01/);
  assert.equal(filesIn(dataPaths(folder).mails).length, 1);
  // On record, without anything that names a person.
  const { entries } = await core.store.read((tx) => tx.audit.list(ada.tenant, { target: ada.id, limit: 10 }));
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['privacy.erase', 'privacy.erase-begun'],
  );
  assert.equal(entries[0]!.id, proof.audit);
  for (const text of ['Lovelace', 'nordlicht', 'ADA001', 'BOTH01']) assert.ok(!JSON.stringify(entries).includes(text));
  // The books of conservation still agree.
  await settle(core, signal);
  // A mail to the old address finds nobody.
  assert.equal(await core.store.read((tx) => tx.accounts.getMailbox(ada.tenant, mailboxes[ada.id]!.id)), undefined);
});

test('raw mails go when their days are over; the receipt stays and says so; what comes again is kept again', async () => {
  assert.deepEqual(await retention(29, 30).sweep(), { mails: 0, blobs: 0 });
  assert.deepEqual(await retention(31, 30).sweep(), { mails: 1, blobs: 1 });
  const [receipt] = await receiptsOf(bob);
  assert.equal(receipt!.raw, undefined);
  assert.equal(receipt!.disposition, 'imported');
  assert.match(receipt!.warnings.map(({ message }) => message).join(), /removed here on .* 30 days after it was read/);
  assert.equal(filesIn(dataPaths(folder).mails).length, 0);
  const [opened] = (await core.store.read((tx) => tx.privacy.opened(bob.tenant, { limit: 5 }))).mails;
  assert.equal(opened!.kept, false);
  await receive(mailboxes[bob.id]!, shared);
  const [again] = await receiptsOf(bob);
  assert.equal(again!.timesSeen, 2);
  assert.match(Buffer.from(await core.blobs.get(again!.raw!, bob.tenant)).toString(), /BOTH01/);
});

test('bytes that nothing rests on are found and removed, those from before encryption too', async () => {
  await core.blobs.put(randomBytes(100), bob.tenant);
  const [kept] = filesIn(dataPaths(folder).mails);
  assert.ok(kept !== undefined && existsSync(kept));
  const { openFsBlobs } = await import('../../src/adapters/blobs/fs/blobs.ts');
  await openFsBlobs(dataPaths(folder).mails).put(Buffer.from('stored by an older version'), bob.tenant);
  assert.equal(filesIn(dataPaths(folder).mails).length, 3);
  assert.deepEqual(await retention(1, 30).sweep(), { mails: 0, blobs: 2 });
  assert.equal(filesIn(dataPaths(folder).mails).length, 1);
  writeFileSync(join(dataPaths(folder).mails, 'a file of somebody'), 'is left alone');
  assert.deepEqual(await retention(1, 30).sweep(), { mails: 0, blobs: 0 });
});
