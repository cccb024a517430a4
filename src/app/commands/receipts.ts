import { type Command, Option } from 'commander';
import { askForMail, knownMailbox, settleReceipt } from '../../api/commands/mailboxes.ts';
import { receiptView } from '../../api/views/accounts.ts';
import type { MailboxId } from '../../domain/ids.ts';
import { DISPOSITIONS, type Disposition, type MailReceipt } from '../../ports/store/mails.ts';
import { action, type CommandContext } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { settle } from '../pipeline.ts';
import { printable, table } from '../terminal/style.ts';
import { chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { count } from './numbers.ts';
import { operatorHere } from './operator.ts';

/** `tripwatch receipts`: what became of every mail, and why. */
export function receiptsCommand(program: Command): void {
  const receipts = program
    .command('receipts')
    .description(
      'show what became of every mail, and why; receipts read ID: read one after all; receipts done ID: it needs you no more',
    )
    .option('--traveller <name>', 'whose (name or id); default: everyone')
    .addOption(new Option('--disposition <what>', 'only these').choices(Object.keys(DISPOSITIONS)))
    .option('--mailbox <id>', 'only those of one mailbox: mbx_…')
    .option('--before <cursor>', 'go on from there: printed at the end of the page before')
    .option('--limit <n>', 'how many, newest first', count('--limit', 1, 1000), 30)
    .action(
      action(async (context, options: ReceiptsOptions) => {
        await withCore(context, 'existing', async (core) => {
          const traveller =
            options.traveller === undefined ? undefined : await chosenTraveller(core, options.traveller);
          if (options.mailbox !== undefined) await knownMailbox(core.commands, operatorHere(), options.mailbox);
          const [page, counts] = await core.store.read(async (tx) => [
            await tx.mails.list(OPERATOR.tenant, {
              limit: options.limit,
              ...(traveller === undefined ? {} : { traveller: traveller.id }),
              ...(options.mailbox === undefined ? {} : { mailbox: options.mailbox as MailboxId }),
              ...(options.before === undefined ? {} : { before: options.before }),
              ...(options.disposition === undefined ? {} : { disposition: options.disposition }),
            }),
            await tx.mails.count(OPERATOR.tenant, traveller?.id),
          ]);
          const next = page.nextBefore === undefined ? {} : { next: page.nextBefore };
          context.result({ counts, receipts: page.receipts.map(receiptView), ...next });
          const { style } = context;
          const paint = { imported: style.green, failed: style.red } as Partial<
            Record<Disposition, (text: string) => string>
          >;
          if (page.receipts.length > 0) {
            context.say(
              table(
                page.receipts.map((mail) => [
                  style.dim(mail.id),
                  (paint[mail.disposition] ?? style.dim)(mail.disposition),
                  printable(mail.subject).slice(0, 50) || '(no subject)',
                  style.dim(printable(mail.reason)),
                ]),
              ),
            );
          }
          sayUndo(context, page.receipts);
          const words = Object.entries(counts)
            .filter(([, n]) => n > 0)
            .map(([name, n]) => `${n} ${name}`);
          context.say(
            words.length === 0
              ? 'No mail yet.'
              : `\n${words.join(', ')}. \`tripwatch explain ID\` tells the whole story of one.`,
          );
          if (page.nextBefore !== undefined) context.note(`Older ones: --before ${page.nextBefore}`);
        });
      }),
    );
  receipts
    .command('read')
    .argument('<id>', 'mail_…')
    .description('read a mail after all that was left unopened')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          const receipt = await askForMail(core.commands, operatorHere(), id);
          await settle(core, context.signal);
          const after = (await core.store.read((tx) => tx.mails.get(receipt.tenant, receipt.id))) ?? receipt;
          context.result(receiptView(after));
          context.say(`${after.disposition}: ${printable(after.reason)}`);
        });
      }),
    );
  doneCommand(receipts);
}

/** `tripwatch receipts done`. */
function doneCommand(receipts: Command): void {
  receipts
    .command('done')
    .argument('<id>', 'mail_…')
    .description('say that what a mail asks of you is done, or is not wanted')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          const after = await settleReceipt(core.commands, operatorHere(), id);
          context.result(receiptView(after));
          context.say(`${after.disposition}: ${printable(after.reason)}`);
        });
      }),
    );
}

/** How each outcome on the page shown is undone. */
const UNDO: Partial<Record<Disposition, string>> = {
  imported: 'take it out: tripwatch remove RESERVATION (restore brings it back; explain ID names it)',
  'nothing-found': 'add what it says by hand: tripwatch add',
  skipped: 'have it read: tripwatch receipts read ID',
  'needs-you': 'do what it says, then: tripwatch receipts done ID',
  'too-large': 'forward it without its attachments',
  vanished: 'move it back, or have it looked for: tripwatch receipts read ID',
  quarantined: 'if you know better: tripwatch receipts read ID',
  failed: 'tripwatch dead-letters; it is kept',
};

function sayUndo(context: CommandContext, shown: readonly MailReceipt[]): void {
  const there = new Set(shown.map(({ disposition }) => disposition));
  const rows = Object.entries(UNDO).filter(([disposition]) => there.has(disposition as Disposition));
  if (rows.length > 0) context.note(table(rows));
}

interface ReceiptsOptions {
  readonly traveller?: string;
  readonly mailbox?: string;
  readonly disposition?: Disposition;
  readonly before?: string;
  readonly limit: number;
}
