import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { flightMail } from './cli.testing.ts';
import { missingBrowser, openBrowser, PageService, Watched } from './page.testing.ts';

/** The page in a real browser, on the service as it runs for people. The browser's zone and language are odd on purpose. */

const skip = missingBrowser() ?? false;
const service = new PageService();
let browser: Browser;
let watched: Watched;
let page: Page;

const HOSTILE = '<img src=x onerror="globalThis.owned=1"><script>globalThis.owned=2</script>';
const fixture = (name: string) => readFileSync(fileURLToPath(new URL(`../fixtures/mail/${name}.eml`, import.meta.url)));
const leg = (text: string): Locator => page.locator('.leg', { hasText: text });
/** The text as it is shown, line by line. */
const seen = async (where: Locator) => (await where.allInnerTexts()).join('\n');
const signIn = () => `${service.service.url}/?token=${service.token}`;

before(async () => {
  if (skip) return;
  await service.start();
  await service.receive(
    flightMail({ reference: 'HAND01', number: '77', gate: 'A11' }),
    flightMail({ reference: 'CANC01', number: '12' }),
    flightMail({ reference: 'CANC01', number: '12', cancelled: true, date: 'Tue, 03 Nov 2026 09:15:00 +0100' }),
    flightMail({
      reference: 'EVIL01',
      number: '666',
      subject: `"><script>globalThis.owned=3</script>${HOSTILE}`,
      from: `"${HOSTILE.replaceAll('"', "'")}" <x@evil.example>`,
    }),
    fixture('stay-and-rental-graph'),
    fixture('newsletter'),
  );
  await service.call('POST', '/v1/reservations', {
    traveller: service.traveller,
    kind: 'stay',
    legs: [
      {
        facts: {
          name: HOSTILE,
          'start.scheduled': '2031-03-05',
          'end.scheduled': '2031-03-06',
          'start.zone': 'Europe/Zurich',
          'start.locality': HOSTILE,
        },
      },
    ],
  });
  await service.settled();
  browser = await openBrowser();
  watched = await Watched.open(browser, service.service.url);
});
after(async () => {
  if (skip) return;
  await browser?.close();
  await service.forget();
});

test('not signed in, the page says how to; the link signs in and the token leaves the address', { skip }, async () => {
  const stranger = await Watched.open(browser, service.service.url);
  const outside = await stranger.page(service.service.url);
  await outside.getByText('Please sign in').waitFor();
  assert.equal(await outside.locator('.leg').count(), 0);
  assert.ok(
    stranger.faults.every((fault) => /401/.test(fault)),
    stranger.faults.join('\n'),
  );
  await stranger.context.close();

  page = await watched.page(signIn());
  await page.locator('.leg').first().waitFor();
  assert.ok(!page.url().includes('token'), page.url());
  const [cookie] = await watched.context.cookies();
  assert.deepEqual([cookie?.name, cookie?.httpOnly, cookie?.sameSite], ['tw_token', true, 'Strict']);
  assert.equal(await page.evaluate(() => document.cookie), '');
  await page.getByText('live', { exact: true }).waitFor();
});

test("times are the places' own, whatever the zone of the browser", { skip }, async () => {
  const flight = leg('N9 77');
  assert.equal(await flight.locator('time').first().textContent(), '10:05');
  assert.equal(await flight.locator('time').nth(1).textContent(), '12:55');
  assert.equal(await flight.locator('time').first().getAttribute('title'), 'Europe/Berlin');
  const stay = leg('Hotel Polarlys');
  assert.deepEqual(await stay.locator('time').allTextContents(), ['15:00', '11:00']);
  assert.match(await seen(stay), /8\. Dez/, 'the day of an end on another day, in the language of the browser');
  assert.match(
    await seen(page.locator('.trip', { hasText: 'Hotel Polarlys' }).locator('header')),
    /1\. Dez\. – .*8\. Dez\./,
  );
});

test('a cancellation is plain before anything is opened', { skip }, async () => {
  const cancelled = leg('N9 12');
  assert.match(await seen(cancelled), /Cancelled[\s\S]*This flight is cancelled/);
  const trip = page.locator('.trip', { has: cancelled });
  assert.match(await seen(trip.locator('.attention')), /Cancelled N9 12/);
});

test('a change made elsewhere appears by itself, marked; a doubt stands on the leg', { skip }, async () => {
  const flight = leg('N9 77');
  const { items: trips } = await service.call('GET', `/v1/trips?traveller=${service.traveller}`);
  const shown = trips
    .flatMap((trip: { legs: { title: string }[] }) => trip.legs)
    .find((one: { title: string }) => one.title.startsWith('N9 77'));
  await page.evaluate(() => {
    (globalThis as { sameDocument?: boolean }).sameDocument = true;
  });
  await service.call('PATCH', `/v1/reservations/${shown.reservation}`, {
    leg: shown.id,
    facts: { 'start.gate': 'B22', 'start.estimated': '2031-03-04T11:40:00+01:00[Europe/Berlin]' },
  });
  await flight.getByText('just changed').waitFor();
  await flight.getByText('B22').waitFor();
  assert.match(await seen(flight), /1 h 35 min late/);
  assert.match(await seen(flight), /11:40\s+scheduled\s+10:05/);
  assert.equal(await page.evaluate(() => (globalThis as { sameDocument?: boolean }).sameDocument), true, 'no reload');

  await service.receive(
    flightMail({ reference: 'HAND01', number: '77', gate: 'C33', date: new Date(Date.now() + 60_000).toUTCString() }),
  );
  await flight.getByText(/Gate: mail from booking@nordlicht\.example of .* says C33; shown is B22/).waitFor();
  await page.getByRole('tab', { name: /Changes/ }).click();
  await page.getByText(/gate B22 \(was A11\)/).waitFor();
  await page.getByRole('tab', { name: 'Trips' }).click();
});

test('a leg opens by keyboard and tells its history with the evidence', { skip }, async () => {
  await page.getByRole('tab', { name: 'Mails' }).focus();
  const flight = leg('N9 77');
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press('Tab');
    if (await flight.evaluate((element) => element === document.activeElement)) break;
  }
  await page.keyboard.press('Enter');
  const detail = page.locator('.detail');
  await detail.getByText('version 1').waitFor();
  assert.equal(await flight.getAttribute('aria-expanded'), 'true');
  const text = await seen(detail);
  assert.match(text, /gate B22 \(was A11\)/);
  assert.match(text, /you · entered by hand/);
  assert.match(text, /JSON-LD block 1, reservationFor\.departureGate · “C33”/);
  await page.keyboard.press('Tab');
  await detail.locator('summary').click();
  assert.match(await seen(detail.locator('table')), /Gate\s+B22[\s\S]*says: C33/);
  await flight.press('Enter');
  await detail.waitFor({ state: 'detached' });
});

test('every mail has its receipt; the list can be narrowed and leads to the reservation', { skip }, async () => {
  await page.getByRole('tab', { name: 'Mails' }).click();
  const rows = page.locator('.receipts li');
  await rows.nth(6).waitFor();
  assert.equal(await rows.count(), 7);
  await page.getByLabel('Show').selectOption('nothing-found');
  await page.waitForFunction(() => document.querySelectorAll('.receipts li').length === 1);
  assert.match(await seen(rows), /Sale[\s\S]*No travel in it/);
  await page.getByLabel('Show').selectOption('');
  const hand = rows.filter({ hasText: 'Your booking HAND01' }).first();
  await hand.getByRole('button', { name: 'show reservation' }).click();
  await page.locator('.detail').getByText('reference HAND01').waitFor();
});

test('what mails and people write is text, never markup', { skip }, async () => {
  assert.ok((await page.locator('.leg', { hasText: '<img src=x' }).count()) >= 1, 'shown as it was written');
  await page.getByRole('tab', { name: 'Mails' }).click();
  await page.getByText('<script>globalThis.owned=3</script>').waitFor();
  await page.getByRole('tab', { name: 'Trips' }).click();
  assert.equal(await page.evaluate(() => (globalThis as { owned?: number }).owned), undefined);
  assert.equal(await page.locator('#app img:not([src="/icon.svg"]), #app script').count(), 0);
  const headers = (await page.request.get(service.service.url)).headers();
  assert.match(headers['content-security-policy'] ?? '', /^default-src 'self';/);
  assert.doesNotMatch(headers['content-security-policy'] ?? '', /unsafe/);
});

test('readable in light and dark, on a phone without scrolling sideways, with names for everything', {
  skip,
}, async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const phone = await Watched.open(browser, service.service.url, {
      colorScheme,
      viewport: { width: 360, height: 740 },
    });
    const small = await phone.page(signIn());
    await small.locator('.leg', { hasText: 'N9 77' }).click();
    await small.locator('.history').waitFor();
    for (const view of ['Trips', 'Mails', /Changes/, 'Mailboxes']) {
      await small.getByRole('tab', { name: view }).click();
      await small.waitForTimeout(50);
      const width = await small.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `${view}: ${width} px wide`);
      assert.deepEqual(await small.evaluate(faint), [], `${colorScheme}, ${view}: text that is hard to read`);
      assert.deepEqual(await small.evaluate(unnamed), [], String(view));
    }
    await small.getByRole('button', { name: 'Connect a mailbox' }).click();
    await small.getByRole('button', { name: 'Forward single mails' }).click();
    await small.getByRole('radio', { name: /Password \(IMAP\)/ }).check();
    assert.deepEqual(await small.evaluate(faint), [], `${colorScheme}, connecting: text that is hard to read`);
    assert.deepEqual(await small.evaluate(unnamed), [], 'connecting');
    // The measure can fail: text as pale as this is found.
    await small.locator('footer').evaluate((footer) => {
      footer.style.color = '#777d88';
    });
    assert.equal((await small.evaluate(faint)).length, 1, `${colorScheme}: pale text was not noticed`);
    assert.deepEqual(phone.faults, []);
    await phone.context.close();
  }
});

test('while the service is away the page says so, and comes back by itself', { skip, timeout: 60_000 }, async () => {
  const before = watched.faults.length;
  await service.stop();
  await page.getByText('not connected, trying again').waitFor();
  await service.start();
  await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 });
  await service.call('POST', '/v1/reservations', {
    traveller: service.traveller,
    kind: 'taxi',
    legs: [
      { facts: { 'start.scheduled': '2031-03-04T09:00', 'start.zone': 'Europe/Berlin', 'start.name': 'Adlerplatz' } },
    ],
  });
  await leg('Adlerplatz').waitFor();
  // Only here may the console tell of failed requests: the service was not there.
  assert.ok(
    watched.faults.slice(before).every((fault) => /ERR_|Failed to load/.test(fault)),
    watched.faults.join('\n'),
  );
  assert.deepEqual(watched.faults.slice(0, before), []);
});

/** In the page: texts whose contrast with what lies behind them is below 4.5 (WCAG 2.2, 1.4.3). */
function faint(): string[] {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const paint = canvas.getContext('2d', { willReadFrequently: true })!;
  const over = (colours: string[]) => {
    paint.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      paint.fillStyle = colour;
      paint.fillRect(0, 0, 1, 1);
    }
    return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb: number[]) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const found = new Set<string>();
  let looked = 0;
  for (const element of document.querySelectorAll<HTMLElement>('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent!.trim() !== '');
    if (!own || element.closest('.sr, option, noscript, script') !== null || element.offsetParent === null) continue;
    const behind: string[] = [];
    for (let at: Element | null = element; at !== null; at = at.parentElement)
      behind.unshift(getComputedStyle(at).backgroundColor);
    const back = over(['white', ...behind]);
    const text = over([`rgb(${back.join(',')})`, getComputedStyle(element).color]);
    const [light, dark] = [luminance(back), luminance(text)].sort((a, b) => b - a);
    const ratio = (light! + 0.05) / (dark! + 0.05);
    looked++;
    if (ratio < 4.5)
      found.add(`${ratio.toFixed(2)} ${element.className || element.tagName}: ${element.textContent!.slice(0, 30)}`);
  }
  return looked < 5 ? ['nothing to look at'] : [...found];
}

/** In the page: controls without a name, and the few things that a page must have once. */
function unnamed(): string[] {
  const faults: string[] = [];
  for (const element of document.querySelectorAll<HTMLElement>('button, a, select, input')) {
    const name =
      element.getAttribute('aria-label') ??
      (element as HTMLSelectElement).labels?.[0]?.textContent ??
      element.textContent ??
      '';
    if (name.trim() === '') faults.push(`${element.tagName} without a name`);
  }
  for (const image of document.querySelectorAll('img:not([alt])')) faults.push(`image without alt: ${image.outerHTML}`);
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (document.documentElement.lang === '') faults.push('no lang');
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  if (new Set(ids).size !== ids.length) faults.push('an id twice');
  return faults;
}
