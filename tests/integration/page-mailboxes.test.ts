import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { type DovecotServer, PASSWORD, startDovecot } from '../../scripts/servers/dovecot.ts';
import { MailBox } from '../../src/sandbox/mailboxes/box.ts';
import { type JmapFake, startJmapFake } from '../../src/sandbox/mailboxes/jmap.ts';
import { flightMail } from './cli.testing.ts';
import { skipWithoutDovecot } from './imap.testing.ts';
import { missingBrowser, openBrowser, PageService, Watched } from './page.testing.ts';

/** Connecting mailboxes on the page, as a person does, by password: at Dovecot, and at a JMAP server's double. */

const noBrowser = missingBrowser() ?? false;
const LUNCH = 'From: Bea <bea@friends.example>\r\nSubject: Sunday lunch\r\nMessage-ID: <lunch@x>\r\n\r\nAt one?\r\n';
/** The text as it is shown, line by line. */
const seen = async (where: Locator) => (await where.allInnerTexts()).join('\n');
const exact = { exact: true } as const;
/** Mails, tokens and a browser on a machine that is busy. */
const PATIENCE_MS = 60_000;

describe('a mailbox by IMAP on the page', { skip: noBrowser || skipWithoutDovecot() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-page-ca-'));
  const ca = join(folder, 'ca.pem');
  const service = new PageService({ mailboxes: { allowPrivate: true, ca } });
  let server: DovecotServer;
  let browser: Browser;
  let watched: Watched;
  let page: Page;
  const card = (text: string): Locator => page.locator('.mailbox', { hasText: text });

  before(async () => {
    server = await startDovecot();
    writeFileSync(ca, server.ca);
    await server.deliver('user1', Buffer.from(flightMail({ reference: 'IMAP01', number: '41' })));
    await server.deliver('user1', Buffer.from(LUNCH));
    await service.start();
    browser = await openBrowser();
    watched = await Watched.open(browser, service.service.url, { locale: 'en-GB' });
    page = await watched.page(`${service.service.url}/?token=${service.token}`);
    page.setDefaultTimeout(PATIENCE_MS);
    await page.getByText('live', exact).waitFor();
  });
  after(async () => {
    await browser?.close();
    await service.forget();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('what will be read is said before; a wrong password is said with what to do, and nothing is stored', async () => {
    await page.getByRole('button', { name: 'Connect a mailbox' }).click();
    await page.getByRole('button', { name: 'Connect a mailbox' }).click();
    // Typing goes on without a click.
    await page.locator('input[type=email]:focus').waitFor();
    await page.keyboard.type('user1@example.org');
    await page.keyboard.press('Enter');
    const password = page.getByLabel('Password', exact);
    await password.waitFor();
    assert.equal(await page.getByRole('radio', { name: /Password \(IMAP\)/ }).isChecked(), true);
    const told = await seen(page.locator('form .told'));
    for (const part of [
      /Looked at: the headers/,
      /Opened: only mails that look like a booking/,
      /nothing is sent, moved, deleted/,
    ])
      assert.match(told, part);
    await page.getByText(/^Server: imap\.example\.org/).click();
    await page.getByLabel('Server', exact).fill('localhost');
    await page.getByLabel('Port', exact).fill(String(server.tlsPort));
    await page.getByLabel('User', exact).fill('user1');
    await password.fill('not it');
    await page.getByRole('button', { name: 'Connect', ...exact }).click();
    await page
      .getByRole('alert')
      .getByText(/localhost refuses user or password.* app password/)
      .waitFor();
    assert.equal(await password.getAttribute('aria-invalid'), 'true');
    assert.equal(await password.inputValue(), 'not it', 'what was typed stays');
    assert.equal((await service.call('GET', `/v1/travellers/${service.traveller}/mailboxes`)).items.length, 1);
    // The refusal is told by status 422, which the console counts among the errors.
    assert.deepEqual(
      watched.faults.splice(0).filter((fault) => !/422/.test(fault)),
      [],
    );
  });

  test('connected, its mails come by themselves, and the trip shows', async () => {
    await page.getByLabel('Password', exact).fill(PASSWORD);
    await page.getByRole('button', { name: 'Connect', ...exact }).click();
    await page.getByRole('status').getByText('user1@example.org is connected').waitFor();
    const mine = card('user1@example.org');
    await mine.getByText('2 mails seen: 1 with a booking · 1 left unopened').waitFor();
    await mine.getByText('Watching').waitFor();
    await page.getByRole('tab', { name: 'Trips' }).click();
    await page.locator('.leg', { hasText: 'N9 41' }).waitFor();
    await server.deliver('user1', Buffer.from(flightMail({ reference: 'IMAP02', number: '42' })));
    await page.locator('.leg', { hasText: 'N9 42' }).waitFor();
  });

  test('it shows what would be read; it is checked, rests and goes on', async () => {
    await page.getByRole('tab', { name: 'Mailboxes' }).click();
    const mine = card('user1@example.org');
    await mine.getByRole('button', { name: /^What is read/ }).click();
    await mine.getByRole('button', { name: 'Look into it now' }).click();
    await mine.getByText('Of the newest 3 mails, 2 would be opened.').waitFor();
    assert.match(await seen(mine.locator('.sample')), /left\s+Sunday lunch/);
    await mine.getByLabel('INBOX').check();
    await mine.getByRole('button', { name: 'Save' }).click();
    await mine.getByText(/only INBOX/).waitFor();
    await mine.getByText('Watching').waitFor();
    await mine.getByRole('button', { name: /^Check now/ }).click();
    await page.getByRole('status').getByText('is being checked').waitFor();
    await mine.getByRole('button', { name: /^Pause/ }).click();
    await mine.getByText('Paused').waitFor();
    await mine.getByRole('button', { name: /^Go on/ }).click();
    await mine.getByRole('button', { name: /^Pause/ }).waitFor();
  });

  test('a mail that was left unopened is found by its reason, and read after all', async () => {
    await card('user1@example.org')
      .getByRole('button', { name: /show them/ })
      .click();
    await page.locator('.receipts li').nth(2).waitFor();
    assert.match(
      await page.getByLabel(/^Mailbox /).evaluate((one: HTMLSelectElement) => one.selectedOptions[0]!.text),
      /user1/,
    );
    await page.getByLabel('Show').selectOption('skipped/not-travel');
    await page.waitForFunction(() => document.querySelectorAll('.receipts li').length === 1);
    const lunch = page.locator('.receipts li', { hasText: 'Sunday lunch' });
    await lunch.getByRole('button', { name: 'Read it after all: Sunday lunch' }).click();
    await lunch.getByText('No travel in it').waitFor();
    await lunch.getByRole('button', { name: /Read it after all/ }).waitFor({ state: 'detached' });
    await page.getByLabel('Show').selectOption('imported');
    const booking = page.locator('.receipts li', { hasText: 'IMAP02' });
    await booking.getByRole('button', { name: /^Take out/ }).click();
    await booking.getByText('it is out of your trips').waitFor();
    await page.getByRole('tab', { name: 'Trips' }).click();
    await page.locator('.leg', { hasText: 'N9 42' }).waitFor({ state: 'detached' });
  });

  test('a rule is made and removed; one that allows says what it does to all other mails', async () => {
    await page.getByRole('tab', { name: 'Mailboxes' }).click();
    const rules = page.getByRole('region', { name: 'Rules' });
    await rules.getByLabel('What to do').selectOption('allow');
    await rules.getByText(/With a first rule of this kind/).waitFor();
    await rules.getByLabel('What to do').selectOption('deny');
    await rules.getByLabel('from the sender', exact).fill('shop');
    await rules.getByRole('button', { name: 'Add the rule' }).click();
    await rules
      .getByRole('alert')
      .getByText(/no whole address/)
      .waitFor();
    await rules.getByLabel('Which mails').selectOption('domain');
    await rules.getByLabel('from the domain', exact).fill('shop.example');
    await rules.getByRole('button', { name: 'Add the rule' }).click();
    await rules.locator('li', { hasText: 'shop.example' }).waitFor();
    await rules.getByRole('button', { name: 'Remove the rule: Never open shop.example' }).click();
    await rules.locator('li').waitFor({ state: 'detached' });
    assert.deepEqual(
      watched.faults.splice(0).filter((fault) => !/422/.test(fault)),
      [],
    );
  });

  test('a password that was changed: the page says so everywhere, and another is entered', async () => {
    const { items } = await service.call('GET', `/v1/travellers/${service.traveller}/mailboxes`);
    const { id } = items.find((one: { kind: string }) => one.kind === 'imap');
    await service.call('PATCH', `/v1/mailboxes/${id}`, { password: 'changed', test: false });
    const mine = card('user1@example.org');
    await mine.getByText('Needs you').waitFor();
    await page.getByRole('tab', { name: 'Trips' }).click();
    await page.getByText('The mailbox user1@example.org needs you').waitFor();
    await page.getByRole('button', { name: 'See what to do' }).click();
    await mine.getByText(/refuses user or password/).waitFor();
    await mine.getByLabel(/Password or app password/).fill(PASSWORD);
    await mine.getByRole('button', { name: 'Try it' }).click();
    await mine.getByText('Watching').waitFor();
  });

  test('removing is asked about first, by keyboard too; the receipts stay', async () => {
    const mine = card('user1@example.org');
    await mine.getByRole('button', { name: /^Remove/ }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Remove user1@example.org?' });
    await dialog.getByText(/sign-in is erased here at once.*What came of its 3 mails stays/s).waitFor();
    await dialog.locator('button:focus', { hasText: 'Keep it' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await mine.getByRole('button', { name: /^Remove/ }).click();
    await dialog.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('status').getByText('user1@example.org is removed. The receipts of 3 mails stay.').waitFor();
    await mine.waitFor({ state: 'detached' });
    assert.deepEqual(watched.faults, []);
  });

  test('a forwarding address is made without any address of one’s own', async () => {
    await page.getByRole('button', { name: 'Connect a mailbox' }).click();
    await page.getByRole('button', { name: 'Forward single mails' }).click();
    await page.getByRole('button', { name: 'Make an address' }).click();
    await page.getByText('The address is made.').waitFor();
    assert.equal(await page.getByLabel('Forwarding address').count(), 2);
  });
});

describe('a mailbox by JMAP on the page', { skip: noBrowser }, () => {
  const box = new MailBox('ada@jmap.example', 'page-jmap');
  const good = `Basic ${Buffer.from('ada:the right one').toString('base64')}`;
  const service = new PageService({ mailboxes: { allowPrivate: true } });
  let fake: JmapFake;
  let browser: Browser;
  let watched: Watched;
  let page: Page;

  before(async () => {
    box.deliver(Buffer.from(flightMail({ reference: 'JMAP01', number: '61' })), Date.now() - 60_000);
    box.deliver(Buffer.from(LUNCH), Date.now() - 30_000);
    fake = await startJmapFake({ box, accepts: (given) => given === good });
    await service.start();
    browser = await openBrowser();
    watched = await Watched.open(browser, service.service.url, { locale: 'en-GB' });
    page = await watched.page(`${service.service.url}/?token=${service.token}`);
    page.setDefaultTimeout(PATIENCE_MS);
  });
  after(async () => {
    await browser?.close();
    await service.forget();
    await fake?.close();
  });

  const connect = () => page.getByRole('button', { name: 'Connect', ...exact }).click();

  test('a server without JMAP and a wrong password are said with what to do, and nothing is stored', async () => {
    await page.getByRole('tab', { name: 'Mailboxes' }).click();
    await page.getByRole('button', { name: 'Connect a mailbox' }).click();
    await page.getByLabel('Your mail address').fill('ada@jmap.example');
    await page.getByRole('button', { name: 'Find the settings' }).click();
    await page.getByRole('radio', { name: /Password \(JMAP\)/ }).check();
    await page.getByLabel('Password', exact).fill('not it');
    await page.getByLabel('Server', exact).fill(fake.url);
    await page.getByLabel('User', exact).fill('ada');
    await connect();
    const alert = page.getByRole('alert');
    await alert.getByText(/refuses user name or password/).waitFor();
    await page.getByLabel('Password', exact).fill('the right one');
    await page.getByLabel('Server', exact).fill(`${fake.url}/elsewhere`);
    await connect();
    await alert.getByText(/there is no JMAP under .*\/elsewhere/).waitFor();
    const { items } = await service.call('GET', `/v1/travellers/${service.traveller}/mailboxes`);
    assert.equal(items.length, 1);
    assert.deepEqual(
      watched.faults.splice(0).filter((fault) => !/422/.test(fault)),
      [],
    );
  });

  test('connected, its mails come by themselves, and the trip shows', async () => {
    await page.getByLabel('Server', exact).fill(fake.url);
    await connect();
    await page.getByRole('status').getByText('ada@jmap.example is connected').waitFor();
    const mine = page.locator('.mailbox', { hasText: 'ada@jmap.example' });
    // The double says of every mail that a ticket is attached, so the other one was opened too.
    await mine.getByText('2 mails seen: 1 with a booking · 1 read, nothing new in them').waitFor();
    await mine.getByText('Watching').waitFor();
    box.deliver(Buffer.from(flightMail({ reference: 'JMAP02', number: '62' })), Date.now());
    await mine.getByText('3 mails seen: 2 with a booking').waitFor();
    await page.getByRole('tab', { name: 'Trips' }).click();
    await page.locator('.leg', { hasText: 'N9 62' }).waitFor();
    assert.deepEqual(watched.faults, []);
  });
});

describe('how mailboxes stand', { skip: noBrowser }, () => {
  const service = new PageService();
  let browser: Browser;
  before(async () => {
    await service.start();
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await service.forget();
  });

  test('every state is said in plain words, with what to do; a provider that is not set up says what is missing', async () => {
    const watched = await Watched.open(browser, service.service.url, {
      locale: 'en-GB',
      viewport: { width: 360, height: 740 },
    });
    const at = new Date().toISOString();
    const box = (kind: string, label: string, watch: object, more: object = {}) => ({
      ...{
        id: `mbx_${label}`,
        traveller: service.traveller,
        kind,
        label,
        address: `${label}@mail.example`,
        state: 'active',
      },
      createdAt: at,
      watch: { reasonCode: 'x', reason: 'It is so.', stateAt: at, since: at, backfill: { done: true }, ...watch },
      mails: { seen: 1200, imported: 12, needsYou: 2, opened: 3, skipped: 1180, waiting: 4, failed: 1 },
      ...more,
    });
    const consent = { reasonCode: 'consent-needed', reason: 'Google has ended our access.' };
    const items = [
      box('imap', 'watching', { state: 'watching', checkedAt: at }),
      box('imap', 'older', { state: 'backfilling', backfill: { done: false, left: 2800 } }),
      box('imap', 'uncounted', { state: 'backfilling', backfill: { done: false } }),
      box('gmail', 'consent', { state: 'needs-you', ...consent }),
      box('jmap', 'away', { state: 'unreachable', reason: 'The server does not answer. It is tried again.' }),
      box(
        'graph',
        'resting',
        { state: 'paused', reason: 'It rests until it is resumed; nothing is lost.' },
        { state: 'paused' },
      ),
    ];
    await watched.context.route(`**/v1/travellers/${service.traveller}/mailboxes*`, (route) =>
      route.fulfill({ json: { items } }),
    );
    const page = await watched.page(`${service.service.url}/?token=${service.token}`);
    page.setDefaultTimeout(PATIENCE_MS);
    await page.getByText('The mailbox consent needs you').waitFor();
    await page.getByRole('tab', { name: 'Mailboxes' }).click();
    const of = (name: string) =>
      page.locator('.mailbox').filter({ has: page.getByRole('heading', { name, exact: true }) });
    await of('watching').waitFor();
    assert.match(
      await seen(page.locator('.mailbox').first()),
      /^consent\s+Sign in again/,
      'what needs its owner comes first',
    );
    assert.match(
      await seen(of('watching')),
      /Watching[\s\S]*1,200 mails seen: 2 need you · 12 with a booking[\s\S]*checked .* ago/,
    );
    assert.match(await seen(of('older')), /Catching up[\s\S]*1,200 of 4,000 looked at/);
    const bar = of('older').getByRole('progressbar');
    assert.equal(await bar.evaluate((one: HTMLProgressElement) => one.position), 0.3);
    assert.equal(
      await of('uncounted')
        .getByRole('progressbar')
        .evaluate((one: HTMLProgressElement) => one.position),
      -1,
    );
    assert.match(await seen(of('away')), /Not reachable[\s\S]*It is tried again/);
    assert.match(await seen(of('resting')), /Paused[\s\S]*nothing is lost[\s\S]*Go on/);
    assert.equal(await of('consent').getByRole('button', { name: 'Sign in at Google again' }).count(), 1);
    await page.getByRole('button', { name: 'Connect a mailbox' }).click();
    await page.getByRole('button', { name: 'Forward single mails' }).click();
    await page.getByRole('radio', { name: /Sign in at Microsoft.*not set up here/ }).check();
    await page.getByText(/oauth\.microsoft.*docs\/operating\/mailboxes\.md/).waitFor();
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, 'no scrolling sideways');
    assert.deepEqual(watched.faults, []);
    await watched.context.close();
  });
});
