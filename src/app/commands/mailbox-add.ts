import { type Command, Option } from 'commander';
import { addMailbox } from '../../api/commands/accounts.ts';
import { beginSignIn, type Connected, connectMailbox, finishSignIn } from '../../api/commands/mailboxes.ts';
import { mailboxView } from '../../api/views/accounts.ts';
import { mailboxTestView } from '../../api/views/mailboxes.ts';
import { connectImapSchema, connectJmapSchema } from '../../contracts/http/mailboxes.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';
import type { Traveller } from '../../ports/store/accounts.ts';
import { parseOptions } from '../checked.ts';
import { action, type CommandContext } from '../command.ts';
import type { Core } from '../core.ts';
import { confirmed } from '../terminal/confirm.ts';
import { openLoopback } from '../terminal/loopback.ts';
import { type PasswordSource, readPassword } from '../terminal/password.ts';
import { printable } from '../terminal/style.ts';
import { chosenOrFirstTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { sayTest, serviceNote } from './mailbox-say.ts';
import { count } from './numbers.ts';
import { operatorHere } from './operator.ts';

interface AddOptions extends PasswordSource {
  readonly traveller?: string;
  readonly label?: string;
  readonly user?: string;
  readonly host?: string;
  readonly port?: number;
  readonly security?: string;
  readonly url?: string;
  readonly folder?: readonly string[];
  readonly since: string;
  readonly test: boolean;
  readonly password?: string;
  readonly yes?: boolean;
}

const KINDS = ['forward', 'imap', 'gmail', 'microsoft', 'jmap'] as const;
type Kind = (typeof KINDS)[number];
/** As people call them. */
const ALSO: Readonly<Record<string, Kind>> = { google: 'gmail', outlook: 'microsoft', hotmail: 'microsoft' };

/** `tripwatch mailbox add [KIND] [ADDRESS]`. */
export function mailboxAddCommand(mailbox: Command): void {
  mailbox
    .command('add')
    .description('a forwarding address, or connect a mailbox by its address')
    .argument('[kind]', `${KINDS.join(', ')}; without: forward, or what fits the address`)
    .argument('[address]', 'mail address; for all but forward')
    .option('--traveller <name>', 'whose (name or id)')
    .option('--label <text>', 'a name for it')
    .option('--since <days>', 'how far back mails are read, e.g. 90d; 0: only what comes from now on', '90d')
    .option('--folder <name...>', 'folders to read; default: all but junk, trash and drafts')
    .option('--user <name>', 'to sign in as; default: the address')
    .option('--password-env <name>', 'variable that holds the password; else it is asked for')
    .option('--password-file <path>', 'file that holds the password')
    .addOption(new Option('--password <text>').hideHelp())
    .option('--host <name>', 'imap: server; default: found by the domain of the address')
    .option('--port <n>', 'imap: port', count('--port', 1, 65_535))
    .addOption(
      new Option('--security <how>', 'imap: encryption; default: tls, at port 143 starttls').choices([
        'tls',
        'starttls',
        'plain',
      ]),
    )
    .option('--url <address>', "jmap: server; default: the domain's")
    .option('--no-test', 'store it without signing in first')
    .option('--yes', 'imap: yes to a server that only DNS names')
    .action(
      action(async (context, first: string | undefined, second: string | undefined, options: AddOptions) => {
        if (options.password !== undefined)
          throw invalid(
            'A password in the command can be read by others on this machine, and stays in the history of the shell. Leave --password out: it is asked for; or use --password-env or --password-file.',
          );
        const { kind: named, address } = kindAndAddress(first, second);
        await withCore(context, 'make', async (core) => {
          const owner = await chosenOrFirstTraveller(core, options.traveller);
          const kind = named ?? (await fitting(context, core, address));
          if (kind === 'forward') return forward(context, core, owner, options.label ?? 'forwarded mails');
          if (address === undefined && kind !== 'gmail' && kind !== 'microsoft')
            throw invalid(`Name the mail address: tripwatch mailbox add ${kind} ada@example.com`);
          const connected =
            kind === 'gmail' || kind === 'microsoft'
              ? await signIn(context, core, owner, kind, address, options)
              : await byPassword(context, core, owner, kind, address!, options);
          await told(context, core, connected);
        });
      }),
    );
}

/** What the first words say. Errors: permanent `option-invalid` for what is no kind. */
function kindAndAddress(first: string | undefined, second: string | undefined): { kind?: Kind; address?: string } {
  if (first === undefined) return { kind: 'forward' };
  if (first.includes('@') && second === undefined) return { address: first };
  const kind = KINDS.find((one) => one === first.toLowerCase()) ?? ALSO[first.toLowerCase()];
  if (kind === undefined)
    throw invalid(
      `${JSON.stringify(first)} is no kind of mailbox.${nearest(first, KINDS)} There are: ${KINDS.join(', ')}. Or give the mail address alone: tripwatch mailbox add ada@example.com`,
    );
  if (kind === 'forward' && second !== undefined)
    throw invalid(
      `A forwarding address is made here, so leave ${JSON.stringify(second)} out: tripwatch mailbox add forward. To connect that mailbox: tripwatch mailbox add ${JSON.stringify(second)}`,
    );
  return { kind, ...(second === undefined ? {} : { address: second }) };
}

/** The way that suits an address: signing in at its provider where that is set up here, else what was found. */
async function fitting(context: CommandContext, core: Core, address: string | undefined): Promise<Kind> {
  if (address === undefined) return 'forward';
  const found = await (await core.mailboxes()).desk.discover(address);
  const google = found.kind === 'imap' && found.host === 'imap.gmail.com' && core.config.oauth.google !== undefined;
  const kind = found.kind === 'sign-in' ? 'microsoft' : google ? 'gmail' : 'imap';
  context.note(`${printable(address)} is connected as ${kind}.`);
  return kind;
}

const invalid = (message: string): TripwatchError => new TripwatchError('permanent', 'option-invalid', message);

async function forward(context: CommandContext, core: Core, owner: Traveller, label: string): Promise<void> {
  const added = await addMailbox(core.commands, operatorHere(), owner.id, { kind: 'forward', label });
  context.result(mailboxView(added));
  context.say(added.address ?? '');
  context.note(
    `Mails to this address are ${printable(owner.name)}'s, whoever sends them: keep it to yourself.\n` +
      `\`tripwatch up\` takes them by SMTP on ${core.config.smtp.host}:${core.config.smtp.port}; smtp.domain sets the part after the @.`,
  );
}

async function byPassword(
  context: CommandContext,
  core: Core,
  owner: Traveller,
  kind: 'imap' | 'jmap',
  address: string,
  options: AddOptions,
): Promise<Connected> {
  const common = {
    address,
    sinceDays: daysOf(options.since),
    test: options.test,
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.label === undefined ? {} : { label: options.label }),
    ...(options.folder === undefined ? {} : { folders: [...options.folder] }),
  };
  const deps = core.commands;
  const asking = (note?: string) => {
    if (note !== undefined) context.note(note);
    return readPassword(`Password of ${printable(options.user ?? address)}`, options, context.env, context.signal);
  };
  if (kind === 'jmap') {
    const server = options.url === undefined ? {} : { url: options.url };
    const password = await asking();
    const body = parseOptions(connectJmapSchema, { kind, ...common, ...server, password });
    return connectMailbox(deps, operatorHere(), owner.id, body, context.signal);
  }
  const server = {
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.security === undefined ? {} : { security: options.security }),
  };
  // What there is to know before one types: an app password, another way in, a server of somebody else.
  const found = options.host === undefined ? await (await core.mailboxes()).desk.discover(address) : undefined;
  if (found !== undefined && found.kind !== 'imap')
    throw new TripwatchError(
      'permanent',
      'mailbox-oauth-needed',
      found.kind === 'none'
        ? found.note
        : `Microsoft takes no passwords for IMAP. Sign in there instead: tripwatch mailbox add microsoft ${address}`,
    );
  let confirm = options.yes === true;
  if (found?.confirm === true && !confirm)
    confirm =
      (await confirmed(
        `DNS says that the mails of ${printable(address)} are at ${printable(found.host)}, which is not of its domain. Is that your mail provider?`,
        context.signal,
      )) === true;
  const password = await asking(found?.note);
  const body = parseOptions(connectImapSchema, { kind, ...common, ...server, password, confirm });
  return connectMailbox(deps, operatorHere(), owner.id, body, context.signal);
}

async function signIn(
  context: CommandContext,
  core: Core,
  owner: Traveller,
  name: 'gmail' | 'microsoft',
  address: string | undefined,
  options: AddOptions,
): Promise<Connected> {
  const kind = name === 'gmail' ? 'gmail' : 'graph';
  // Microsoft takes any port of the name, Google any of the address.
  const loopback = await openLoopback(name === 'gmail' ? '127.0.0.1' : 'localhost');
  try {
    const ask = { kind, sinceDays: daysOf(options.since), ...(address === undefined ? {} : { address }) } as const;
    const { url } = await beginSignIn(core.commands, operatorHere(), owner.id, ask, loopback.redirectUri);
    context.note('Open this in a browser on this machine, and agree to reading mails:');
    process.stderr.write(`\n${url}\n\n`);
    context.note('Waiting until you have signed in; Ctrl-C gives up.');
    const answer = await loopback.answer(context.signal);
    return await finishSignIn(core.commands, operatorHere(), answer, context.signal);
  } finally {
    loopback.close();
  }
}

async function told(context: CommandContext, core: Core, { mailbox, test }: Connected): Promise<void> {
  context.result({ ...mailboxView(mailbox), ...(test === undefined ? {} : { test: mailboxTestView(test) }) });
  context.say(`${mailbox.id}: ${printable(mailbox.address ?? '')} is connected.`);
  if (test !== undefined) sayTest(context, test);
  context.note(
    'Headers of each mail are read; a whole mail only where it looks like a booking, or a rule allows it. Nothing is\n' +
      'changed in the mailbox. Every mail gets a receipt: tripwatch receipts.',
  );
  serviceNote(context, core);
}

/** `90d`, `90` or `0`: days. Errors: permanent `option-invalid`. */
export function daysOf(text: string): number {
  const match = /^(\d{1,4})d?$/.exec(text.trim());
  if (match === null || Number(match[1]) > 3650)
    throw invalid(`--since: ${JSON.stringify(text)} is no number of days. Write it like 90d; at most 3650d.`);
  return Number(match[1]);
}
