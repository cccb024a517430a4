import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { TripwatchError } from '../../domain/errors.ts';
import {
  existingDay,
  playSandbox,
  SANDBOX_KEYS,
  type SandboxProviders,
  startSandboxProviders,
  verifySandbox,
} from '../../sandbox/sandbox.ts';
import { type RunningVendor, startSandboxVendors, vendorAccount } from '../../sandbox/vendors.ts';
import { type Verdict, verdictLines } from '../../sandbox/verify.ts';
import { action, type CommandContext } from '../command.ts';
import { dataFolder } from '../paths.ts';
import { count } from './numbers.ts';

interface PlayOptions {
  readonly seed: number;
  readonly travellers: number;
  readonly flights: number;
  readonly hours: number;
  readonly speed: number;
  readonly service: string;
  readonly smtp: string;
  readonly token?: string;
}

/** Real time until the day begins: enough to start a service beside. */
const BEGINS_IN_MS = 20_000;

/** `tripwatch sandbox`: plays an airport day into a service that runs by itself; `sandbox verify` judges it. */
export function sandboxCommand(program: Command): void {
  const sandbox = program
    .command('sandbox')
    .description('play a seeded airport day on loopback into a running service, and compare it with the truth')
    .option('--seed <n>', 'which day', count('--seed', 0, 2 ** 31), 1)
    .option('--travellers <n>', 'how many travel', count('--travellers', 1, 5000), 12)
    .option('--flights <n>', 'how many flights there are', count('--flights', 1, 1000), 25)
    .option('--hours <n>', 'how long the day is', count('--hours', 6, 48), 24)
    .option('--speed <factor>', 'sandbox minutes in a real minute', count('--speed', 1, 10_000), 60)
    .option('--service <url>', 'address of the service', 'http://127.0.0.1:8420')
    .option('--smtp <host:port>', 'where the service takes mails', '127.0.0.1:2525')
    .option('--token <token>', 'token with all scopes (or TRIPWATCH_TOKEN)')
    .addHelpText(
      'after',
      `
Without a token it serves the fake providers, writes a configuration for the service and says how to go on.
Further vendors answer about the same day, and Expedia and the airline by NDC post notices to /push/ACCOUNT; how to
connect them is said at the start.
Stopped and started again with the same --data, it goes on with the same day. \`npm start\` does all of it at once.`,
    )
    .action(action(play));
  sandbox
    .command('verify')
    .description('compare what the service knows and said with the truth; exit code 1 when something is not as it was')
    .addHelpText(
      'after',
      '\nTakes --service and --token as `tripwatch sandbox` does; a token with the scope read is enough.',
    )
    .action(
      action(async (context) => {
        const options = sandbox.opts<PlayOptions>();
        const token = options.token ?? context.env.TRIPWATCH_TOKEN;
        if (token === undefined) throw tokenMissing();
        const folder = existingDay(sandboxFolder(context));
        const tripwatch = { url: options.service, token };
        report(context, await verifySandbox({ folder, tripwatch, signal: context.signal }));
      }),
    );
}

async function play(context: CommandContext, options: PlayOptions): Promise<void> {
  const dataDir = sandboxFolder(context);
  const providers = await startSandboxProviders({
    dataDir,
    day: { seed: options.seed, travellers: options.travellers, flights: options.flights, hours: options.hours },
    speed: options.speed,
    beginsInMs: BEGINS_IN_MS,
    pushUrl: new URL('/push/duffel', options.service).href,
  });
  const token = options.token ?? context.env.TRIPWATCH_TOKEN;
  // Without a token nothing is played, so nothing is posted.
  const further = await startSandboxVendors(providers.folder, token === undefined ? undefined : options.service);
  try {
    const { scenario } = providers.folder;
    const { seed, travellers, flights } = scenario.options;
    context.say(`Seed ${seed}: ${travellers} travellers, ${flights} flights; times are UTC. Kept in ${dataDir}`);
    for (const [name, url] of Object.entries(providers.urls)) context.say(`  ${name.padEnd(12)} ${url}`);
    const config = writeConfig(dataDir, providers, options);
    sayVendors(context, further.vendors, writeVendors(dataDir, further.vendors));
    if (token === undefined) {
      context.say(`
The fake providers answer. In another terminal start the service and make a token:
  tripwatch up --data ${dataDir} --config ${config}
  tripwatch token add sandbox --data ${dataDir}
then stop this one and run it again with --token TOKEN --data ${dataDir}; the day goes on.`);
      await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve(), { once: true }));
      return;
    }
    const tripwatch = { url: options.service, token, smtp: smtpAddress(options.smtp) };
    await playSandbox({
      providers,
      tripwatch,
      notices: further.notices,
      signal: context.signal,
      tell: context.say,
    });
    if (context.signal.aborted) return;
    report(context, await verifySandbox({ folder: providers.folder, tripwatch, signal: context.signal }));
  } finally {
    await further.stop();
    await providers.stop();
  }
}

function sayVendors(context: CommandContext, vendors: readonly RunningVendor[], file: string): void {
  context.say(`Further vendors answer about the same day. To try one, copy its account from ${file}`);
  context.say('into "providers" of the configuration, and register a booking by its number there:');
  for (const { vendor, url, example } of vendors) {
    const notes = [example === undefined ? undefined : `e.g. ${example}`, vendor.hint].filter(Boolean).join('; ');
    context.say(`  ${vendor.account.padEnd(14)} ${url.padEnd(27)} ${notes}`);
  }
}

/** Accounts of the further vendors, with their secrets as files beside. */
function writeVendors(dataDir: string, vendors: readonly RunningVendor[]): string {
  const folder = join(dataDir, 'sandbox');
  const accounts = vendors.map((one) =>
    vendorAccount(one, (secret) => {
      const file = join(folder, `${one.vendor.account}.${secret}.key`);
      writeFileSync(file, one.vendor.secrets[secret] ?? '', { mode: 0o600 });
      return `file:${file}`;
    }),
  );
  const file = join(folder, 'vendors.json');
  writeFileSync(file, `${JSON.stringify({ providers: accounts }, undefined, 2)}\n`);
  return file;
}

function report(context: CommandContext, verdict: Verdict): void {
  for (const text of verdictLines(verdict)) context.say(text);
  context.result(verdict);
  if (!verdict.ok) process.exitCode = 1;
}

/** `--data` as it is; without it not the folder of the real trips, but one beside them. */
function sandboxFolder(context: CommandContext): string {
  return context.data === undefined
    ? join(dataFolder(undefined, context.env), 'sandbox-day')
    : dataFolder(context.data, {});
}

/** Configuration for a service that listens to this sandbox; keys as files beside it, so that no variable is needed. */
function writeConfig(dataDir: string, providers: SandboxProviders, options: PlayOptions): string {
  const folder = join(dataDir, 'sandbox');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = (name: keyof typeof SANDBOX_KEYS): string => {
    const file = join(folder, `${name}.key`);
    writeFileSync(file, SANDBOX_KEYS[name], { mode: 0o600 });
    return `file:${file}`;
  };
  const service = new URL(options.service);
  const config = {
    http: { host: service.hostname, port: Number(service.port || 80) },
    smtp: { host: smtpAddress(options.smtp).host, port: smtpAddress(options.smtp).port },
    clock: providers.clockConfig,
    mails: providers.mailsConfig,
    webhooks: { allowPrivate: true },
    providers: providers.accounts.map((account) => ({
      ...account,
      key: key(account.connector),
      ...(account.webhookSecret === undefined ? {} : { webhookSecret: key('duffelWebhook') }),
    })),
  };
  const file = join(folder, 'tripwatch.config.json');
  writeFileSync(file, `${JSON.stringify(config, undefined, 2)}\n`);
  return file;
}

function smtpAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new TripwatchError(
      'permanent',
      'option-invalid',
      `--smtp is "${text}"; write host:port, such as 127.0.0.1:2525.`,
    );
  }
  return { host, port: Number(port) };
}

function tokenMissing(): TripwatchError {
  return new TripwatchError(
    'permanent',
    'option-missing',
    'A token is needed: --token or TRIPWATCH_TOKEN. `tripwatch token add` makes one.',
  );
}
