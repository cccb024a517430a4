import { type Command, Option } from 'commander';
import { receiptView } from '../../api/views/accounts.ts';
import { DISPOSITIONS, type Disposition } from '../../ports/store/mails.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { printable, table } from '../terminal/style.ts';
import { chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { count } from './numbers.ts';

/** `tripwatch receipts`: what became of every mail, and why. */
export function receiptsCommand(program: Command): void {
  program
    .command('receipts')
    .description('show what became of every mail, and why')
    .option('--traveller <name>', 'whose (name or id); default: everyone')
    .addOption(new Option('--disposition <what>', 'only these').choices(Object.keys(DISPOSITIONS)))
    .option('--limit <n>', 'how many, newest first', count('--limit', 1, 1000), 30)
    .action(
      action(async (context, options: { traveller?: string; disposition?: Disposition; limit: number }) => {
        await withCore(context, 'existing', async (core) => {
          const traveller =
            options.traveller === undefined ? undefined : await chosenTraveller(core, options.traveller);
          const [page, counts] = await core.store.read(async (tx) => [
            await tx.mails.list(OPERATOR.tenant, {
              limit: options.limit,
              ...(traveller === undefined ? {} : { traveller: traveller.id }),
              ...(options.disposition === undefined ? {} : { disposition: options.disposition }),
            }),
            await tx.mails.count(OPERATOR.tenant, traveller?.id),
          ]);
          context.result({ counts, receipts: page.receipts.map(receiptView) });
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
          const words = Object.entries(counts)
            .filter(([, n]) => n > 0)
            .map(([name, n]) => `${n} ${name}`);
          context.say(
            words.length === 0
              ? 'No mail yet.'
              : `\n${words.join(', ')}. \`tripwatch explain ID\` tells the whole story of one.`,
          );
        });
      }),
    );
}
