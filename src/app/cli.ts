import { Command, CommanderError } from 'commander';
import { TripwatchError } from '../domain/errors.ts';
import { createContext, fail } from './command.ts';
import { accessCommands } from './commands/access.ts';
import { alertCommands } from './commands/alerts.ts';
import { auditCommand } from './commands/audit.ts';
import { byHandCommands } from './commands/by-hand.ts';
import { controlCommands } from './commands/control.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { extractCommand } from './commands/extract.ts';
import { freshnessCommand } from './commands/freshness.ts';
import { importCommand } from './commands/import.ts';
import { keysCommands } from './commands/keys.ts';
import { mailboxCommands } from './commands/mailbox.ts';
import { peopleCommands } from './commands/people.ts';
import { privacyCommands } from './commands/privacy.ts';
import { receiptsCommand } from './commands/receipts.ts';
import { sandboxCommand } from './commands/sandbox.ts';
import { tripsCommand } from './commands/trips.ts';
import { upCommand } from './commands/up.ts';
import { watchCommand } from './commands/watch.ts';
import { version } from './version.ts';

const program = new Command('tripwatch')
  .description("Watches travellers' mailboxes and reservations and publishes every change.")
  .version(version, '-V, --version')
  .option('--data <folder>', 'where everything is kept (default: TRIPWATCH_DATA, else ~/.tripwatch)')
  .option('--config <file>', 'configuration (default: tripwatch.config.json in the data folder)')
  .option('--json', 'print results as JSON, for programs')
  .showHelpAfterError('(tripwatch --help lists the commands)')
  .exitOverride()
  .addHelpText(
    'after',
    `
To try it: npm start  (service and a sandbox airport day together)

For your own trips:
  tripwatch traveller add "Ada"           who travels
  tripwatch import ~/Mail                 mails you have: .eml, mbox, Maildir
  tripwatch mailbox add                   an address to forward new ones to
  tripwatch mailbox add imap ADDRESS      or the mailbox itself; gmail and microsoft too
  tripwatch up                            the service; prints the address of the page
Accounts at flight-status and booking providers: docs/operating/configuration.md`,
  );

// What commander itself finds wrong is one JSON object too, where JSON was asked for. Commands inherit this.
const json = process.argv.includes('--json');
if (json) program.configureOutput({ writeErr: () => {} });

upCommand(program);
demoCommand(program);
sandboxCommand(program);
importCommand(program);
extractCommand(program);
tripsCommand(program);
watchCommand(program);
receiptsCommand(program);
explainCommand(program);
byHandCommands(program);
peopleCommands(program);
alertCommands(program);
mailboxCommands(program);
accessCommands(program);
deadLettersCommand(program);
controlCommands(program);
auditCommand(program);
privacyCommands(program);
keysCommands(program);
freshnessCommand(program);
doctorCommand(program);

for (const command of allOf(program)) {
  // `--json` and `--data` may stand before or after the command's name.
  if (command !== program) {
    command
      .option('--data <folder>', 'where everything is kept')
      .option('--config <file>', 'configuration file')
      .option('--json', 'print the result as JSON');
    command.exitOverride().showHelpAfterError(`(tripwatch ${pathOf(command)} --help explains it)`);
  }
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) fail(error, createContext(program.opts()).json);
  else if (json && error.exitCode !== 0) fail(usageError(error), true);
  else process.exitCode = error.exitCode;
}

/** `error: unknown command 'recipts'` and a hint on the next line; without any command, its help. */
function usageError({ code, message }: CommanderError): TripwatchError {
  const text =
    code === 'commander.help' ? 'There is no command.' : message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new TripwatchError('permanent', 'usage', `${text} \`tripwatch --help\` lists commands and options.`);
}

function allOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}
function pathOf(command: Command): string {
  return command.parent === null || command.parent === program
    ? command.name()
    : `${pathOf(command.parent)} ${command.name()}`;
}
