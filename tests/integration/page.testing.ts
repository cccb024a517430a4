import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { addMailbox, addToken, addTraveller } from '../../src/api/commands/accounts.ts';
import { loadConfig } from '../../src/app/config.ts';
import { type Core, OPERATOR, openCore } from '../../src/app/core.ts';
import { prepareFolder } from '../../src/app/paths.ts';
import { type Service, startService } from '../../src/app/service.ts';
import { SmtpClient } from './mail-in.testing.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Why the tests in a browser cannot run here; undefined where they can. Under CI that is a failure, not a skip. */
export function missingBrowser(): string | undefined {
  if (existsSync(CHROMIUM)) return undefined;
  const reason = `no Chromium at ${CHROMIUM}; set CHROMIUM_PATH to run these`;
  if (process.env.CI === 'true') throw new Error(reason);
  return reason;
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** The service as it runs for people, in a folder of its own and without providers. */
export class PageService {
  folder = '';
  core!: Core;
  service!: Service;
  token = '';
  traveller = '';
  address = '';
  /** Of the configuration, beside what every such service has. */
  readonly #settings: Readonly<Record<string, unknown>>;

  constructor(settings: Readonly<Record<string, unknown>> = {}) {
    this.#settings = settings;
  }

  /** Starts; a second time on the same port, as after a restart. */
  async start(): Promise<void> {
    if (this.folder === '') this.folder = mkdtempSync(join(tmpdir(), 'tripwatch-page-'));
    const port = this.service === undefined ? 0 : Number(new URL(this.service.url).port);
    const config = loadConfig({
      data: this.folder,
      override: { ...this.#settings, http: { port }, smtp: { port: 0 }, log: { level: 'silent' }, workers: 1 },
    });
    this.core = await openCore(config, prepareFolder(this.folder));
    this.service = await startService(this.core);
    if (this.token !== '') return;
    const { commands } = this.core;
    this.token = (await addToken(commands, OPERATOR, { label: 'page', scopes: ['read', 'write', 'operate'] })).secret;
    const ada = await addTraveller(commands, OPERATOR, { name: 'Ada Lovelace', zone: 'Europe/London', locale: 'en' });
    this.traveller = ada.id;
    const mailbox = await addMailbox(commands, OPERATOR, ada.id, { kind: 'forward', label: 'forwarded' });
    this.address = mailbox.address!;
  }

  /** Brings mails in by SMTP and waits until every one has its end. */
  async receive(...mails: readonly (string | Uint8Array)[]): Promise<void> {
    for (const mail of mails) {
      const smtp = await SmtpClient.open(this.service.smtpPort!);
      assert.match(await smtp.send([this.address], Buffer.from(mail)), /^250 /);
      smtp.close();
    }
    await this.settled();
  }

  async settled(): Promise<void> {
    for (;;) {
      const { stages, ready } = await this.service.status();
      if (ready && stages.every((stage) => stage.waiting === 0)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  async call(method: string, path: string, body?: unknown): Promise<any> {
    const response = await fetch(this.service.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
    return response.status === 204 ? undefined : response.json();
  }

  async stop(): Promise<void> {
    await this.service.stop();
    await this.core.close();
  }
  async forget(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What must not happen on any page: errors on the console, refused resources, requests to other hosts, scripts of mails. */
export class Watched {
  readonly faults: string[] = [];
  readonly context: BrowserContext;

  private constructor(context: BrowserContext) {
    this.context = context;
  }

  static async open(browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<Watched> {
    const context = await browser.newContext({
      // Deliberately not those of any place or machine in the tests.
      timezoneId: 'Pacific/Chatham',
      locale: 'de-DE',
      viewport: { width: 1000, height: 900 },
      ...options,
    });
    const watched = new Watched(context);
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol !== 'data:' && url.origin !== origin) watched.faults.push(`request to ${url.origin}`);
    });
    context.on('console', (message) => {
      if (message.type() === 'error') watched.faults.push(`console: ${message.text()}`);
    });
    context.on('weberror', (error) => watched.faults.push(`error: ${error.error().message}`));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return watched;
  }

  async page(url: string): Promise<Page> {
    const page = await this.context.newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(url);
    return page;
  }
}
