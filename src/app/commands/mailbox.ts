import type { Command } from 'commander';
import { changeMailbox, checkMailbox, removeMailbox, testMailbox } from '../../api/commands/mailboxes.ts';
import { mailboxView } from '../../api/views/accounts.ts';
import { mailboxTestView, mailboxViews } from '../../api/views/mailboxes.ts';
import { pauseWorkSchema } from '../../contracts/http/control.ts';
import { changeMailboxSchema } from '../../contracts/http/mailboxes.ts';
import type { MailboxView } from '../../contracts/http/views.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { parseOptions } from '../checked.ts';
import { action, type CommandContext } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { type PasswordSource, readPassword } from '../terminal/password.ts';
import { age, printable, table } from '../terminal/style.ts';
import { chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { pauseHere, resumeHere } from './control.ts';
import { daysOf, mailboxAddCommand } from './mailbox-add.ts';
import { sayTest, serviceNote } from './mailbox-say.ts';
import { operatorHere } from './operator.ts';

interface ChangeOptions extends PasswordSource {
  readonly password?: boolean;
  readonly folder?: readonly string[];
  readonly since?: string;
  readonly test: boolean;
}

/** `tripwatch mailbox …`: where mails come in. */
export function mailboxCommands(program: Command): void {
  const mailbox = program
    .command('mailbox')
    .description('where mails come in: add, list, test, check, change, pause, resume, remove');
  mailboxAddCommand(mailbox);
  mailbox
    .command('list')
    .option('--traveller <name>', 'whose (name or id); default: everyone')
    .description('how each stands, and what came of its mails')
    .action(
      action(async (context, options: { traveller?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = options.traveller === undefined ? undefined : await chosenTraveller(core, options.traveller);
          const items = await core.store.read(async (tx) =>
            mailboxViews(tx, await tx.accounts.listMailboxes(OPERATOR.tenant, owner?.id), core.commands, context.json),
          );
          context.result(items);
          context.say(
            items.length === 0
              ? 'No mailbox yet: tripwatch mailbox add'
              : table(items.map((one) => row(context, one, core.clock.now()))),
          );
          for (const one of items) sayNotes(context, one);
        });
      }),
    );
  mailbox
    .command('test')
    .argument('<id>', 'mbx_…')
    .description('sign in and look, changing nothing: folders, and what would be read')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          const test = await testMailbox(core.commands, operatorHere(), id, context.signal);
          context.result(mailboxTestView(test));
          sayTest(context, test);
        });
      }),
    );
  mailbox
    .command('check')
    .argument('<id>', 'mbx_…')
    .description('look now')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          const checked = await checkMailbox(core.commands, operatorHere(), id);
          context.result({ id: checked.id, asked: true });
          context.say(`${id} is looked at now.`);
          serviceNote(context, core);
        });
      }),
    );
  mailbox
    .command('change')
    .argument('<id>', 'mbx_…')
    .option('--password', 'enter another password')
    .option('--password-env <name>', 'variable that holds it')
    .option('--password-file <path>', 'file that holds it')
    .option('--folder <name...>', 'folders to read from now on')
    .option('--since <days>', 'how far back, e.g. 365d; further back begins the older mails anew')
    .option('--no-test', 'store it without signing in first')
    .description('another password, other folders, further back')
    .action(
      action(async (context, id: string, options: ChangeOptions) => {
        await withCore(context, 'existing', async (core) => {
          const wanted = [options.password, options.passwordEnv, options.passwordFile].some((one) => one !== undefined);
          if (!wanted && options.folder === undefined && options.since === undefined)
            throw new TripwatchError(
              'permanent',
              'option-missing',
              'Say what to change: --password (it is asked for), --folder or --since.',
            );
          const body = parseOptions(changeMailboxSchema, {
            test: options.test,
            ...(options.folder === undefined ? {} : { folders: [...options.folder] }),
            ...(options.since === undefined ? {} : { sinceDays: daysOf(options.since) }),
            ...(wanted ? { password: await readPassword('New password', options, context.env, context.signal) } : {}),
          });
          const changed = await changeMailbox(core.commands, operatorHere(), id, body, context.signal);
          context.result(mailboxView(changed));
          context.say(`${id} is changed, and looked at now.`);
          serviceNote(context, core);
        });
      }),
    );
  mailbox
    .command('pause')
    .argument('<id>', 'mbx_…')
    .option('--reason <text>', 'why', 'no mails for now')
    .description('let it rest: refuse its mails for now (senders try again later), read none; as `pause mailbox`')
    .action(
      action((context, id: string, { reason }: { reason: string }) =>
        pauseHere(context, parseOptions(pauseWorkSchema, { kind: 'mailbox', id, reason })),
      ),
    );
  mailbox
    .command('resume')
    .argument('<id>', 'mbx_…')
    .description('let it go on')
    .action(action((context, id: string) => resumeHere(context, { kind: 'mailbox', id })));
  mailbox
    .command('remove')
    .argument('<id>', 'mbx_…')
    .description('end it for good: credentials are erased at once; what came in stays')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          const { mailbox: removed, receipts } = await removeMailbox(core.commands, operatorHere(), id);
          context.result({ id, state: 'removed', receipts });
          context.say(`${id} is removed.`);
          context.note(
            `${removed.kind === 'forward' ? 'Mails to its address are refused.' : 'Its credentials are erased.'} ${receipts} receipts and the reservations stay; the mails\n` +
              `themselves go ${core.config.mails.keepDays} days after they were read. \`tripwatch privacy erase\` erases a traveller whole.`,
          );
        });
      }),
    );
}

/** What its owner, or the operator, can do about it. */
function sayNotes(context: CommandContext, { id, watch, mails }: MailboxView): void {
  if (watch?.needsSince !== undefined || watch?.state === 'unreachable')
    context.say(`${id}: ${printable(watch.reason)}`);
  if (watch?.news?.by === 'looking') context.say(context.style.dim(`${id}: ${printable(watch.news.note)}`));
  if ((mails?.needsYou ?? 0) > 0)
    context.say(`${id}: ${mails!.needsYou} mails need you: tripwatch receipts --disposition needs-you`);
}

function row(context: CommandContext, one: MailboxView, now: number): readonly string[] {
  const { style } = context;
  const { watch, mails } = one;
  const state = one.state === 'active' ? (watch?.state ?? 'active') : one.state;
  const paint =
    state === 'needs-you' || state === 'unreachable' ? style.red : state === 'watching' ? style.green : style.dim;
  const checked = watch?.checkedAt === undefined ? '' : `checked ${age(now - Date.parse(watch.checkedAt))} ago`;
  const left = watch?.backfill.left;
  const older =
    watch === undefined || watch.backfill.done
      ? ''
      : `older mails: ${left === undefined ? 'being read' : `${left} left`}`;
  return [
    one.id,
    one.kind,
    paint(state),
    printable(one.label),
    printable(one.address === undefined || one.address === one.label ? '' : one.address),
    `${mails?.seen ?? 0} seen, ${mails?.imported ?? 0} imported, ${mails?.skipped ?? 0} not opened`,
    style.dim([checked, older].filter((text) => text !== '').join('; ')),
  ];
}
