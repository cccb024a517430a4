import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { addToken } from '../../api/commands/accounts.ts';
import {
  playSandbox,
  SANDBOX_ENV,
  type SandboxProviders,
  startSandboxProviders,
  type Verdict,
  verifySandbox,
} from '../../sandbox/sandbox.ts';
import { verdictLines } from '../../sandbox/verify.ts';
import { action, type CommandContext } from '../command.ts';
import { loadConfig } from '../config.ts';
import { type Core, OPERATOR, openCore } from '../core.ts';
import { prepareFolder } from '../paths.ts';
import { type Service, startService } from '../service.ts';
import { count } from './numbers.ts';
import { untilStopped } from './up.ts';

interface DemoOptions {
  readonly speed: number;
  readonly seed: number;
  readonly travellers: number;
  readonly flights: number;
  readonly hours: number;
  readonly httpPort: number;
  readonly exit?: boolean;
}

/** Real time from the start to the first minute of the day: enough to enrol a small day's travellers. */
const BEGINS_IN_MS = 1500;

/** `npm start`: service and sandbox in one process, on a new folder. */
export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description('try it: the service and a sandbox airport day together (this is `npm start`)')
    .option('--speed <factor>', 'sandbox minutes in a real minute', count('--speed', 1, 10_000), 60)
    .option('--seed <n>', 'another day', count('--seed', 0, 2 ** 31), 1)
    .option('--travellers <n>', 'how many travel', count('--travellers', 1, 5000), 12)
    .option('--flights <n>', 'how many flights there are', count('--flights', 1, 1000), 25)
    .option('--hours <n>', 'how long the day is', count('--hours', 6, 48), 24)
    .option('--http-port <port>', 'port of page and API (taken: any free one)', count('--http-port', 0, 65_535), 8420)
    .option('--exit', 'end after the day, with exit code 1 when the verdict is bad')
    .addHelpText(
      'after',
      `
This plays invented travellers on a seeded day against fake providers on loopback. For your own trips:
  node bin/tripwatch.js import ~/Mail     mails you have
  node bin/tripwatch.js mailbox add       an address to forward new ones to
  node bin/tripwatch.js up                the service
Providers and everything else: node bin/tripwatch.js --help, docs/operating/configuration.md`,
    )
    .action(
      action(async (context, options: DemoOptions) => {
        const folder = context.data ?? newFolder();
        const paths = prepareFolder(folder);
        const port = await freePort(options.httpPort);
        Object.assign(process.env, SANDBOX_ENV);
        const providers = await startSandboxProviders({
          dataDir: paths.folder,
          day: { seed: options.seed, travellers: options.travellers, flights: options.flights, hours: options.hours },
          speed: options.speed,
          beginsInMs: BEGINS_IN_MS,
          pushUrl: `http://127.0.0.1:${port}/push/duffel`,
        });
        const config = loadConfig({
          data: paths.folder,
          override: {
            http: { port },
            smtp: { port: 0 },
            clock: providers.clockConfig,
            mails: providers.mailsConfig,
            providers: providers.accounts,
            // The webhook sink of the sandbox is on loopback.
            webhooks: { allowPrivate: true },
            log: { level: 'error' },
          },
        });
        const core = await openCore(config, paths);
        try {
          const service = await startService(core);
          try {
            await play(context, options, core, service, providers);
          } finally {
            await service.stop();
          }
        } finally {
          await core.close();
          await providers.stop();
        }
      }),
    );
}

async function play(
  context: CommandContext,
  options: DemoOptions,
  core: Core,
  service: Service,
  providers: SandboxProviders,
): Promise<void> {
  const { style } = context;
  const issued = await addToken(core.commands, OPERATOR, { label: 'demo', scopes: ['read', 'write', 'operate'] });
  const signIn = `${service.url}/?token=${issued.secret}`;
  const tripwatch = {
    url: service.url,
    token: issued.secret,
    smtp: { host: core.config.smtp.host, port: service.smtpPort! },
  };
  context.say(style.bold('Tripwatch and a sandbox airport day are running.'));
  context.say(`  page   ${style.cyan(signIn)}`);
  context.say(`  data   ${core.paths.folder}`);
  context.say(
    `  day    seed ${options.seed}: ${options.travellers} travellers, ${options.flights} flights, ${options.speed} times as fast as real; times below are UTC`,
  );
  context.say(
    style.dim(
      '  Airlines, hotels and desks are invented and answer on loopback. Ctrl-C ends. `npm start -- --help` tells how to watch your own trips.\n',
    ),
  );
  await playSandbox({
    providers,
    tripwatch,
    signal: context.signal,
    tell: (text) => context.say(coloured(context, text)),
  });
  const verdict = await verifySandbox({ folder: providers.folder, tripwatch, signal: AbortSignal.timeout(30_000) });
  report(context, verdict);
  context.result({ data: core.paths.folder, verdict });
  if (options.exit === true) {
    if (!verdict.ok) process.exitCode = 1;
    return;
  }
  if (!context.signal.aborted) {
    context.say(style.dim('\nThe day is over; the page stays up. Ctrl-C ends.'));
    await untilStopped(context.signal);
  }
  context.say(`\nEverything is in ${core.paths.folder}`);
  context.say(style.dim(`  node bin/tripwatch.js receipts --data ${core.paths.folder}`));
}

function coloured({ style }: CommandContext, text: string): string {
  return text.includes('Tripwatch: ') ? text.replace('Tripwatch: ', style.cyan('Tripwatch: ')) : style.dim(text);
}

function report({ say, style }: CommandContext, verdict: Verdict): void {
  say(`\n${style.bold('What Tripwatch knows and said, against what really happened:')}`);
  for (const one of verdictLines(verdict)) say(`  ${one}`);
}

/** A folder of its own for each demo, in the project. */
function newFolder(): string {
  const stamp = Temporal.Now.plainDateTimeISO().toString({ smallestUnit: 'second' }).replaceAll(':', '-');
  return join(fileURLToPath(new URL('../../../data', import.meta.url)), `demo-${stamp}`);
}

/** The wanted port if it is free, else any. */
async function freePort(wanted: number): Promise<number> {
  const tryPort = (port: number) =>
    new Promise<number | undefined>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(undefined));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
      });
    });
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? wanted;
}
