import type { MailboxTest } from '../../ports/mailbox-desk.ts';
import type { CommandContext } from '../command.ts';
import type { Core } from '../core.ts';
import { printable, table } from '../terminal/style.ts';
import { takePlace } from '../worker.ts';

const PUSH: Readonly<Record<MailboxTest['push'], string>> = {
  live: 'new mails are told at once',
  request: 'new mails are told at once where this service can be reached from outside; else it looks every few minutes',
  none: 'it is looked at every few minutes',
};
const SHOWN_MAX = 12;

/** What a look into a mailbox found. */
export function sayTest(context: CommandContext, { label, push, folders, sample, older }: MailboxTest): void {
  const { style } = context;
  context.say(`Signed in by ${label}; ${PUSH[push]}.`);
  context.say(
    `Folders: ${folders.map(({ name, role }) => printable(role === undefined ? name : `${name} (${role})`)).join(', ') || 'none'}`,
  );
  if (sample.length === 0) {
    context.say('There is no mail since then.');
    return;
  }
  const read = sample.filter((mail) => mail.read).length;
  context.say(
    `Of the newest ${sample.length} mails ${read} would be opened${older === undefined || older === 0 ? '' : `; ${older} older ones follow`}:`,
  );
  context.say(
    table(
      sample.slice(0, SHOWN_MAX).map((mail) => [
        mail.read ? style.green('open') : style.dim('leave'),
        printable(mail.from).slice(0, 40),
        printable(mail.subject).slice(0, 40) || '(no subject)',
        // Its first sentence: the others say what to do, which is on the receipt.
        style.dim(printable(mail.why.split(/(?<=\.) /)[0]!).slice(0, 90)),
      ]),
    ),
  );
}

/** Whether anything happens by itself now. */
export function serviceNote(context: CommandContext, core: Core): void {
  if (core.shared) return;
  const place = takePlace(core, 'helper');
  if (place === undefined) return;
  place.release();
  context.note('No service is running: mails are read while `tripwatch up` does.');
}
