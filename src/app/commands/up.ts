import type { Command } from 'commander';
import { addToken } from '../../api/commands/accounts.ts';
import { action, type CommandContext } from '../command.ts';
import { type Core, OPERATOR } from '../core.ts';
import { parseRoles, ROLES } from '../roles.ts';
import { type Service, startService } from '../service.ts';
import { withCore } from '../with-core.ts';
import { count } from './numbers.ts';

/** `tripwatch up`: the service, for real mailboxes and accounts. */
export function upCommand(program: Command): void {
  program
    .command('up')
    .description('run the service: mails in, tracking, REST, webhooks, page')
    .option('--http-port <port>', 'port of page and API', count('--http-port', 0, 65_535))
    .option('--smtp-port <port>', 'port that forwarded mails come in by', count('--smtp-port', 0, 65_535))
    .option('--stages <list>', `what this process does, of ${ROLES.join(',')}`, 'all')
    .option('--log <level>', 'debug, info, warn, error or silent')
    .action(
      action(async (context, options: { httpPort?: number; smtpPort?: number; log?: string; stages: string }) => {
        const roles = parseRoles(options.stages);
        const override = {
          http: { port: options.httpPort },
          smtp: { port: options.smtpPort },
          log: { level: options.log },
        };
        await withCore(
          context,
          'make',
          async (core) => {
            const service = await startService(core, roles);
            const link = roles.includes('api') && !core.shared ? await firstLink(core, service) : undefined;
            context.result({
              url: service.url,
              smtpPort: service.smtpPort,
              data: core.paths.folder,
              ...(link === undefined ? {} : { signIn: link }),
            });
            announce(context, core, service, link);
            try {
              await untilStopped(context.signal);
              context.note('\nStopping: finishing what runs (Ctrl-C again ends at once) …');
            } finally {
              await service.stop();
            }
          },
          clean(override),
        );
      }),
    );
}

function announce(context: CommandContext, core: Core, service: Service, link: string | undefined): void {
  const { style } = context;
  context.say(`${style.bold('Tripwatch is up.')}`);
  context.say(
    `  page      ${style.cyan(link ?? service.url)}${link === undefined ? '  (sign in: `tripwatch token add`)' : '  (signs this browser in; shown this once)'}`,
  );
  context.say(
    `  mails     ${service.smtpPort === undefined ? 'SMTP is off' : `SMTP on ${core.config.smtp.host}:${service.smtpPort}; \`tripwatch mailbox add\` makes an address`}`,
  );
  context.say(
    `  providers ${core.config.providers.length === 0 ? 'none yet: see docs/operating/configuration.md; without one, reservations rest on mails alone' : core.config.providers.map((one) => one.account).join(', ')}`,
  );
  context.say(`  data      ${core.paths.folder}`);
}

/** A sign-in link for a new installation; later starts make none, because a link that is printed is a link that leaks. */
async function firstLink(core: Core, service: Service): Promise<string | undefined> {
  const tokens = await core.store.read((tx) => tx.accounts.listTokens(OPERATOR.tenant));
  if (tokens.length > 0) return undefined;
  const issued = await addToken(core.commands, OPERATOR, {
    label: 'first sign-in',
    scopes: ['read', 'write', 'operate'],
  });
  return `${service.url}/?token=${issued.secret}`;
}

export function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Sections without the options that were not given. */
function clean(sections: Record<string, Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(sections)
      .map(
        ([name, section]) =>
          [name, Object.fromEntries(Object.entries(section).filter(([, value]) => value !== undefined))] as const,
      )
      .filter(([, section]) => Object.keys(section).length > 0),
  );
}
