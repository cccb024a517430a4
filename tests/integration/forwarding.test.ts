import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { addMailbox, addRule, addToken, addTraveller } from '../../src/api/commands/accounts.ts';
import { loadConfig } from '../../src/app/config.ts';
import { type Core, OPERATOR, openCore } from '../../src/app/core.ts';
import { prepareFolder } from '../../src/app/paths.ts';
import { type Service, startService } from '../../src/app/service.ts';
import { SANDBOX_MAIL_KEYS, signMail } from '../../src/sandbox/mail/sign.ts';
import { sendAndSettle } from './mail-in.testing.ts';

/** Forwarding into the whole service: the host's question before the first mail, by SMTP, to addresses of several people. */

let root: string;
let core: Core;
let service: Service;
let token: string;
const people: { id: string; mailbox: string; address: string }[] = [];

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tripwatch-forward-'));
  const data = join(root, 'data');
  // As if Google signed with the sandbox's key.
  const { text } = SANDBOX_MAIL_KEYS[0];
  const override = {
    ...{ http: { port: 0 }, smtp: { port: 0 }, log: { level: 'silent' } },
    mails: { trustedKeys: [{ name: 'sandbox._domainkey.google.com', text }] },
  };
  core = await openCore(loadConfig({ data, override }), prepareFolder(data));
  for (const name of ['Ada', 'Grete']) {
    const { id } = await addTraveller(core.commands, OPERATOR, { name, zone: 'Europe/Berlin', locale: 'en' });
    const mailbox = await addMailbox(core.commands, OPERATOR, id, { kind: 'forward', label: 'forwarded' });
    people.push({ id, mailbox: mailbox.id, address: mailbox.address ?? '' });
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

const mailed = (to: string, bytes: Buffer) => sendAndSettle(service.smtpPort ?? 0, rest, to, bytes);

const question = (name: string) => readFileSync(new URL(`../fixtures/forwarding/${name}.eml`, import.meta.url));

test('the question of a mail host is shown to whom it was sent, with code and link, also behind an allow list', async () => {
  const [ada, grete] = people;
  await addRule(core.commands, OPERATOR, grete!.id, { action: 'allow', field: 'domain', pattern: 'lufthansa.com' });
  for (const [one, name, code] of [
    [ada!, 'gmail-en', '482913375'],
    [grete!, 'gmail-de', '717204486'],
  ] as const) {
    const receipt = await mailed(one.address, signMail(question(name), 'google.com'));
    assert.deepEqual(
      [receipt.disposition, receipt.reasonCode],
      ['needs-you', 'forwarding-confirmation'],
      receipt.reason,
    );
    assert.ok(receipt.reason.includes(code));
    assert.match(receipt.reason, /https:\/\/mail-settings\.google\.com\/mail\/vf-/);
    assert.equal(receipt.traveller, one.id);
    const { mails } = await rest(`/v1/mailboxes/${one.mailbox}`);
    assert.deepEqual([mails.needsYou, mails.imported], [1, 0]);
    const { items } = await rest(`/v1/receipts?disposition=needs-you&traveller=${one.id}`);
    assert.equal(items.length, 1);
  }
});

test('with the first mail that comes through that forwarding the question needs nobody any more, or when its owner says so', async () => {
  const [ada, grete] = people;
  const needing = async (one: { id: string }) =>
    (await rest(`/v1/receipts?disposition=needs-you&traveller=${one.id}`)).items.map(({ id }: { id: string }) => id);
  const [open] = await needing(ada!);
  const account = /the mails of (\S+) here/.exec((await rest(`/v1/receipts/${open}`)).reason)?.[1];
  assert.ok(account !== undefined);
  const plain = (from: string, to: string) =>
    Buffer.from(
      `From: ${from}\r\nTo: ${to}\r\nSubject: Hello\r\nMessage-ID: <${from}${to}@x.example>\r\n\r\nHello\r\n`,
    );
  await mailed(ada!.address, plain('someone@x.example', 'trips@in.example'));
  await mailed(ada!.address, plain(account, `trips@in.example, ${account}`));
  await mailed(grete!.address, plain('someone@x.example', account));
  assert.deepEqual(await needing(ada!), [open], 'none of these came that way');
  const through = await mailed(ada!.address, plain('someone@x.example', account));
  assert.deepEqual(await needing(ada!), []);
  const settled = await rest(`/v1/receipts/${open}`);
  assert.deepEqual([settled.disposition, settled.reasonCode], ['nothing-found', 'forwarding-works']);
  for (const text of [account, through.id, '482913375']) assert.ok(settled.reason.includes(text), settled.reason);

  const [hers] = await needing(grete!);
  const answer = () =>
    fetch(`${service.url}/v1/receipts/${hers}/done`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  const said = await answer();
  assert.deepEqual(
    [said.status, ((await said.json()) as { reasonCode: string }).reasonCode],
    [200, 'settled-by-owner'],
  );
  assert.equal((await answer()).status, 409);
  assert.deepEqual(await needing(grete!), []);
});

test('one that nothing proves is shown without what would say yes', async () => {
  const receipt = await mailed(people[0]!.address, question('gmail-fr'));
  assert.deepEqual([receipt.disposition, receipt.reasonCode], ['needs-you', 'forwarding-unproven']);
  assert.doesNotMatch(receipt.reason, /300417755|https:/);
  const elsewhere = await mailed(people[0]!.address, question('not-a-question-other-sender'));
  assert.notEqual(elsewhere.disposition, 'needs-you');
});
