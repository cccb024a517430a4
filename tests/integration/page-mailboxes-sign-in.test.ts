import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { MailBox } from '../../src/sandbox/mailboxes/box.ts';
import { startGmailFake } from '../../src/sandbox/mailboxes/gmail.ts';
import { startGraphFake } from '../../src/sandbox/mailboxes/graph.ts';
import { flightMail } from './cli.testing.ts';
import { missingBrowser, openBrowser, PageService, Watched } from './page.testing.ts';

/** Connecting mailboxes on the page by sign-in, at doubles of the providers. */

const noBrowser = missingBrowser() ?? false;
const LUNCH = 'From: Bea <bea@friends.example>\r\nSubject: Sunday lunch\r\nMessage-ID: <lunch@x>\r\n\r\nAt one?\r\n';
/** Mails, tokens and a browser on a machine that is busy. */
const PATIENCE_MS = 60_000;

/** What differs between providers: whose address one types, and where mails are read. */
const PROVIDERS = [
  { client: 'google', label: 'Google', typed: 'ada@gmail.com', mine: 'ada@gmail.example', start: startGmailFake },
  {
    client: 'microsoft',
    label: 'Microsoft',
    typed: 'ada@outlook.com',
    mine: 'ada@work.example',
    start: startGraphFake,
  },
] as const;

for (const { client, label, typed, mine: address, start } of PROVIDERS)
  describe(`a mailbox by sign-in at ${label} on the page`, { skip: noBrowser }, () => {
    const box = new MailBox(address, 'page');
    let fake: { readonly url: string; close(): Promise<void> };
    let provider: Server;
    let service: PageService;
    let browser: Browser;
    let watched: Watched;
    let page: Page;
    let elsewhere = '';
    let answer: 'allow' | 'deny' = 'allow';
    /** Serial of the token that opens the mailbox; no other does. */
    let good = 1;
    /** Whether the provider renews. */
    let renews = true;
    let challenge = '';

    /** The provider's own pages: it asks (here it is always the same answer), and gives tokens for a code that is proven. */
    const provide = (
      url: URL,
      form: URLSearchParams,
    ): { readonly status: number; readonly to?: string; readonly body?: unknown } => {
      if (url.pathname === '/authorize') {
        challenge = url.searchParams.get('code_challenge') ?? '';
        const to = new URL(url.searchParams.get('redirect_uri')!);
        const state = url.searchParams.get('state')!;
        to.search = new URLSearchParams(
          answer === 'allow' ? { code: 'c1', state } : { error: 'access_denied', state },
        ).toString();
        return { status: 302, to: to.href };
      }
      if (form.get('grant_type') === 'refresh_token') {
        return renews
          ? { status: 200, body: { access_token: `a${good}`, expires_in: 3600 } }
          : { status: 400, body: { error: 'invalid_grant' } };
      }
      const proof = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (form.get('code') !== 'c1' || proof !== challenge) return { status: 400, body: { error: 'invalid_grant' } };
      const claims = Buffer.from(JSON.stringify({ email: box.address })).toString('base64url');
      return {
        status: 200,
        body: { access_token: `a${good}`, expires_in: 3600, refresh_token: 'r1', id_token: `h.${claims}.s` },
      };
    };

    before(async () => {
      box.deliver(Buffer.from(flightMail({ reference: 'SIGNED1', number: '51' })), Date.now() - 60_000);
      box.deliver(Buffer.from(LUNCH), Date.now() - 30_000);
      fake = await start({ box, now: Date.now, accepts: (token) => token === `a${good}` });
      provider = createServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const url = new URL(request.url ?? '/', 'http://x');
        const { status, to, body } = provide(url, new URLSearchParams(Buffer.concat(chunks).toString()));
        response.writeHead(status, to === undefined ? { 'content-type': 'application/json' } : { location: to });
        response.end(body === undefined ? '' : JSON.stringify(body));
      });
      await new Promise<void>((resolve) => provider.listen(0, resolve));
      const { port } = provider.address() as AddressInfo;
      // Another site than the page's, as the provider's is: cookies that are strict do not come along from there.
      elsewhere = `http://localhost:${port}`;
      service = new PageService({
        oauth: {
          [client]: {
            clientId: 'c1',
            authorizeUrl: `${elsewhere}/authorize`,
            tokenUrl: `http://127.0.0.1:${port}/token`,
            apiUrl: fake.url,
          },
        },
      });
      await service.start();
      browser = await openBrowser();
      watched = await Watched.open(browser, service.service.url, { locale: 'en-GB' });
      page = await watched.page(`${service.service.url}/?token=${service.token}`);
      page.setDefaultTimeout(PATIENCE_MS);
    });
    after(async () => {
      await browser?.close();
      await service?.forget();
      provider?.close();
      provider?.closeAllConnections();
      await fake?.close();
    });

    const begin = async () => {
      await page.getByRole('tab', { name: 'Mailboxes' }).click();
      await page.getByRole('button', { name: 'Connect a mailbox' }).click();
      await page.getByLabel('Your mail address').fill(typed);
      await page.getByRole('button', { name: 'Find the settings' }).click();
      const way = page.getByRole('radio', { name: new RegExp(`Sign in at ${label}.*fits this address`) });
      await way.waitFor();
      assert.equal(await way.isChecked(), true);
      await page.getByRole('button', { name: `Go on to ${label}` }).click();
    };
    const faults = () => watched.faults.filter((fault) => fault !== `request to ${elsewhere}`);

    test('who does not agree is told so, and nothing is stored', async () => {
      answer = 'deny';
      await begin();
      await page
        .getByRole('alert')
        .getByText(/You did not agree at the provider/)
        .waitFor();
      assert.ok(!page.url().includes('refused'), page.url());
      await page.locator('.mailbox').waitFor();
      assert.equal(await page.locator('.mailbox').count(), 1);
    });

    test('who agrees comes back to a connected mailbox, and the code is in no address', async () => {
      answer = 'allow';
      await begin();
      await page.getByText(`${address} is connected`).waitFor();
      assert.doesNotMatch(page.url(), /code|state/);
      const mine = page.locator('.mailbox', { hasText: address });
      await mine.getByText('2 mails seen: 1 with a booking · 1 left unopened').waitFor();
      await page.reload();
      await mine.getByText('2 mails seen').waitFor();
      await page.getByRole('tab', { name: 'Trips' }).click();
      await page.locator('.leg', { hasText: 'N9 51' }).waitFor();
    });

    test('consent that was taken back is told, and given again in one step', async () => {
      good = 2;
      renews = false;
      await page.getByRole('tab', { name: 'Mailboxes' }).click();
      const mine = page.locator('.mailbox', { hasText: address });
      await mine.getByRole('button', { name: /^Check now/ }).click();
      await mine.locator('.pill', { hasText: 'Sign in again' }).waitFor();
      // The change of the mailbox, which is about no trip, came to an open page.
      assert.deepEqual(await page.getByRole('alert').filter({ hasText: 'Cannot read' }).allInnerTexts(), []);
      box.deliver(Buffer.from(flightMail({ reference: 'SIGNED2', number: '52' })), Date.now());
      await mine.getByRole('button', { name: `Sign in at ${label} again` }).click();
      await page.getByText(`${address} is connected`).waitFor();
      await mine.getByText('3 mails seen: 2 with a booking').waitFor();
      assert.deepEqual(faults(), []);
    });
  });
